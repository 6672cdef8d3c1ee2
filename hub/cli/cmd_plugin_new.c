/* cmd_plugin_new - write the project of a plugin: a source, its test, CMakeLists.txt, README.md.
 *
 * Happy path: the files of share/atamo/template/common and of share/atamo/template/KIND are copied
 * into a new folder, with the name put in where they say @NAME@, in their names and inside. Fails
 * if the kind is unknown, the name is none that a plugin may have, or the folder is there already;
 * what was written until then is removed again.
 */
#include "cli/cmd_plugin.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_LONGEST = 63, PROJECT_FILES_MAX = 32, TEMPLATE_MAX = 1 << 20 };

static const char mark[] = "@NAME@";

/* A project under way. */
struct project {
    const char *kind;
    const char *name;
    char templates[PATH_MAX]; /* the folder of all kinds */
    char to[PATH_MAX];
    char *written[PROJECT_FILES_MAX]; /* to be removed if the rest fails */
    size_t count;
};

static enum exit_code fail(const char *path)
{
    cli_say("%s: %s", path, strerrordesc_np(errno));
    return EXIT_FAILED;
}

/* --- names */

static enum exit_code check_kind(const char *kind)
{
    static const char *const kinds[] = {"agent", "rule-provider", "auditor", "event-provider"};
    const char *nearest;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kind, kinds[i]) == 0)
            return EXIT_OK;
    nearest = problems_nearest(atamo_text(kind), kinds, sizeof kinds / sizeof kinds[0]);
    cli_say("no kind \"%s\"%s%s%s: agent, rule-provider, auditor or event-provider was expected",
            kind, nearest == NULL ? "" : " (did you mean \"", nearest == NULL ? "" : nearest,
            nearest == NULL ? "" : "\"?)");
    return EXIT_USAGE;
}

static enum exit_code check_name(const char *name)
{
    const size_t size = strlen(name);
    bool good = size >= 1 && size <= NAME_LONGEST && name[0] >= 'a' && name[0] <= 'z' &&
                name[size - 1] != '-';

    for (size_t i = 0; i < size; i++)
        good = good && ((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') ||
                        name[i] == '-');
    if (good)
        return EXIT_OK;
    cli_say(
        "\"%s\" cannot be a plugin's name: 1 to 63 lower-case letters, digits and '-', the first "
        "a letter, the last no '-'",
        name);
    return EXIT_USAGE;
}

/* The file `name` beside this program's folder: PREFIX/bin/atamo -> PREFIX/NAME. */
static bool beside_program(const char *name, char path[PATH_MAX])
{
    char program[PATH_MAX];
    const ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    char *slash;

    if (size <= 0)
        return false;
    program[size] = '\0';
    for (int level = 0; level < 2; level++) {
        slash = strrchr(program, '/');
        if (slash == NULL)
            return false;
        *slash = '\0';
    }
    return snprintf(path, PATH_MAX, "%s/%s", program, name) < PATH_MAX;
}

/* --- writing */

/* Copy `text` to `out`, with the name for each mark. */
static bool put_marked(const struct project *project, const char *text, FILE *out)
{
    while (*text != '\0') {
        const char *at = strstr(text, mark);
        const size_t size = at == NULL ? strlen(text) : (size_t)(at - text);

        if (fwrite(text, 1, size, out) != size || (at != NULL && fputs(project->name, out) == EOF))
            return false;
        text += size + (at == NULL ? 0 : sizeof mark - 1);
    }
    return true;
}

/* The path of a file to write; the caller frees it. NULL without memory. */
static char *target_path(const struct project *project, const char *file)
{
    char *path = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&path, &size);
    bool good;

    if (stream == NULL)
        return NULL;
    good = fprintf(stream, "%s/", project->to) > 0 && put_marked(project, file, stream);
    if (fclose(stream) == 0 && good)
        return path;
    free(path);
    return NULL;
}

static enum exit_code write_text(struct project *project, const char *file, const char *text)
{
    char *path = target_path(project, file);
    FILE *out;
    bool good;

    if (path == NULL || project->count == PROJECT_FILES_MAX) {
        free(path);
        cli_say("no memory");
        return EXIT_FAILED;
    }
    out = fopen(path, "wxe");
    if (out == NULL) {
        (void)fail(path);
        free(path);
        return EXIT_FAILED;
    }
    project->written[project->count++] = path;
    good = put_marked(project, text, out);
    good = fclose(out) == 0 && good;
    return good ? EXIT_OK : fail(path);
}

