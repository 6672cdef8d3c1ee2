/* The rule provider pickup under a fake host. */
#include <atamo/test.h>

#include <stdlib.h>

extern const atamo_plugin atamo_plugin_v1;

#define SHOPS                                                                   \
    "\"shops\":{\"kiosk\":{\"name\":\"Kiosk am Dom\",\"lat\":50.94,\"lon\":7}," \
    "\"baker\":{\"name\":\"The \\\"Baker\\\"\",\"lat\":50.96,\"lon\":7},"       \
    "\"north\":{\"name\":\"Far North\",\"lat\":60,\"lon\":8}}"
#define RULE(within) \
    "{\"id\":\"r\",\"within_km\":" within ",\"agent\":\"mailer\",\"action\":\"send\"," SHOPS "}"
#define AT(lat) \
    "{\"position\":{\"lat\":" lat ",\"lon\":7},\"customer\":{\"email\":\"e@example.org\"}}"

static void expect(int good, const char *what)
{
    if (good)
        return;
    (void)fprintf(stderr, "not so: %s\n", what);
    exit(1);
}

/* What a rule proposes for an event with this data; agent "" if that is nothing. */
static atamo_proposal proposed(atamo_test_host *host, const char *rule_text, const char *data)
{
    atamo_proposal proposal = {.agent = {"", 0}};
    atamo_event_draft event = atamo_draft("parcel.undelivered");
    void *rule = NULL;

    event.subject = atamo_text("P-1");
    event.data = atamo_text(data);
    expect(atamo_test_compile(host, rule_text, &rule) == ATAMO_OK, "the rule compiles");
    expect(atamo_test_evaluate(host, rule, &event, NULL) == ATAMO_OK, "it is evaluated");
    (void)atamo_test_proposal(host, 0, &proposal);
    atamo_test_release(host, rule);
    return proposal;
}

static void test_the_nearest_shop_writes_to_the_customer(void)
{
    atamo_test_host *host = atamo_test_run(&atamo_plugin_v1, NULL);
    atamo_proposal mail = proposed(host, RULE("5"), AT("50.942"));

    expect(strcmp(mail.agent.data, "mailer") == 0, "the rule's agent gets it");
    expect(strcmp(mail.as.data, "kiosk") == 0, "the kiosk is nearer than the baker");
    expect(
        strcmp(mail.body.data,
               "{\"to\": \"e@example.org\", \"subject\": \"Your parcel\", \"text\": \"Parcel P-1 "
               "waits for you at Kiosk am Dom, 0.2 km from your door.\"}") == 0,
        "the mail says where, and how far that is");
    mail = proposed(host, RULE("5"), AT("50.951"));
    expect(strcmp(mail.as.data, "baker") == 0, "further north it is the baker");
    expect(strstr(mail.body.data, "The \\\"Baker\\\"") != NULL, "names are written as JSON");
    expect(atamo_test_close(host) == 0, "nothing was misused");
}

static void test_a_shop_that_is_too_far_is_none(void)
{
    atamo_test_host *host = atamo_test_run(&atamo_plugin_v1, NULL);

    /* A degree along a meridian is 111.2 km. */
    expect(proposed(host, RULE("111.1"), AT("49.94")).agent.size == 0, "it is further than that");
    expect(proposed(host, RULE("111.3"), AT("49.94")).agent.size > 0, "it is nearer than that");
    /* One of longitude is half as much at 60 degrees north. */
    expect(proposed(host, RULE("55.5"), AT("60")).agent.size == 0, "it is further than that");
    expect(proposed(host, RULE("55.7"), AT("60")).agent.size > 0, "it is nearer than that");
    expect(atamo_test_close(host) == 0, "nothing was misused");
}

static void test_an_event_without_a_position_fails_the_rule(void)
{
    atamo_test_host *host = atamo_test_run(&atamo_plugin_v1, NULL);
    atamo_event_draft event = atamo_draft("parcel.undelivered");
    void *rule = NULL;
    char why[256] = "";

    event.data = atamo_text("{\"position\": {\"lat\": 50}, \"customer\": {\"email\": \"e\"}}");
    expect(atamo_test_compile(host, RULE("5"), &rule) == ATAMO_OK, "the rule compiles");
    expect(atamo_test_evaluate(host, rule, &event, why) != ATAMO_OK, "it fails");
    expect(strstr(why, "position.lon") != NULL, "it says what is missing");
    atamo_test_release(host, rule);
    expect(atamo_test_close(host) == 0, "nothing was misused");
}

static void expect_refusal(const char *rule_text, const char *why)
{
    const atamo_test_settings settings = {
        .size = sizeof settings, .flags = ATAMO_TEST_QUIET, .plugin = &atamo_plugin_v1};
    atamo_test_host *host = NULL;
    void *rule = NULL;

    expect(atamo_test_open(&settings, &host, NULL) == ATAMO_OK, "it opens");
    expect(atamo_test_create(host) == ATAMO_OK, "it is created");
    expect(atamo_test_compile(host, rule_text, &rule) != ATAMO_OK, "the rule is refused");
    expect(strstr(atamo_test_refusal(host), why) != NULL, why);
    expect(atamo_test_close(host) == 0, "nothing was misused");
}

int main(void)
{
    test_the_nearest_shop_writes_to_the_customer();
    test_a_shop_that_is_too_far_is_none();
    test_an_event_without_a_position_fails_the_rule();
    expect_refusal("{\"id\":\"r\",\"whithin_km\":5}", "\"whithin_km\" is unknown");
    expect_refusal("{\"id\":\"r\",\"agent\":\"a\",\"action\":\"b\"," SHOPS "}", "within_km");
    expect_refusal("{\"id\":\"r\",\"shops\":{\"kiosk\":{\"name\":\"K\",\"lat\":91,\"lon\":7}}}",
                   "shop kiosk needs a name, lat and lon");
    (void)puts("6 passed");
    return 0;
}
