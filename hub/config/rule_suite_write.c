/* rule_suite_write - what the tests came to, for people and for CI servers.
 *
 * JUnit: https://github.com/testmoapp/junitxml describes the common subset.
 */
#include "config/rule_suite.h"

#include "json/write.h"

#include <inttypes.h>
#include <stdlib.h>

int rule_suite_write_text(const struct rule_suite_result *result, FILE *out)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct rule_suite_case *one = &result->cases[i];

        if (one->failure == NULL)
            (void)fprintf(out, "ok      %s\n", one->name);
        else
            (void)fprintf(out, "FAILED  %s\n        %s:%u: %s\n", one->name, result->file,
                          one->place.line, one->failure);
    }
    return ferror(out) ? ATAMO_IO : ATAMO_OK;
}

static void put_text(struct json_writer *writer, const char *name, const char *text)
{
    json_put_name(writer, atamo_text(name));
    if (text == NULL)
        json_put_null(writer);
    else
        json_put_text(writer, atamo_text(text));
}

static void put_count(struct json_writer *writer, const char *name, uint64_t count)
{
    json_put_name(writer, atamo_text(name));
    json_put_uint(writer, count);
}

static void put_file(struct json_writer *writer, const struct rule_suite_result *result)
{
    json_open_object(writer);
    put_text(writer, "file", result->file);
    json_put_name(writer, atamo_text("tests"));
    json_open_array(writer);
    for (size_t i = 0; i < result->count; i++) {
        const struct rule_suite_case *one = &result->cases[i];

        json_open_object(writer);
        put_text(writer, "name", one->name);
        put_count(writer, "line", one->place.line);
        json_put_name(writer, atamo_text("passed"));
        json_put_bool(writer, one->failure == NULL);
        put_text(writer, "failure", one->failure);
        json_close_object(writer);
    }
    json_close_array(writer);
    json_close_object(writer);
}

static void put_files(struct json_writer *writer, const struct rule_suite_result *results,
                      size_t count)
{
    size_t cases = 0;
    size_t failed = 0;

    json_open_object(writer);
    json_put_name(writer, atamo_text("files"));
    json_open_array(writer);
    for (size_t i = 0; i < count; i++) {
        put_file(writer, &results[i]);
        cases += results[i].count;
        failed += results[i].failed;
    }
    json_close_array(writer);
    put_count(writer, "passed", cases - failed);
    put_count(writer, "failed", failed);
    json_close_object(writer);
}

int rule_suite_write_json(const struct rule_suite_result *results, size_t count, FILE *out)
{
    struct json_writer writer;
    size_t size;
    char *text;
    bool written;

    json_writer_init(&writer, NULL, 0);
    put_files(&writer, results, count);
    size = writer.size;
    text = malloc(size + 1);
    if (text == NULL)
        return ATAMO_NO_MEMORY;
    json_writer_init(&writer, text, size);
    put_files(&writer, results, count);
    written = fwrite(text, 1, size, out) == size && fputc('\n', out) != EOF;
    free(text);
    return written ? ATAMO_OK : ATAMO_IO;
}

/* Text of an attribute or element. Control characters have no place in XML 1.0. */
static void put_xml(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            (void)fputs("&amp;", out);
            break;
        case '<':
            (void)fputs("&lt;", out);
            break;
        case '>':
            (void)fputs("&gt;", out);
            break;
        case '"':
            (void)fputs("&quot;", out);
            break;
        default:
            (void)fputc((unsigned char)*text < 0x20 ? ' ' : *text, out);
            break;
        }
    }
}

static void put_suite(const struct rule_suite_result *result, FILE *out)
{
    (void)fputs("  <testsuite name=\"", out);
    put_xml(result->file, out);
    (void)fprintf(out, "\" tests=\"%zu\" failures=\"%zu\" time=\"%" PRIu64 ".%03" PRIu64 "\">\n",
                  result->count, result->failed, result->ns / 1000000000,
                  result->ns / 1000000 % 1000);
    for (size_t i = 0; i < result->count; i++) {
        const struct rule_suite_case *one = &result->cases[i];

        (void)fputs("    <testcase name=\"", out);
        put_xml(one->name, out);
        (void)fputs("\" classname=\"", out);
        put_xml(result->file, out);
        (void)fprintf(out, "\" file=\"");
        put_xml(result->file, out);
        (void)fprintf(out, "\" line=\"%u\"%s>\n", one->place.line, one->failure == NULL ? "/" : "");
        if (one->failure == NULL)
            continue;
        (void)fputs("      <failure message=\"", out);
        put_xml(one->failure, out);
        (void)fputs("\"/>\n    </testcase>\n", out);
    }
    (void)fputs("  </testsuite>\n", out);
}

int rule_suite_write_junit(const struct rule_suite_result *results, size_t count, FILE *out)
{
    size_t tests = 0;
    size_t failed = 0;

    for (size_t i = 0; i < count; i++) {
        tests += results[i].count;
        failed += results[i].failed;
    }
    (void)fprintf(out,
                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<testsuites tests=\"%zu\" failures=\"%zu\">\n",
                  tests, failed);
    for (size_t i = 0; i < count; i++)
        put_suite(&results[i], out);
    (void)fputs("</testsuites>\n", out);
    return ferror(out) ? ATAMO_IO : ATAMO_OK;
}
