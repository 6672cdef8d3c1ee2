/* token_list - the tokens of a file, in memory and as text.
 *
 * Happy path: the text is parsed as JSON, each object of its list becomes a token member by member,
 * by a table of readers, and the tokens are sorted by id. What is wrong is said with its line, and
 * reading goes on, so that one run says it all. Fails then, and without memory.
 */
#include "access/token_list.h"

#include "model/text.h"
#include "json/json.h"
#include "json/write.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MILLI INT64_C(1000000)

enum { VERSION = 1, SHOWN_MAX = 80 };

/* --- from text */

struct reading {
    const struct json_document *document;
    const char *text; /* all of it */
    const char *path;
    struct problems *problems;
};

static struct place place_at(const struct reading *reading, size_t at)
{
    struct place place = {reading->path, 1, 1};

    if (reading->problems->count == PROBLEMS_MAX)
        return place; /* nobody will see it */
    for (size_t i = 0; i < at; i++) {
        place.column++;
        if (reading->text[i] == '\n') {
            place.line++;
            place.column = 1;
        }
    }
    return place;
}

static struct place place_of(const struct reading *reading, uint32_t node)
{
    return place_at(reading, reading->document->nodes[node].at);
}

/* How much of a text is shown. */
static int shown(atamo_bytes text)
{
    return (int)(text.size < SHOWN_MAX ? text.size : SHOWN_MAX);
}

static bool is(atamo_bytes text, const char *name)
{
    return text.size == strlen(name) && memcmp(text.data, name, text.size) == 0;
}

static void copy(char *to, atamo_bytes text)
{
    memcpy(to, text.data, text.size);
    to[text.size] = '\0';
}

static bool take_id(atamo_bytes text, struct token *token)
{
    if (!token_is_id(text))
        return false;
    copy(token->id, text);
    return true;
}

static bool take_user(atamo_bytes text, struct token *token)
{
    if (!token_is_name(text))
        return false;
    copy(token->user, text);
    return true;
}

static bool take_tenant(atamo_bytes text, struct token *token)
{
    if (!token_is_name(text))
        return false;
    copy(token->tenant, text);
    return true;
}

static bool take_note(atamo_bytes text, struct token *token)
{
    if (text.size > TOKEN_NOTE_MAX || !text_is_clean(text))
        return false;
    copy(token->note, text);
    return true;
}

static bool take_time(atamo_bytes text, int64_t *ns)
{
    int64_t ms;

    return text_to_time(text, &ms) == ATAMO_OK && ms > 0 && ms <= INT64_MAX / NS_PER_MILLI &&
           !__builtin_mul_overflow(ms, NS_PER_MILLI, ns);
}

static bool take_created(atamo_bytes text, struct token *token)
{
    return take_time(text, &token->created_ns);
}

static bool take_expires(atamo_bytes text, struct token *token)
{
    return take_time(text, &token->expires_ns);
}

static bool take_hash(atamo_bytes text, struct token *token)
{
    size_t size = 0;

    return text.size == 2 * (size_t)TOKEN_HASH_SIZE &&
           sodium_hex2bin(token->hash, TOKEN_HASH_SIZE, text.data, text.size, NULL, &size, NULL) ==
               0 &&
           size == TOKEN_HASH_SIZE;
}

enum { SCOPES = 2 };

/* The members of a token. */
static const struct member {
    const char *name;
    bool required;
    bool (*take)(atamo_bytes text, struct token *token); /* NULL: the scopes */
    const char *expected;
} members[] = {
    {"id", true, take_id, "ten characters of a to z and 2 to 7"},
    {"user", true, take_user, "text of 1 to 127 bytes"},
    [SCOPES] = {"scopes", true, NULL, "a list of scopes"},
    {"tenant", false, take_tenant, "text of 1 to 127 bytes"},
    {"created", true, take_created, "a time such as 2026-11-21T08:00:00Z"},
    {"expires", false, take_expires, "a time such as 2026-11-21T08:00:00Z"},
    {"note", false, take_note, "text of at most 200 bytes"},
    {"hash", true, take_hash, "64 hexadecimal digits"},
};

enum { MEMBERS = sizeof members / sizeof members[0] };

static void read_scopes(const struct reading *reading, uint32_t array, struct token *token)
{
    const struct json_document *document = reading->document;

    for (uint32_t node = array + 1; node < json_next(document, array);
         node = json_next(document, node)) {
        const bool texts = json_kind_of(document, node) == JSON_TEXT;
        const atamo_bytes name = texts ? json_text(document, node) : atamo_text("");
        const char *nearest;
        const uint32_t scope = token_scope(name, &nearest);
        const atamo_bytes raw = json_raw(document, node);

        token->scopes |= scope;
        if (scope == 0)
            (void)problems_add(reading->problems, place_of(reading, node),
                               "there is no scope %.*s%s%s%s", shown(raw), raw.data,
                               nearest == NULL ? "" : "; did you mean \"",
                               nearest == NULL ? "" : nearest, nearest == NULL ? "" : "\"?");
    }
}

