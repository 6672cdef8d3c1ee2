/* pattern_parse - the maps of a pattern, and `$or`.
 *
 * Happy path: the tree is walked in written order with a stack of its own. A walk carries a set of
 * alternatives, each a chain of the clauses found so far (chains share their beginnings, so copying
 * a set costs a pointer each). `$or` runs each branch from a copy of the set and joins the results.
 * In the end each chain is turned into a conjunction: later clauses replace earlier ones of the
 * same path, and paths are put in event-ruler's order.
 *
 * `$or` is an operator only if every `$or` of the pattern is a list of two or more maps that use no
 * reserved name; otherwise it is a name like any other.
 *
 * Fails on mistakes, all of which are added to the problems; on too many alternatives or paths; or
 * without memory.
 */
#include "rules/leaf.h"
#include "rules/pattern_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { NESTING_MAX = 64 };

/* The latest clause of a chain. */
struct link {
    struct clause clause;
    const struct link *before;
};

struct set {
    size_t count;
    const struct link **chains; /* the last link of each; NULL: no clause yet */
};

/* A map or an `$or` being walked. */
struct level {
    const struct yaml_node *node;
    size_t next;     /* pair or branch */
    struct set base; /* `$or`: what every branch starts from */
    struct set joined;
    bool is_or;
};

struct walk {
    struct pattern_maker *maker;
    struct arena work;
    struct level levels[NESTING_MAX];
    size_t depth;
    atamo_bytes path[NESTING_MAX];
    size_t path_depth;
    struct set set;
    size_t order;
};

static bool is_or(const struct yaml_node *key)
{
    return strcmp(key->text.data, "$or") == 0;
}

static bool is_reserved(const struct yaml_node *key)
{
    static const char *const names[] = {
        "exactly",
        "equals-ignore-case",
        "prefix",
        "suffix",
        "anything-but",
        "exists",
        "wildcard",
        "numeric",
        "cidr",
        "=",
        "<",
        "<=",
        ">",
        ">=",
        "regex",
        "not-wildcard",
        "not-equals-ignore-case",
        "date-after",
        "date-on-or-after",
        "date-before",
        "date-on-or-before",
        "in-date-range",
        "ip-address-in-range",
        "ip-address-not-in-range",
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], key->text.data) == 0)
            return true;
    }
    return false;
}

static bool looks_like_or(const struct yaml_node *node)
{
    if (node->kind != YAML_LIST || node->count < 2)
        return false;
    for (size_t i = 0; i < node->count; i++) {
        if (node->items[i]->kind != YAML_MAP || node->items[i]->count == 0)
            return false;
    }
    return true;
}

/* A node of the first look at a pattern. */
struct glance {
    const struct yaml_node *node;
    size_t next;
    bool inside; /* a branch of an `$or` */
};

static bool glance_at(struct glance *stack, size_t *depth, bool *good)
{
    struct glance *top = &stack[*depth - 1];
    const struct yaml_node *item = top->node->items[top->next];
    bool inside = top->inside;

    if (top->node->kind == YAML_MAP) {
        const struct yaml_node *key = top->node->keys[top->next];

        if (is_or(key)) {
            *good = looks_like_or(item);
            inside = true;
        } else if (inside && is_reserved(key)) {
            *good = false;
        } else if (item->kind != YAML_MAP) {
            item = NULL;
        }
    }
    top->next++;
    if (item == NULL || !*good || *depth == NESTING_MAX)
        return *good;
    stack[(*depth)++] = (struct glance){item, 0, inside};
    return true;
}

/* Whether every `$or` of the pattern is an operator. */
static bool or_is_operator(const struct yaml_node *when)
{
    struct glance stack[NESTING_MAX] = {{when, 0, false}};
    size_t depth = 1;
    bool good = true;

    while (depth > 0 && good) {
        if (stack[depth - 1].next == stack[depth - 1].node->count)
            depth--;
        else
            (void)glance_at(stack, &depth, &good);
    }
    return good;
}

static bool no_memory(struct walk *w)
{
    w->maker->status = ATAMO_NO_MEMORY;
    return false;
}

