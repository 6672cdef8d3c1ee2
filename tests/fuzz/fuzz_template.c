/* fuzz_template - any text as a template, filled from any data.
 *
 * The input is a template, a NUL and the data of an event. Besides not crashing: what is rendered
 * is JSON, and a buffer of exactly the size that was asked for is enough.
 */
#include "rules/template.h"
#include "json/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_is_json(const char *text, size_t size)
{
    struct json_parser *parser = NULL;
    struct json_document document;

    assert(json_parser_open(&parser) == ATAMO_OK);
    assert(json_parse(parser, (atamo_bytes){text, size}, size, &document, NULL) == ATAMO_OK);
    json_parser_close(parser);
}

static void render(const struct template *template, const struct field_scratch *scratch)
{
    atamo_bytes missing = {NULL, 0};
    size_t need = 0;
    size_t size = 0;
    char *buffer;
    int status = template_render(template, scratch, NULL, 0, &need, &missing);

    assert(status == ATAMO_TOO_LARGE || status == ATAMO_NOT_FOUND);
    if (status == ATAMO_NOT_FOUND) {
        assert(missing.size > 0);
        return;
    }
    buffer = malloc(need);
    assert(buffer != NULL);
    status = template_render(template, scratch, buffer, need, &size, &missing);
    assert(status == ATAMO_OK && size == need);
    check_is_json(buffer, size);
    free(buffer);
}

static void fill(const struct template *template, struct field_plan *plan, atamo_bytes data)
{
    struct rule_event event = {.data = data, .data_room = data.size, .data_is_json = true};
    struct field_scratch *scratch = NULL;
    const char *problem = NULL;

    event.attributes[ATAMO_ID] = atamo_text("1");
    event.attributes[ATAMO_TYPE] = atamo_text("a \"b\"\n");
    assert(field_plan_seal(plan) == ATAMO_OK);
    assert(field_scratch_open(&scratch) == ATAMO_OK);
    if (fields_extract(plan, scratch, &event, &problem) == ATAMO_OK)
        render(template, scratch);
    else
        assert(problem != NULL);
    field_scratch_close(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct yaml_options options = {.file = "fuzz.yaml"};
    const char *text = (const char *)data;
    const char *end = size > 0 ? memchr(text, '\0', size) : NULL;
    const size_t template_size = end != NULL ? (size_t)(end - text) : size;
    const atamo_bytes rest = end != NULL ? (atamo_bytes){end + 1, size - template_size - 1}
                                         : atamo_text("{\"a\":[1,\"\\u0041\",{\"b\":null}]}");
    const struct template *template = NULL;
    const struct yaml_node *root = NULL;
    struct problems problems;
    struct arena arena;

    arena_init(&arena);
    problems_init(&problems);
    if (yaml_parse(&arena, (atamo_bytes){text, template_size}, &options, &problems, &root) ==
        ATAMO_OK) {
        struct field_plan *plan = field_plan_new(&arena);

        assert(plan != NULL);
        if (template_compile(&arena, plan, root, &problems, &template) == ATAMO_OK)
            fill(template, plan, rest);
        else
            assert(problems.errors > 0);
    }
    problems_close(&problems);
    arena_close(&arena);
    return 0;
}
