/* stand_ins - agents for rules whose own agents are not there.
 *
 * Happy path: the rules are parsed, and each name that `then:` gives an agent is written once.
 * Names that are no names of agents are left to whoever loads the rules.
 */
#include "cli/stand_ins.h"

#include "config/config.h"

#include <string.h>

enum { NAMES_KEPT = 256 };

struct stand_ins {
    const char *names[NAMES_KEPT];
    size_t count;
};

static void add(struct stand_ins *all, atamo_bytes name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    if (name.size == 0 || strspn(name.data, allowed) != name.size || all->count == NAMES_KEPT)
        return;
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->names[i], name.data) == 0)
            return;
    all->names[all->count++] = name.data;
}

static void gather(struct stand_ins *all, const struct yaml_node *rule)
{
    const struct yaml_node *then = yaml_get(rule, "then");

    for (size_t i = 0; then != NULL && then->kind == YAML_LIST && i < then->count; i++) {
        const struct yaml_node *agent = yaml_get(then->items[i], "agent");

        if (agent != NULL && agent->kind == YAML_TEXT)
            add(all, agent->text);
    }
}

static int write_all(const struct stand_ins *all, FILE *out)
{
    bool good = fputs("  flaky: {plugin: flaky, config: {fail_first: 2}, retry: {attempts: 5, "
                      "base: 300ms}}\n",
                      out) >= 0;

    for (size_t i = 0; i < all->count && good; i++)
        if (strcmp(all->names[i], "flaky") != 0)
            good = fprintf(out, "  \"%s\": {plugin: log}\n", all->names[i]) > 0;
    return good ? ATAMO_OK : ATAMO_IO;
}

int stand_ins_write(const char *rules, FILE *out)
{
    const struct yaml_options options = {.file = rules};
    struct stand_ins all = {.count = 0};
    struct problems problems;
    struct arena arena;
    const struct yaml_node *root = NULL;
    atamo_bytes text;
    int status;

    arena_init(&arena);
    problems_init(&problems);
    add(&all, atamo_text("log"));
    status = config_read_text(&arena, rules, &problems, &text);
    if (status == ATAMO_OK)
        status = yaml_parse(&arena, text, &options, &problems, &root);
    if (status == ATAMO_OK && root != NULL) {
        const struct yaml_node *list = root->kind == YAML_MAP ? yaml_get(root, "rules") : root;

        for (size_t i = 0; list != NULL && list->kind == YAML_LIST && i < list->count; i++)
            gather(&all, list->items[i]);
    }
    if (status != ATAMO_NO_MEMORY)
        status = write_all(&all, out);
    problems_close(&problems);
    arena_close(&arena);
    return status;
}