static bool add_clause(struct walk *w, const struct yaml_node *key, struct clause *clause)
{
    int status;

    w->path[w->path_depth] = key->text;
    status =
        field_plan_add(w->maker->plan, w->path, w->path_depth + 1, FIELD_LEAVES, &clause->field);
    if (status != ATAMO_OK)
        return no_memory(w);
    clause->order = (uint16_t)(w->order < UINT16_MAX ? w->order++ : w->order);
    if (w->set.count == 0) {
        w->set.chains = arena_array(&w->work, 1, sizeof(struct link *));
        if (w->set.chains == NULL)
            return no_memory(w);
        w->set.count = 1;
    }
    for (size_t i = 0; i < w->set.count; i++) {
        struct link *link = arena_alloc(&w->work, sizeof *link);

        if (link == NULL)
            return no_memory(w);
        *link = (struct link){*clause, w->set.chains[i]};
        w->set.chains[i] = link;
    }
    return true;
}

static bool copy_set(struct walk *w, const struct set *from, struct set *to)
{
    to->count = from->count;
    to->chains = arena_array(&w->work, from->count + 1, sizeof(struct link *));
    if (to->chains == NULL)
        return no_memory(w);
    if (from->count > 0)
        memcpy(to->chains, from->chains, from->count * sizeof(struct link *));
    return true;
}

static bool join_sets(struct walk *w, struct set *joined, const struct set *more,
                      const struct yaml_node *node)
{
    const size_t count = joined->count + more->count;
    const struct link **chains;

    if (count > PATTERN_ALTERNATIVES_MAX)
        return pattern_wrong(w->maker, node, "$or makes more than %d alternatives",
                             PATTERN_ALTERNATIVES_MAX);
    chains = arena_array(&w->work, count + 1, sizeof(struct link *));
    if (chains == NULL)
        return no_memory(w);
    if (joined->count > 0)
        memcpy(chains, joined->chains, joined->count * sizeof(struct link *));
    if (more->count > 0)
        memcpy(chains + joined->count, more->chains, more->count * sizeof(struct link *));
    *joined = (struct set){count, chains};
    return true;
}

static bool push(struct walk *w, const struct yaml_node *node, bool is_an_or)
{
    if (w->depth == NESTING_MAX)
        return pattern_wrong(w->maker, node, "nested deeper than %d levels", NESTING_MAX);
    if (node->count == 0)
        return pattern_wrong(w->maker, node, "an empty map matches nothing: name a field");
    w->levels[w->depth] = (struct level){.node = node, .is_or = is_an_or};
    if (is_an_or && !copy_set(w, &w->set, &w->levels[w->depth].base))
        return false;
    w->depth++;
    return true;
}

/* The next branch of an `$or`: the one before it has ended. */
static bool step_or(struct walk *w, struct level *level)
{
    if (level->next > 0 && !join_sets(w, &level->joined, &w->set, level->node))
        return false;
    if (level->next == level->node->count) {
        w->set = level->joined;
        w->depth--;
        return true;
    }
    return copy_set(w, &level->base, &w->set) && push(w, level->node->items[level->next++], false);
}

/* The next pair of a map. False after a mistake; the walk goes on. */
static bool step_map(struct walk *w, struct level *level)
{
    const struct yaml_node *key = level->node->keys[level->next];
    const struct yaml_node *value = level->node->items[level->next];
    struct clause clause = {0};
    size_t count;

    level->next++;
    if (is_or(key) && !w->maker->or_is_a_name)
        return push(w, value, true);
    if (value->kind == YAML_MAP) {
        w->path[w->path_depth++] = key->text;
        if (push(w, value, false))
            return true;
        w->path_depth--;
        return false;
    }
    if (value->kind != YAML_LIST)
        return pattern_wrong(w->maker, value, "%s: expected a list of values or a map, found %s",
                             key->text.data, yaml_kind_name(value->kind));
    if (!pattern_tests(w->maker, value, &clause.tests, &count))
        return false;
    clause.count = (uint16_t)count;
    return add_clause(w, key, &clause);
}

/* The end of a map; only one that stands under a name had put it on the path. */
static void end_map(struct walk *w)
{
    w->depth--;
    if (w->depth > 0 && !w->levels[w->depth - 1].is_or)
        w->path_depth--;
}

static void walk_tree(struct walk *w, const struct yaml_node *when)
{
    (void)push(w, when, false);
    while (w->depth > 0 && w->maker->status == ATAMO_OK) {
        struct level *level = &w->levels[w->depth - 1];

        if (level->is_or) {
            if (!step_or(w, level))
                break;
        } else if (level->next == level->node->count) {
            end_map(w);
        } else {
            (void)step_map(w, level);
        }
    }
}

