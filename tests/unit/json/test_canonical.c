/* Texts that mean the same have one canonical text, others never have the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "json/canonical.h"
#include "json/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int set_up(void **state)
{
    return canonical_open((struct canonical **)state);
}

static int tear_down(void **state)
{
    canonical_close(*state);
    return 0;
}

/* From and into memory that ends where the text does. A text that the caller frees, or NULL. */
static char *canonical_of(struct canonical *canonical, const char *text, int *status)
{
    const size_t size = atamo_text(text).size;
    char *from = malloc(size > 0 ? size : 1);
    char *to = malloc(size + 1);
    size_t written = size + 1;

    assert_non_null(from);
    assert_non_null(to);
    memcpy(from, text, size);
    to[size] = '!';
    *status = canonical_write(canonical, (atamo_bytes){from, size}, size, to, &written);
    free(from);
    assert_int_equal(to[size], '!');
    if (*status != ATAMO_OK) {
        assert_int_equal(written, size + 1);
        free(to);
        return NULL;
    }
    assert_true(written <= size);
    to[written] = '\0';
    return to;
}

static void assert_canonical(struct canonical *canonical, const char *text, const char *expected)
{
    int status;
    char *result = canonical_of(canonical, text, &status);

    assert_int_equal(status, ATAMO_OK);
    assert_string_equal(result, expected);
    free(result);
}

static void test_spellings_of_the_same_have_one_text(void **state)
{
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        {"1", "1"},
        {" 1.0 ", "1"},
        {"null", "null"},
        {"\t[ true,\r\nfalse , null ] ", "[true,false,null]"},
        {"[ ]", "[]"},
        {"{ }", "{}"},
        {"[[],{},[{}]]", "[[],{},[{}]]"},
        {"{\"b\": 1, \"a\": 2}", "{\"a\":2,\"b\":1}"},
        {"{\"a\":{\"d\":[{\"z\":1,\"y\":2}],\"c\":{}},\"\":0}",
         "{\"\":0,\"a\":{\"c\":{},\"d\":[{\"y\":2,\"z\":1}]}}"},
        {"{\"ab\":1,\"a\":2,\"abc\":3}", "{\"a\":2,\"ab\":1,\"abc\":3}"},
        {"{\"\\u0062\":1,\"\\u0061\":2}", "{\"a\":2,\"b\":1}"},
        {"{\"a\\u0000\":1,\"a\":2}", "{\"a\":2,\"a\\u0000\":1}"},
        {"{\"eight by.z\":1,\"eight by.a\":2}", "{\"eight by.a\":2,\"eight by.z\":1}"},
        {"\"\\u0041\\/\\u00e9\\ud83d\\ude00\"", "\"A/\xc3\xa9\xf0\x9f\x98\x80\""},
        {"\"\\u0022\\u005C\\u007F\"", "\"\\\"\\\\\x7f\""},
        {"\"\\u0008\\u0009\\u000a\\u000b\\u000C\\u000d\\u001f\\u0000\"",
         "\"\\b\\t\\n\\u000b\\f\\r\\u001f\\u0000\""},
        {"{\"n\":[1.50,10e-1,-0.0,1000]}", "{\"n\":[1.5,1,-0,1e3]}"},
        {"{\"a\":1,\"b\":3,\"a\":2}", "{\"a\":1,\"a\":2,\"b\":3}"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_canonical(*state, cases[i].text, cases[i].canonical);
        assert_canonical(*state, cases[i].canonical, cases[i].canonical);
    }
}

static void test_texts_that_can_be_told_apart_stay_apart(void **state)
{
    static const char *const pairs[][2] = {
        {"9007199254740993", "9007199254740992"},
        {"0.1", "0.10000000000000000001"},
        {"1e400", "1e401"},
        {"0", "-0"},
        {"1", "\"1\""},
        {"null", "\"null\""},
        {"[1,2]", "[2,1]"},
        {"[1,[2]]", "[[1],2]"},
        {"[12]", "[1,2]"},
        {"{}", "[]"},
        {"{\"a\":1}", "{\"a\":1,\"a\":1}"},
        {"{\"a\":1,\"a\":2}", "{\"a\":2}"},
        {"{\"a\":1,\"a\":2}", "{\"a\":2,\"a\":1}"},
        {"{\"a\":{\"b\":1}}", "{\"a\":{},\"b\":1}"},
        {"\"e\\u0301\"", "\"\\u00e9\""},
        {"\"\\u0000\"", "\"\""},
        {"\"\\\\n\"", "\"\\n\""},
        {"\"a\"", "\"a \""},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        int status;
        char *first = canonical_of(*state, pairs[i][0], &status);
        char *second = canonical_of(*state, pairs[i][1], &status);

        assert_non_null(first);
        assert_non_null(second);
        assert_string_not_equal(first, second);
        free(first);
        free(second);
    }
}

