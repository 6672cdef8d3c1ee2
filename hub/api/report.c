/* report - problems of a configuration, for the embedding program. One malloc holds a report;
 * without memory the caller gets none, and the status alone says that it failed. */
#include "api/hub_inside.h"

#include <stdlib.h>

struct atamo_report {
    struct problems problems;
};

static void copy_problem(struct problems *to, const struct problem *problem)
{
    if (problem->warning)
        problems_warn(to, problem->place, "%s", problem->text);
    else
        (void)problems_add(to, problem->place, "%s", problem->text);
}

void hub_report(const struct problems *problems, atamo_report **report)
{
    atamo_report *made;

    if (report == NULL)
        return;
    made = malloc(sizeof *made);
    *report = made;
    if (made == NULL)
        return;
    problems_init(&made->problems);
    for (size_t i = 0; i < problems->count; i++)
        copy_problem(&made->problems, &problems->list[i]);
}

size_t atamo_report_count(const atamo_report *report)
{
    return report == NULL ? 0 : report->problems.count;
}

atamo_problem atamo_report_at(const atamo_report *report, size_t index)
{
    const struct problem *problem = &report->problems.list[index];

    return (atamo_problem){problem->place.file, problem->place.line, problem->place.column,
                           problem->warning, problem->text};
}

void atamo_report_free(atamo_report *report)
{
    if (report == NULL)
        return;
    problems_close(&report->problems);
    free(report);
}
