/* read - a configuration's files as one tree, with the rules of all included files in one list.
 *
 * Happy path: read the file, parse it, check the names of its sections, then follow `include:` in
 * `rules:` file by file in the order of their names. Fails if a file cannot be read or is no YAML,
 * or if a pattern finds nothing; every such problem is found before it gives up. Included files
 * cannot include further files, so there are no loops.
 */
#include "config/config_inside.h"
#include "config/rulebook.h"
#include "config/wildcard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 64 << 20, RULES_MAX = 4000000 };

/* What `${env:NAME}` stands for while one configuration is read. */
struct environment {
    const struct config *config;
    const struct config_source *source;
};

/* ATAMO_CONFIG_DIR is the folder of the configuration's file, without a '/' at its end. */
static const char *from_environment(void *context, const char *name)
{
    const struct environment *environment = context;
    const struct config_source *source = environment->source;

    if (strcmp(name, "ATAMO_CONFIG_DIR") == 0)
        return environment->config->folder_name;
    if (source->environment != NULL)
        return source->environment(source->environment_context, name);
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody here sets variables */
}

static int file_problem(const char *path, struct problems *problems, int error)
{
    char text[128];

    (void)problems_add(problems, (struct place){path, 0, 0}, "cannot read it: %s",
                       strerror_r(error, text, sizeof text));
    return error == ENOENT ? ATAMO_NOT_FOUND : ATAMO_IO;
}

int config_read_text(struct arena *arena, const char *path, struct problems *problems,
                     atamo_bytes *content)
{
    FILE *file = fopen(path, "re");
    char *data;
    size_t room = 65536;
    size_t size = 0;
    bool failed;

    if (file == NULL)
        return file_problem(path, problems, errno);
    data = malloc(room);
    while (data != NULL) {
        char *larger;

        size += fread(data + size, 1, room - size, file);
        if (size < room || room > FILE_MAX)
            break;
        room *= 2;
        larger = realloc(data, room);
        if (larger == NULL)
            free(data);
        data = larger;
    }
    failed = ferror(file) != 0;
    if (failed)
        (void)file_problem(path, problems, errno != 0 ? errno : EIO);
    (void)fclose(file);
    if (data != NULL && !failed)
        *content = arena_copy(arena, (atamo_bytes){data, size});
    free(data);
    if (failed)
        return ATAMO_IO;
    return data == NULL || content->data == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;
}

static int parse(struct config *config, const struct config_source *source, const char *file,
                 atamo_bytes text, struct problems *problems, const struct yaml_node **root)
{
    struct environment environment = {config, source};
    const struct yaml_options options = {
        .file = file,
        .limits = {.bytes = FILE_MAX, .nodes = 40000000},
        .environment = from_environment,
        .context = &environment,
    };

    return yaml_parse(&config->arena, text, &options, problems, root);
}

static int add_rule(struct config *config, const struct yaml_node *rule)
{
    const size_t count = config->rule_count;

    /* Room doubles: 1, 2, 4, 8... */
    if ((count & (count - 1)) == 0) {
        const size_t room = count == 0 ? 1 : count * 2;
        const struct yaml_node **rules =
            realloc(config->rules, room * sizeof(const struct yaml_node *));

        if (rules == NULL)
            return ATAMO_NO_MEMORY;
        config->rules = rules;
    }
    config->rules[config->rule_count++] = rule;
    return ATAMO_OK;
}

/* The rules of an included file: a list, or a map with `rules:`. NULL: said already, or none. */
static int rules_of(struct config *config, const struct yaml_node *root, struct problems *problems,
                    const struct yaml_node **rules)
{
    struct format_rules_file file;
    int status = ATAMO_OK;

    *rules = NULL;
    if (root == NULL || root->kind == YAML_NULL)
        return ATAMO_OK;
    if (root->kind == YAML_MAP) {
        status = keys_read(&config->arena, &format_rules_file, root, problems, &file);
        *rules = file.rules;
    } else if (root->kind == YAML_LIST) {
        *rules = root;
    } else {
        (void)problems_add(problems, yaml_place(root), "a file of rules is %s, not a list",
                           yaml_kind_name(root->kind));
    }
    return status;
}

/* Mistakes in a file are in `problems`; only memory ends it all. */
static int add_file(struct config *config, const struct config_source *source, const char *path,
                    struct problems *problems)
{
    const struct yaml_node *root = NULL;
    const struct yaml_node *rules = NULL;
    atamo_bytes content = {NULL, 0};
    int status = config_read_text(&config->arena, path, problems, &content);

