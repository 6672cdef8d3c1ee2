/* plugin_check - atamo-plugin-check FILE.so: does this plugin do what the headers ask of it?
 *
 * Happy path: the table is checked, then the plugin is driven through its life and its work, each
 * check in a child process; one line for each, with the remedy where something is wrong. Exit
 * codes: 0 all passed, 1 some failed, 2 usage.
 */
#include "check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CHECK_LIMIT_MS = 5000, CHECK_FILE_MAX = 1 << 20 };

static const struct check_case cases[] = {
    {"its table and its options are sound", CHECK_ANY, check_descriptor},
    {"it lives twice: create, start, drain, destroy", CHECK_ANY, check_life},
    {"it may be destroyed without having been started", CHECK_ANY, check_create_only},
    {"two instances live at once", CHECK_ANY, check_two},
    {"it leaves no descriptors, threads or memory behind", CHECK_ANY, check_leftovers},
    {"it settles each action once, whatever its body", CHECK_AGENT, check_agent_bodies},
    {"it takes a batch of actions", CHECK_AGENT, check_agent_batch},
    {"it works on several threads at once", CHECK_AGENT, check_agent_threads},
    {"it settles what is cancelled", CHECK_AGENT, check_agent_cancel},
    {"it is drained with work in hand", CHECK_AGENT, check_agent_drain},
    {"it bears a client that takes no responses", CHECK_AGENT, check_agent_slow_client},
    {"it compiles and evaluates rules, without effects", CHECK_RULE_PROVIDER, check_rules_evaluate},
    {"it takes records of every kind", CHECK_AUDITOR, check_auditor_records},
    {"it submits events", CHECK_EVENT_PROVIDER, check_events_submit},
    {"it bears a hub that is full", CHECK_EVENT_PROVIDER, check_events_busy},
    {"it writes, reads and scans", CHECK_STORE, check_store_reads},
    {"it writes all or nothing, by versions", CHECK_STORE, check_store_versions},
    {"it acknowledges in order, and all is there", CHECK_STORE, check_store_order},
};

enum { CASE_LIFE = 1, CASES = sizeof cases / sizeof cases[0] };

static const char usage[] =
    "usage: atamo-plugin-check FILE.so [OPTION...]\n\n"
    "  --config TEXT   the plugin's options, as YAML or JSON, or the name of a file with them\n"
    "  --second TEXT   the options of a second instance, if two cannot have the same\n"
    "  --rule JSON     a rule for a rule provider, or the name of a file with it\n"
    "  --limit MS      how long anything may take; 5000 unless told\n"
    "  --json          print one JSON object\n\n"
    "exit codes: 0 all passed, 1 some failed, 2 usage\n";

struct options {
    struct check check;
    bool json;
};

/* --- the command line */

/* The content of a file, or the text itself if there is no such file. */
static const char *content_of(const char *argument)
{
    FILE *stream = fopen(argument, "re");
    char *content;

    if (stream == NULL)
        return argument;
    content = calloc(1, CHECK_FILE_MAX);
    if (content != NULL)
        (void)!fread(content, 1, CHECK_FILE_MAX - 1, stream);
    (void)fclose(stream);
    return content;
}

static bool take_option(struct options *options, const char *name, const char *value)
{
    char *end = NULL;

    if (value == NULL)
        return false;
    if (strcmp(name, "--config") == 0)
        options->check.config = content_of(value);
    else if (strcmp(name, "--second") == 0)
        options->check.second = content_of(value);
    else if (strcmp(name, "--rule") == 0)
        options->check.rule = content_of(value);
    else if (strcmp(name, "--limit") == 0)
        options->check.limit_ms = (uint32_t)strtoul(value, &end, 10);
    else
        return false;
    return end == NULL || (*end == '\0' && options->check.limit_ms > 0);
}

static bool read_line(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            options->json = true;
        } else if (argv[i][0] == '-' && argv[i][1] == '-') {
            if (!take_option(options, argv[i], i + 1 < argc ? argv[i + 1] : NULL))
                return false;
            i++;
        } else if (options->check.file == NULL) {
            options->check.file = argv[i];
        } else {
            return false;
        }
    }
    return options->check.file != NULL;
}

