/* server - the thread that speaks HTTP.
 *
 * It waits for the descriptors of the HTTP library and of two clients of the hub: one that submits
 * and asks, one that watches telemetry. Nothing else of the plugin has a thread, but errands that
 * may take long (errand.h).
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "certificate.h"
#include "door.h"
#include "exchange.h"
#include "limiter.h"

#include <atamo/access.h>
#include <atamo/control.h>
#include <atamo/event_provider.h>
#include <atamo/json.h>

#include <pthread.h>
#include <stdatomic.h>

enum { SERVER_DOORS_MAX = 8 };

/* Which calls become telemetry. */
enum access_log { ACCESS_NONE, ACCESS_CHANGES, ACCESS_ALL };

struct history;
struct drain;
struct errands;
struct inquiries;
struct posting;
struct replay;
struct visit;
struct watch;

struct server {
    const atamo_host *host;
    const atamo_control *control;
    const atamo_json *json;
    struct limiter limiter;
    enum access_log access_log;
    uint64_t refused; /* since then: for the access log */
    int64_t refused_since_ms;
    const atamo_access *access; /* NULL: the host knows no tokens */
    bool is_local;              /* nobody else can reach it */
    atamo_hub *hub;
    atamo_client *client;  /* submits and asks */
    atamo_client *watcher; /* sees every step */
    atamo_reader *reader;
    struct certificate certificate;
    bool certificate_is_bad; /* that was told */
    struct door doors[SERVER_DOORS_MAX];
    size_t door_count;
    struct history *history;
    struct errands *errands;
    struct inquiries *inquiries; /* requests whose responses are kept */
    struct exchange *exchanges;  /* all of them */
    struct posting *postings;    /* events on their way into the hub */
    struct watch *watches;       /* streams of telemetry */
    struct drain *drains;        /* who waits for an agent to be drained */
    struct replay *replays;      /* of dead letters, going on */
    bool has_news;               /* steps that the watches have not seen */
    int64_t flush_at_ms;         /* when they may see them */
    enum {
        DURABILITY_UNKNOWN,
        DURABILITY_MEMORY,
        DURABILITY_SYNCED,
    } durability;         /* of what is accepted */
    struct visit *visits; /* connections */
    size_t visit_count;
    uint64_t started, answered[6]; /* exchanges; answers by the first digit of their status */
    int wake_fd;
    pthread_t thread;
    bool has_thread;
    bool resumed;   /* a connection waits to be looked at again */
    bool submitted; /* the hub is to be woken at the end of the round */
    size_t patient; /* those that stay with the library while they wait for their answers */
    _Atomic bool stopping;
    uint64_t max_body;
    int64_t header_ms, body_ms; /* how long the parts of a request may take to come */
    int64_t now_ms, now_ns;     /* monotonic, and the hub's; of this round */
    int64_t next_tick_ms;
};

/* Open listeners and clients, run the thread. On failure the host was told why. [control] */
int server_start(struct server *server);

/* Answer what is open, end the thread, close all. [control] */
void server_stop(struct server *server);

/* Make the thread look around. [any] */
void server_wake(struct server *server);

#endif