/* The names of RFC 8785, section 3.2.3, in an order of its example. */
static void test_names_are_sorted_by_their_utf16_code_units(void **state)
{
    assert_canonical(*state,
                     "{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,"
                     "\"\\u0080\":6,\"\\u00f6\":7}",
                     "{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,"
                     "\"\xf0\x9f\x98\x80\":5,\"\xef\xac\xb3\":3}");
    assert_canonical(*state, "{\"longer name \\ue000\":1,\"longer name \\ud800\\udc00\":2}",
                     "{\"longer name \xf0\x90\x80\x80\":2,\"longer name \xee\x80\x80\":1}");
}

static void test_many_members_of_one_name_keep_their_order(void **state)
{
    enum { MANY = 1000 };
    char *text = NULL;
    char *expected = NULL;
    size_t size;
    FILE *in = open_memstream(&text, &size);
    FILE *out = open_memstream(&expected, &size);

    for (int i = 0; i < MANY; i++) {
        (void)fprintf(in, "%c\"b\":%d,\"a\":%d", i == 0 ? '{' : ',', i % 7, i % 11);
        (void)fprintf(out, "%c\"a\":%d", i == 0 ? '{' : ',', i % 11);
    }
    for (int i = 0; i < MANY; i++)
        (void)fprintf(out, ",\"b\":%d", i % 7);
    (void)fputc('}', in);
    (void)fputc('}', out);
    (void)fclose(in);
    (void)fclose(out);
    assert_canonical(*state, text, expected);
    free(text);
    free(expected);
}

static void assert_refused(struct canonical *canonical, const char *text, int expected)
{
    int status;

    assert_null(canonical_of(canonical, text, &status));
    assert_int_equal(status, expected);
}

