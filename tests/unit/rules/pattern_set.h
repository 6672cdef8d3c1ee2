/* pattern_set - a set of patterns over "data", as event-ruler would see it: built, matched and
 * explained. One header for several tests, so everything is static inline.
 */
#ifndef TESTS_UNIT_RULES_PATTERN_SET_H
#define TESTS_UNIT_RULES_PATTERN_SET_H

#include "rules/index.h"
#include "tree.h"

#include <stdlib.h>

struct pattern_set {
    struct arena arena;
    struct field_plan *plan;
    struct index *index;
    struct json_parser *parser;
    struct field_scratch *fields;
    struct index_scratch *scratch;
    struct problems problems;
    uint32_t count;
};

static inline void set_open(struct pattern_set *set)
{
    int status;

    arena_init(&set->arena);
    problems_init(&set->problems);
    set->count = 0;
    set->plan = field_plan_new(&set->arena);
    status =
        set->plan == NULL ? ATAMO_NO_MEMORY : index_new(&set->arena, set->plan, 1, &set->index);
    assert(status == ATAMO_OK);
    status |= json_parser_open(&set->parser);
    status |= field_scratch_open(&set->fields);
    status |= index_scratch_open(&set->scratch);
    assert(status == ATAMO_OK);
}

static inline void set_close(struct pattern_set *set)
{
    index_scratch_close(set->scratch);
    field_scratch_close(set->fields);
    json_parser_close(set->parser);
    problems_close(&set->problems);
    arena_close(&set->arena);
}

/* Add {"data": pattern}; the status of compiling. Rules are numbered as they are added with
 * success. */
static inline int set_add(struct pattern_set *set, atamo_bytes json)
{
    const char *text = arena_printf(&set->arena, "{\"data\":%.*s}", (int)json.size, json.data);
    const struct pattern *pattern;
    struct json_document document;
    int status;

    assert(text != NULL);
    status = json_parse(set->parser, atamo_text(text), strlen(text), &document, NULL);
    assert(status == ATAMO_OK);
    status = pattern_compile(&set->arena, set->plan, tree_of(&set->arena, &document, 0),
                             &set->problems, &pattern);
    if (status != ATAMO_OK)
        return status;
    status = index_add(set->index, &(struct index_rule){.pattern = pattern});
    assert(status == ATAMO_OK);
    set->count++;
    return status;
}

static inline void set_seal(struct pattern_set *set)
{
    int status = field_plan_seal(set->plan);

    assert(status == ATAMO_OK);
    status = index_seal(set->index);
    assert(status == ATAMO_OK);
}

static inline struct rule_event set_event(atamo_bytes data)
{
    struct rule_event event = {.data = data, .data_room = data.size, .data_is_json = true};

    event.attributes[ATAMO_TYPE] = atamo_text("test");
    return event;
}

static inline int set_match(struct pattern_set *set, atamo_bytes data, struct index_result *result)
{
    const struct rule_event event = set_event(data);

    return index_match(set->index, set->scratch, set->fields, &event, &(struct index_who){0},
                       result);
}

#endif
