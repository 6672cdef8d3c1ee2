/* sdl - the feed of guide 4 in the loop of a game, which waits for SDL's events and not for
 * descriptors: shows what comes in until its window is closed or Ctrl+C is pressed.
 *
 * If there is no screen, no hub or no feed, it exits with 1.
 */
#include <SDL.h>
#include <atamo/hub.h>

#include <stdio.h>

static void show(const atamo_reply *replies, size_t count, void *user)
{
    (void)user;
    for (const atamo_reply *reply = replies; reply < replies + count; reply++)
        if (reply->kind == ATAMO_REPLY_DATA)
            (void)printf("%s: %s\n", reply->key.data, reply->body.data);
    (void)fflush(stdout);
}

/* On a thread of the hub; SDL_PushEvent() may be called there. */
static void wake(void *user)
{
    SDL_Event event = {.type = SDL_USEREVENT};

    (void)user;
    (void)SDL_PushEvent(&event);
}

/* Every event is a reason to look, not only that of wake(), which is not there if SDL's queue was
 * full. */
static int run(atamo_client *client)
{
    const atamo_request_options feed = {.size = sizeof feed, .flags = ATAMO_FEED};
    const atamo_event_draft draft = atamo_draft("weather.wanted");
    SDL_Event event;
    int more = 0;

    atamo_on_wakeup(client, wake, NULL);
    if (atamo_request(client, &draft, &feed, show, NULL, NULL) != ATAMO_OK)
        return 1;
    while (SDL_WaitEvent(&event) && event.type != SDL_QUIT) {
        (void)atamo_dispatch(client, 4000, &more);
        if (more)
            wake(NULL);
    }
    atamo_on_wakeup(client, NULL, NULL);
    return 0;
}

int main(int count, char **words)
{
    const atamo_settings settings = {.size = sizeof settings, .config_path = "weather.yaml"};
    atamo_hub *hub = NULL;
    atamo_client *client = NULL;
    SDL_Window *window;
    int code = 1;

    (void)count;
    (void)words;
    if (SDL_Init(SDL_INIT_VIDEO) != 0)
        return 1;
    window = SDL_CreateWindow("Hamburg", 0, 0, 320, 240, 0);
    if (window != NULL && atamo_open(&settings, &hub, NULL) == ATAMO_OK) {
        if (atamo_client_open(hub, &client) == ATAMO_OK) {
            code = run(client);
            atamo_client_close(client);
        }
        (void)atamo_close(hub, atamo_stop_limit(hub));
    }
    SDL_DestroyWindow(window);
    SDL_Quit();
    return code;
}