static void read_member(const struct reading *reading, uint32_t key, struct token *token,
                        uint32_t *seen)
{
    const struct json_document *document = reading->document;
    const atamo_bytes name = json_text(document, key);
    const atamo_bytes raw = json_raw(document, key);
    const enum json_kind kind = json_kind_of(document, key + 1);
    uint32_t i = 0;
    bool good;

    while (i < MEMBERS && !is(name, members[i].name))
        i++;
    if (i == MEMBERS || (*seen & 1u << i) != 0) {
        (void)problems_add(reading->problems, place_of(reading, key),
                           i == MEMBERS ? "a token has no member %.*s"
                                        : "the member %.*s is given twice",
                           shown(raw), raw.data);
        return;
    }
    *seen |= 1u << i;
    if (i == SCOPES)
        good = kind == JSON_ARRAY;
    else
        good = kind == JSON_TEXT && members[i].take(json_text(document, key + 1), token);
    if (!good)
        (void)problems_add(reading->problems, place_of(reading, key + 1),
                           "\"%s\" of a token is to be %s", members[i].name, members[i].expected);
    else if (i == SCOPES)
        read_scopes(reading, key + 1, token);
}

static void read_token(const struct reading *reading, uint32_t object, struct token *token)
{
    const struct json_document *document = reading->document;
    uint32_t seen = 0;

    if (json_kind_of(document, object) != JSON_OBJECT) {
        (void)problems_add(reading->problems, place_of(reading, object),
                           "a token is to be an object, not %s",
                           json_kind_name(json_kind_of(document, object)));
        return;
    }
    for (uint32_t key = object + 1; key < json_next(document, object);
         key = json_next(document, key + 1))
        read_member(reading, key, token, &seen);
    for (uint32_t i = 0; i < MEMBERS; i++)
        if (members[i].required && (seen & 1u << i) == 0)
            (void)problems_add(reading->problems, place_of(reading, object),
                               "a token needs the member \"%s\"", members[i].name);
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct token *)a)->id, ((const struct token *)b)->id);
}

static int read_tokens(const struct reading *reading, uint32_t array, struct token_list *list)
{
    const struct json_document *document = reading->document;
    const size_t count = json_count(document, array);

    if (count > TOKEN_LIST_MAX) {
        (void)problems_add(reading->problems, place_of(reading, array), "more than %d tokens",
                           TOKEN_LIST_MAX);
        return ATAMO_TOO_LARGE;
    }
    list->items = calloc(count + 1, sizeof *list->items);
    if (list->items == NULL)
        return ATAMO_NO_MEMORY;
    for (uint32_t node = array + 1; node < json_next(document, array);
         node = json_next(document, node))
        read_token(reading, node, &list->items[list->count++]);
    qsort(list->items, list->count, sizeof *list->items, compare);
    for (size_t i = 1; i < list->count; i++)
        if (list->items[i].id[0] != '\0' && compare(&list->items[i - 1], &list->items[i]) == 0)
            (void)problems_add(reading->problems, (struct place){reading->path, 0, 0},
                               "two tokens have the id %s", list->items[i].id);
    return ATAMO_OK;
}

/* The whole: its version and its list, and nothing else. */
static int read_root(const struct reading *reading, struct token_list *list)
{
    const struct json_document *document = reading->document;
    const uint32_t version = json_member(document, 0, atamo_text("version"));
    const uint32_t tokens = json_member(document, 0, atamo_text("tokens"));
    int64_t number = 0;

    if (version == 0 || json_kind_of(document, version) != JSON_NUMBER ||
        !json_int64(json_raw(document, version), &number) || number != VERSION || tokens == 0 ||
        json_kind_of(document, tokens) != JSON_ARRAY || json_count(document, 0) != 2) {
        (void)problems_add(reading->problems, place_of(reading, 0),
                           "no file of tokens: expected {\"version\": %d, \"tokens\": [...]}",
                           VERSION);
        return ATAMO_DAMAGED;
    }
    return read_tokens(reading, tokens, list);
}

static int parse(struct json_parser *parser, const struct reading *reading, atamo_bytes text,
                 struct token_list *list)
{
    struct json_document document;
    struct json_problem problem = {"it is too large", JSON_NO_OFFSET};
    struct reading with = *reading;
    const size_t before = reading->problems->errors;
    int status = json_parse(parser, text, text.size, &document, &problem);

