/* steps - the path of a message for people, as the journal of a store has it.
 *
 * Happy path: one line a step, as those of a hub that is asked. It cannot fail.
 */
#include "cli/steps.h"

#include "base/clock.h"
#include "cli/step_line.h"

static bool tells_id(unsigned kind)
{
    return kind == ATAMO_STEP_ADMITTED || kind == ATAMO_STEP_RECOVERED ||
           kind == ATAMO_STEP_DUPLICATE;
}

static struct step_line line_of(const struct step *step)
{
    const atamo_telemetry *record = &step->record;
    const atamo_bytes none = {"", 0};

    return (struct step_line){
        .step = atamo_text(atamo_step_name(record->step)),
        .type = step->type,
        .rule = step->rule,
        .agent = step->agent,
        .as = step->agent.size > 0 ? step->user : none,
        .id = tells_id(record->step) ? step->text : none,
        .why = step->text.size > 0 && !tells_id(record->step)
                   ? step->text
                   : atamo_text(atamo_reason_text(record->reason)),
        .attempt = record->attempt,
        .rules = (int64_t)record->value[0],
        .actions = (int64_t)record->value[1],
    };
}

void steps_print(const struct steps *steps, uint64_t action, FILE *out)
{
    const struct cli_colours colours = cli_colours(out);

    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->list[i];
        const struct step_line line = line_of(step);

        if (action != 0 && step->record.action != 0 && step->record.action != action)
            continue;
        answer_put_time(step->record.time_ns / NS_PER_US, ANSWER_DATE, out);
        (void)fputc(' ', out);
        step_line_print(&line, &colours, out);
    }
}
