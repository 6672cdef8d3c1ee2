/* remote_dead_change - let dead letters of a running hub begin anew, or forget them.
 *
 * Happy path: which they are is found out first: ids that the command line names are looked for,
 * else the hub's list is filtered. Then each is replayed or deleted. Replays by filters that the
 * hub knows are left to it: one call, at --rate. With --dry-run nothing is changed. An id that is
 * not there is said, and then nothing is changed.
 */
#include "cli/bar.h"
#include "cli/remote_dead.h"
#include "cli/remote_dead_pages.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

struct change {
    struct remote remote;
    struct dead_choice choice;
    struct buffer ids; /* each with its NUL */
    int64_t count;
    long rate;
    bool drops, dry;
};

static bool add_id(void *user, const struct answer *answer, uint32_t letter)
{
    struct change *change = user;
    const atamo_bytes id = answer_text(answer, letter, "id");

    change->count++;
    return buffer_add(&change->ids, id, SIZE_MAX / 2) == ATAMO_OK &&
           buffer_add(&change->ids, (atamo_bytes){"", 1}, SIZE_MAX / 2) == ATAMO_OK;
}

/* Those that are named, if all of them are there. */
static enum exit_code look_for_ids(struct change *change)
{
    enum exit_code code = EXIT_OK;

    for (size_t i = 0; i < change->choice.id_count && code == EXIT_OK; i++) {
        struct answer answer;
        struct path path;

        remote_dead_path(&path, change->choice.ids[i], "");
        code = remote_get(&change->remote, &path, &answer);
        if (code == EXIT_OK && !add_id(change, &answer, 0))
            code = EXIT_FAILED;
        answer_free(&answer);
    }
    return code;
}

static enum exit_code change_one(struct change *change, const char *id)
{
    struct http_call call = {.method = change->drops ? "DELETE" : "POST"};
    struct answer answer;
    struct path path;
    enum exit_code code;

    remote_dead_path(&path, id, change->drops ? "" : ":replay");
    call.path = path.text;
    code = remote_call(&change->remote, &call, &answer);
    answer_free(&answer);
    return code;
}

static enum exit_code change_each(struct change *change)
{
    const char *id = change->ids.data;
    enum exit_code code = EXIT_OK;
    int64_t done = 0;
    struct bar bar;

    bar_begin(&bar, change->drops ? "drop" : "replay", change->remote.quiet);
    while (code == EXIT_OK && done < change->count) {
        code = change_one(change, id);
        id += strlen(id) + 1;
        if (code == EXIT_OK)
            bar_set(&bar, (uint64_t)++done, (uint64_t)change->count);
        if (change->rate > 0 && done < change->count)
            (void)poll(NULL, 0, (int)(1000 / change->rate));
    }
    bar_end(&bar);
    change->count = done;
    return code;
}

/* The hub does it, or says how many it would be. */
static enum exit_code replay_all(struct change *change, const struct cli_line *line)
{
    struct http_call call = {.method = "POST"};
    struct answer answer;
    struct path path;
    enum exit_code code;

    path_begin(&path, "/v1/dead-letters:replay");
    path_query(&path, "agent", change->choice.agent);
    path_query(&path, "rule", change->choice.rule);
    path_query(&path, "type", change->choice.type);
    path_query(&path, "rate", cli_value(line, "rate"));
    path_query(&path, "dry_run", change->dry ? "true" : NULL);
    call.path = path.text;
    if (!path_is_good(&path))
        return EXIT_USAGE;
    code = remote_call(&change->remote, &call, &answer);
    change->count = answer_int(&answer, 0, "count");
    answer_free(&answer);
    return code;
}

static enum exit_code work(struct change *change, const struct cli_line *line)
{
    enum exit_code code;

    if (!change->drops && change->choice.id_count == 0 && change->choice.since_ns == 0)
        return replay_all(change, line);
    code = change->choice.id_count > 0
               ? look_for_ids(change)
               : remote_dead_each(&change->remote, &change->choice, add_id, change);
    return code == EXIT_OK && !change->dry ? change_each(change) : code;
}

enum exit_code remote_dead_change(const struct cli_line *line, bool drops)
{
    struct change change = {.drops = drops, .dry = cli_value(line, "dry-run") != NULL};
    enum exit_code code;

    if (!dead_choose(line, 0, &change.choice) || (!drops && !dead_rate(line, &change.rate)) ||
        !dead_says_which(line, &change.choice))
        return EXIT_USAGE;
    code = remote_open(&change.remote, line);
    if (code != EXIT_OK)
        return code;
    code = work(&change, line);
    if (code == EXIT_OK && change.remote.json)
        (void)printf("{\"%s\":%" PRId64 ",\"dry_run\":%s}\n", drops ? "dropped" : "replayed",
                     change.count, change.dry ? "true" : "false");
    else if (code == EXIT_OK && !change.remote.quiet)
        (void)printf("%" PRId64 " %s%s\n", change.count, change.dry ? "would be " : "",
                     drops ? "dropped" : "replayed");
    buffer_free(&change.ids);
    remote_close(&change.remote);
    return code;
}