    with.document = &document;
    if (status == ATAMO_INVALID || status == ATAMO_TOO_LARGE) {
        (void)problems_add(reading->problems,
                           place_at(reading, problem.at == JSON_NO_OFFSET ? 0 : problem.at),
                           "no file of tokens: %s", problem.reason);
        return status == ATAMO_INVALID ? ATAMO_DAMAGED : status;
    }
    if (status == ATAMO_OK)
        status = read_root(&with, list);
    return status == ATAMO_OK && reading->problems->errors > before ? ATAMO_DAMAGED : status;
}

int token_list_parse(atamo_bytes text, const char *path, struct problems *problems,
                     struct token_list *list)
{
    const struct reading reading = {.text = text.data, .path = path, .problems = problems};
    struct token_list made = {NULL, 0};
    struct json_parser *parser;
    int status = json_parser_open(&parser);

    if (status != ATAMO_OK)
        return status;
    status = parse(parser, &reading, text, &made);
    json_parser_close(parser);
    if (status != ATAMO_OK) {
        token_list_free(&made);
        return status;
    }
    *list = made;
    return ATAMO_OK;
}

/* --- to text */

static void put(struct json_writer *writer, const char *name, const char *text)
{
    if (text[0] == '\0')
        return;
    json_put_name(writer, atamo_text(name));
    json_put_text(writer, atamo_text(text));
}

static void put_time(struct json_writer *writer, const char *name, int64_t ns)
{
    char text[TEXT_TIME_SIZE];

    if (ns == 0)
        return;
    json_put_name(writer, atamo_text(name));
    json_put_text(writer, text_from_time(ns / NS_PER_MILLI, text));
}

static void put_token(struct json_writer *writer, const struct token *token)
{
    char hash[2 * TOKEN_HASH_SIZE + 1];

    json_open_object(writer);
    put(writer, "id", token->id);
    put(writer, "user", token->user);
    put(writer, "tenant", token->tenant);
    json_put_name(writer, atamo_text("scopes"));
    json_open_array(writer);
    for (uint32_t scope = 1; scope <= ATAMO_SCOPE_LAST; scope <<= 1)
        if ((token->scopes & scope) != 0)
            json_put_text(writer, atamo_text(atamo_scope_name(scope)));
    json_close_array(writer);
    put_time(writer, "created", token->created_ns);
    put_time(writer, "expires", token->expires_ns);
    put(writer, "note", token->note);
    put(writer, "hash", sodium_bin2hex(hash, sizeof hash, token->hash, sizeof token->hash));
    json_close_object(writer);
}

size_t token_list_write(const struct token_list *list, char *buffer, size_t room)
{
    struct json_writer writer;

    json_writer_init(&writer, buffer, room);
    json_open_object(&writer);
    json_put_name(&writer, atamo_text("version"));
    json_put_int(&writer, VERSION);
    json_put_name(&writer, atamo_text("tokens"));
    json_open_array(&writer);
    for (size_t i = 0; i < list->count; i++) {
        json_put_bytes(&writer, atamo_text(i == 0 ? "\n" : ""));
        put_token(&writer, &list->items[i]);
        if (i + 1 < list->count) {
            json_put_bytes(&writer, atamo_text(",\n"));
            writer.comma = false;
        }
    }
    json_put_bytes(&writer, atamo_text("\n"));
    json_close_array(&writer);
    json_close_object(&writer);
    json_put_bytes(&writer, atamo_text("\n"));
    return writer.size;
}

/* --- in memory */

struct token *token_list_find(const struct token_list *list, const char *id)
{
    struct token wanted;

    if (list->count == 0)
        return NULL;
    memcpy(wanted.id, id, sizeof wanted.id);
    return bsearch(&wanted, list->items, list->count, sizeof *list->items, compare);
}

int token_list_add(struct token_list *list, const struct token *token)
{
    struct token *items;
    size_t at = list->count;

    if (list->count >= TOKEN_LIST_MAX)
        return ATAMO_TOO_LARGE;
    items = realloc(list->items, (list->count + 1) * sizeof *items);
    if (items == NULL)
        return ATAMO_NO_MEMORY;
    while (at > 0 && strcmp(items[at - 1].id, token->id) > 0)
        at--;
    memmove(items + at + 1, items + at, (list->count - at) * sizeof *items);
    items[at] = *token;
    list->items = items;
    list->count++;
    return ATAMO_OK;
}

void token_list_remove(struct token_list *list, const struct token *token)
{
    const size_t at = (size_t)(token - list->items);

    memmove(list->items + at, list->items + at + 1, (list->count - at - 1) * sizeof *list->items);
    list->count--;
}

void token_list_free(struct token_list *list)
{
    free(list->items);
    *list = (struct token_list){NULL, 0};
}