/* Order of Java's strings, which compares UTF-16 units: U+E000 to U+FFFF after what lies above. */
static int compare_names(atamo_bytes a, atamo_bytes b)
{
    const size_t size = a.size < b.size ? a.size : b.size;

    for (size_t i = 0; i < size; i++) {
        unsigned x = (unsigned char)a.data[i];
        unsigned y = (unsigned char)b.data[i];

        if (x == y)
            continue;
        x += x == 0xee || x == 0xef ? 0x10 : 0;
        y += y == 0xee || y == 0xef ? 0x10 : 0;
        return x < y ? -1 : 1;
    }
    return (a.size > b.size) - (a.size < b.size);
}

static bool has_absence(const struct clause *clause)
{
    for (size_t i = 0; i < clause->count; i++) {
        if (clause->tests[i].kind == TEST_ABSENT)
            return true;
    }
    return false;
}

/* Put a clause where its path belongs, unless a later one of the same path is there already. */
static void place_clause(const struct field_plan *plan, struct conjunction *to,
                         const struct clause *clause)
{
    size_t at = to->count;

    for (size_t i = 0; i < to->count; i++) {
        if (to->clauses[i].field == clause->field)
            return;
    }
    while (at > 0 && compare_names(field_plan_name(plan, to->clauses[at - 1].field),
                                   field_plan_name(plan, clause->field)) > 0) {
        to->clauses[at] = to->clauses[at - 1];
        at--;
    }
    to->clauses[at] = *clause;
    to->count++;
    to->absence |= has_absence(clause);
}

static const struct conjunction *flatten(struct walk *w, const struct link *chain,
                                         const struct yaml_node *when)
{
    struct conjunction *made;
    size_t count = 0;

    for (const struct link *link = chain; link != NULL; link = link->before)
        count++;
    if (count > PATTERN_CLAUSES_MAX) {
        (void)pattern_wrong(w->maker, when, "more than %d fields", PATTERN_CLAUSES_MAX);
        return NULL;
    }
    made = arena_alloc(w->maker->arena, sizeof *made + count * sizeof *made->clauses);
    if (made == NULL) {
        w->maker->status = ATAMO_NO_MEMORY;
        return NULL;
    }
    for (const struct link *link = chain; link != NULL; link = link->before)
        place_clause(w->maker->plan, made, &link->clause);
    return made;
}

static int finish(struct walk *w, const struct yaml_node *when, const struct pattern **pattern)
{
    struct pattern *made = arena_alloc(w->maker->arena, sizeof *made);

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    made->alternatives = arena_array(w->maker->arena, w->set.count, sizeof(struct conjunction *));
    if (made->alternatives == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < w->set.count; i++) {
        const struct conjunction *one = flatten(w, w->set.chains[i], when);

        if (one == NULL)
            return w->maker->status == ATAMO_OK ? ATAMO_INVALID : w->maker->status;
        for (size_t j = 0; j < one->count; j++)
            made->in_data |= field_plan_in_data(w->maker->plan, one->clauses[j].field);
        made->alternatives[made->count++] = one;
    }
    *pattern = made;
    return ATAMO_OK;
}

int pattern_compile(struct arena *arena, struct field_plan *plan, const struct yaml_node *when,
                    struct problems *problems, const struct pattern **pattern)
{
    const size_t errors = problems->errors;
    struct pattern_maker maker = {.arena = arena, .plan = plan, .problems = problems};
    struct walk *w;
    int status;

    if (when->kind != YAML_MAP)
        return problems_add(problems, yaml_place(when),
                            "a pattern is a map from field names to lists of values, found %s",
                            yaml_kind_name(when->kind));
    w = calloc(1, sizeof *w);
    if (w == NULL)
        return ATAMO_NO_MEMORY;
    maker.or_is_a_name = !or_is_operator(when);
    w->maker = &maker;
    arena_init(&w->work);
    walk_tree(w, when);
    status = maker.status;
    if (status == ATAMO_OK && problems->errors > errors)
        status = ATAMO_INVALID;
    if (status == ATAMO_OK)
        status = finish(w, when, pattern);
    arena_close(&w->work);
    free(w);
    return status;
}
