/* errand - something that may take long, done by a thread of its own.
 *
 * Happy path: an errand goes to the thread's list, comes back on the list of those that are done,
 * the server is woken and answers. An exchange that ends meanwhile leaves its errand behind, which
 * is then done for nobody. Fails for want of memory, or when MOST errands wait.
 */
#include "errand.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 256, FETCH_MAX = 64 << 20 };

struct errands {
    struct server *server;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t news;
    struct errand *first, *last; /* to be done */
    struct errand *done;
    size_t count; /* of both */
    bool closing;
};

static void *work(void *argument)
{
    struct errands *errands = argument;

    (void)pthread_mutex_lock(&errands->lock);
    for (;;) {
        struct errand *errand = errands->first;

        if (errand == NULL) {
            if (errands->closing)
                break;
            (void)pthread_cond_wait(&errands->news, &errands->lock);
            continue;
        }
        errands->first = errand->next;
        (void)pthread_mutex_unlock(&errands->lock);
        errand->run(errand);
        (void)pthread_mutex_lock(&errands->lock);
        errand->next = errands->done;
        errands->done = errand;
        server_wake(errands->server);
    }
    (void)pthread_mutex_unlock(&errands->lock);
    return NULL;
}

struct errands *errands_open(struct server *server)
{
    struct errands *errands = calloc(1, sizeof *errands);
    sigset_t all;
    sigset_t before;
    int result;

    if (errands == NULL)
        return NULL;
    errands->server = server;
    (void)pthread_mutex_init(&errands->lock, NULL);
    (void)pthread_cond_init(&errands->news, NULL);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&errands->thread, NULL, work, errands);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0) {
        free(errands);
        return NULL;
    }
    return errands;
}

static void free_errand(struct errand *errand)
{
    text_free(&errand->body);
    text_free(&errand->text);
    errand->server->control->report_free(errand->report);
    free(errand);
}

void errands_close(struct errands *errands)
{
    if (errands == NULL)
        return;
    (void)pthread_mutex_lock(&errands->lock);
    errands->closing = true;
    (void)pthread_cond_signal(&errands->news);
    (void)pthread_mutex_unlock(&errands->lock);
    (void)pthread_join(errands->thread, NULL);
    while (errands->done != NULL) {
        struct errand *errand = errands->done;

        errands->done = errand->next;
        free_errand(errand);
    }
    (void)pthread_cond_destroy(&errands->news);
    (void)pthread_mutex_destroy(&errands->lock);
    free(errands);
}

/* Its exchange has ended. */
static void leave(struct exchange *exchange)
{
    struct errand *errand = exchange->work;

    if (errand != NULL)
        errand->exchange = NULL;
}

struct errand *errand_make(struct exchange *exchange, void (*run)(struct errand *errand),
                           void (*finish)(struct errand *errand))
{
    struct errand *errand = calloc(1, sizeof *errand);

    if (errand == NULL) {
        exchange_failed(exchange, ATAMO_NO_MEMORY, "");
        return NULL;
    }
    errand->server = exchange->server;
    errand->exchange = exchange;
    errand->run = run;
    errand->finish = finish;
    memcpy(errand->id, exchange->id, sizeof errand->id);
    memcpy(errand->user, exchange->user, sizeof errand->user);
    errand->body = exchange->body;
    exchange->body = (struct text){0};
    return errand;
}

void errand_send(struct errand *errand)
{
    struct errands *errands = errand->server->errands;
    struct exchange *exchange = errand->exchange;
    bool taken = false;

    (void)pthread_mutex_lock(&errands->lock);
    if (errands->count < MOST) {
        errands->count++;
        taken = true;
        if (errands->first == NULL)
            errands->first = errand;
        else
            errands->last->next = errand;
        errands->last = errand;
        (void)pthread_cond_signal(&errands->news);
    }
    (void)pthread_mutex_unlock(&errands->lock);
    if (!taken) {
        free_errand(errand);
        exchange_failed(exchange, ATAMO_BUSY, "too many such questions at once");
        return;
    }
    exchange->work = errand;
    exchange->drop = leave;
}

void errand_fetch(struct errand *errand, errand_question ask)
{
    size_t room = 16384;
    size_t size = 0;

    do {
        char *at = text_reserve(&errand->text, room);

        if (at == NULL) {
            errand->status = ATAMO_NO_MEMORY;
            return;
        }
        errand->status = ask(errand, at, room, &size);
        if ((errand->status != ATAMO_OK && errand->status != ATAMO_TOO_LARGE) || size < room)
            break;
        room = size + 1024;
    } while (room < FETCH_MAX);
    errand->text.size = errand->status == ATAMO_OK ? size : 0;
}

void errands_finish(struct server *server)
{
    struct errands *errands = server->errands;
    struct errand *done;

    (void)pthread_mutex_lock(&errands->lock);
    done = errands->done;
    errands->done = NULL;
    for (const struct errand *errand = done; errand != NULL; errand = errand->next)
        errands->count--;
    (void)pthread_mutex_unlock(&errands->lock);
    while (done != NULL) {
        struct errand *errand = done;

        done = errand->next;
        if (errand->exchange != NULL) {
            errand->exchange->work = NULL;
            errand->finish(errand);
        }
        free_errand(errand);
    }
}

void errand_answer(struct errand *errand)
{
    if (errand->status == ATAMO_OK)
        exchange_send_json(errand->exchange, MHD_HTTP_OK, &errand->text);
    else if (errand->status == ATAMO_NOT_FOUND)
        exchange_problem(errand->exchange, MHD_HTTP_NOT_FOUND, "no \"%.200s\" is known",
                         errand->id);
    else
        exchange_failed(errand->exchange, errand->status, "");
}
