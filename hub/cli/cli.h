/* cli - what the commands of the `atamo` program share. */
#ifndef HUB_CLI_CLI_H
#define HUB_CLI_CLI_H

#include "base/problems.h"

#include <atamo/hub.h>

#include <stdbool.h>
#include <stdio.h>

/* Exit codes: the same for every command. */
enum exit_code {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_FOUND = 3,
    EXIT_DENIED = 4,
    EXIT_TIMEOUT = 5,
    EXIT_INVALID = 6,
};

/* One option of a command: "--event FILE". */
struct cli_option {
    const char *name;     /* "event" */
    const char *argument; /* "FILE"; NULL: a switch */
    const char *about;
};

enum { CLI_OPTIONS_MAX = 24, CLI_COMMON_OPTIONS = 3, CLI_ARGUMENTS_MAX = 64 };

/* A parsed command line. Values are NULL or "" (a switch that is on) or the argument. */
struct cli_line {
    const struct cli_command *command;
    const char *values[CLI_OPTIONS_MAX]; /* of the command's own options */
    const char *common[CLI_COMMON_OPTIONS];
    const char *arguments[CLI_ARGUMENTS_MAX];
    size_t count;
};

struct cli_command {
    const char *name;      /* "rules test" */
    const char *arguments; /* "CONFIG" */
    const char *about;     /* NULL: not listed */
    size_t least, most;    /* how many arguments */
    const struct cli_option *options;
    size_t option_count;
    enum exit_code (*run)(const struct cli_line *line);
    const char *group; /* under which help lists it */
    const char *notes; /* what else there is to say; NULL: nothing */
};

/* The value of an option; NULL if it was not given. */
const char *cli_value(const struct cli_line *line, const char *name);

/* What a status means as an exit code. */
enum exit_code cli_exit(int status);

/* Is `stream` a terminal on which colour is welcome (NO_COLOR, TERM=dumb)? CLICOLOR_FORCE: always.
 */
bool cli_has_colour(FILE *stream);

/* Colours, "" where colour is not welcome. */
struct cli_colours {
    const char *bold, *dim, *red, *green, *yellow, *blue, *reset;
};
struct cli_colours cli_colours(FILE *stream);

/* Show everything that is wrong, on stderr: file:line:column: error: text, and the line itself. */
void cli_show_problem(const char *file, uint32_t line, uint32_t column, bool warning,
                      const char *text);
void cli_show_problems(const struct problems *problems, const char *path);
void cli_show_report(const atamo_report *report, const char *path);

/* The same as JSON on stdout: {"ok", "problems": [{"file", "line", "column", "severity", "text"}]}.
 */
void cli_show_problems_json(const struct problems *problems, const char *path);

/* Say something on stderr. */
__attribute__((format(printf, 1, 2))) void cli_say(const char *format, ...);

enum { CLI_FILE_MAX = 256 << 20 };

/* Read a file, "-" for stdin, into malloc'd memory. ATAMO_NOT_FOUND, ATAMO_DENIED, ATAMO_IO,
 * ATAMO_TOO_LARGE (CLI_FILE_MAX bytes), ATAMO_NO_MEMORY; said on stderr. */
int cli_read_file(const char *path, atamo_bytes *content);

/* The commands. */
enum exit_code cmd_dev(const struct cli_line *line);
enum exit_code cmd_run(const struct cli_line *line);
enum exit_code cmd_check(const struct cli_line *line);
enum exit_code cmd_check_store(const struct cli_line *line);
enum exit_code cmd_trace(const struct cli_line *line);
enum exit_code cmd_dead_list(const struct cli_line *line);
enum exit_code cmd_dead_show(const struct cli_line *line);
enum exit_code cmd_dead_replay(const struct cli_line *line);
enum exit_code cmd_dead_drop(const struct cli_line *line);
enum exit_code cmd_token_new(const struct cli_line *line);
enum exit_code cmd_token_list(const struct cli_line *line);
enum exit_code cmd_token_revoke(const struct cli_line *line);
enum exit_code cmd_backup(const struct cli_line *line);
enum exit_code cmd_restore(const struct cli_line *line);
enum exit_code cmd_rules_test(const struct cli_line *line);
enum exit_code cmd_rules_list(const struct cli_line *line);
enum exit_code cmd_rules_show(const struct cli_line *line);
enum exit_code cmd_rules_put(const struct cli_line *line);
enum exit_code cmd_rules_rm(const struct cli_line *line);
enum exit_code cmd_rules_history(const struct cli_line *line);
enum exit_code cmd_rules_rollback(const struct cli_line *line);
enum exit_code cmd_emit(const struct cli_line *line);
enum exit_code cmd_request(const struct cli_line *line);
enum exit_code cmd_watch(const struct cli_line *line);
enum exit_code cmd_why(const struct cli_line *line);
enum exit_code cmd_top(const struct cli_line *line);
enum exit_code cmd_stats(const struct cli_line *line);
enum exit_code cmd_agents_list(const struct cli_line *line);
enum exit_code cmd_agents_pause(const struct cli_line *line);
enum exit_code cmd_agents_resume(const struct cli_line *line);
enum exit_code cmd_agents_drain(const struct cli_line *line);
enum exit_code cmd_test(const struct cli_line *line);
enum exit_code cmd_simulate(const struct cli_line *line);
enum exit_code cmd_schema(const struct cli_line *line);
enum exit_code cmd_plugin_list(const struct cli_line *line);
enum exit_code cmd_bench(const struct cli_line *line);
enum exit_code cmd_version(const struct cli_line *line);
enum exit_code cmd_help(const struct cli_line *line);
enum exit_code cmd_completion(const struct cli_line *line);

#endif
