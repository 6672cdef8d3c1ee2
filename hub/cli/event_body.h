/* event_body - a CloudEvent out of a command line: TYPE [DATA] and options. */
#ifndef HUB_CLI_EVENT_BODY_H
#define HUB_CLI_EVENT_BODY_H

#include "cli/cli.h"

#define EVENT_BODY_TYPE "application/cloudevents+json"

/* The options it looks at: source, subject, id, key, user; those that the command knows. */
struct event_option {
    const char *option, *attribute;
};
enum { EVENT_OPTIONS = 5 };
extern const struct event_option event_options[EVENT_OPTIONS];

/* The event as JSON, malloc'd. DATA is JSON, "-" stands for stdin;
 * EXIT_INVALID, which is said, if it is something else. */
enum exit_code event_body(const struct cli_line *line, atamo_bytes *body);

#endif