    if (status == ATAMO_OK)
        status = parse(config, source, path, content, problems, &root);
    if (status != ATAMO_OK)
        return status == ATAMO_NO_MEMORY ? status : ATAMO_OK;
    status = rules_of(config, root, problems, &rules);
    for (size_t i = 0; rules != NULL && i < rules->count && status == ATAMO_OK; i++) {
        if (yaml_get(rules->items[i], "include") != NULL)
            (void)problems_add(problems, yaml_place(rules->items[i]),
                               "a file that is included cannot include others");
        else
            status = add_rule(config, rules->items[i]);
    }
    return status;
}

/* Files of rule tests stand beside the rules; a pattern leaves them out. */
static bool is_test(const char *path)
{
    static const char *const ends[] = {".test.yaml", ".test.yml"};
    const size_t size = strlen(path);

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (size > strlen(ends[i]) && strcmp(path + size - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

/* The files that one pattern finds, by name. */
static int include_pattern(struct config *config, const struct config_source *source,
                           atamo_bytes pattern, struct place place, struct problems *problems)
{
    const char *path = arena_printf(&config->arena, "%s%s",
                                    pattern.data[0] == '/' ? "" : config->folder, pattern.data);
    struct wildcard_files files = {NULL, 0};
    size_t taken = 0;
    int status;

    if (path == NULL)
        return ATAMO_NO_MEMORY;
    status = wildcard_find(&config->arena, path, &files);
    if (status == ATAMO_NO_MEMORY)
        return status;
    if (status != ATAMO_OK) {
        (void)problems_add(problems, place, "no file matches %s", path);
        return ATAMO_OK;
    }
    for (size_t i = 0; i < files.count && status == ATAMO_OK; i++) {
        if (is_test(files.paths[i]))
            continue;
        status = add_file(config, source, files.paths[i], problems);
        taken++;
    }
    if (taken == 0)
        (void)problems_add(problems, place, "only tests of rules match %s", path);
    return status;
}

static int include(struct config *config, const struct config_source *source,
                   const struct yaml_node *node, struct problems *problems)
{
    struct format_include entry;
    int status = keys_read(&config->arena, &format_include, node, problems, &entry);

    for (size_t i = 0; i < entry.include.count && status == ATAMO_OK; i++)
        status = include_pattern(config, source, entry.include.list[i], keys_place(node, "include"),
                                 problems);
    return status;
}

static int collect_rules(struct config *config, const struct config_source *source,
                         struct problems *problems)
{
    const struct yaml_node *rules = config->root == NULL ? NULL : yaml_get(config->root, "rules");
    int status = ATAMO_OK;

    if (rules == NULL || rules->kind != YAML_LIST)
        return ATAMO_OK; /* building says what is wrong with it */
    for (size_t i = 0; i < rules->count && status == ATAMO_OK; i++) {
        if (yaml_get(rules->items[i], "include") != NULL)
            status = include(config, source, rules->items[i], problems);
        else
            status = add_rule(config, rules->items[i]);
    }
    if (config->rule_count > RULES_MAX)
        (void)problems_add(problems, yaml_place(rules), "more than %d rules", RULES_MAX);
    return status;
}

/* --- the folder of rules that may be changed */

static int add_kept(struct config *config, const struct config_source *source, const char *path,
                    atamo_bytes text, struct problems *problems)
{
    const struct yaml_node *root = NULL;
    int status = ATAMO_OK;

    if (text.data == NULL)
        status = config_read_text(&config->arena, path, problems, &text);
    if (status == ATAMO_OK)
        status = parse(config, source, path, text, problems, &root);
    if (status == ATAMO_OK && (root == NULL || root->kind != YAML_MAP))
        (void)problems_add(problems, (struct place){path, 1, 1}, "expected one rule, a map");
    else if (status == ATAMO_OK)
        status = add_rule(config, root);
    return status == ATAMO_NO_MEMORY ? status : ATAMO_OK;
}

/* The files by name, the one that changes at its place among them. */
static int add_folder(struct config *config, const struct config_source *source,
                      const struct wildcard_files *files, const char *changed,
                      struct problems *problems)
{
    const struct config_change *change = source->change;
    bool due = change != NULL && change->rule.size > 0;
    int status = ATAMO_OK;

    for (size_t i = 0; i < files->count && status == ATAMO_OK; i++) {
        const int order = changed == NULL ? -1 : strcmp(files->paths[i], changed);

        if (due && order >= 0) {
            due = false;
            status = add_kept(config, source, changed, change->rule, problems);
        }
        if (order != 0 && status == ATAMO_OK)
            status = add_kept(config, source, files->paths[i], (atamo_bytes){NULL, 0}, problems);
    }
    if (due && status == ATAMO_OK)
        status = add_kept(config, source, changed, change->rule, problems);
    return status;
}

static int collect_folder(struct config *config, const struct config_source *source,
                          struct problems *problems)
{
    const struct yaml_node *named =
        config->root == NULL ? NULL : yaml_get(config->root, "rules_folder");
    struct wildcard_files files = {NULL, 0};
    const char *pattern;
    const char *changed = NULL;
    int status;

    if (named == NULL || named->kind != YAML_TEXT)
        return ATAMO_OK; /* building says what is wrong with it */
    config->rules_folder = arena_printf(
        &config->arena, "%s%s", named->text.data[0] == '/' ? "" : config->folder, named->text.data);
    if (config->rules_folder == NULL)
        return ATAMO_NO_MEMORY;
    if (source->change != NULL)
        changed = rulebook_path(&config->arena, config->rules_folder, source->change->id);
    pattern = rulebook_path(&config->arena, config->rules_folder, "*");
    status = pattern == NULL || (source->change != NULL && changed == NULL)
                 ? ATAMO_NO_MEMORY
                 : wildcard_find(&config->arena, pattern, &files);
    if (status == ATAMO_NO_MEMORY || status == ATAMO_TOO_LARGE)
        return status;
    if (status == ATAMO_IO && access(config->rules_folder, F_OK) == 0)
        (void)problems_add(problems, yaml_place(named), "the folder %s cannot be read",
                           config->rules_folder);
    return add_folder(config, source, &files, changed, problems);
}

/* Rules that were given as a text, instead of those of the files. */
static int replace_rules(struct config *config, const struct config_source *source,
                         struct problems *problems)
{
    const struct yaml_node *root = NULL;
    const struct yaml_node *rules = NULL;
    int status = parse(config, source, NULL, source->rules, problems, &root);

    if (status == ATAMO_OK)
        status = rules_of(config, root, problems, &rules);
    for (size_t i = 0; rules != NULL && i < rules->count && status == ATAMO_OK; i++)
        status = add_rule(config, rules->items[i]);
    return status;
}

static int read_all(struct config *config, const struct config_source *source,
                    struct problems *problems)
{
    atamo_bytes content = source->text;
    const char *slash = source->path == NULL ? NULL : strrchr(source->path, '/');
    /* Of "/atamo.yaml" the folder is "/". */
    const int folder_size =
        slash == NULL ? 0 : (int)(slash - source->path) + (slash == source->path);
    int status = ATAMO_OK;

    config->folder =
        slash == NULL ? strdup("") : strndup(source->path, (size_t)(slash - source->path) + 1);
    config->folder_name =
        slash == NULL ? "." : arena_printf(&config->arena, "%.*s", folder_size, source->path);
    if (config->folder == NULL || config->folder_name == NULL)
        return ATAMO_NO_MEMORY;
    if (source->path != NULL)
        status = config_read_text(&config->arena, source->path, problems, &content);
    if (status == ATAMO_OK)
        status = parse(config, source, source->path, content, problems, &config->root);
    if (status != ATAMO_OK)
        return status;
    if (config->root != NULL && config->root->kind != YAML_MAP)
        return problems_add(problems, yaml_place(config->root),
                            "the configuration is %s, not a map",
                            yaml_kind_name(config->root->kind));
    if (source->rules.data != NULL)
        return replace_rules(config, source, problems);
    status = collect_rules(config, source, problems);
    return status == ATAMO_OK ? collect_folder(config, source, problems) : status;
}

int config_read(const struct config_source *source, struct problems *problems,
                struct config **config)
{
    struct config *made = calloc(1, sizeof *made);
    int status;

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    arena_init(&made->arena);
    status = read_all(made, source, problems);
    if (status != ATAMO_OK) {
        config_free(made);
        return status;
    }
    *config = made;
    return ATAMO_OK;
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    free(config->rules);
    free(config->folder);
    arena_close(&config->arena);
    free(config);
}