static void test_what_is_no_json_or_too_large_is_refused(void **state)
{
    char *large = malloc(CANONICAL_BYTES_MAX + 2);
    char deep[2 * JSON_DEPTH_MAX + 3] = "";

    assert_non_null(large);
    assert_refused(*state, "", ATAMO_INVALID);
    assert_refused(*state, "{", ATAMO_INVALID);
    assert_refused(*state, "{\"a\":1,}", ATAMO_INVALID);
    assert_refused(*state, "NaN", ATAMO_INVALID);
    assert_refused(*state, "1 2", ATAMO_INVALID);
    assert_refused(*state, "\"\\ud800\"", ATAMO_INVALID);
    assert_refused(*state, "\"\xff\"", ATAMO_INVALID);
    memset(deep, '[', JSON_DEPTH_MAX);
    memset(deep + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    assert_canonical(*state, deep, deep);
    memset(deep, '[', JSON_DEPTH_MAX + 1);
    memset(deep + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    assert_refused(*state, deep, ATAMO_INVALID);
    memset(large, ' ', CANONICAL_BYTES_MAX + 1);
    large[0] = '1';
    large[CANONICAL_BYTES_MAX] = '\0';
    assert_canonical(*state, large, "1");
    large[CANONICAL_BYTES_MAX] = ' ';
    large[CANONICAL_BYTES_MAX + 1] = '\0';
    assert_refused(*state, large, ATAMO_TOO_LARGE);
    free(large);
}

/* Random documents, put together from their leaves upwards. Each value is written three times: in
 * two ways that mean the same, and with one leaf that is another. */

enum { SAME, ALSO, OTHER, WAYS, LEAVES = 60, TAKEN_MAX = 40 };

struct value {
    char *ways[WAYS];
};

static const char *const leaves[][WAYS] = {
    {"1", "1.0", "2"},
    {"0.5", "5e-1", "5"},
    {"9007199254740993", "9007199254740993.0", "9007199254740992"},
    {"1E400", "10e399", "1e401"},
    {"0", "0e7", "-0"},
    {"\"a/b\"", "\"\\u0061\\/b\"", "\"a\\\\b\""},
    {"\"\xc3\xa9\"", "\"\\u00E9\"", "\"e\xcc\x81\""},
    {"\"\"", "\"\"", "\" \""},
    {"true", " true", "false"},
    {"null", "null ", "0"},
    {"{}", "{ }", "[]"},
    {"[]", "[\n]", "null"},
};

static const char *const pieces[][2] = {
    {"a", "\\u0061"},
    {"\\u0000", "\\u0000"},
    {"\xc3\xa9", "\\u00e9"},
    {"\xed\x9f\xbf", "\\uD7ff"},
    {"\xee\x80\x80", "\\ue000"},
    {"\xf0\x9f\x98\x80", "\\ud83d\\ude00"},
    {"a name of some length", "\\u0061 name of some length"},
    {"\\\"", "\\u0022"},
};

static size_t pick(struct random *random, size_t count)
{
    return (size_t)random_below(random, count);
}

static struct value random_leaf(struct random *random, bool changed)
{
    const char *const *leaf = leaves[pick(random, sizeof leaves / sizeof leaves[0])];
    struct value value;

    for (int way = 0; way < WAYS; way++)
        value.ways[way] = strdup(leaf[way == OTHER && !changed ? SAME : way]);
    return value;
}

/* A name that no other member of the object has, because of its number, in two ways. */
static void random_name(struct random *random, size_t number, char *ways[2])
{
    const size_t before = pick(random, 4);
    const size_t after = pick(random, 3);
    size_t size;
    FILE *files[2] = {open_memstream(&ways[0], &size), open_memstream(&ways[1], &size)};

    for (size_t i = 0; i <= before + after; i++) {
        const char *const *piece = pieces[pick(random, sizeof pieces / sizeof pieces[0])];

        for (int way = 0; way < 2; way++) {
            if (i == before)
                (void)fprintf(files[way], "%zu", number);
            else
                (void)fputs(piece[way], files[way]);
        }
    }
    (void)fclose(files[0]);
    (void)fclose(files[1]);
}

static const char *random_space(struct random *random)
{
    static const char *const spaces[] = {"", "", "", " ", "\n", "\t", "\r\n  "};

    return spaces[pick(random, sizeof spaces / sizeof spaces[0])];
}

/* One way to write an array or object of these values, in this order. */
static char *write_container(struct random *random, const struct value *values, char *names[][2],
                             const size_t *order, size_t count, int way)
{
    const bool loose = way == ALSO;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)fputc(names == NULL ? '[' : '{', out);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            (void)fputc(',', out);
        (void)fputs(loose ? random_space(random) : "", out);
        if (names != NULL)
            (void)fprintf(out, "\"%s\"%s:", names[order[i]][loose],
                          loose ? random_space(random) : "");
        (void)fputs(loose ? random_space(random) : "", out);
        (void)fputs(values[order[i]].ways[way], out);
        (void)fputs(loose ? random_space(random) : "", out);
    }
    (void)fputc(names == NULL ? ']' : '}', out);
    (void)fclose(out);
    return text;
}

/* Put `count` values into a new one, and free them. */
static struct value contain(struct random *random, struct value *values, size_t count, bool object)
{
    char *names[LEAVES][2];
    size_t order[LEAVES];
    struct value made;

    for (size_t i = 0; i < count; i++) {
        order[i] = i;
        if (object)
            random_name(random, i, names[i]);
    }
    for (int way = 0; way < WAYS; way++) {
        for (size_t i = count; object && way == ALSO && i > 1; i--) {
            const size_t other = pick(random, i);
            const size_t swap = order[other];

            order[other] = order[i - 1];
            order[i - 1] = swap;
        }
        made.ways[way] = write_container(random, values, object ? names : NULL, order, count, way);
    }
    for (size_t i = 0; i < count; i++) {
        for (int way = 0; way < WAYS; way++)
            free(values[i].ways[way]);
        if (object) {
            free(names[i][0]);
            free(names[i][1]);
        }
    }
    return made;
}

