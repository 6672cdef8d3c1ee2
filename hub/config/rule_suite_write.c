/* rule_suite_write - what the tests came to, for people and for CI servers.
 *
 * JUnit: https://github.com/testmoapp/junitxml describes the common subset.
 */
#include "config/rule_suite.h"

#include <inttypes.h>

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
