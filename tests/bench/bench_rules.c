/* bench_rules - what it costs to find the matching rules of an event, from ten rules to a million.
 *
 * usage: bench_rules [--max-rules N] [--json]
 *
 * Workload: 20 fields in the data, ten of words (200 each) and ten of numbers; a rule is one or two
 * equalities and one or two ranges on random fields, one in eight with a prefix, anything-but or
 * exists besides. `ns_per_event` is from extracted values to the list of matches; `extract_ns` is
 * what parsing and extraction take before that. `limit` is the bare reference of the same run:
 * checking every rule up to 1,000, above that a chained hash on one equality, both on values that
 * are numbered already, without arrays, kinds or numbers as text. `swap_pause_us` is the longest
 * round trip while a live hub swaps 100,000 rules.
 */
#include "rules/index.h"
#include "swap_pause.h"
#include "unit/rules/tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WORD_FIELDS = 10, NUMBER_FIELDS = 10, WORDS = 200, NUMBERS = 10000, EVENTS = 64 };
enum { EVENT_BYTES = 2048, SCAN_MAX = 1000 };

struct bare_rule {
    int words[2], values[2]; /* field -1: none */
    int numbers[2], low[2], high[2];
    uint32_t next; /* in its hash chain, 0: none */
};

struct bare_event {
    int words[WORD_FIELDS], numbers[NUMBER_FIELDS];
};

struct bench {
    uint32_t count;
    struct arena arena;
    struct field_plan *plan;
    struct index *index;
    struct field_scratch *fields;
    struct index_scratch *scratch;
    struct json_parser *parser;
    struct problems problems;
    struct bare_rule *bare;
    uint32_t *chains; /* by field and word */
    struct bare_event bare_events[EVENTS];
    char events[EVENTS][EVENT_BYTES];
    size_t sizes[EVENTS];
    uint64_t random;
    uint64_t build_ns;
};

static uint64_t now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int pick(struct bench *b, int below)
{
    b->random = b->random * 6364136223846793005u + 1442695040888963407u;
    return (int)((b->random >> 33) % (uint64_t)below);
}

static void check(int status, const char *what)
{
    if (status == ATAMO_OK)
        return;
    (void)fprintf(stderr, "bench_rules: %s: %s\n", what, atamo_status_text(status));
    _Exit(1);
}

static void make_bare(struct bench *b, struct bare_rule *rule)
{
    *rule = (struct bare_rule){.words = {-1, -1}, .numbers = {-1, -1}};
    rule->words[0] = pick(b, WORD_FIELDS);
    rule->values[0] = pick(b, WORDS);
    if (pick(b, 8) != 0) {
        rule->words[1] = (rule->words[0] + 1 + pick(b, WORD_FIELDS - 1)) % WORD_FIELDS;
        rule->values[1] = pick(b, WORDS);
    }
    for (int i = 0; i < 1 + (rule->words[1] < 0 || pick(b, 4) == 0); i++) {
        const int width = rule->words[1] < 0 ? NUMBERS / 20 : NUMBERS / 2;

        rule->numbers[i] = i == 0 ? pick(b, NUMBER_FIELDS - 1) : NUMBER_FIELDS - 1;
        rule->low[i] = pick(b, NUMBERS - width);
        rule->high[i] = rule->low[i] + width;
    }
}

/* The rule as a pattern. */
static size_t write_rule(struct bench *b, const struct bare_rule *rule, char *text, size_t room)
{
    static const char *const more[] = {"\"extra\":[{\"prefix\":\"e\"}]",
                                       "\"extra\":[{\"anything-but\":[\"other\",\"none\"]}]",
                                       "\"extra\":[{\"exists\":true}]"};
    int size = snprintf(text, room, "{\"data\":{");

    for (int i = 0; i < 2; i++) {
        if (rule->words[i] >= 0)
            size += snprintf(text + size, room - (size_t)size, "\"word%d\":[\"value-%d\"],",
                             rule->words[i], rule->values[i]);
    }
    for (int i = 0; i < 2; i++) {
        if (rule->numbers[i] >= 0)
            size += snprintf(text + size, room - (size_t)size,
                             "\"number%d\":[{\"numeric\":[\">=\",%d,\"<\",%d]}],", rule->numbers[i],
                             rule->low[i], rule->high[i]);
    }
    size +=
        snprintf(text + size, room - (size_t)size, "%s", pick(b, 8) == 0 ? more[pick(b, 3)] : "");
    if (text[size - 1] == ',')
        size--;
    size += snprintf(text + size, room - (size_t)size, "}}");
    return (size_t)size;
}

