/* cmd_schema - the JSON Schema of configurations, for editors that check while one types. */
#include "cli/cli.h"
#include "config/schema.h"

enum exit_code cmd_schema(const struct cli_line *line)
{
    struct arena arena;
    atamo_bytes text;

    (void)line;
    arena_init(&arena);
    text = schema_write(&arena);
    if (text.data != NULL)
        (void)printf("%.*s\n", (int)text.size, text.data);
    else
        cli_say("%s", atamo_status_text(ATAMO_NO_MEMORY));
    arena_close(&arena);
    return text.data != NULL ? EXIT_OK : EXIT_FAILED;
}
