/* fuzz_yaml - any bytes as a configuration.
 *
 * Besides not crashing: a failure names a problem, and what was read can be written as JSON, which
 * is YAML again and says the same.
 */
#include "yaml/yaml.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *environment(void *context, const char *name)
{
    (void)context;
    if (strcmp(name, "A") == 0)
        return "text";
    return strcmp(name, "N") == 0 ? "12" : NULL;
}

/* Keys over 1024 bytes and a few characters that JSON knows are beyond libyaml; what it does read
 * must be the same. */
static void check_json(struct arena *arena, const struct yaml_node *root)
{
    const struct yaml_options options = {.file = "again.yaml"};
    const struct yaml_node *again = NULL;
    const atamo_bytes json = yaml_to_json(arena, root);
    struct problems problems;

    assert(json.data != NULL);
    problems_init(&problems);
    if (yaml_parse(arena, json, &options, &problems, &again) == ATAMO_OK) {
        const atamo_bytes same = yaml_to_json(arena, again);

        assert(same.size == json.size);
        assert(memcmp(same.data, json.data, json.size) == 0);
    }
    problems_close(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct yaml_options options = {.file = "fuzz.yaml", .environment = environment};
    const struct yaml_node *root = NULL;
    struct problems problems;
    struct arena arena;
    int status;

    arena_init(&arena);
    problems_init(&problems);
    status =
        yaml_parse(&arena, (atamo_bytes){(const char *)data, size}, &options, &problems, &root);
    assert((status == ATAMO_OK) == (problems.errors == 0));
    if (root != NULL)
        check_json(&arena, root);
    problems_close(&problems);
    arena_close(&arena);
    return 0;
}