static enum exit_code write_file(struct project *project, const char *folder, const char *file)
{
    char path[PATH_MAX + NAME_MAX + 2];
    char *text = calloc(1, TEMPLATE_MAX);
    FILE *in;
    enum exit_code code;

    (void)snprintf(path, sizeof path, "%s/%s", folder, file);
    in = text == NULL ? NULL : fopen(path, "re");
    if (in == NULL) {
        free(text);
        return fail(path);
    }
    (void)!fread(text, 1, TEMPLATE_MAX - 1, in);
    code = ferror(in) != 0 ? fail(path) : write_text(project, file, text);
    (void)fclose(in);
    free(text);
    return code;
}

/* Write the files of one folder of templates. */
static enum exit_code write_files(struct project *project, const char *name)
{
    char folder[PATH_MAX];
    const struct dirent *entry;
    enum exit_code code = EXIT_OK;
    DIR *directory;

    if (snprintf(folder, sizeof folder, "%s/%s", project->templates, name) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return fail(project->templates);
    }
    directory = opendir(folder);
    if (directory == NULL)
        return fail(folder);
    while (code == EXIT_OK &&
           (entry = readdir(directory)) != NULL) /* NOLINT(concurrency-mt-unsafe) */
        if (entry->d_name[0] != '.')
            code = write_file(project, folder, entry->d_name);
    (void)closedir(directory);
    return code;
}

static void take_back(const struct project *project)
{
    for (size_t i = 0; i < project->count; i++)
        (void)unlink(project->written[i]);
    (void)rmdir(project->to);
}

static void show(const struct project *project)
{
    for (size_t i = 0; i < project->count; i++)
        (void)printf("%s\n", project->written[i]);
    (void)fflush(stdout);
    cli_say("next: cd %s && cmake -B build && cmake --build build && ctest --test-dir build",
            project->to);
}

static enum exit_code write_project(struct project *project)
{
    enum exit_code code;

    if (mkdir(project->to, 0777) != 0) {
        if (errno != EEXIST)
            return fail(project->to);
        cli_say("%s is there already: nothing was written", project->to);
        return EXIT_FAILED;
    }
    code = write_files(project, "common");
    if (code == EXIT_OK)
        code = write_files(project, project->kind);
    if (code == EXIT_OK)
        show(project);
    else
        take_back(project);
    for (size_t i = 0; i < project->count; i++)
        free(project->written[i]);
    return code;
}

enum exit_code cmd_plugin_new(const struct cli_line *line)
{
    const char *folder = cli_value(line, "dir");
    struct project project = {.kind = line->arguments[0], .name = line->arguments[1]};
    enum exit_code code = check_kind(project.kind);

    if (code == EXIT_OK)
        code = check_name(project.name);
    if (code != EXIT_OK)
        return code;
    if (!beside_program("share/atamo/template", project.templates) ||
        access(project.templates, R_OK) != 0) {
        cli_say("no templates in %s: is the SDK installed?", project.templates);
        return EXIT_NOT_FOUND;
    }
    if (snprintf(project.to, PATH_MAX, "%s%s%s", folder == NULL ? "" : folder,
                 folder == NULL ? "" : "/", project.name) >= PATH_MAX) {
        cli_say("%s: %s", folder, strerrordesc_np(ENAMETOOLONG));
        return EXIT_USAGE;
    }
    return write_project(&project);
}

/* --- plugin check */

enum exit_code cmd_plugin_check(const struct cli_line *line)
{
    static const char *const names[] = {"config", "second", "rule", "limit"};
    const char *arguments[CLI_OPTIONS_MAX + 2] = {"atamo-plugin-check", line->arguments[0]};
    char flags[4][16];
    char program[PATH_MAX];
    size_t count = 2;

    for (size_t i = 0; i < 4; i++) {
        if (cli_value(line, names[i]) == NULL)
            continue;
        (void)snprintf(flags[i], sizeof flags[i], "--%s", names[i]);
        arguments[count++] = flags[i];
        arguments[count++] = cli_value(line, names[i]);
    }
    if (cli_value(line, "json") != NULL)
        arguments[count++] = "--json";
    arguments[count] = NULL;
    if (!beside_program("bin/atamo-plugin-check", program))
        return EXIT_FAILED;
    (void)execv(program, (char *const *)(uintptr_t)arguments);
    return fail(program);
}
