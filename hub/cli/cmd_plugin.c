/* cmd_plugin - the plugins that are found on the plugin path, with what is wrong with those that do
 * not load. */
#include "cli/cli.h"
#include "plugin/loader.h"

#include <stdlib.h>

struct listing {
    bool json;
    size_t count;
};

static const char *role_of(const atamo_plugin *plugin)
{
    if (plugin->agent != NULL)
        return "agent";
    if (plugin->auditor != NULL)
        return "auditor";
    if (plugin->event_provider != NULL)
        return "event provider";
    return plugin->rule_provider != NULL ? "rule provider" : "store";
}

static void show(void *user, const char *file)
{
    struct listing *listing = user;
    struct problems *problems = malloc(sizeof *problems);
    struct loaded_plugin loaded;

    if (problems == NULL)
        return;
    problems_init(problems);
    listing->count++;
    if (loader_load(file, "", (struct place){NULL, 0, 0}, problems, &loaded) != ATAMO_OK)
        cli_show_problems(problems, NULL);
    else if (listing->json)
        (void)printf("{\"id\":\"%s\",\"version\":\"%s\",\"role\":\"%s\",\"file\":\"%s\"}\n",
                     loaded.plugin->id, loaded.plugin->version, role_of(loaded.plugin), file);
    else
        (void)printf("%-14s %-8s %-15s %s\n", loaded.plugin->id, loaded.plugin->version,
                     role_of(loaded.plugin), loaded.plugin->summary);
    problems_close(problems);
    free(problems);
}

enum exit_code cmd_plugin_list(const struct cli_line *line)
{
    struct listing listing = {.json = cli_value(line, "json") != NULL};
    char path[8192];

    if (!loader_path(NULL, path, sizeof path))
        return EXIT_FAILED;
    (void)loader_list(path, show, &listing);
    if (listing.count == 0)
        cli_say("no plugins in %s", path);
    return listing.count == 0 ? EXIT_NOT_FOUND : EXIT_OK;
}
