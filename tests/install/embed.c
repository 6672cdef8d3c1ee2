/* embed - a program of a stranger that links the installed library: a configuration that says
 * nothing sensible is refused, with a report that says where.
 */
#include <atamo/atamo.h>

#include <stdio.h>

int main(void)
{
    atamo_settings settings = {.size = sizeof settings};
    atamo_report *report = NULL;
    atamo_hub *hub = NULL;
    int status;

    settings.config = atamo_text("nonsense: [1, 2]\n");
    status = atamo_open(&settings, &hub, &report);
    if (status == ATAMO_OK) {
        (void)fprintf(stderr, "nonsense was accepted\n");
        (void)atamo_close(hub, 1000);
    } else if (atamo_report_count(report) > 0) {
        const atamo_problem problem = atamo_report_at(report, 0);

        (void)printf("refused, as it should: line %u: %s\n", problem.line, problem.text);
    } else {
        (void)fprintf(stderr, "refused without a reason: %s\n", atamo_status_text(status));
        status = ATAMO_OK;
    }
    atamo_report_free(report);
    return status == ATAMO_INVALID ? 0 : 1;
}
