/* rule_suite - unit tests of rules, in YAML beside the rules.
 *
 *     config: ../atamo.yaml
 *     tests:
 *       - name: large orders are told to the sales desk
 *         event: {type: order.created, user: anna, data: {total: 300}}
 *         expect:
 *           actions: [{agent: chat, body: {channel: "#sales"}}]
 *
 * Expectations are partial: an action needs only the keys that matter, and a map in its body may
 * leave out keys at any depth. But `actions` lists all actions, in the order of the rules, and
 * `rules` all rules that match. An event that is refused fails its test unless `refused` is
 * expected.
 */
#ifndef HUB_CONFIG_RULE_SUITE_H
#define HUB_CONFIG_RULE_SUITE_H

#include "config/rule_test.h"

struct rule_suite_case {
    const char *name;
    struct place place;
    const char *failure; /* what was expected and what came; NULL: passed */
};

/* What one file came to. Texts live in the arena. */
struct rule_suite_result {
    struct arena arena;
    const char *file;
    struct rule_suite_case *cases;
    size_t count;
    size_t failed;
    uint64_t ns; /* how long all of them took */
};

/* Run the tests of one file. `settings` says all but the source's path, which the file names.
 * ATAMO_OK also if tests failed: see `failed`. Otherwise the file or its configuration cannot be
 * used, and `problems` says why. */
int rule_suite_run(const char *path, const struct rule_test_settings *settings,
                   struct problems *problems, struct rule_suite_result *result);
void rule_suite_result_close(struct rule_suite_result *result);

/* Call fn for each file of tests (*.test.yaml) at or below `path`, folders and files by name, until
 * it returns something else than ATAMO_OK, which is then returned. Hidden folders and symbolic
 * links to folders are left out. A path that is a file is given as it is. ATAMO_NOT_FOUND: there is
 * no such path; ATAMO_IO; ATAMO_TOO_LARGE: folders nest too deeply; ATAMO_NO_MEMORY. */
int rule_suite_find(const char *path, int (*fn)(void *user, const char *file), void *user);

/* "ok" or what went wrong, a line for each test. ATAMO_IO. */
int rule_suite_write_text(const struct rule_suite_result *result, FILE *out);

/* {"files": [{"file", "tests": [{"name", "line", "passed", "failure"}]}], "passed", "failed"};
 * "failure" is null for those that passed. ATAMO_IO, ATAMO_NO_MEMORY. */
int rule_suite_write_json(const struct rule_suite_result *results, size_t count, FILE *out);

/* All files as one JUnit report (the common subset: testsuites, testsuite, testcase, failure).
 * ATAMO_IO. */
int rule_suite_write_junit(const struct rule_suite_result *results, size_t count, FILE *out);

#endif
