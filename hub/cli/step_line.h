/* step_line - one step of a message's path as a line for people. */
#ifndef HUB_CLI_STEP_LINE_H
#define HUB_CLI_STEP_LINE_H

#include "cli/answer.h"
#include "cli/cli.h"

/* What is not known is "" or 0. */
struct step_line {
    int64_t t_us;
    atamo_bytes step; /* its name: "attempt" */
    atamo_bytes type, rule, agent, why;
    atamo_bytes as; /* whom the action acts for, if its rule says so */
    atamo_bytes id; /* the event's, as its client gave it: where it was taken */
    int64_t attempt, rules, actions;
    int64_t due_us; /* when it goes on */
    int64_t count;  /* responses that were dropped */
};

/* From a step as the HTTP API tells it. */
void step_line_read(struct step_line *line, const struct answer *answer, uint32_t node);

/* From the step's name to the line's end; what comes before it is the caller's. */
void step_line_print(const struct step_line *line, const struct cli_colours *colours, FILE *out);

/* The colour of what a step or an action's state says: "done" is green. */
const char *step_colour(const struct cli_colours *colours, atamo_bytes step);

#endif
