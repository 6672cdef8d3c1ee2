/* answer - what a hub has answered, and its members.
 *
 * Happy path: the body is parsed once, members are looked up by name and printed. A hub of another
 * version may leave members out or send them in another kind: then they are empty, and nothing
 * fails. Text from a hub never reaches a terminal with control bytes in it.
 */
#include "cli/answer.h"

#include <string.h>
#include <time.h>

enum { US_PER_S = 1000000 };

int answer_parse(struct answer *answer, atamo_bytes text, const char **why)
{
    struct json_problem problem = {"too large, or no memory", 0};
    int status = ATAMO_OK;

    if (answer->parser == NULL)
        status = json_parser_open(&answer->parser);
    if (status == ATAMO_OK)
        status = json_parse(answer->parser, text, text.size, &answer->document, &problem);
    if (status != ATAMO_OK)
        answer->document.count = 0;
    if (why != NULL)
        *why = problem.reason;
    return status;
}

void answer_free(struct answer *answer)
{
    json_parser_close(answer->parser);
    http_answer_free(&answer->http);
    *answer = (struct answer){.parser = NULL};
}

uint32_t answer_member(const struct answer *answer, uint32_t object, const char *name)
{
    return answer->document.count == 0 ? 0
                                       : json_member(&answer->document, object, atamo_text(name));
}

static uint32_t of_kind(const struct answer *answer, uint32_t object, const char *name,
                        enum json_kind kind)
{
    const uint32_t node = answer_member(answer, object, name);

    return node != 0 && json_kind_of(&answer->document, node) == kind ? node : 0;
}

atamo_bytes answer_text(const struct answer *answer, uint32_t object, const char *name)
{
    const uint32_t node = of_kind(answer, object, name, JSON_TEXT);

    return node == 0 ? atamo_text("") : json_text(&answer->document, node);
}

int64_t answer_int(const struct answer *answer, uint32_t object, const char *name)
{
    const uint32_t node = of_kind(answer, object, name, JSON_NUMBER);
    int64_t value = 0;

    if (node != 0 && !json_int64(json_raw(&answer->document, node), &value))
        value = (int64_t)answer_double(answer, object, name);
    return value;
}

double answer_double(const struct answer *answer, uint32_t object, const char *name)
{
    const uint32_t node = of_kind(answer, object, name, JSON_NUMBER);
    double value = 0;

    if (node != 0 && !json_double(json_raw(&answer->document, node), &value))
        value = 0;
    return value > -1e18 && value < 1e18 ? value : 0;
}

bool answer_bool(const struct answer *answer, uint32_t object, const char *name)
{
    return of_kind(answer, object, name, JSON_TRUE) != 0;
}

uint32_t answer_first(const struct answer *answer, uint32_t list)
{
    return list == 0 || json_kind_of(&answer->document, list) != JSON_ARRAY ||
                   json_next(&answer->document, list) == list + 1
               ? 0
               : list + 1;
}

uint32_t answer_after(const struct answer *answer, uint32_t list, uint32_t at)
{
    const uint32_t next = json_next(&answer->document, at);

    return next < json_next(&answer->document, list) ? next : 0;
}

bool answer_is(atamo_bytes text, const char *word)
{
    return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

void answer_print(const struct answer *answer)
{
    const atamo_bytes body = buffer_bytes(&answer->http.body);

    (void)fwrite(body.data, 1, body.size, stdout);
    if (body.size > 0 && body.data[body.size - 1] != '\n')
        (void)putchar('\n');
}

/* Could this byte do something to a terminal? U+0080 to U+009F could, too: C2 80 to C2 9F. */
static bool is_control(atamo_bytes text, size_t i)
{
    const unsigned char before = i > 0 ? (unsigned char)text.data[i - 1] : 0;
    const unsigned char byte = (unsigned char)text.data[i];
    const unsigned char next = i + 1 < text.size ? (unsigned char)text.data[i + 1] : 0;

    return byte < 0x20 || byte == 0x7f || (before == 0xc2 && byte >= 0x80 && byte <= 0x9f) ||
           (byte == 0xc2 && next >= 0x80 && next <= 0x9f);
}

void answer_put(atamo_bytes text, FILE *out)
{
    for (size_t i = 0; i < text.size; i++)
        (void)fputc(is_control(text, i) ? '?' : text.data[i], out);
}

void answer_put_wide(atamo_bytes text, size_t width, FILE *out)
{
    answer_put(text, out);
    (void)fprintf(out, "%*s", text.size < width ? (int)(width - text.size) : 1, "");
}

void answer_copy(atamo_bytes text, char *out, size_t room)
{
    size_t size = 0;

    for (; size < text.size && size + 1 < room; size++) {
        if (is_control(text, size))
            out[size] = '?';
        else
            out[size] = text.data[size];
    }
    out[size] = '\0';
}

void answer_put_time(int64_t t_us, enum answer_time how, FILE *out)
{
    const time_t seconds = (time_t)(t_us / US_PER_S);
    struct tm parts;
    char text[32] = "";

    if (gmtime_r(&seconds, &parts) != NULL)
        (void)strftime(text, sizeof text, how == ANSWER_DATE ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S",
                       &parts);
    (void)fprintf(out, "%s.%06d", text, (int)(t_us % US_PER_S < 0 ? 0 : t_us % US_PER_S));
}