/* --- showing */

static void put_json(const char *text)
{
    (void)putchar('"');
    for (; *text != '\0'; text++) {
        const unsigned char byte = (unsigned char)*text;

        if (byte == '"' || byte == '\\')
            (void)printf("\\%c", byte);
        else if (byte < 0x20 || byte == 0x7f)
            (void)printf("\\u%04x", byte);
        else
            (void)putchar(byte);
    }
    (void)putchar('"');
}

static void show_json(const struct check_shared *shared, const char *name, bool first)
{
    (void)printf("%s{\"name\":", first ? "" : ",");
    put_json(name);
    (void)printf(",\"ok\":%s,\"note\":", shared->count == 0 ? "true" : "false");
    put_json(shared->note);
    (void)fputs(",\"findings\":[", stdout);
    for (uint32_t i = 0; i < shared->count; i++) {
        (void)fputs(i == 0 ? "" : ",", stdout);
        put_json(shared->findings[i]);
    }
    (void)fputs("]}", stdout);
}

static void show_text(const struct check_shared *shared, const char *name)
{
    (void)printf("  %-5s %s", shared->count == 0 ? "ok" : "FAIL", name);
    if (shared->note[0] != '\0')
        (void)printf(" (%s)", shared->note);
    (void)putchar('\n');
    for (uint32_t i = 0; i < shared->count; i++) {
        const char *at = shared->findings[i];

        while (*at != '\0') {
            const size_t size = strcspn(at, "\n");

            (void)printf("          %.*s\n", (int)size, at);
            at += size + (at[size] == '\n');
        }
    }
    (void)fflush(stdout);
}

static void show_head(const struct options *options)
{
    const struct check_shared *shared = options->check.shared;

    if (options->json) {
        (void)fputs("{\"file\":", stdout);
        put_json(options->check.file);
        (void)fputs(",\"id\":", stdout);
        put_json(shared->id);
        (void)fputs(",\"version\":", stdout);
        put_json(shared->version);
        (void)fputs(",\"checks\":[", stdout);
    } else if (shared->id[0] != '\0') {
        (void)printf("%s %s: %s\n", shared->id, shared->version, shared->summary);
    } else {
        (void)printf("%s\n", options->check.file);
    }
    (void)fflush(stdout);
}

/* --- running */

static void run_all(const struct options *options, size_t *passed, size_t *failed)
{
    struct check_shared *shared = options->check.shared;

    for (size_t i = 0; i < CASES; i++) {
        bool ok;

        if (i > 0 && ((cases[i].roles & (shared->roles | CHECK_ANY)) == 0 || shared->roles == 0))
            continue;
        ok = check_case_run(&options->check, &cases[i]);
        if (i == 0)
            show_head(options);
        if (options->json)
            show_json(shared, cases[i].name, i == 0);
        else
            show_text(shared, cases[i].name);
        *(ok ? passed : failed) += 1;
        if (!ok && i <= CASE_LIFE)
            break; /* the rest would only say the same */
    }
}

/* dlopen() looks for a name without '/' elsewhere. */
static const char *path_of(const char *file)
{
    char *path = NULL;

    if (strchr(file, '/') != NULL)
        return file;
    return asprintf(&path, "./%s", file) < 0 ? file : path;
}

int main(int argc, char **argv)
{
    struct options options = {.check = {.limit_ms = CHECK_LIMIT_MS}};
    size_t passed = 0;
    size_t failed = 0;

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        (void)fputs(usage, stdout);
        return 0;
    }
    if (!read_line(argc, argv, &options)) {
        (void)fputs(usage, stderr);
        return 2;
    }
    options.check.file = path_of(options.check.file);
    options.check.shared = mmap(NULL, sizeof *options.check.shared, PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (options.check.shared == MAP_FAILED) {
        (void)fprintf(stderr, "atamo-plugin-check: %s\n", strerrordesc_np(errno));
        return 1;
    }
    run_all(&options, &passed, &failed);
    if (options.json)
        (void)printf("],\"passed\":%zu,\"failed\":%zu}\n", passed, failed);
    else
        (void)printf("%zu passed, %zu failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