static void add_rule(struct bench *b, const struct bare_rule *rule)
{
    const atamo_bytes type = atamo_text("bench.event");
    const struct pattern *pattern;
    struct json_document document;
    struct arena tree;
    char text[512];
    const size_t size = write_rule(b, rule, text, sizeof text);
    uint64_t start;

    check(json_parse(b->parser, (atamo_bytes){text, size}, size, &document, NULL), "rule");
    arena_init(&tree);
    const struct yaml_node *when = tree_of(&tree, &document, 0);

    start = now_ns();
    check(pattern_compile(&b->arena, b->plan, when, &b->problems, &pattern), "pattern");
    check(index_add(b->index, &(struct index_rule){.types = {&type, 1}, .pattern = pattern}),
          "index_add");
    b->build_ns += now_ns() - start;
    arena_close(&tree);
}

static void make_events(struct bench *b)
{
    for (int i = 0; i < EVENTS; i++) {
        char *text = b->events[i];
        int size = snprintf(text, EVENT_BYTES, "{");

        for (int j = 0; j < WORD_FIELDS; j++) {
            b->bare_events[i].words[j] = pick(b, WORDS);
            size += snprintf(text + size, (size_t)(EVENT_BYTES - size), "\"word%d\":\"value-%d\",",
                             j, b->bare_events[i].words[j]);
        }
        for (int j = 0; j < NUMBER_FIELDS; j++) {
            b->bare_events[i].numbers[j] = pick(b, NUMBERS);
            size += snprintf(text + size, (size_t)(EVENT_BYTES - size), "\"number%d\":%d,", j,
                             b->bare_events[i].numbers[j]);
        }
        size += snprintf(text + size, (size_t)(EVENT_BYTES - size), "\"extra\":\"else\"}");
        b->sizes[i] = (size_t)size;
    }
}

static void open_bench(struct bench *b, uint32_t count)
{
    uint64_t start;

    *b = (struct bench){.count = count, .random = 42};
    arena_init(&b->arena);
    problems_init(&b->problems);
    b->plan = field_plan_new(&b->arena);
    b->bare = calloc(count + 1u, sizeof *b->bare);
    b->chains = calloc((size_t)WORD_FIELDS * WORDS, sizeof *b->chains);
    if (b->plan == NULL || b->bare == NULL || b->chains == NULL)
        check(ATAMO_NO_MEMORY, "open");
    check(json_parser_open(&b->parser), "open");
    check(field_scratch_open(&b->fields), "open");
    check(index_scratch_open(&b->scratch), "open");
    check(index_new(&b->arena, b->plan, count, &b->index), "open");
    for (uint32_t i = 1; i <= count; i++) {
        struct bare_rule *rule = &b->bare[i];
        uint32_t *chain;

        make_bare(b, rule);
        add_rule(b, rule);
        chain = &b->chains[rule->words[0] * WORDS + rule->values[0]];
        rule->next = *chain;
        *chain = i;
    }
    start = now_ns();
    check(field_plan_seal(b->plan), "seal");
    check(index_seal(b->index), "seal");
    b->build_ns += now_ns() - start;
    make_events(b);
}

static void close_bench(struct bench *b)
{
    free(b->bare);
    free(b->chains);
    json_parser_close(b->parser);
    index_scratch_close(b->scratch);
    field_scratch_close(b->fields);
    problems_close(&b->problems);
    arena_close(&b->arena);
}

static bool bare_matches(const struct bare_rule *rule, const struct bare_event *event)
{
    for (int i = 0; i < 2; i++) {
        if (rule->words[i] >= 0 && event->words[rule->words[i]] != rule->values[i])
            return false;
        if (rule->numbers[i] >= 0 && (event->numbers[rule->numbers[i]] < rule->low[i] ||
                                      event->numbers[rule->numbers[i]] >= rule->high[i]))
            return false;
    }
    return true;
}

