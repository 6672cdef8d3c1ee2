/* cmd_store - look after a store: verify it, copy it, put a copy in its place. */
#include "cli/bar.h"
#include "cli/cli.h"
#include "cli/store_file.h"
#include "json/write.h"

#include <sys/stat.h>
#include <unistd.h>

static int show_progress(void *user, uint64_t done, uint64_t total)
{
    bar_set(user, done, total);
    return 0;
}

/* --- check --store */

struct damages {
    struct bar *bar;
    uint64_t count;
    bool json;
};

/* Keys are bytes: what is not plain text is shown as \xNN. */
static void print_key(atamo_bytes key, bool json)
{
    for (size_t i = 0; i < key.size; i++) {
        const unsigned char byte = (unsigned char)key.data[i];

        if (byte >= ' ' && byte < 0x7f && byte != '\\' && byte != '"')
            (void)putchar(byte);
        else
            (void)printf(json ? "\\\\x%02x" : "\\x%02x", byte);
    }
}

static int show_damage(void *user, const atamo_record *record)
{
    struct damages *damages = user;

    bar_end(damages->bar);
    if (damages->json)
        (void)printf("%s\"", damages->count == 0 ? "" : ",");
    else
        (void)printf("damaged: ");
    print_key(record->key, damages->json);
    (void)fputs(damages->json ? "\"" : "\n", stdout);
    damages->count++;
    return 0;
}

static int show_checked(void *user, uint64_t done, uint64_t total)
{
    const struct damages *damages = user;

    bar_set(damages->bar, done, total);
    return 0;
}

static int verify(const struct store_file *file, bool quiet, bool json)
{
    struct bar bar;
    struct damages damages = {.bar = &bar, .json = json};
    int status = ATAMO_OK;

    bar_begin(&bar, "checking", quiet);
    if (json)
        (void)printf("{\"damaged\":[");
    if (file->store->verify != NULL)
        status = file->store->verify(file->self, show_damage, show_checked, &damages);
    bar_end(&bar);
    if (json)
        (void)printf("],\"ok\":%s}\n", status == ATAMO_OK ? "true" : "false");
    else if (status == ATAMO_OK && !quiet)
        (void)puts("the store is good");
    if (status == ATAMO_DAMAGED)
        cli_say("%llu damaged record%s; all others can be read", (unsigned long long)damages.count,
                damages.count == 1 ? "" : "s");
    else if (status != ATAMO_OK)
        cli_say("the store: %s", atamo_status_text(status));
    return status;
}

enum exit_code cmd_check_store(const struct cli_line *line)
{
    struct store_file file;
    int status = store_file_open(&file, line->arguments[0], NULL, STORE_READ);

    if (status == ATAMO_OK) {
        status = verify(&file, cli_value(line, "quiet") != NULL, cli_value(line, "json") != NULL);
        store_file_close(&file);
    }
    return cli_exit(status);
}

/* --- backup and restore */

/* Copy a store that is open to `path`, which must not be there. */
static int copy(const struct store_file *file, const char *path, const char *what, bool quiet)
{
    struct bar bar;
    int status = ATAMO_UNSUPPORTED;

    bar_begin(&bar, what, quiet);
    if (file->store->backup != NULL)
        status = file->store->backup(file->self, path, show_progress, &bar);
    bar_end(&bar);
    if (status != ATAMO_OK)
        cli_say("%s: %s", path, atamo_status_text(status));
    return status;
}

static void say_done(const struct cli_line *line, const char *path)
{
    char text[STORE_PATH_MAX * 6];
    struct json_writer writer;
    struct stat found;

    if (stat(path, &found) != 0)
        return;
    json_writer_init(&writer, text, sizeof text);
    json_open_object(&writer);
    json_put_name(&writer, atamo_text("path"));
    json_put_text(&writer, atamo_text(path));
    json_put_name(&writer, atamo_text("bytes"));
    json_put_uint(&writer, (uint64_t)found.st_size);
    json_close_object(&writer);
    if (cli_value(line, "json") != NULL)
        (void)printf("%.*s\n", (int)writer.size, text);
    else if (cli_value(line, "quiet") == NULL)
        (void)printf("%s: %lld bytes\n", path, (long long)found.st_size);
}

enum exit_code cmd_backup(const struct cli_line *line)
{
    const char *path = line->arguments[1];
    struct store_file file;
    int status = store_file_open(&file, line->arguments[0], NULL, STORE_READ);

    if (status != ATAMO_OK)
        return cli_exit(status);
    status = copy(&file, path, "backup", cli_value(line, "quiet") != NULL);
    store_file_close(&file);
    if (status == ATAMO_OK)
        say_done(line, path);
    return cli_exit(status);
}

enum exit_code cmd_restore(const struct cli_line *line)
{
    const bool quiet = cli_value(line, "quiet") != NULL;
    const char *backup = line->arguments[1];
    char path[STORE_PATH_MAX];
    struct store_file file;
    int status = store_file_path(line->arguments[0], path);

    if (status == ATAMO_OK && access(path, F_OK) == 0) {
        cli_say("%s is there already: move it away first", path);
        status = ATAMO_EXISTS;
    }
    if (status == ATAMO_OK)
        status = store_file_open(&file, line->arguments[0], backup, STORE_READ);
    if (status != ATAMO_OK)
        return cli_exit(status);
    status = verify(&file, true, false);
    if (status == ATAMO_OK)
        status = copy(&file, path, "restore", quiet);
    store_file_close(&file);
    if (status == ATAMO_OK)
        say_done(line, path);
    return cli_exit(status);
}
