/* dead_choice - which dead letters a command is about: by id, or by what they are. */
#ifndef HUB_CLI_DEAD_CHOICE_H
#define HUB_CLI_DEAD_CHOICE_H

#include "cli/cli.h"
#include "store/dead_rows.h"

/* Which of them: by id, or by what they are. */
struct dead_choice {
    const char *const *ids;
    size_t id_count;
    bool found[CLI_ARGUMENTS_MAX]; /* of the ids */
    const char *agent, *rule, *type;
    int64_t since_ns; /* 0: whenever */
};

/* From the command line: filters, and ids from argument `first` on. False if it is not understood,
 * which is said. */
bool dead_choose(const struct cli_line *line, size_t first, struct dead_choice *choice);

/* Is the first argument a configuration? An id is digits and dots. */
bool dead_has_config(const struct cli_line *line);

/* --rate, 0 if it was not given. False if it is no number, which is said. */
bool dead_rate(const struct cli_line *line, long *rate);

/* Everything only if somebody says so: false, which is said, if nothing says which. */
bool dead_says_which(const struct cli_line *line, const struct dead_choice *choice);

/* Is this one meant? Notes which ids were found. */
bool dead_is_chosen(struct dead_choice *choice, const struct dead_row *dead);

/* Were all ids found? Says which was not. */
bool dead_all_found(const struct dead_choice *choice);

/* "12.1": the event's place in the store, and the action's ordinal. */
void dead_id(const struct dead_mark *mark, char id[32]);

#endif
