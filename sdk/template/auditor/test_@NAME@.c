/* The auditor @NAME@ under a fake host. */
#include <atamo/test.h>

#include <stdlib.h>

extern const atamo_plugin atamo_plugin_v1;

static void expect(int true_, const char *what)
{
    if (true_)
        return;
    (void)fprintf(stderr, "not so: %s\n", what);
    exit(1);
}

static void tell(atamo_test_host *host, uint16_t step, const char *text)
{
    atamo_telemetry record;

    memset(&record, 0, sizeof record);
    record.step = step;
    record.message = 1;
    record.agent = atamo_test_name(host, "mail");
    expect(atamo_test_record(host, &record, text) == ATAMO_OK, "there is memory");
}

static void test_it_counts_steps_and_names_what_died(void)
{
    atamo_test_host *host = atamo_test_run(&atamo_plugin_v1, NULL);

    tell(host, ATAMO_STEP_ADMITTED, "A-1");
    tell(host, ATAMO_STEP_DONE, NULL);
    tell(host, ATAMO_STEP_DEAD, "no such address");
    expect(atamo_test_deliver(host, 7) == ATAMO_OK, "it takes the records");
    expect(atamo_test_logged(host, "agent mail gave up: no such address"), "it names what died");
    (void)atamo_test_drain(host);
    (void)atamo_test_destroy(host);
    expect(atamo_test_logged(host, "1 events, 1 actions done, 1 dead, 7 lost"), "it counts");
    expect(atamo_test_close(host) == 0, "nothing was misused");
}

int main(void)
{
    test_it_counts_steps_and_names_what_died();
    (void)puts("1 passed");
    return 0;
}
