/* cmd_trace - the path of one message: what happened, when, and how it ended.
 *
 * Happy path: with CONFIG the journal of its store is read, without it a running hub is asked.
 * Fails if there is no message with this id; steps that are damaged are said to be missing.
 */
#include "cli/json_made.h"
#include "cli/remote.h"
#include "cli/remote_trace.h"
#include "cli/steps.h"
#include "cli/store_file.h"

#include <stdlib.h>

struct trace {
    const struct steps *steps;
    const char *id;
    uint64_t node;
};

static void write_trace(struct json_writer *writer, const void *user)
{
    const struct trace *trace = user;

    steps_write_trace(trace->steps, trace->id, trace->node, writer);
}

static int print_json(const struct trace *trace)
{
    const atamo_bytes text = json_made(write_trace, trace);

    if (text.data == NULL)
        return ATAMO_NO_MEMORY;
    (void)printf("%s\n", text.data);
    free((char *)(uintptr_t)text.data);
    return ATAMO_OK;
}

static int show(const struct steps *steps, const char *id, uint64_t node, bool json)
{
    const struct cli_colours colours = cli_colours(stdout);

    if (steps->damaged > 0)
        cli_say("%llu chunks of the journal are damaged: steps may be missing",
                (unsigned long long)steps->damaged);
    if (!json) {
        (void)printf("%s%s%s  %s  %s\n", colours.bold, id, colours.reset, steps->list[0].type.data,
                     steps->state);
        steps_print(steps, 0, stdout);
        return ATAMO_OK;
    }
    return print_json(&(const struct trace){steps, id, node});
}

enum exit_code cmd_trace(const struct cli_line *line)
{
    const char *id = line->arguments[1];
    struct store_file file;
    struct steps steps;
    int status;

    if (line->count == 1)
        return remote_trace(line);
    if (!remote_is_absent(line))
        return EXIT_USAGE;
    status = store_file_open(&file, line->arguments[0], NULL, STORE_READ);

    if (status != ATAMO_OK)
        return cli_exit(status);
    status = steps_read(&steps, file.store, file.self, file.node, id);
    if (status == ATAMO_OK) {
        status = show(&steps, id, file.node, cli_value(line, "json") != NULL);
        steps_free(&steps);
    } else {
        cli_say("%s: %s", id,
                status == ATAMO_NOT_FOUND ? "the journal has no message with this id"
                                          : atamo_status_text(status));
    }
    store_file_close(&file);
    return cli_exit(status);
}
