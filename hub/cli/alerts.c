/* alerts - what a person should look at, as lines of the log: an action that was given up, a rule
 * that failed, a store without room.
 *
 * Happy path: the line has the agent or rule as its instance, then why, what, and whose message it
 * is, which `atamo why` and `atamo trace` take. When everything fails at once the log must not
 * become the next thing to fail: so many lines a second are written, and the next one says how many
 * were left out. It cannot fail; what is lost on the way to it has a record all the same.
 */
#include "cli/alerts.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

static bool is_given(atamo_bytes text)
{
    return text.size > 0;
}

static bool may_say(struct alerts *alerts)
{
    const int64_t second = clock_monotonic() / NS_PER_S;

    if (second != alerts->second)
        alerts->said = 0;
    alerts->second = second;
    if (alerts->said >= ALERTS_A_SECOND) {
        alerts->unsaid++;
        return false;
    }
    alerts->said++;
    return true;
}

void alerts_end(struct alerts *alerts)
{
    char line[64];

    if (alerts->unsaid == 0)
        return;
    (void)snprintf(line, sizeof line, "%" PRIu64 " alerts were left out here", alerts->unsaid);
    alerts->unsaid = 0;
    alerts->log(alerts->log_user, ATAMO_LOG_WARN, "hub", line);
}

void alerts_take(struct alerts *alerts, const atamo_hub *hub, const atamo_telemetry *record)
{
    const atamo_bytes agent = atamo_name(hub, record->agent);
    const atamo_bytes rule = atamo_name(hub, record->rule);
    const atamo_bytes type = atamo_name(hub, record->type);
    const atamo_bytes as = is_given(agent) ? atamo_name(hub, record->user) : agent;
    char text[512] = "", message[64] = "", place[512] = "", line[2048];

    if (record->step != ATAMO_STEP_ALERT || !may_say(alerts))
        return;
    alerts_end(alerts);
    (void)atamo_telemetry_text(record, text, sizeof text);
    if (record->message != 0) {
        char uuid[37];

        atamo_message_id(hub, record->message, uuid);
        (void)snprintf(message, sizeof message, ", message %s", uuid);
    }
    (void)snprintf(place, sizeof place, "%s%.200s%s%.200s%s", is_given(as) ? " as " : "", as.data,
                   is_given(rule) ? " (rule " : "", rule.data, is_given(rule) ? ")" : "");
    (void)snprintf(line, sizeof line, "%s: %.200s%s%s%s%s", atamo_reason_text(record->reason),
                   type.data, place, message, text[0] != '\0' ? ": " : "", text);
    alerts->log(alerts->log_user, ATAMO_LOG_WARN, is_given(agent) ? agent.data : "hub", line);
}
