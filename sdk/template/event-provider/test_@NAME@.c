/* The event provider @NAME@ under a fake host, whose clock moves only when told. */
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

static void test_an_event_comes_whenever_it_is_due(void)
{
    atamo_test_host *host = atamo_test_run(&atamo_plugin_v1, "every: 10s");

    expect(atamo_test_produce(host, 64) == 1, "the first comes at once");
    expect(atamo_test_produce(host, 64) == 0, "the next is not due");
    atamo_test_advance(host, 9999);
    expect(atamo_test_produce(host, 64) == 0, "not yet");
    atamo_test_advance(host, 1);
    expect(atamo_test_produce(host, 64) == 1, "after ten seconds it is");
    expect(strcmp(atamo_test_event_text(host, 1, ATAMO_TYPE).data, "@NAME@.beat") == 0,
           "its type is right");
    expect(atamo_test_close(host) == 0, "nothing was misused");
}

static void test_a_full_hub_gets_the_event_when_it_has_room(void)
{
    atamo_test_host *host = atamo_test_run(&atamo_plugin_v1, "count: 1");

    atamo_test_submit_limit(host, 0);
    expect(atamo_test_produce(host, 64) == 0, "nothing is taken");
    atamo_test_submit_limit(host, 1);
    expect(atamo_test_wait_finished(host, 1000) == ATAMO_OK, "it comes, and is the last");
    expect(atamo_test_event_count(host) == 1, "only once");
    expect(atamo_test_close(host) == 0, "nothing was misused");
}

int main(void)
{
    test_an_event_comes_whenever_it_is_due();
    test_a_full_hub_gets_the_event_when_it_has_room();
    (void)puts("2 passed");
    return 0;
}
