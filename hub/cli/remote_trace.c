/* remote_trace - the path of a message, as a running hub tells it.
 *
 * Happy path: the hub is asked for the message by the client's id or its own; its steps are printed
 * as `atamo trace CONFIG ID` prints those of the store. Fails with the hub's words if it does not
 * remember the message.
 */
#include "cli/remote_trace.h"

#include "cli/step_line.h"

enum exit_code remote_get_event(struct remote *remote, const char *id, const char *what,
                                struct answer *answer)
{
    struct path path;

    path_begin(&path, "/v1/events/");
    path_add_escaped(&path, id);
    path_add(&path, what);
    return remote_get(remote, &path, answer);
}

void remote_print_title(atamo_bytes text)
{
    const struct cli_colours colours = cli_colours(stdout);

    (void)fputs(colours.bold, stdout);
    answer_put(text, stdout);
    (void)printf("%s  ", colours.reset);
}

void remote_print_steps(const struct answer *answer, int64_t action)
{
    const struct cli_colours colours = cli_colours(stdout);
    const uint32_t list = answer_member(answer, 0, "steps");

    for (uint32_t at = answer_first(answer, list); at != 0; at = answer_after(answer, list, at)) {
        const int64_t of = answer_int(answer, at, "action");
        struct step_line line;

        if (action != 0 && of != 0 && of != action)
            continue;
        step_line_read(&line, answer, at);
        answer_put_time(line.t_us, ANSWER_DATE, stdout);
        (void)putchar(' ');
        step_line_print(&line, &colours, stdout);
    }
}

enum exit_code remote_trace(const struct cli_line *line)
{
    struct remote remote;
    struct answer answer;
    enum exit_code code = remote_open(&remote, line);

    if (code != EXIT_OK)
        return code;
    code = remote_get_event(&remote, line->arguments[0], "", &answer);
    if (code == EXIT_OK && remote.json) {
        answer_print(&answer);
    } else if (code == EXIT_OK) {
        remote_print_title(answer_text(&answer, 0, "id"));
        answer_put_wide(answer_text(&answer, 0, "type"), answer_text(&answer, 0, "type").size + 2,
                        stdout);
        answer_put(answer_text(&answer, 0, "state"), stdout);
        (void)putchar('\n');
        remote_print_steps(&answer, 0);
    }
    answer_free(&answer);
    remote_close(&remote);
    return code;
}
