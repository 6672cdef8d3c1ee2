/* why - what atamo_why() says about a message, as lines for people.
 *
 * The hub answers in JSON; it is asked once for the size and once for the text. A message may be
 * forgotten in between: then nothing is printed. Rules for other types of events are left out.
 */
#include "cli/why.h"

#include "cli/cli.h"
#include "json/json.h"

#include <stdlib.h>
#include <string.h>

enum { RULES_SHOWN = 4, ANSWER_MAX = 16 << 20 };

/* What the hub says, malloc'd; its size in *size. NULL: nothing, with the status in *status. */
static char *ask(atamo_hub *hub, const char *id, size_t *size, int *status)
{
    char *text = NULL;
    size_t room;

    *status = atamo_why(hub, id, NULL, 0, &room);
    if (*status != ATAMO_OK && *status != ATAMO_TOO_LARGE)
        return NULL;
    if (room > ANSWER_MAX || (text = malloc(room + 1)) == NULL) {
        *status = ATAMO_NO_MEMORY;
        return NULL;
    }
    *status = atamo_why(hub, id, text, room + 1, size);
    if (*status == ATAMO_OK && *size <= room)
        return text;
    free(text);
    *status = *status == ATAMO_OK ? ATAMO_NOT_FOUND : *status;
    return NULL;
}

static atamo_bytes member(const struct json_document *document, uint32_t object, const char *name)
{
    const uint32_t node = json_member(document, object, atamo_text(name));

    return node != 0 && json_kind_of(document, node) == JSON_TEXT ? json_text(document, node)
                                                                  : atamo_text("");
}

/* A rule that is for other types of events has nothing to say about this one. */
static bool is_for_other_type(atamo_bytes reason)
{
    static const char start[] = "type is ";

    return reason.size >= sizeof start - 1 && memcmp(reason.data, start, sizeof start - 1) == 0;
}

static void print(const struct json_document *document, FILE *stream)
{
    const struct cli_colours colours = cli_colours(stream);
    const uint32_t rules = json_member(document, 0, atamo_text("rules"));
    const uint32_t end = rules == 0 ? 0 : json_next(document, rules);
    const atamo_bytes type = member(document, 0, "type");
    const atamo_bytes id = member(document, 0, "id");
    size_t near = 0;

    (void)fprintf(stream, "  %.*s %.*s\n", (int)type.size, type.data, (int)id.size, id.data);
    for (uint32_t rule = rules + 1; rule < end; rule = json_next(document, rule)) {
        const atamo_bytes name = member(document, rule, "id");
        const atamo_bytes reason = member(document, rule, "reason");

        if (!is_for_other_type(reason) && ++near <= RULES_SHOWN)
            (void)fprintf(stream, "    %s%.*s:%s %.*s\n", colours.dim, (int)name.size, name.data,
                          colours.reset, (int)reason.size, reason.data);
    }
    if (near == 0)
        (void)fprintf(stream, "    %sno rule is for this type%s\n", colours.dim, colours.reset);
    else if (near > RULES_SHOWN)
        (void)fprintf(stream, "    %s... and %zu more rules%s\n", colours.dim, near - RULES_SHOWN,
                      colours.reset);
}

int why_print_unmatched(atamo_hub *hub, const char *id, FILE *stream)
{
    struct json_parser *parser = NULL;
    struct json_document document;
    size_t size = 0;
    int status;
    char *text = ask(hub, id, &size, &status);

    if (text == NULL)
        return status;
    status = json_parser_open(&parser);
    if (status == ATAMO_OK)
        status = json_parse(parser, (atamo_bytes){text, size}, size, &document, NULL);
    if (status == ATAMO_OK)
        print(&document, stream);
    json_parser_close(parser);
    free(text);
    return status;
}
