/* outlet - where one client hears from the hub.
 *
 * Happy path: replies of a turn are pushed one by one, and the descriptor becomes readable once at
 * its end; the client quiets it before it takes what is there. Nothing here can fail but opening.
 */
#include "flow/outlet.h"

#include "flow/flow.h"

#include <sched.h>
#include <string.h>

int outlet_open(struct outlet *outlet)
{
    memset(outlet, 0, sizeof *outlet);
    stack_init(&outlet->replies);
    return bell_open(&outlet->bell);
}

void outlet_close(struct outlet *outlet)
{
    bell_close(&outlet->bell);
}

void outlet_signal(struct outlet *outlet)
{
    void (*wakeup)(void *user);

    if (atomic_exchange(&outlet->signalled, true))
        return;
    bell_strike(&outlet->bell);
    wakeup = atomic_load(&outlet->wakeup);
    if (wakeup != NULL)
        wakeup(atomic_load(&outlet->wakeup_user));
}

void outlet_quiet(struct outlet *outlet)
{
    int64_t due = 0; /* strikes that belong to flags taken down, and have not been heard */

    /* Whoever sets the flag strikes the bell right after: do not miss that, or it would stay
     * readable with nobody to quiet it. While we wait the flag may be set again, and two strikes
     * be heard as one: then it is taken down, too, or nobody would strike any more. */
    do {
        due += atomic_exchange(&outlet->signalled, false) ? 1 : 0;
        if (due > 0) {
            due -= (int64_t)bell_quiet(&outlet->bell);
            if (due > 0)
                (void)sched_yield();
        }
    } while (due != 0);
}

void outlet_push(struct flow *flow, struct outlet *outlet, struct reply *reply)
{
    stack_push(&outlet->replies, &reply->block.link, &reply->block.link);
    if (outlet->has_news)
        return;
    outlet->has_news = true;
    outlet->next_news = flow->news;
    flow->news = outlet;
}

struct reply *outlet_take(struct outlet *outlet)
{
    return (struct reply *)(void *)stack_take_in_order(&outlet->replies);
}

void flow_tell_news(struct flow *flow)
{
    while (flow->news != NULL) {
        struct outlet *outlet = flow->news;

        flow->news = outlet->next_news;
        outlet->has_news = false;
        outlet_signal(outlet);
    }
}
