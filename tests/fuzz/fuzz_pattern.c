/* fuzz_pattern - a pattern and an event, parted by the first byte 0x01 (without one the text is
 * both): compiled or refused with a reason; a compiled one is matched, and the explanation agrees.
 */
#include "rules/index.h"
#include "yaml/yaml.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
    struct arena arena;
    struct problems problems;
    struct field_plan *plan;
    struct index *index;
    struct field_scratch *fields;
    struct index_scratch *scratch;
};

static void need(int status)
{
    if (status != ATAMO_OK)
        abort();
}

static void match(struct fuzz *f, atamo_bytes data)
{
    struct rule_event event = {.data = data, .data_room = data.size, .data_is_json = true};
    const struct index_who who = {.user = {"anna", 4}};
    struct index_reason reason;
    struct index_result result;

    event.attributes[ATAMO_TYPE] = atamo_text("order.created");
    if (index_match(f->index, f->scratch, f->fields, &event, &who, &result) != ATAMO_OK) {
        if (result.problem == NULL)
            abort();
        return;
    }
    need(index_explain(f->index, 0, f->fields, &event, &who, &reason));
    if (reason.matched != (result.count == 1) || reason.text[0] == '\0')
        abort();
}

static void compile(struct fuzz *f, atamo_bytes text, atamo_bytes event)
{
    const struct yaml_options options = {.file = "fuzz.yaml"};
    const struct yaml_node *when = NULL;
    const struct pattern *pattern;
    int status = yaml_parse(&f->arena, text, &options, &f->problems, &when);

    if (status != ATAMO_OK || when == NULL)
        return;
    status = pattern_compile(&f->arena, f->plan, when, &f->problems, &pattern);
    if (status != ATAMO_OK) {
        if (f->problems.errors == 0)
            abort();
        return;
    }
    need(index_add(f->index, &(struct index_rule){.pattern = pattern}));
    need(field_plan_seal(f->plan));
    need(index_seal(f->index));
    match(f, event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    const char *part = size == 0 ? NULL : memchr(bytes, 1, size);
    const size_t first = part == NULL ? size : (size_t)(part - bytes);
    const atamo_bytes event =
        part == NULL ? (atamo_bytes){bytes, size} : (atamo_bytes){part + 1, size - first - 1};
    struct fuzz *f = calloc(1, sizeof *f);

    if (f == NULL)
        abort();
    arena_init(&f->arena);
    problems_init(&f->problems);
    f->plan = field_plan_new(&f->arena);
    if (f->plan == NULL)
        abort();
    need(index_new(&f->arena, f->plan, 1, &f->index));
    need(field_scratch_open(&f->fields));
    need(index_scratch_open(&f->scratch));
    compile(f, (atamo_bytes){bytes, first}, event);
    index_scratch_close(f->scratch);
    field_scratch_close(f->fields);
    problems_close(&f->problems);
    arena_close(&f->arena);
    free(f);
    return 0;
}
