/* The agent @NAME@ under a fake host: no hub, no threads, a clock that stands still. */
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

static void test_it_greets_as_configured(void)
{
    atamo_test_host *host = atamo_test_run(&atamo_plugin_v1, "greeting: Ahoy");
    atamo_action action = atamo_test_do(host, "greet", "Ada");

    expect(atamo_test_settled(host, action, NULL) == ATAMO_OK, "the action is settled");
    expect(strcmp(atamo_test_response_body(host, action, 0).data, "Ahoy, Ada!") == 0,
           "the client gets the greeting");
    expect(atamo_test_logged(host, "Ahoy, Ada!"), "the greeting is logged");
    expect(atamo_test_close(host) == 0, "nothing was misused");
}

static void test_it_greets_without_configuration(void)
{
    atamo_test_host *host = atamo_test_run(&atamo_plugin_v1, NULL);
    atamo_action action = atamo_test_do(host, "greet", "Ada");

    expect(strcmp(atamo_test_response_body(host, action, 0).data, "Hello, Ada!") == 0,
           "the fallback of the option is used");
    expect(atamo_test_close(host) == 0, "nothing was misused");
}

int main(void)
{
    test_it_greets_as_configured();
    test_it_greets_without_configuration();
    (void)puts("2 passed");
    return 0;
}
