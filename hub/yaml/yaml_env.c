/* yaml_env - `${env:NAME}` and `${env:NAME:-default}` inside a scalar, replaced.
 *
 * The text is read twice by the same loop: once to count the bytes of the result and to report what
 * is wrong, once to copy. A value is never read again for references, so that what somebody put
 * into the environment stays text. It fails for names without value, for values that are not UTF-8
 * and for results over the limit.
 */
#include "yaml/yaml_env.h"

#include <string.h>

static const char opening[] = "${env:";

enum { OPENING_SIZE = sizeof opening - 1, NAME_SIZE_MAX = 255 };

/* The next reference at or after `from`, or NULL. */
static const char *find_reference(const char *begin, const char *from, const char *end)
{
    while (from < end) {
        const char *hit = memmem(from, (size_t)(end - from), opening, OPENING_SIZE);

        if (hit == NULL || hit == begin || hit[-1] != '$')
            return hit;
        from = hit + OPENING_SIZE;
    }
    return NULL;
}

bool yaml_env_used(atamo_bytes text)
{
    return find_reference(text.data, text.data, text.data + text.size) != NULL;
}

static size_t name_size(const char *at, const char *end)
{
    const char *begin = at;

    while (at < end && ((*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z') || *at == '_' ||
                        (at > begin && *at >= '0' && *at <= '9')))
        at++;
    return (size_t)(at - begin);
}

/* How many bytes of UTF-8 a character that starts with this byte has; 0: none does. */
static size_t utf8_size(unsigned char first)
{
    if (first < 0x80)
        return first >= 0x20 || first == '\t' || first == '\n' || first == '\r';
    if (first < 0xc2)
        return 0;
    if (first < 0xe0)
        return 2;
    if (first < 0xf0)
        return 3;
    return first < 0xf5 ? 4 : 0;
}

static bool is_plain_utf8(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at != '\0') {
        const size_t size = utf8_size(*at);

        if (size == 0 || (*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] > 0x9f) ||
            (*at == 0xf0 && at[1] < 0x90) || (*at == 0xf4 && at[1] > 0x8f))
            return false;
        for (size_t i = 1; i < size; i++) {
            if ((at[i] & 0xc0) != 0x80)
                return false;
        }
        at += size;
    }
    return true;
}

struct expansion {
    const struct yaml_options *options;
    struct problems *problems;
    struct place place;
    char *out; /* NULL: only count */
    size_t size, limit;
    bool failed;
};

static void append(struct expansion *expansion, const char *data, size_t size)
{
    if (expansion->out != NULL && size > expansion->limit - expansion->size) {
        expansion->failed = true;
        return;
    }
    if (expansion->out != NULL && size > 0)
        memcpy(expansion->out + expansion->size, data, size);
    expansion->size += size;
}

static void append_value(struct expansion *expansion, const char *name, const char *fallback,
                         size_t fallback_size)
{
    const char *value = expansion->options->environment(expansion->options->context, name);

    if (value != NULL && !is_plain_utf8(value)) {
        (void)problems_add(expansion->problems, expansion->place,
                           "the environment variable %s is not UTF-8 text", name);
        expansion->failed = true;
    } else if (value != NULL) {
        append(expansion, value, strlen(value));
    } else if (fallback != NULL) {
        append(expansion, fallback, fallback_size);
    } else {
        (void)problems_add(expansion->problems, expansion->place,
                           "the environment variable %s is not set, and ${env:%s} has no default "
                           "(${env:%s:-default})",
                           name, name, name);
        expansion->failed = true;
    }
}

/* Append what the reference at `at` stands for; returns where the text goes on. */
static const char *expand_one(struct expansion *expansion, const char *at, const char *end)
{
    const char *inside = at + OPENING_SIZE;
    const char *close = memchr(inside, '}', (size_t)(end - inside));
    const size_t size = name_size(inside, end);
    const char *fallback = NULL;
    char name[NAME_SIZE_MAX + 1];

    if (close != NULL && close - inside > (ptrdiff_t)size + 1 && inside[size] == ':' &&
        inside[size + 1] == '-')
        fallback = inside + size + 2;
    if (close == NULL || size == 0 || size > NAME_SIZE_MAX ||
        (fallback == NULL && inside + size != close)) {
        (void)problems_add(expansion->problems, expansion->place,
                           "a reference to the environment is ${env:NAME} or "
                           "${env:NAME:-default}; found \"%.*s\"",
                           (int)(end - at < 40 ? end - at : 40), at);
        expansion->failed = true;
        return close != NULL ? close + 1 : end;
    }
    memcpy(name, inside, size);
    name[size] = '\0';
    append_value(expansion, name, fallback, fallback != NULL ? (size_t)(close - fallback) : 0);
    return close + 1;
}

static void expand_all(struct expansion *expansion, atamo_bytes text)
{
    const char *at = text.data;
    const char *end = text.data + text.size;

    while (at < end && expansion->size <= expansion->limit) {
        const char *hit = find_reference(text.data, at, end);

        append(expansion, at, (size_t)((hit != NULL ? hit : end) - at));
        at = hit != NULL ? expand_one(expansion, hit, end) : end;
    }
}

int yaml_env_expand(struct arena *arena, const struct yaml_options *options, size_t limit,
                    struct problems *problems, struct yaml_node *node)
{
    struct expansion expansion = {.options = options, .problems = problems, .limit = limit};
    size_t need;

    expansion.place = yaml_place(node);
    expand_all(&expansion, node->text);
    need = expansion.size;
    if (need > limit) {
        (void)problems_add(problems, expansion.place,
                           "with its environment variables the document is larger than the limit");
        return ATAMO_TOO_LARGE;
    }
    if (expansion.failed)
        return ATAMO_INVALID;
    expansion.out = arena_alloc(arena, need + 1);
    if (expansion.out == NULL)
        return ATAMO_NO_MEMORY;
    expansion.size = 0;
    expansion.limit = need;
    expand_all(&expansion, node->text);
    if (expansion.failed || expansion.size != need)
        return problems_add(problems, expansion.place,
                            "the environment changed while it was being read");
    node->text = (atamo_bytes){expansion.out, need};
    return ATAMO_OK;
}
