/* replies - what comes of a request, for people or as JSON lines.
 *
 * Happy path: data on stdout, a line each; progress, the ends of parts, and gaps on stderr. What
 * came before, as after a connection that was lost, is passed over by its number.
 */
#include "cli/replies.h"

#include <inttypes.h>

static void print_data(const struct answer *answer, uint32_t at)
{
    const uint32_t data = answer_member(answer, at, "data");
    atamo_bytes text;

    if (data == 0)
        return;
    text = json_kind_of(&answer->document, data) == JSON_TEXT ? json_text(&answer->document, data)
                                                              : json_raw(&answer->document, data);
    (void)fwrite(text.data, 1, text.size, stdout);
    (void)putchar('\n');
}

static void print_progress(const struct answer *answer, uint32_t at)
{
    answer_put(answer_text(answer, at, "agent"), stderr);
    (void)fprintf(stderr, " %3.0f %% ", answer_double(answer, at, "progress") * 100);
    answer_put(answer_text(answer, at, "text"), stderr);
    (void)fputc('\n', stderr);
}

static void print_part(const struct answer *answer, uint32_t at)
{
    const atamo_bytes detail = answer_text(answer, at, "detail");

    answer_put(answer_text(answer, at, "agent"), stderr);
    (void)fputs(" has ended: ", stderr);
    answer_put(answer_text(answer, at, "state"), stderr);
    (void)fputs(detail.size > 0 ? ": " : "", stderr);
    answer_put(detail, stderr);
    (void)fputc('\n', stderr);
}

static void print_gap(struct replies *replies, int64_t lost)
{
    if (lost <= 0)
        return;
    replies->lost += lost;
    if (!replies->remote->json)
        (void)fprintf(stderr, "%" PRId64 " responses were lost here\n", lost);
}

void replies_print(struct replies *replies, const struct answer *answer, uint32_t at)
{
    const atamo_bytes raw = json_raw(&answer->document, at);
    const atamo_bytes kind = answer_text(answer, at, "kind");
    const int64_t sequence = answer_int(answer, at, "sequence");

    if (sequence > 0 && sequence <= replies->last)
        return;
    replies->last = sequence;
    print_gap(replies, answer_int(answer, at, "lost"));
    if (replies->remote->json)
        (void)printf("%.*s\n", (int)raw.size, raw.data);
    else if (!answer_is(kind, "progress") && !answer_is(kind, "part"))
        print_data(answer, at);
    else if (replies->remote->quiet)
        return;
    else if (answer_is(kind, "progress"))
        print_progress(answer, at);
    else
        print_part(answer, at);
    (void)fflush(stdout);
}

static void print_end(const struct answer *answer)
{
    static const char *const optional[] = {"done", "actions", "lost"};
    const uint32_t state = answer_member(answer, 0, "state");
    const uint32_t detail = answer_member(answer, 0, "detail");
    const atamo_bytes null = atamo_text("null");
    const atamo_bytes first = state == 0 ? null : json_raw(&answer->document, state);
    const atamo_bytes second = detail == 0 ? null : json_raw(&answer->document, detail);

    (void)printf("{\"state\":%.*s,\"detail\":%.*s", (int)first.size, first.data, (int)second.size,
                 second.data);
    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++)
        if (answer_member(answer, 0, optional[i]) != 0)
            (void)printf(",\"%s\":%" PRId64, optional[i], answer_int(answer, 0, optional[i]));
    (void)puts("}");
}

enum exit_code replies_end(struct replies *replies, const struct answer *answer)
{
    const atamo_bytes state = answer_text(answer, 0, "state");
    const atamo_bytes detail = answer_text(answer, 0, "detail");
    const enum exit_code code = answer_is(state, "done")      ? EXIT_OK
                                : answer_is(state, "timeout") ? EXIT_TIMEOUT
                                                              : EXIT_FAILED;

    if (replies->remote->json)
        print_end(answer);
    if (code == EXIT_OK)
        return code;
    (void)fputs("atamo: the request has ended: ", stderr);
    answer_put(state, stderr);
    (void)fputs(detail.size > 0 ? ": " : "", stderr);
    answer_put(detail, stderr);
    if (answer_member(answer, 0, "actions") != 0)
        (void)fprintf(stderr, " (%" PRId64 " of %" PRId64 " actions done)",
                      answer_int(answer, 0, "done"), answer_int(answer, 0, "actions"));
    (void)fputc('\n', stderr);
    return code;
}