static struct value random_document(struct random *random)
{
    const size_t changed = pick(random, LEAVES);
    struct value values[LEAVES];
    size_t count = LEAVES;

    for (size_t i = 0; i < LEAVES; i++)
        values[i] = random_leaf(random, i == changed);
    while (count > 1) {
        const size_t most = count < TAKEN_MAX ? count : TAKEN_MAX;
        const size_t taken = 1 + pick(random, pick(random, 2) == 0 ? most : (most + 3) / 4);
        const size_t at = pick(random, count - taken + 1);
        const struct value made = contain(random, values + at, taken, pick(random, 3) != 0);

        values[at] = made;
        memmove(values + at + 1, values + at + taken, (count - at - taken) * sizeof values[0]);
        count -= taken - 1;
    }
    return values[0];
}

/* UTF-8 as UTF-16 code units; of texts that are known to be UTF-8. */
static size_t utf16_of(atamo_bytes text, uint32_t units[400])
{
    size_t count = 0;

    for (size_t i = 0; i < text.size;) {
        const unsigned char first = (unsigned char)text.data[i];
        const size_t more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
        uint32_t point = more == 0 ? first : first & (0x3fu >> more);

        assert_true(count + 2 < 400);
        for (size_t k = 1; k <= more; k++)
            point = point << 6 | ((unsigned char)text.data[i + k] & 0x3fu);
        i += more + 1;
        if (point >= 0x10000) {
            units[count++] = 0xd800 + ((point - 0x10000) >> 10);
            point = 0xdc00 + (point & 0x3ff);
        }
        units[count++] = point;
    }
    units[count] = 0;
    return count;
}

static void assert_before(atamo_bytes first, atamo_bytes second)
{
    uint32_t a[400];
    uint32_t b[400];
    const size_t a_count = utf16_of(first, a);
    const size_t b_count = utf16_of(second, b);
    size_t i = 0;

    while (i < a_count && i < b_count && a[i] == b[i])
        i++;
    assert_true(i < b_count && (i == a_count || a[i] < b[i]));
}

static void assert_sorted(struct json_parser *parser, const char *text)
{
    struct json_document d;

    assert_int_equal(json_parse(parser, atamo_text(text), strlen(text), &d, NULL), ATAMO_OK);
    for (uint32_t node = 0; node < d.count; node++) {
        const uint32_t end = json_next(&d, node);

        if (json_kind_of(&d, node) != JSON_OBJECT || end == node + 1)
            continue;
        for (uint32_t key = node + 1; json_next(&d, key + 1) < end; key = json_next(&d, key + 1))
            assert_before(json_text(&d, key), json_text(&d, json_next(&d, key + 1)));
    }
}

static void test_random_documents_are_the_same_only_if_they_mean_the_same(void **state)
{
    struct random random = {.state = 3};
    struct json_parser *parser = NULL;
    int compared = 0;

    assert_int_equal(json_parser_open(&parser), ATAMO_OK);
    for (int round = 0; round < 500; round++) {
        const struct value document = random_document(&random);
        char *texts[WAYS];
        int status;

        for (int way = 0; way < WAYS; way++)
            texts[way] = canonical_of(*state, document.ways[way], &status);
        if (status == ATAMO_OK) { /* not nested too deeply */
            assert_string_equal(texts[SAME], texts[ALSO]);
            assert_string_not_equal(texts[SAME], texts[OTHER]);
            assert_canonical(*state, texts[SAME], texts[SAME]);
            assert_sorted(parser, texts[SAME]);
            compared++;
        }
        for (int way = 0; way < WAYS; way++) {
            free(texts[way]);
            free(document.ways[way]);
        }
    }
    assert_true(compared > 400);
    json_parser_close(parser);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_spellings_of_the_same_have_one_text, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_texts_that_can_be_told_apart_stay_apart, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_names_are_sorted_by_their_utf16_code_units, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_many_members_of_one_name_keep_their_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_no_json_or_too_large_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            test_random_documents_are_the_same_only_if_they_mean_the_same, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
