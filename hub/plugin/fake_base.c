/* fake_base - what every plugin asks of a host: options, log, time, chance, extensions; and what
 * the test asks of the fake: misuses, log lines.
 *
 * Reading an option that the table does not have, or by the function for another type, is misuse:
 * the hub would answer with nothing, and nobody would see why.
 */
#include "plugin/fake.h"

#include "base/clock.h"
#include "plugin/json_extension.h"
#include "plugin/options.h"
#include "plugin/options_schema.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool fake_list_add(struct fake_list *list, void *item)
{
    if (list->count == list->room) {
        const size_t room = list->room == 0 ? 16 : list->room * 2;
        void **items = realloc(list->items, room * sizeof *items);

        if (items == NULL)
            return false;
        list->items = items;
        list->room = room;
    }
    list->items[list->count++] = item;
    return true;
}

void fake_lock(const struct atamo_test_host *host)
{
    (void)pthread_mutex_lock((pthread_mutex_t *)(uintptr_t)&host->lock);
}

void fake_unlock(const struct atamo_test_host *host)
{
    (void)pthread_mutex_unlock((pthread_mutex_t *)(uintptr_t)&host->lock);
}

void fake_misuse(const struct atamo_test_host *host, const char *format, ...)
{
    struct atamo_test_host *writable = (struct atamo_test_host *)(uintptr_t)host;
    const char *kept;
    char text[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if ((host->flags & ATAMO_TEST_QUIET) == 0)
        (void)fprintf(stderr, "misuse by plugin \"%s\": %s\n", host->plugin->id, text);
    fake_lock(host);
    kept = arena_copy(&writable->arena, atamo_text(text)).data;
    (void)fake_list_add(&writable->misuses, (void *)(uintptr_t)(kept == NULL ? "misuse" : kept));
    fake_unlock(host);
}

struct atamo_test_host *fake_enter(const atamo_host *table, const char *call)
{
    struct atamo_test_host *host = fake_of(table);
    bool destroyed;

    fake_lock(host);
    destroyed = host->state == FAKE_DESTROYED;
    fake_unlock(host);
    if (destroyed)
        fake_misuse(host, "%s was called after destroy()", call);
    return host;
}

int64_t fake_now(const struct atamo_test_host *host)
{
    struct clock clock;
    int64_t now;

    if ((host->flags & ATAMO_TEST_REAL_TIME) != 0) {
        clock_system(&clock);
        return clock_now(&clock);
    }
    fake_lock(host);
    now = host->now_ns;
    fake_unlock(host);
    return now;
}

/* --- options */

static uint32_t kind(atamo_option_type type)
{
    return 1u << type;
}

/* The options behind a call, which reads only options of the `wanted` types. */
static const struct options *options_of(const atamo_host *table, const char *call,
                                        const char *option, uint32_t wanted)
{
    const struct atamo_test_host *host = fake_enter(table, call);
    const atamo_plugin *plugin = host->plugin;

    for (size_t i = 0; i < plugin->option_count; i++) {
        const atamo_option *row = options_row(plugin, i);

        if (strcmp(row->name, option) != 0)
            continue;
        if ((wanted & 1u << row->type) == 0)
            fake_misuse(host, "%s cannot read option \"%s\": it is of another type", call, option);
        return host->options;
    }
    fake_misuse(host, "%s asks for option \"%s\", which is not in the plugin's table", call,
                option);
    return host->options;
}

static atamo_bytes base_text(const atamo_host *table, const char *option)
{
    return options_text(
        options_of(table, "text()", option,
                   kind(ATAMO_OPTION_TEXT) | kind(ATAMO_OPTION_CHOICE) | kind(ATAMO_OPTION_JSON)),
        option);
}

static int64_t base_integer(const atamo_host *table, const char *option)
{
    return options_integer(options_of(table, "integer()", option,
                                      kind(ATAMO_OPTION_INTEGER) | kind(ATAMO_OPTION_BOOLEAN) |
                                          kind(ATAMO_OPTION_DURATION) | kind(ATAMO_OPTION_SIZE)),
                           option);
}

static double base_number(const atamo_host *table, const char *option)
{
    return options_number(options_of(table, "number()", option,
                                     kind(ATAMO_OPTION_NUMBER) | kind(ATAMO_OPTION_INTEGER)),
                          option);
}

static const struct options *items_of(const atamo_host *table, const char *call, const char *option)
{
    return options_of(table, call, option, kind(ATAMO_OPTION_LIST) | kind(ATAMO_OPTION_MAP));
}

static size_t base_count(const atamo_host *table, const char *option)
{
    return options_count(items_of(table, "count()", option), option);
}

static atamo_bytes base_key_at(const atamo_host *table, const char *option, size_t index)
{
    return options_key_at(items_of(table, "key_at()", option), option, index);
}

static atamo_bytes base_text_at(const atamo_host *table, const char *option, size_t index)
{
    return options_text_at(items_of(table, "text_at()", option), option, index);
}

/* --- the rest of the table */

static atamo_bytes base_instance(const atamo_host *table)
{
    return atamo_text(fake_enter(table, "instance()")->instance);
}

static void *base_context(const atamo_host *table)
{
    return fake_enter(table, "context()")->context;
}

static void base_log(const atamo_host *table, int level, const char *text)
{
    struct atamo_test_host *host = fake_enter(table, "log()");
    struct fake_line *line;

    if (level < ATAMO_LOG_DEBUG || level > ATAMO_LOG_ERROR)
        fake_misuse(host, "log() with level %d, which is no ATAMO_LOG_*", level);
    fake_lock(host);
    line = arena_alloc(&host->arena, sizeof *line);
    if (line != NULL) {
        line->level = level;
        line->text = arena_copy(&host->arena, atamo_text(text)).data;
        if (line->text != NULL)
            (void)fake_list_add(&host->lines, line);
    }
    fake_unlock(host);
    fake_ring(host);
}

static int base_refuse(const atamo_host *table, const char *why)
{
    struct atamo_test_host *host = fake_enter(table, "refuse()");
    const char *text;

    fake_lock(host);
    text = arena_copy(&host->arena, atamo_text(why)).data;
    host->refusal = text == NULL ? "no memory" : text;
    fake_unlock(host);
    return ATAMO_INVALID;
}

static int64_t base_now(const atamo_host *table)
{
    return fake_now(fake_enter(table, "now()"));
}

static uint64_t base_random(const atamo_host *table)
{
    struct atamo_test_host *host = fake_enter(table, "random()");
    uint64_t number;

    fake_lock(host);
    number = random_next(&host->random);
    fake_unlock(host);
    return number;
}

static atamo_bytes base_name(const atamo_host *table, uint32_t name)
{
    return names_text(fake_enter(table, "name()")->names, name);
}

static void base_message_id(const atamo_host *table, uint64_t message, char uuid[37])
{
    (void)fake_enter(table, "message_id()");
    number_to_uuid(message, FAKE_NODE, uuid);
}

static const void *base_extension(const atamo_host *table, const char *name)
{
    const struct atamo_test_host *host = fake_enter(table, "extension()");

    if (strcmp(name, ATAMO_JSON_EXTENSION) == 0)
        return json_extension();
    if (strcmp(name, ATAMO_ACCESS_EXTENSION) == 0)
        return fake_access_table();
    if (strcmp(name, ATAMO_KV_EXTENSION) == 0)
        return (host->flags & ATAMO_TEST_NO_STORE) != 0 ? NULL : fake_kv_table();
    return strcmp(name, ATAMO_LOOP_EXTENSION) == 0 ? fake_loop_table() : NULL;
}

void fake_fill_base(struct atamo_host *table)
{
    table->size = sizeof *table;
    table->abi = ATAMO_ABI;
    table->text = base_text;
    table->integer = base_integer;
    table->number = base_number;
    table->count = base_count;
    table->key_at = base_key_at;
    table->text_at = base_text_at;
    table->instance = base_instance;
    table->context = base_context;
    table->log = base_log;
    table->refuse = base_refuse;
    table->now = base_now;
    table->random = base_random;
    table->name = base_name;
    table->message_id = base_message_id;
    table->extension = base_extension;
    table->propose = fake_propose;
}

/* --- what the test asks */

const atamo_host *atamo_test_table(const atamo_test_host *host)
{
    return &host->table;
}

void *atamo_test_self(const atamo_test_host *host)
{
    return host->self;
}

const atamo_plugin *atamo_test_plugin(const atamo_test_host *host)
{
    return host->plugin;
}

static size_t count_of(const atamo_test_host *host, const struct fake_list *list)
{
    size_t count;

    fake_lock(host);
    count = list->count;
    fake_unlock(host);
    return count;
}

/* The index-th item, NULL past the last. */
static const void *item_of(const atamo_test_host *host, const struct fake_list *list, size_t index)
{
    const void *item;

    fake_lock(host);
    item = index < list->count ? list->items[index] : NULL;
    fake_unlock(host);
    return item;
}

size_t atamo_test_misuse_count(const atamo_test_host *host)
{
    return count_of(host, &host->misuses);
}

const char *atamo_test_misuse(const atamo_test_host *host, size_t index)
{
    const char *text = item_of(host, &host->misuses, index);

    return text == NULL ? "" : text;
}

size_t atamo_test_log_count(const atamo_test_host *host)
{
    return count_of(host, &host->lines);
}

const char *atamo_test_log(const atamo_test_host *host, size_t index, int *level)
{
    const struct fake_line *line = item_of(host, &host->lines, index);

    if (line == NULL)
        return "";
    if (level != NULL)
        *level = line->level;
    return line->text;
}

int atamo_test_logged(const atamo_test_host *host, const char *text)
{
    const size_t count = atamo_test_log_count(host);

    for (size_t i = 0; i < count; i++)
        if (strstr(atamo_test_log(host, i, NULL), text) != NULL)
            return 1;
    return 0;
}

const char *atamo_test_refusal(const atamo_test_host *host)
{
    const char *text;

    fake_lock(host);
    text = host->refusal;
    fake_unlock(host);
    return text;
}

size_t atamo_test_schema(const atamo_plugin *plugin, char *buffer, size_t capacity)
{
    struct json_writer writer;

    json_writer_init(&writer, buffer, capacity == 0 ? 0 : capacity - 1);
    options_schema(plugin, &writer);
    if (capacity > 0)
        buffer[writer.size < capacity ? writer.size : capacity - 1] = '\0';
    return writer.size;
}
