/* cmd_dead - actions that failed for good, in the store: list them, show one. Without CONFIG a
 * running hub is asked (remote_dead).
 *
 * Happy path: the store is opened beside a hub that may run, its dead letters are visited, those
 * that the command line asks for are shown. What is damaged is counted and said.
 */
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/dead_choice.h"
#include "cli/remote.h"
#include "cli/remote_dead.h"
#include "cli/steps.h"
#include "cli/store_file.h"
#include "model/cloudevent.h"
#include "store/dead_rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- list */

struct listing {
    struct dead_choice choice;
    uint64_t node;
    size_t count;
    bool json, quiet;
};

static void print_time(int64_t ns)
{
    const time_t seconds = (time_t)(ns / NS_PER_S);
    struct tm parts;
    char text[32] = "";

    if (gmtime_r(&seconds, &parts) != NULL)
        (void)strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    (void)fputs(text, stdout);
}

static void put(struct json_writer *writer, const char *name, atamo_bytes text)
{
    json_put_name(writer, atamo_text(name));
    json_put_text(writer, text);
}

static atamo_bytes why_of(const struct row_mark *mark)
{
    return mark->text.size > 0 ? mark->text : atamo_text(atamo_reason_text(mark->reason));
}

static void write_members(struct json_writer *writer, const struct dead_row *dead, uint64_t node)
{
    char id[32];

    dead_id(dead->mark, id);
    put(writer, "id", atamo_text(id));
    put(writer, "event", message_id(dead->message, node));
    put(writer, "type", message_attribute(dead->message, ATAMO_TYPE));
    put(writer, "rule", dead->action->rule);
    put(writer, "agent", dead->action->agent);
    put(writer, "action", dead->action->type);
    json_put_name(writer, atamo_text("attempts"));
    json_put_uint(writer, dead->mark->mark.attempts);
    json_put_name(writer, atamo_text("died_us"));
    json_put_int(writer, dead->mark->mark.at_ns / NS_PER_US);
    put(writer, "reason", why_of(&dead->mark->mark));
}

/* Texts of a dead letter are bounded: names, and 512 bytes of a reason. */
static void print_json(const struct dead_row *dead, uint64_t node, bool first)
{
    static const size_t room = (size_t)1 << 20;
    char *text = malloc(room);
    struct json_writer writer;

    if (text == NULL)
        return;
    json_writer_init(&writer, text, room);
    json_open_object(&writer);
    write_members(&writer, dead, node);
    json_close_object(&writer);
    (void)printf("%s%.*s", first ? "" : ",\n ", (int)writer.size, text);
    free(text);
}

static void print_bytes(atamo_bytes text, const char *after)
{
    (void)printf("%.*s%s", (int)text.size, text.data, after);
}

static int list_one(void *user, const struct dead_row *dead)
{
    struct listing *listing = user;
    const atamo_bytes why = why_of(&dead->mark->mark);
    char id[32];

    if (!dead_is_chosen(&listing->choice, dead))
        return 0;
    if (listing->json) {
        print_json(dead, listing->node, listing->count++ == 0);
        return 0;
    }
    dead_id(dead->mark, id);
    (void)printf("%-10s ", id);
    print_time(dead->mark->mark.at_ns);
    (void)fputs("  ", stdout);
    print_bytes(dead->action->agent, " ");
    print_bytes(dead->action->type, " (rule ");
    print_bytes(dead->action->rule, ") for ");
    print_bytes(message_attribute(dead->message, ATAMO_TYPE), " ");
    print_bytes(message_id(dead->message, listing->node), ", ");
    (void)printf("%u attempt%s: ", dead->mark->mark.attempts,
                 dead->mark->mark.attempts == 1 ? "" : "s");
    print_bytes(why, "\n");
    listing->count++;
    return 0;
}

static void say_damaged(const struct dead_rows *rows)
{
    if (rows->damaged > 0)
        cli_say("%" PRIu64 " records are damaged and were passed over", rows->damaged);
}

enum exit_code cmd_dead_list(const struct cli_line *line)
{
    struct listing listing = {.json = cli_value(line, "json") != NULL};
    struct dead_rows rows;
    struct store_file file;
    int status;