static uint64_t match_bare(const struct bench *b, int event)
{
    const struct bare_event *e = &b->bare_events[event];
    uint64_t matches = 0;

    if (b->count <= SCAN_MAX) {
        for (uint32_t i = 1; i <= b->count; i++)
            matches += bare_matches(&b->bare[i], e);
        return matches;
    }
    for (int field = 0; field < WORD_FIELDS; field++) {
        for (uint32_t i = b->chains[field * WORDS + e->words[field]]; i != 0; i = b->bare[i].next)
            matches += bare_matches(&b->bare[i], e);
    }
    return matches;
}

static struct rule_event event_of(const struct bench *b, int i)
{
    struct rule_event event = {
        .data = {b->events[i], b->sizes[i]}, .data_room = EVENT_BYTES, .data_is_json = true};

    event.attributes[ATAMO_TYPE] = atamo_text("bench.event");
    return event;
}

static uint64_t match_index(struct bench *b, int i)
{
    const struct rule_event event = event_of(b, i);
    struct index_result result;

    check(index_match(b->index, b->scratch, b->fields, &event, &(struct index_who){0}, &result),
          "match");
    return result.count;
}

static uint64_t only_extract(struct bench *b, int i)
{
    const struct rule_event event = event_of(b, i);
    const char *problem;

    check(fields_extract(b->plan, b->fields, &event, &problem), "extract");
    return 0;
}

static uint64_t only_bare(struct bench *b, int i)
{
    return match_bare(b, i);
}

/* The best of several rounds over all events, in ns per event; *sum is what one round counted. */
static double best_of(struct bench *b, uint64_t (*work)(struct bench *, int), uint64_t *sum)
{
    double best = 1e18;

    for (int round = 0; round < 7; round++) {
        const uint64_t start = now_ns();
        uint64_t rounds = 0;
        double ns;

        do {
            *sum = 0;
            for (int i = 0; i < EVENTS; i++)
                *sum += work(b, i);
            rounds++;
        } while (now_ns() - start < 15000000);
        ns = (double)(now_ns() - start) / (double)(rounds * EVENTS);
        best = ns < best ? ns : best;
    }
    return best;
}

static void run(uint32_t count, bool json, bool first)
{
    static struct bench b;
    uint64_t matches;
    uint64_t bare_matches_found;
    uint64_t unused;
    double extract;
    double all;
    double limit;

    open_bench(&b, count);
    extract = best_of(&b, only_extract, &unused);
    all = best_of(&b, match_index, &matches);
    limit = best_of(&b, only_bare, &bare_matches_found);
    if (matches != bare_matches_found)
        check(ATAMO_CONFLICT, "the index and the bare reference find different matches");
    (void)printf(
        json ? "%s{\"rules\": %" PRIu32 ", \"ns_per_event\": %.0f, \"extract_ns\": %.0f, "
               "\"matches_per_event\": %.2f, \"bytes_per_rule\": %.0f, \"build_ms\": %.0f, "
               "\"limit_ns_per_event\": %.0f}"
             : "%s%8" PRIu32 " rules: %7.0f ns (and %.0f to extract), %.2f matches, "
               "%.0f bytes a rule, built in %.0f ms; limit %.0f ns",
        first || !json ? "" : ", ", count, all - extract, extract, (double)matches / EVENTS,
        (double)b.arena.total / count, (double)b.build_ns / 1e6, limit);
    (void)printf("%s", json ? "" : "\n");
    (void)fflush(stdout);
    close_bench(&b);
}

static void run_swap(bool json)
{
    const struct swap_pause pause = swap_pause_measure();

    (void)printf(json ? "], \"swap_pause_us\": %.0f, \"swap_limit\": {\"what\": "
                        "\"beside a thread that only computes\", \"us\": %.0f}}\n"
                      : "live swap of 100,000 rules: longest round trip %.0f us (%.0f "
                        "beside a thread that only computes)\n",
                 pause.us, pause.computing_us);
}

int main(int argc, char **argv)
{
    uint32_t most = 1000000;
    bool json = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "--max-rules") == 0 && i + 1 < argc) {
            most = (uint32_t)strtoul(argv[++i], NULL, 10);
        } else {
            (void)fprintf(stderr, "usage: bench_rules [--max-rules N] [--json]\n");
            return 2;
        }
    }
    (void)printf(json ? "{\"case\": \"rules\", \"sizes\": [" : "");
    for (uint32_t count = 10; count <= most; count *= 10)
        run(count, json, count == 10);
    run_swap(json);
    return 0;
}
