/* step_line - one step of a message's path as a line for people: of the store's journal, of a hub
 * that is asked, of its telemetry.
 *
 * Happy path: name, agent, type, user, rule, attempt, reason, as far as they are known. Steps
 * that a newer hub knows are printed by their names. It cannot fail.
 */
#include "cli/step_line.h"

#include <inttypes.h>

void step_line_read(struct step_line *line, const struct answer *answer, uint32_t node)
{
    const atamo_bytes text = answer_text(answer, node, "text");
    const atamo_bytes agent = answer_text(answer, node, "agent");

    *line = (struct step_line){
        .t_us = answer_int(answer, node, "t_us"),
        .step = answer_text(answer, node, "step"),
        .type = answer_text(answer, node, "type"),
        .rule = answer_text(answer, node, "rule"),
        .agent = agent,
        .as = agent.size > 0 ? answer_text(answer, node, "user") : atamo_text(""),
        .id = answer_text(answer, node, "id"),
        .why = text.size > 0 ? text : answer_text(answer, node, "reason"),
        .attempt = answer_int(answer, node, "attempt"),
        .rules = answer_int(answer, node, "rules"),
        .actions = answer_int(answer, node, "actions"),
        .due_us = answer_int(answer, node, "due_us"),
        .count = answer_int(answer, node, "count"),
    };
}

const char *step_colour(const struct cli_colours *colours, atamo_bytes step)
{
    static const char *const bad[] = {"dead", "refused", "shed", "rule-failed", "alert", "failed"};
    static const char *const odd[] = {"retry",   "expired", "cancelled",
                                      "timeout", "paused",  "dropped"};

    if (answer_is(step, "done"))
        return colours->green;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (answer_is(step, bad[i]))
            return colours->red;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        if (answer_is(step, odd[i]))
            return colours->yellow;
    return "";
}

static void put(const char *before, atamo_bytes text, const char *after, FILE *out)
{
    if (text.size == 0)
        return;
    (void)fputs(before, out);
    answer_put(text, out);
    (void)fputs(after, out);
}

/* Is its name all that there is to say of it? */
static bool is_bare(const struct step_line *line)
{
    return line->agent.size + line->type.size + line->rule.size + line->id.size + line->why.size ==
               0 &&
           line->attempt == 0 && line->due_us <= line->t_us && !answer_is(line->step, "evaluated");
}

void step_line_print(const struct step_line *line, const struct cli_colours *colours, FILE *out)
{
    const int width = 11 - (int)line->step.size;

    (void)fputs(step_colour(colours, line->step), out);
    answer_put(line->step, out);
    if (!is_bare(line))
        (void)fprintf(out, "%*s", width > 0 ? width : 1, "");
    (void)fputs(colours->reset, out);
    put("  ", line->agent, "", out);
    put(line->agent.size > 0 ? " " : "  ", line->type, "", out);
    put(" as ", line->as, "", out);
    put(" (rule ", line->rule, ")", out);
    if (line->attempt > 0)
        (void)fprintf(out, " attempt %" PRId64, line->attempt);
    if (answer_is(line->step, "evaluated") && line->rules == 0)
        (void)fputs("  no rule matched", out);
    else if (answer_is(line->step, "evaluated"))
        (void)fprintf(out, "  %" PRId64 " rule%s matched, %" PRId64 " action%s", line->rules,
                      line->rules == 1 ? "" : "s", line->actions, line->actions == 1 ? "" : "s");
    if (line->count > 0)
        (void)fprintf(out, "  %" PRId64 " response%s", line->count, line->count == 1 ? "" : "s");
    put(" ", line->id, "", out);
    if (line->count > 0)
        (void)fprintf(out, "  %" PRId64 " response%s", line->count, line->count == 1 ? "" : "s");
    put(": ", line->why, "", out);
    if (line->due_us > line->t_us)
        (void)fprintf(out, ", due in %.3f s", (double)(line->due_us - line->t_us) / 1e6);
    (void)fputc('\n', out);
}
