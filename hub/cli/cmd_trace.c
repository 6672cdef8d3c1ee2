/* cmd_trace - the path of one message: what happened, when, and how it ended. */
#include "cli/cli.h"
#include "cli/steps.h"
#include "cli/store_file.h"

#include <stdlib.h>

static int print_json(const struct steps *steps, const char *id, uint64_t node)
{
    struct json_writer writer;
    size_t size;
    char *text;

    json_writer_init(&writer, NULL, 0);
    steps_write_trace(steps, id, node, &writer);
    size = writer.size;
    text = malloc(size);
    if (text == NULL)
        return ATAMO_NO_MEMORY;
    json_writer_init(&writer, text, size);
    steps_write_trace(steps, id, node, &writer);
    (void)printf("%.*s\n", (int)size, text);
    free(text);
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
    return print_json(steps, id, node);
}

enum exit_code cmd_trace(const struct cli_line *line)
{
    const char *id = line->arguments[1];
    struct store_file file;
    struct steps steps;
    int status = store_file_open(&file, line->arguments[0], NULL, STORE_READ);

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
