/* Telemetry records as bytes: what is read is what was written, and damaged bytes are told. */
#include "base/random.h"
#include "store/chunk.h"

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { RECORDS = 300, TEXT = 200 };

/* A record with its text behind it, as the journal has it. */
struct span {
    atamo_telemetry records[1 + (TEXT + ATAMO_PIECE_BYTES - 1) / ATAMO_PIECE_BYTES];
    char text[TEXT + 1];
};

static uint64_t pick(struct random *random)
{
    return random_next(random) >> random_below(random, 64);
}

static void fill_span(struct span *span, struct random *random, const uint32_t *names)
{
    atamo_telemetry *record = &span->records[0];
    const size_t size = random_below(random, 3) == 0 ? random_below(random, TEXT) : 0;

    memset(span, 0, sizeof *span);
    record->step = (uint16_t)(1 + random_below(random, ATAMO_STEP_COUNT - 1));
    record->reason = (uint16_t)random_below(random, 100);
    record->attempt = (uint16_t)random_below(random, 70000);
    record->time_ns = (int64_t)(pick(random) >> 1) + 1;
    record->message = pick(random);
    record->action = pick(random);
    record->type = names[random_below(random, 8)];
    record->rule = names[random_below(random, 8)];
    record->agent = names[random_below(random, 8)];
    record->user = names[random_below(random, 8)];
    record->value[0] = pick(random);
    record->value[1] = pick(random);
    record->text = (uint16_t)size;
    for (size_t i = 0; i < size; i++)
        span->text[i] = (char)('a' + random_below(random, 26));
    for (size_t done = 0, piece = 1; done < size; done += ATAMO_PIECE_BYTES, piece++) {
        atamo_telemetry_piece *out = (atamo_telemetry_piece *)(void *)&span->records[piece];

        out->size = (uint16_t)(size - done < ATAMO_PIECE_BYTES ? size - done : ATAMO_PIECE_BYTES);
        memcpy(out->bytes, span->text + done, out->size);
    }
}

static void assert_same(const struct span *span, const struct chunk_record *read,
                        const struct names *names)
{
    const atamo_telemetry *record = &span->records[0];
    const atamo_bytes texts[][2] = {
        {names_text(names, record->type), read->type},
        {names_text(names, record->rule), read->rule},
        {names_text(names, record->agent), read->agent},
        {names_text(names, record->user), read->user},
        {{span->text, record->text}, read->text},
    };

    assert_int_equal(record->step, read->record.step);
    assert_int_equal(record->reason, read->record.reason);
    assert_int_equal(record->attempt, read->record.attempt);
    assert_int_equal(record->time_ns, read->record.time_ns);
    assert_int_equal(record->message, read->record.message);
    assert_int_equal(record->action, read->record.action);
    assert_int_equal(record->value[0], read->record.value[0]);
    assert_int_equal(record->value[1], read->record.value[1]);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(texts[i][0].size, texts[i][1].size);
        assert_memory_equal(texts[i][0].data, texts[i][1].data, texts[i][0].size);
    }
}

/* A chunk of random records; its bytes are malloc'ed. */
static char *make_chunk(struct names *names, struct span *spans, uint64_t seed, size_t *size)
{
    struct random random = {.state = seed};
    struct chunk_writer writer = {.bytes = NULL};
    uint32_t numbers[8];
    char *bytes;

    for (unsigned i = 0; i < 8; i++) {
        char text[16];

        (void)snprintf(text, sizeof text, "name-%u", i);
        numbers[i] = i == 0 ? 0 : names_add(names, atamo_text(text));
    }
    for (size_t i = 0; i < RECORDS; i++) {
        fill_span(&spans[i], &random, numbers);
        assert_true(chunk_add(&writer, spans[i].records));
    }
    *size = chunk_size(&writer, names);
    bytes = malloc(*size);
    assert_non_null(bytes);
    chunk_put(&writer, names, bytes);
    chunk_reset(&writer);
    assert_int_equal(chunk_size(&writer, names), 0);
    chunk_free(&writer);
    return bytes;
}

static void test_what_is_read_is_what_was_written(void **state)
{
    struct span *spans = calloc(RECORDS, sizeof *spans);
    struct names *names = names_open();

    (void)state;
    for (uint64_t seed = 1; seed < 20; seed++) {
        struct chunk_reader reader;
        struct chunk_record record;
        size_t size;
        char *bytes = make_chunk(names, spans, seed, &size);

        assert_int_equal(chunk_time((atamo_bytes){bytes, size}),
                         spans[RECORDS - 1].records[0].time_ns);
        assert_int_equal(chunk_open(&reader, (atamo_bytes){bytes, size}), ATAMO_OK);
        for (size_t i = 0; i < RECORDS; i++) {
            assert_int_equal(chunk_next(&reader, &record), ATAMO_OK);
            assert_same(&spans[i], &record, names);
        }
        assert_int_equal(chunk_next(&reader, &record), ATAMO_NOT_FOUND);
        chunk_close(&reader);
        free(bytes);
    }
    names_close(names);
    free(spans);
}

static void test_bytes_that_were_changed_or_cut_lead_nowhere_else(void **state)
{
    struct span *spans = calloc(RECORDS, sizeof *spans);
    struct names *names = names_open();
    struct random random = {.state = 7};
    size_t size;
    char *bytes = make_chunk(names, spans, 3, &size);

    (void)state;
    for (int i = 0; i < 2000; i++) {
        const size_t cut = random_below(&random, 2) == 0 ? size : random_below(&random, size);
        char *copy = malloc(cut + 1); /* of its own, so that a sanitizer sees what lies behind it */
        struct chunk_reader reader;
        struct chunk_record record;
        int status;

        assert_non_null(copy);
        memcpy(copy, bytes, cut);
        if (cut > 0)
            ((uint8_t *)copy)[random_below(&random, cut)] ^=
                (uint8_t)(1 + random_below(&random, 255));
        status = chunk_open(&reader, (atamo_bytes){copy, cut});
        while (status == ATAMO_OK)
            status = chunk_next(&reader, &record);
        assert_true(status == ATAMO_NOT_FOUND || status == ATAMO_DAMAGED);
        chunk_close(&reader);
        free(copy);
    }
    free(bytes);
    names_close(names);
    free(spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_read_is_what_was_written),
        cmocka_unit_test(test_bytes_that_were_changed_or_cut_lead_nowhere_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
