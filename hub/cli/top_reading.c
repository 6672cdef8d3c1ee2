/* top_reading - what a hub counts at one moment, and the rates since the moment before.
 *
 * Happy path: stats and agents are asked for and taken apart; two readings and the time between
 * them give rates. A counter that went down belongs to a hub that has started again. Fails if the
 * hub does not answer, refuses, or there is no memory.
 */
#include "cli/top_reading.h"

#include "base/clock.h"
#include "cli/cached.h"

#include <stdlib.h>
#include <string.h>

static const char *const stat_names[TOP_STATS] = {
    [TOP_ACCEPTED] = "accepted",
    [TOP_REFUSED] = "refused",
    [TOP_FINISHED] = "finished",
    [TOP_ATTEMPTS] = "attempts",
    [TOP_DONE] = "done",
    [TOP_RETRIES] = "retries",
    [TOP_DEAD] = "dead",
    [TOP_SHED] = "shed",
    [TOP_UNMATCHED] = "unmatched",
    [TOP_IN_FLIGHT] = "in_flight",
    [TOP_WAITING] = "waiting",
    [TOP_RUNNING] = "running",
    [TOP_DEAD_LETTERS] = "dead_letters",
    [TOP_RECORDS_LOST] = "records_lost",
    [TOP_RULES] = "rules",
    [TOP_GENERATION] = "generation",
    [TOP_CLIENTS] = "clients",
    [TOP_FEEDS] = "feeds",
    [TOP_REPLIES_LOST] = "replies_lost",
};

static void copy(const struct answer *answer, uint32_t at, const char *name, char *out, size_t room)
{
    answer_copy(answer_text(answer, at, name), out, room);
}

static void read_agent(const struct answer *answer, uint32_t at, struct top_agent *agent)
{
    const uint32_t latency = answer_member(answer, at, "latency");

    copy(answer, at, "id", agent->id, sizeof agent->id);
    copy(answer, at, "plugin", agent->plugin, sizeof agent->plugin);
    copy(answer, at, "state", agent->state, sizeof agent->state);
    copy(answer, at, "breaker", agent->breaker, sizeof agent->breaker);
    agent->queued = answer_int(answer, at, "queued");
    agent->parked = answer_int(answer, at, "parked");
    agent->running = answer_int(answer, at, "running");
    agent->concurrency = answer_int(answer, at, "concurrency");
    agent->done = answer_int(answer, at, "done");
    agent->retries = answer_int(answer, at, "retries");
    agent->dead = answer_int(answer, at, "dead");
    agent->shed = answer_int(answer, at, "shed");
    agent->p50_us = latency == 0 ? 0 : answer_int(answer, latency, "p50_us");
    agent->p99_us = latency == 0 ? 0 : answer_int(answer, latency, "p99_us");
    agent->done_rate = agent->retry_rate = -1;
    agent->cached = agent_cached(answer, at);
}

static bool read_agents(const struct answer *answer, struct top_reading *reading)
{
    const uint32_t list = answer_member(answer, 0, "agents");
    const size_t count = list == 0 ? 0 : json_count(&answer->document, list);

    reading->agents = calloc(count + 1, sizeof *reading->agents);
    if (reading->agents == NULL)
        return false;
    for (uint32_t at = answer_first(answer, list); at != 0; at = answer_after(answer, list, at))
        read_agent(answer, at, &reading->agents[reading->count++]);
    for (size_t i = 0; i < reading->count; i++)
        reading->has_caches = reading->has_caches || reading->agents[i].cached >= 0;
    return true;
}

static void read_stats(const struct answer *answer, struct top_reading *reading)
{
    reading->at_ns = clock_monotonic();
    reading->t_us = answer_int(answer, 0, "t_us");
    reading->durable = answer_bool(answer, 0, "durable");
    for (size_t i = 0; i < TOP_STATS; i++)
        reading->stats[i] = answer_int(answer, 0, stat_names[i]);
    for (size_t i = 0; i < TOP_RATES; i++)
        reading->rates[i] = -1;
}

static int ask(struct remote *remote, const char *path, struct answer *answer)
{
    const struct http_call call = {.path = path};
    int status = http_call(remote->http, &call, &answer->http);

    if (status == ATAMO_OK &&
        answer_parse(answer, buffer_bytes(&answer->http.body), NULL) != ATAMO_OK &&
        answer->http.code == 200)
        answer->http.code = 502; /* no hub */
    return status;
}

enum exit_code top_read(struct remote *remote, struct answer answers[2],
                        struct top_reading *reading, int *status, struct answer **failed)
{
    static const char *const paths[] = {"/v1/stats", "/v1/agents"};

    *reading = (struct top_reading){.at_ns = 0};
    for (size_t i = 0; i < 2; i++) {
        enum exit_code code;

        *failed = &answers[i];
        *status = ask(remote, paths[i], &answers[i]);
        code = remote_exit(*status, answers[i].http.code);
        if (code != EXIT_OK)
            return code;
    }
    read_stats(&answers[0], reading);
    if (read_agents(&answers[1], reading))
        return EXIT_OK;
    *status = ATAMO_NO_MEMORY;
    return EXIT_FAILED;
}

static double rate(int64_t now, int64_t before, double seconds)
{
    return now < before ? 0 : (double)(now - before) / seconds;
}

void top_compare(struct top_reading *reading, const struct top_reading *before)
{
    const double seconds = (double)(reading->at_ns - before->at_ns) / NS_PER_S;

    if (before->at_ns == 0 || seconds <= 0)
        return;
    for (size_t i = 0; i < TOP_RATES; i++)
        reading->rates[i] = rate(reading->stats[i], before->stats[i], seconds);
    for (size_t i = 0; i < reading->count; i++) {
        struct top_agent *agent = &reading->agents[i];

        for (size_t j = 0; j < before->count; j++) {
            if (strcmp(agent->id, before->agents[j].id) != 0)
                continue;
            agent->done_rate = rate(agent->done, before->agents[j].done, seconds);
            agent->retry_rate = rate(agent->retries, before->agents[j].retries, seconds);
        }
    }
}

void top_reading_free(struct top_reading *reading)
{
    free(reading->agents);
    *reading = (struct top_reading){.at_ns = 0};
}
