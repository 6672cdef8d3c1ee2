/* poll - the feed of guide 4 in a loop of poll(): shows what comes in until Enter is pressed.
 *
 * If there is no hub or no feed, it exits with 1.
 */
#include <atamo/hub.h>

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

static void show(const atamo_reply *replies, size_t count, void *user)
{
    (void)user;
    for (const atamo_reply *reply = replies; reply < replies + count; reply++)
        if (reply->kind == ATAMO_REPLY_DATA)
            (void)printf("%s: %s\n", reply->key.data, reply->body.data);
    (void)fflush(stdout);
}

static int run(atamo_client *client)
{
    const atamo_request_options feed = {.size = sizeof feed, .flags = ATAMO_FEED};
    const atamo_event_draft draft = atamo_draft("weather.wanted");
    struct pollfd waits[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                             {.fd = atamo_fd(client), .events = POLLIN}};

    if (atamo_request(client, &draft, &feed, show, NULL, NULL) != ATAMO_OK)
        return 1;
    while (poll(waits, 2, -1) > 0 && waits[0].revents == 0)
        (void)atamo_dispatch(client, 4000, NULL);
    return 0;
}

int main(void)
{
    const atamo_settings settings = {.size = sizeof settings, .config_path = "weather.yaml"};
    atamo_hub *hub = NULL;
    atamo_client *client = NULL;
    int code = 1;

    if (atamo_open(&settings, &hub, NULL) != ATAMO_OK)
        return 1;
    if (atamo_client_open(hub, &client) == ATAMO_OK) {
        code = run(client);
        atamo_client_close(client);
    }
    (void)atamo_close(hub, atamo_stop_limit(hub));
    return code;
}
