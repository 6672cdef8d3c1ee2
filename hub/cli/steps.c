/* steps - the path of a message for people: one line a step, with colours on a terminal. */
#include "cli/steps.h"

#include "base/clock.h"
#include "cli/cli.h"

#include <inttypes.h>
#include <time.h>

static void print_time(int64_t ns, FILE *out)
{
    const time_t seconds = (time_t)(ns / NS_PER_S);
    struct tm parts;
    char text[32] = "";

    if (gmtime_r(&seconds, &parts) != NULL)
        (void)strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    (void)fprintf(out, "%s.%06d ", text, (int)(ns % NS_PER_S / NS_PER_US));
}

static const char *colour_of(const struct cli_colours *colours, unsigned step)
{
    switch (step) {
    case ATAMO_STEP_DONE:
        return colours->green;
    case ATAMO_STEP_DEAD:
    case ATAMO_STEP_REFUSED:
    case ATAMO_STEP_SHED:
    case ATAMO_STEP_RULE_FAILED:
    case ATAMO_STEP_ALERT:
        return colours->red;
    case ATAMO_STEP_RETRY:
    case ATAMO_STEP_EXPIRED:
    case ATAMO_STEP_CANCELLED:
        return colours->yellow;
    default:
        return "";
    }
}

static void print_details(const struct step *step, FILE *out)
{
    const atamo_telemetry *record = &step->record;
    const char *reason = step->text.size > 0 ? step->text.data : atamo_reason_text(record->reason);

    if (step->agent.size > 0)
        (void)fprintf(out, "  %s", step->agent.data);
    else if (step->type.size > 0)
        (void)fprintf(out, "  %s", step->type.data);
    if (step->agent.size > 0 && step->type.size > 0)
        (void)fprintf(out, " %s", step->type.data);
    if (step->rule.size > 0)
        (void)fprintf(out, " (rule %s)", step->rule.data);
    if (record->attempt > 0)
        (void)fprintf(out, " attempt %u", record->attempt);
    if (record->step == ATAMO_STEP_EVALUATED)
        (void)fprintf(out, "  %" PRIu64 " rule%s matched, %" PRIu64 " action%s", record->value[0],
                      record->value[0] == 1 ? "" : "s", record->value[1],
                      record->value[1] == 1 ? "" : "s");
    if (reason[0] != '\0')
        (void)fprintf(out, ": %s", reason);
}

void steps_print(const struct steps *steps, uint64_t action, FILE *out)
{
    const struct cli_colours colours = cli_colours(out);

    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->list[i];

        if (action != 0 && step->record.action != 0 && step->record.action != action)
            continue;
        print_time(step->record.time_ns, out);
        (void)fprintf(out, "%s%-11s%s", colour_of(&colours, step->record.step),
                      atamo_step_name(step->record.step), colours.reset);
        print_details(step, out);
        (void)fputc('\n', out);
    }
}
