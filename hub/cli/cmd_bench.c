/* cmd_bench - measure this machine, by the programs that were built beside this one.
 *
 * They lie in ../tests/bench of a build folder and are not installed; this process becomes the one
 * that knows the case. A case that none knows is a usage error; without programs it is not found.
 */
#include "cli/cli.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static const struct bench_case {
    const char *name, *program, *about;
} cases[] = {
    {"fanout", "bench_hub", "ten rules over attributes, three inline agents, one auditor"},
    {"fanout-json", "bench_hub", "the same with conditions and templates over JSON data"},
    {"fanout-pool", "bench_hub", "the same with agents that run on threads"},
    {"latency", "bench_hub", "a request from another thread to its last reply"},
    {"memory", "bench_hub", "what a waiting message costs; an idle hub"},
    {"rules", "bench_rules", "the index, from ten rules to a million"},
};

enum { CASES = sizeof cases / sizeof cases[0] };

/* The path of a program of the build folder; false if it does not fit. */
static bool find_program(const char *name, char path[PATH_MAX])
{
    char self[PATH_MAX];
    const ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash;
    int written;

    if (size <= 0)
        return false;
    self[size] = '\0';
    slash = strrchr(self, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    written = snprintf(path, PATH_MAX, "%s/../tests/bench/%s", self, name);
    return written > 0 && written < PATH_MAX;
}

static enum exit_code unknown_case(const char *name)
{
    const char *names[CASES];
    const char *nearest;

    for (size_t i = 0; i < CASES; i++)
        names[i] = cases[i].name;
    nearest = problems_nearest(atamo_text(name), names, CASES);
    if (nearest != NULL)
        cli_say("there is no case \"%s\": did you mean \"%s\"?", name, nearest);
    else
        cli_say("there is no case \"%s\"; atamo bench lists them", name);
    return EXIT_USAGE;
}

enum exit_code cmd_bench(const struct cli_line *line)
{
    char path[PATH_MAX], text[128];

    for (size_t i = 0; i < CASES && line->count == 0; i++)
        (void)printf("%-12s %s\n", cases[i].name, cases[i].about);
    if (line->count == 0)
        return EXIT_OK;
    for (size_t i = 0; i < CASES; i++) {
        if (strcmp(cases[i].name, line->arguments[0]) != 0)
            continue;
        if (!find_program(cases[i].program, path))
            return EXIT_FAILED;
        if (strcmp(cases[i].program, "bench_rules") == 0)
            (void)execl(path, path, "--json", (char *)NULL);
        else
            (void)execl(path, path, cases[i].name, "--json", (char *)NULL);
        cli_say("%s: %s", path, strerror_r(errno, text, sizeof text));
        return errno == ENOENT ? EXIT_NOT_FOUND : EXIT_FAILED;
    }
    return unknown_case(line->arguments[0]);
}
