/* remote - the running hub that a command asks: where it is, what it answers, what that means. */
#ifndef HUB_CLI_REMOTE_H
#define HUB_CLI_REMOTE_H

#include "base/arena.h"
#include "cli/answer.h"
#include "cli/cli.h"
#include "cli/path.h"

struct remote {
    struct http_client *http;
    const char *url; /* in the arena */
    bool json;       /* --json */
    bool quiet;
    const char *file; /* what is sent comes from it: mistakes are shown in it; NULL */
    struct arena arena;
};

/* Where the hub is, by the command line, the environment and the file of settings; says what is
 * wrong with them. Nothing is sent. EXIT_USAGE, EXIT_INVALID, EXIT_NOT_FOUND, EXIT_FAILED. */
enum exit_code remote_open(struct remote *remote, const struct cli_line *line);
void remote_close(struct remote *remote);

/* Fill *settings from the line, ATAMO_URL and ATAMO_TOKEN, or the file. Texts are in the arena or
 * are the line's. */
enum exit_code remote_settings(const struct cli_line *line, struct arena *arena,
                               struct http_settings *settings);

/* Call. EXIT_OK if the hub did what it was asked to: then the answer's JSON is parsed, if there is
 * any. Otherwise why not has been said. Free the answer in any case. */
enum exit_code remote_call(struct remote *remote, const struct http_call *call,
                           struct answer *answer);

/* GET a path. */
enum exit_code remote_get(struct remote *remote, const struct path *path, struct answer *answer);

/* What an answer or a failure means; says why it is not EXIT_OK. */
enum exit_code remote_judge(const struct remote *remote, int status, const struct answer *answer);

/* The same, without a word. */
enum exit_code remote_exit(int status, long code);

/* --NAME as "5s" for a query, and as *ms; `value` NULL: not given. False if it is no duration,
 * which is said. */
bool remote_duration(const char *name, const char *value, int64_t *ms);

/* A command that reads a store has CONFIG: --url and the like have no meaning then. False if there
 * is one, which is said. */
bool remote_is_absent(const struct cli_line *line);

#endif
