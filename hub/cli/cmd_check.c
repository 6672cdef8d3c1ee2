/* cmd_check - check a configuration without starting anything: plugins are loaded, options checked,
 * instances created and destroyed, rules compiled. */
#include "cli/cli.h"
#include "config/config.h"
#include "flow/host.h"

#include <stdlib.h>

static void log_line(void *user, int level, const char *instance, const char *line)
{
    (void)user;
    if (level > ATAMO_LOG_INFO)
        cli_say("%s: %s", instance, line);
}

/* Build and free again; what was wrong is in `problems`. */
static int check(const char *path, struct problems *problems, struct config_context *context)
{
    const struct config_source source = {.path = path};
    struct generation *generation = NULL;
    struct config *config = NULL;
    int status = config_read(&source, problems, &config);

    if (status == ATAMO_OK)
        status = config_build(config, context, problems, &generation);
    config_free(config);
    if (status == ATAMO_OK)
        generation_free(generation);
    return status;
}

static enum exit_code check_config(const struct cli_line *line)
{
    const char *path = line->arguments[0];
    struct problems *problems = malloc(sizeof *problems);
    struct flow *flow = calloc(1, sizeof *flow);
    struct host_services services = {.flow = flow, .log = {log_line, NULL}};
    struct config_context context = {.depth = CONFIG_WHOLE, .host = host_table(), .hub = &services};
    int status = ATAMO_NO_MEMORY;

    context.names = names_open();
    if (problems != NULL && flow != NULL && context.names != NULL) {
        problems_init(problems);
        flow->names = context.names;
        clock_system(&flow->clock);
        status = check(path, problems, &context);
        if (cli_value(line, "json") != NULL)
            cli_show_problems_json(problems, path);
        else
            cli_show_problems(problems, path);
        if (status == ATAMO_OK && cli_value(line, "json") == NULL &&
            cli_value(line, "quiet") == NULL)
            (void)printf("%s: good\n", path);
        else if (status != ATAMO_OK && cli_value(line, "quiet") == NULL)
            cli_say("%s: %zu problem%s", path, problems->errors, problems->errors == 1 ? "" : "s");
        problems_close(problems);
    }
    names_close(context.names);
    free(flow);
    free(problems);
    return cli_exit(status);
}

enum exit_code cmd_check(const struct cli_line *line)
{
    if (cli_value(line, "store") != NULL)
        return cmd_check_store(line);
    return check_config(line);
}