    if (line->count == 0)
        return remote_dead_list(line);
    if (!dead_choose(line, 1, &listing.choice) || !remote_is_absent(line))
        return EXIT_USAGE;
    status = store_file_open(&file, line->arguments[0], NULL, STORE_READ);
    if (status != ATAMO_OK)
        return cli_exit(status);
    listing.node = file.node;
    status = dead_rows_open(&rows, file.store, file.self);
    if (listing.json)
        (void)printf("[");
    if (status == ATAMO_OK) {
        status = dead_rows_visit(&rows, list_one, &listing);
        say_damaged(&rows);
        dead_rows_close(&rows);
    }
    if (listing.json)
        (void)printf("]\n");
    else if (status == ATAMO_OK && listing.count == 0 && cli_value(line, "quiet") == NULL)
        cli_say("no dead letters");
    store_file_close(&file);
    return cli_exit(status);
}

/* --- show */

/* What is shown of one dead letter, copied: while rows are visited the store cannot be asked. */
struct showing {
    const char *id;
    uint64_t node;
    bool found;
    char *letter; /* its members as JSON */
    char *event;  /* as JSON */
    char event_id[512];
    uint16_t ordinal;
};

static char *copy_event(const struct message *message, uint64_t node)
{
    const size_t size = cloudevent_write(message, node, NULL, 0);
    char *text = malloc(size + 1);

    if (text == NULL)
        return NULL;
    (void)cloudevent_write(message, node, text, size);
    text[size] = '\0';
    return text;
}

static int copy_one(void *user, const struct dead_row *dead)
{
    static const size_t room = (size_t)1 << 20;
    struct showing *showing = user;
    const atamo_bytes event_id = message_id(dead->message, showing->node);
    struct json_writer writer;
    char id[32];

    dead_id(dead->mark, id);
    if (strcmp(id, showing->id) != 0)
        return 0;
    showing->found = true;
    showing->ordinal = dead->mark->ordinal;
    (void)snprintf(showing->event_id, sizeof showing->event_id, "%.*s", (int)event_id.size,
                   event_id.data);
    showing->event = copy_event(dead->message, showing->node);
    showing->letter = calloc(1, room);
    if (showing->letter == NULL)
        return 1;
    json_writer_init(&writer, showing->letter, room - 1);
    json_open_object(&writer);
    write_members(&writer, dead, showing->node);
    json_close_object(&writer);
    return 1;
}

static int print_shown(const struct showing *showing, const struct steps *steps, bool json)
{
    char *text;
    struct json_writer writer;

    if (!json) {
        (void)printf("%s\n%s\n", showing->letter, showing->event);
        steps_print(steps, showing->ordinal, stdout);
        return ATAMO_OK;
    }
    json_writer_init(&writer, NULL, 0);
    steps_write(steps, showing->node, &writer);
    text = malloc(writer.size + 1);
    if (text == NULL)
        return ATAMO_NO_MEMORY;
    json_writer_init(&writer, text, writer.size);
    steps_write(steps, showing->node, &writer);
    (void)printf("{\"letter\":%s,\"event\":%s,\"steps\":%.*s}\n", showing->letter, showing->event,
                 (int)writer.size, text);
    free(text);
    return ATAMO_OK;
}

static int show(const struct store_file *file, struct showing *showing, bool json)
{
    struct steps steps = {.count = 0};
    struct dead_rows rows;
    int status = dead_rows_open(&rows, file->store, file->self);

    if (status != ATAMO_OK)
        return status;
    status = dead_rows_visit(&rows, copy_one, showing);
    say_damaged(&rows);
    dead_rows_close(&rows);
    if (status == ATAMO_OK && !showing->found) {
        cli_say("%s: no dead letter has this id", showing->id);
        return ATAMO_NOT_FOUND;
    }
    if (status == ATAMO_OK && (showing->letter == NULL || showing->event == NULL))
        status = ATAMO_NO_MEMORY;
    if (status != ATAMO_OK)
        return status;
    (void)steps_read(&steps, file->store, file->self, file->node,
                     showing->event_id); /* the journal may not go back so far */
    status = print_shown(showing, &steps, json);
    steps_free(&steps);
    return status;
}

enum exit_code cmd_dead_show(const struct cli_line *line)
{
    struct showing showing = {.id = line->arguments[1]};
    struct store_file file;
    int status;

    if (line->count == 1)
        return remote_dead_show(line);
    if (!remote_is_absent(line))
        return EXIT_USAGE;
    status = store_file_open(&file, line->arguments[0], NULL, STORE_READ);
    if (status != ATAMO_OK)
        return cli_exit(status);
    showing.node = file.node;
    status = show(&file, &showing, cli_value(line, "json") != NULL);
    free(showing.letter);
    free(showing.event);
    store_file_close(&file);
    return cli_exit(status);
}
