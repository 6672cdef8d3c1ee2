/* remote_settings - where the hub is and how it knows us: the command line, else the environment,
 * else ~/.config/atamo/client.yaml, else a hub on this machine.
 *
 * Happy path: each of url, token and cacert is taken from the first of them that has it; `@FILE` as
 * a token is read from the file, so that it is not seen in a list of processes. A file of settings
 * that is not there is none. Fails if it cannot be read, is no YAML, or has names that are not
 * known; if an address is none; if a token could not stand in a header.
 */
#include "cli/remote.h"

#include "yaml/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char default_url[] = "http://127.0.0.1:8080";
static const char *const setting_names[] = {"url", "token", "cacert"};

enum { SETTINGS = sizeof setting_names / sizeof setting_names[0] };

/* The program is not threaded when it asks. */
static const char *environment(const char *name)
{
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe) */

    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* NULL: there is no home. */
static const char *settings_path(struct arena *arena)
{
    const char *config = environment("XDG_CONFIG_HOME");
    const char *home = environment("HOME");

    if (config != NULL && config[0] == '/')
        return arena_printf(arena, "%s/atamo/client.yaml", config);
    return home == NULL ? NULL : arena_printf(arena, "%s/.config/atamo/client.yaml", home);
}

static void take_setting(const struct yaml_node *root, size_t i, struct problems *problems,
                         const char *values[SETTINGS])
{
    const struct yaml_node *key = root->keys[i];
    const char *nearest;

    for (size_t at = 0; at < SETTINGS; at++) {
        if (strcmp(key->text.data, setting_names[at]) != 0)
            continue;
        values[at] = root->items[i]->text.data;
        if (root->items[i]->kind != YAML_TEXT)
            (void)problems_add(problems, yaml_place(root->items[i]), "%s is %s, expected text",
                               setting_names[at], yaml_kind_name(root->items[i]->kind));
        return;
    }
    nearest = problems_nearest(key->text, setting_names, SETTINGS);
    (void)problems_add(problems, yaml_place(key), "there is no setting \"%s\"%s%s%s",
                       key->text.data, nearest == NULL ? "" : ": did you mean \"",
                       nearest == NULL ? "" : nearest, nearest == NULL ? "" : "\"?");
}

static const char *from_environment(void *context, const char *name)
{
    (void)context;
    return environment(name);
}

static int read_settings(const char *path, struct arena *arena, struct problems *problems,
                         const char *values[SETTINGS])
{
    const struct yaml_options options = {.file = path, .environment = from_environment};
    const struct yaml_node *root = NULL;
    atamo_bytes content = {NULL, 0};
    int status = cli_read_file(path, &content);

    if (status != ATAMO_OK)
        return status;
    status = yaml_parse(arena, content, &options, problems, &root);
    free((char *)(uintptr_t)content.data);
    if (status != ATAMO_OK || root == NULL)
        return status;
    if (root->kind != YAML_MAP)
        return problems_add(problems, yaml_place(root), "expected a map with %s, %s and %s",
                            setting_names[0], setting_names[1], setting_names[2]);
    for (size_t i = 0; i < root->count; i++)
        take_setting(root, i, problems, values);
    return problems_status(problems);
}

static enum exit_code settings_of_file(struct arena *arena, const char *values[SETTINGS])
{
    const char *path = settings_path(arena);
    struct problems *problems;
    int status;

    if (path == NULL || (access(path, F_OK) != 0 && errno == ENOENT))
        return EXIT_OK;
    problems = malloc(sizeof *problems);
    if (problems == NULL)
        return EXIT_FAILED;
    problems_init(problems);
    status = read_settings(path, arena, problems, values);
    cli_show_problems(problems, path);
    problems_close(problems);
    free(problems);
    return cli_exit(status);
}

/* "@FILE": what is in it, without the end of the line. */
static enum exit_code read_token(struct arena *arena, const char **token)
{
    atamo_bytes content = {NULL, 0};
    size_t size;
    int status;

    if (*token == NULL || (*token)[0] != '@')
        return EXIT_OK;
    status = cli_read_file(*token + 1, &content);
    if (status != ATAMO_OK)
        return cli_exit(status);
    for (size = content.size; size > 0 && strchr(" \t\r\n", content.data[size - 1]) != NULL;)
        size--;
    *token = arena_copy(arena, (atamo_bytes){content.data, size}).data;
    free((char *)(uintptr_t)content.data);
    return *token == NULL ? EXIT_FAILED : EXIT_OK;
}

static bool is_header_text(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text >= 0x7f)
            return false;
    return true;
}

static bool check(const struct http_settings *settings)
{
    static const char *const starts[] = {"http://", "https://", "unix:/"};
    bool known = false;

    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        known = known || (strncmp(settings->url, starts[i], strlen(starts[i])) == 0 &&
                          settings->url[strlen(starts[i])] != '\0');
    if (!known)
        cli_say("%s: expected an address such as %s, https://host, or unix:/path of a socket",
                settings->url, default_url);
    else if (settings->token != NULL && !is_header_text(settings->token))
        cli_say("the token has spaces, control characters, or letters beyond ASCII");
    else if (settings->cacert != NULL && access(settings->cacert, R_OK) != 0)
        cli_say("%s: the file of certificates cannot be read", settings->cacert);
    else
        return true;
    return false;
}

enum exit_code remote_settings(const struct cli_line *line, struct arena *arena,
                               struct http_settings *settings)
{
    const char *const first[SETTINGS] = {cli_value(line, "url"), cli_value(line, "token"),
                                         cli_value(line, "cacert")};
    const char *const second[SETTINGS] = {environment("ATAMO_URL"), environment("ATAMO_TOKEN"),
                                          NULL};
    const char *values[SETTINGS] = {NULL};
    enum exit_code code = settings_of_file(arena, values);

    if (code != EXIT_OK)
        return code;
    for (size_t i = 0; i < SETTINGS; i++)
        values[i] = first[i] != NULL ? first[i] : second[i] != NULL ? second[i] : values[i];
    code = read_token(arena, &values[1]);
    *settings = (struct http_settings){.url = values[0] == NULL ? default_url : values[0],
                                       .token = values[1],
                                       .cacert = values[2]};
    if (settings->token != NULL && settings->token[0] == '\0')
        settings->token = NULL;
    return code == EXIT_OK && !check(settings) ? EXIT_USAGE : code;
}
