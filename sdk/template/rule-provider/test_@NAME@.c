/* The rule provider @NAME@ under a fake host. */
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

static const char rule_text[] = "{\"id\":\"r\",\"on\":\"mail\",\"word\":\"invoice\","
                                "\"agent\":\"books\",\"action\":\"file\"}";

static void test_it_proposes_the_action_if_the_word_is_there(void)
{
    atamo_test_host *host = atamo_test_run(&atamo_plugin_v1, NULL);
    atamo_event_draft event = atamo_draft("mail");
    atamo_proposal proposal;
    void *rule = NULL;

    expect(atamo_test_compile(host, rule_text, &rule) == ATAMO_OK, "the rule compiles");
    event.data = atamo_text("\"an invoice of May\"");
    expect(atamo_test_evaluate(host, rule, &event, NULL) == ATAMO_OK, "it is evaluated");
    expect(atamo_test_proposal(host, 0, &proposal) == ATAMO_OK, "there is a proposal");
    expect(strcmp(proposal.agent.data, "books") == 0, "the agent is the rule's");
    event.data = atamo_text("\"a postcard\"");
    (void)atamo_test_evaluate(host, rule, &event, NULL);
    expect(atamo_test_proposal_count(host) == 0, "without the word there is none");
    atamo_test_release(host, rule);
    expect(atamo_test_close(host) == 0, "nothing was misused");
}

static void test_it_refuses_keys_that_it_does_not_know(void)
{
    atamo_test_host *host = atamo_test_run(&atamo_plugin_v1, NULL);
    void *rule = NULL;

    expect(atamo_test_compile(host, "{\"id\":\"r\",\"wrd\":\"x\"}", &rule) != ATAMO_OK,
           "it is refused");
    expect(strstr(atamo_test_refusal(host), "\"wrd\"") != NULL, "the key is named");
    expect(atamo_test_close(host) == 0, "nothing was misused");
}

int main(void)
{
    test_it_proposes_the_action_if_the_word_is_there();
    test_it_refuses_keys_that_it_does_not_know();
    (void)puts("2 passed");
    return 0;
}
