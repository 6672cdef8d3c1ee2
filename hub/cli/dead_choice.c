/* dead_choice - which dead letters a command is about. */
#include "cli/dead_choice.h"

#include "base/clock.h"
#include "plugin/quantity.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void dead_id(const struct dead_mark *mark, char id[32])
{
    (void)snprintf(id, 32, "%" PRIu64 ".%u", mark->place, mark->ordinal);
}

static bool is_text(atamo_bytes text, const char *wanted)
{
    return wanted == NULL ||
           (strlen(wanted) == text.size && memcmp(text.data, wanted, text.size) == 0);
}

bool dead_is_chosen(struct dead_choice *choice, const struct dead_row *dead)
{
    char id[32];
    bool named = choice->id_count == 0;

    dead_id(dead->mark, id);
    for (size_t i = 0; i < choice->id_count; i++) {
        if (strcmp(choice->ids[i], id) != 0)
            continue;
        choice->found[i] = true;
        named = true;
    }
    return named && is_text(dead->action->agent, choice->agent) &&
           is_text(dead->action->rule, choice->rule) &&
           is_text(message_attribute(dead->message, ATAMO_TYPE), choice->type) &&
           dead->mark->mark.at_ns >= choice->since_ns;
}

/* From the command line; false if it is not understood, which is said. */
bool dead_choose(const struct cli_line *line, size_t first, struct dead_choice *choice)
{
    const char *since = cli_value(line, "since");
    int64_t span;

    *choice = (struct dead_choice){.ids = line->arguments + first,
                                   .id_count = line->count - first,
                                   .agent = cli_value(line, "agent"),
                                   .rule = cli_value(line, "rule"),
                                   .type = cli_value(line, "type")};
    if (since == NULL)
        return true;
    if (quantity_duration(atamo_text(since), &span) != ATAMO_OK) {
        cli_say("--since %s: expected a duration like 10m, 2h or 7d", since);
        return false;
    }
    choice->since_ns = (int64_t)time(NULL) * NS_PER_S - span;
    return true;
}

bool dead_has_config(const struct cli_line *line)
{
    const char *text = line->count == 0 ? "" : line->arguments[0];

    return text[strspn(text, "0123456789.")] != '\0';
}

bool dead_rate(const struct cli_line *line, long *rate)
{
    const char *text = cli_value(line, "rate");
    char *end;

    *rate = 0;
    if (text == NULL)
        return true;
    *rate = strtol(text, &end, 10);
    if (*end == '\0' && *rate >= 1 && *rate <= 1000000)
        return true;
    cli_say("--rate %s: expected how many a second, 1 to 1000000", text);
    return false;
}

bool dead_says_which(const struct cli_line *line, const struct dead_choice *choice)
{
    if (choice->id_count > 0 || choice->agent != NULL || choice->rule != NULL ||
        choice->type != NULL || choice->since_ns != 0 || cli_value(line, "all") != NULL)
        return true;
    cli_say("which of them? Name ids (atamo dead list), filter by --agent, --rule, --type or "
            "--since, or say --all");
    return false;
}

bool dead_all_found(const struct dead_choice *choice)
{
    bool good = true;

    for (size_t i = 0; i < choice->id_count; i++) {
        if (choice->found[i])
            continue;
        cli_say("%s: no dead letter has this id", choice->ids[i]);
        good = false;
    }
    return good;
}
