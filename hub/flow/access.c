/* access - "atamo.access/1" for plugins: whose token is it?
 *
 * Happy path: the hub's current tokens are taken by reference out of their slot, so that a reload
 * may put others there meanwhile, and asked. A hub without tokens, as in a simulation, says that
 * it does not support this; whom the tokens do not know is denied, for whatever reason.
 */
#include "flow/access.h"

#include "access/tokens.h"
#include "flow/flow.h"
#include "flow/host.h"

#include <string.h>
#include <time.h>

static struct tokens *current(const atamo_host *host)
{
    struct token_slot *slot = host_services_of(host)->tokens;

    return slot == NULL ? NULL : token_slot_ref(slot);
}

/* Tokens expire by the calendar: the hub's own clock follows nobody who sets the system's, and
 * stands while the machine sleeps. Only where somebody else's clock rules all, it rules here. */
static int64_t calendar(const struct clock *clock)
{
    struct timespec now;

    if (clock->now != NULL || clock_gettime(CLOCK_REALTIME, &now) != 0)
        return clock_now(clock);
    return now.tv_sec * (int64_t)NS_PER_S + now.tv_nsec;
}

static int access_check(const atamo_host *host, atamo_bytes token, atamo_identity *who)
{
    atamo_identity full = {.size = who->size};
    struct tokens *tokens;
    int status;

    if (who->size < offsetof(atamo_identity, user))
        return ATAMO_INVALID;
    tokens = current(host);
    if (tokens == NULL)
        return ATAMO_UNSUPPORTED;
    status = tokens_check(tokens, token, calendar(&host_flow(host)->clock), &full);
    tokens_unref(tokens);
    if (status == ATAMO_OK)
        memcpy(who, &full, who->size < sizeof full ? who->size : sizeof full);
    return status;
}

static int access_required(const atamo_host *host)
{
    struct tokens *tokens = current(host);

    tokens_unref(tokens);
    return tokens != NULL;
}

const atamo_access *access_extension(void)
{
    static const atamo_access table = {
        .size = sizeof table,
        .check = access_check,
        .required = access_required,
    };

    return &table;
}
