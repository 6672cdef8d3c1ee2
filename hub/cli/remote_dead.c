/* remote_dead - the dead letters of a running hub: list them, show one.
 *
 * Happy path: the hub is asked page by page, with the filters that it knows; --since is looked at
 * here. Letters are printed as those of a store. A letter is shown with the steps of its message,
 * if the hub remembers it still.
 */
#include "cli/remote_dead.h"

#include "base/clock.h"
#include "cli/remote_dead_pages.h"
#include "cli/remote_trace.h"

#include <inttypes.h>
#include <string.h>

#define PAGE "100"

void remote_dead_path(struct path *path, const char *id, const char *verb)
{
    path_begin(path, "/v1/dead-letters/");
    path_add_escaped(path, id);
    path_add(path, verb);
}

/* One page. *after becomes where the next begins, empty if this was the last. */
static enum exit_code read_page(struct remote *remote, const struct dead_choice *choice,
                                struct buffer *after, remote_dead_take take, void *user)
{
    struct answer answer;
    struct path path;
    enum exit_code code;
    uint32_t list;
    atamo_bytes next;

    path_begin(&path, "/v1/dead-letters");
    path_query(&path, "agent", choice->agent);
    path_query(&path, "rule", choice->rule);
    path_query(&path, "type", choice->type);
    path_query(&path, "limit", PAGE);
    path_query(&path, "after", after->size == 0 ? NULL : after->data);
    code = remote_get(remote, &path, &answer);
    list = answer_member(&answer, 0, "dead_letters");
    for (uint32_t at = answer_first(&answer, list); code == EXIT_OK && at != 0;
         at = answer_after(&answer, list, at))
        if (answer_int(&answer, at, "died_us") >= choice->since_ns / NS_PER_US &&
            !take(user, &answer, at))
            code = EXIT_FAILED;
    next = answer_text(&answer, 0, "next");
    if (answer_is(next, after->size == 0 ? "" : after->data))
        next.size = 0; /* a page that names itself as the next */
    buffer_empty(after);
    if (next.size > 0 && buffer_add(after, next, PATH_ROOM) != ATAMO_OK)
        code = EXIT_FAILED;
    answer_free(&answer);
    return code;
}

enum exit_code remote_dead_each(struct remote *remote, const struct dead_choice *choice,
                                remote_dead_take take, void *user)
{
    struct buffer after = {.data = NULL};
    enum exit_code code;

    do
        code = read_page(remote, choice, &after, take, user);
    while (code == EXIT_OK && after.size > 0);
    buffer_free(&after);
    return code;
}

struct listing {
    size_t count;
    bool json;
};

static void print_letter(const struct answer *answer, uint32_t at)
{
    const atamo_bytes text = answer_text(answer, at, "text");
    const int64_t attempts = answer_int(answer, at, "attempts");

    answer_put_wide(answer_text(answer, at, "id"), 11, stdout);
    answer_put_time(answer_int(answer, at, "died_us"), ANSWER_DATE, stdout);
    (void)fputs("  ", stdout);
    answer_put(answer_text(answer, at, "agent"), stdout);
    (void)putchar(' ');
    answer_put(answer_text(answer, at, "action"), stdout);
    (void)fputs(" (rule ", stdout);
    answer_put(answer_text(answer, at, "rule"), stdout);
    (void)fputs(") for ", stdout);
    answer_put(answer_text(answer, at, "type"), stdout);
    (void)putchar(' ');
    answer_put(answer_text(answer, at, "event"), stdout);
    (void)printf(", %" PRId64 " attempt%s: ", attempts, attempts == 1 ? "" : "s");
    answer_put(text.size > 0 ? text : answer_text(answer, at, "reason"), stdout);
    (void)putchar('\n');
}

static bool list_one(void *user, const struct answer *answer, uint32_t letter)
{
    struct listing *listing = user;
    const atamo_bytes raw = json_raw(&answer->document, letter);

    if (listing->json)
        (void)printf("%s%.*s", listing->count == 0 ? "" : ",\n ", (int)raw.size, raw.data);
    else
        print_letter(answer, letter);
    listing->count++;
    return true;
}

enum exit_code remote_dead_list(const struct cli_line *line)
{
    struct listing listing = {.json = cli_value(line, "json") != NULL};
    struct dead_choice choice;
    struct remote remote;
    enum exit_code code;

    if (!dead_choose(line, 0, &choice))
        return EXIT_USAGE;
    code = remote_open(&remote, line);
    if (code != EXIT_OK)
        return code;
    if (listing.json)
        (void)printf("[");
    code = remote_dead_each(&remote, &choice, list_one, &listing);
    if (listing.json)
        (void)printf("]\n");
    else if (code == EXIT_OK && listing.count == 0 && !remote.quiet)
        cli_say("no dead letters");
    remote_close(&remote);
    return code;
}

enum exit_code remote_dead_show(const struct cli_line *line)
{
    struct answer letter = {.parser = NULL}, message = {.parser = NULL};
    struct remote remote;
    struct path path;
    char id[256];
    enum exit_code code = remote_open(&remote, line);

    if (code != EXIT_OK)
        return code;
    remote_dead_path(&path, line->arguments[0], "");
    code = remote_get(&remote, &path, &letter);
    if (code == EXIT_OK && remote.json) {
        answer_print(&letter);
    } else if (code == EXIT_OK) {
        print_letter(&letter, 0);
        answer_copy(answer_text(&letter, 0, "message"), id, sizeof id);
        if (remote_get_event(&remote, id, "", &message) == EXIT_OK)
            remote_print_steps(&message, answer_int(&letter, 0, "ordinal"));
        answer_free(&message);
    }
    answer_free(&letter);
    remote_close(&remote);
    return code;
}
