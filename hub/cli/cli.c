/* cli - what the commands of the `atamo` program share: exit codes, colour, problems, files. */
#include "cli/cli.h"

#include "cli/commands.h"
#include "json/write.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *cli_value(const struct cli_line *line, const char *name)
{
    for (size_t i = 0; i < line->command->option_count; i++)
        if (strcmp(line->command->options[i].name, name) == 0)
            return line->values[i];
    for (size_t i = 0; i < CLI_COMMON_OPTIONS; i++)
        if (strcmp(common_options[i].name, name) == 0)
            return line->common[i];
    return NULL;
}

enum exit_code cli_exit(int status)
{
    switch (status) {
    case ATAMO_OK:
        return EXIT_OK;
    case ATAMO_NOT_FOUND:
        return EXIT_NOT_FOUND;
    case ATAMO_DENIED:
        return EXIT_DENIED;
    case ATAMO_TIMEOUT:
        return EXIT_TIMEOUT;
    case ATAMO_INVALID:
    case ATAMO_TOO_LARGE:
        return EXIT_INVALID;
    default:
        return EXIT_FAILED;
    }
}

bool cli_has_colour(FILE *stream)
{
    /* The program is not threaded yet when it asks. */
    const char *no = getenv("NO_COLOR");           /* NOLINT(concurrency-mt-unsafe) */
    const char *term = getenv("TERM");             /* NOLINT(concurrency-mt-unsafe) */
    const char *always = getenv("CLICOLOR_FORCE"); /* NOLINT(concurrency-mt-unsafe) */

    if (always != NULL && always[0] != '\0' && strcmp(always, "0") != 0)
        return no == NULL || no[0] == '\0';
    return isatty(fileno(stream)) == 1 && (no == NULL || no[0] == '\0') &&
           (term == NULL || strcmp(term, "dumb") != 0);
}

struct cli_colours cli_colours(FILE *stream)
{
    static const struct cli_colours none = {"", "", "", "", "", "", ""};
    static const struct cli_colours ansi = {"\033[1m",  "\033[2m",  "\033[31m", "\033[32m",
                                            "\033[33m", "\033[34m", "\033[0m"};

    return cli_has_colour(stream) ? ansi : none;
}

void cli_say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    flockfile(stderr); /* other threads write log lines */
    (void)fputs("atamo: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    funlockfile(stderr);
    va_end(args);
}

/* The line of a file that a problem is about, with a mark under the column. */
static void show_line(const char *file, uint32_t line, uint32_t column,
                      const struct cli_colours *colours)
{
    FILE *stream = fopen(file, "re");
    char text[512];
    uint32_t at = 0;

    if (stream == NULL)
        return;
    while (at < line && fgets(text, sizeof text, stream) != NULL)
        at += strchr(text, '\n') != NULL;
    (void)fclose(stream);
    if (at != line)
        return;
    text[strcspn(text, "\r\n")] = '\0';
    if (strlen(text) > 160)
        return;
    (void)fprintf(stderr, "%s%6u |%s %s\n", colours->dim, line, colours->reset, text);
    if (column > 0 && column <= strlen(text) + 1)
        (void)fprintf(stderr, "%s       |%s %*s%s^%s\n", colours->dim, colours->reset,
                      (int)column - 1, "", colours->green, colours->reset);
}

void cli_show_problem(const char *file, uint32_t line, uint32_t column, bool warning,
                      const char *text)
{
    const struct cli_colours colours = cli_colours(stderr);

    if (file != NULL && line > 0)
        (void)fprintf(stderr, "%s%s:%u:%u:%s ", colours.bold, file, line, column, colours.reset);
    else if (file != NULL)
        (void)fprintf(stderr, "%s%s:%s ", colours.bold, file, colours.reset);
    (void)fprintf(stderr, "%s%s:%s %s\n", warning ? colours.yellow : colours.red,
                  warning ? "warning" : "error", colours.reset, text);
    if (file != NULL && line > 0)
        show_line(file, line, column, &colours);
}

void cli_show_problems(const struct problems *problems, const char *path)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->list[i];

        cli_show_problem(problem->place.file != NULL ? problem->place.file : path,
                         problem->place.line, problem->place.column, problem->warning,
                         problem->text);
    }
    if (problems->omitted > 0)
        cli_say("%zu more problems are not shown", problems->omitted);
}

void cli_show_report(const atamo_report *report, const char *path)
{
    for (size_t i = 0; i < atamo_report_count(report); i++) {
        const atamo_problem problem = atamo_report_at(report, i);

        cli_show_problem(problem.file != NULL ? problem.file : path, problem.line, problem.column,
                         problem.warning != 0, problem.text);
    }
}

static void put(struct json_writer *writer, const char *name, const char *text)
{
    json_put_name(writer, atamo_text(name));
    json_put_text(writer, atamo_text(text));
}

void cli_show_problems_json(const struct problems *problems, const char *path)
{
    const size_t room = ((size_t)16 + problems->count) * 4096;
    char *text = malloc(room);
    struct json_writer writer;

    if (text == NULL)
        return;
    json_writer_init(&writer, text, room);
    json_open_object(&writer);
    json_put_name(&writer, atamo_text("ok"));
    json_put_bool(&writer, problems->errors == 0);
    json_put_name(&writer, atamo_text("problems"));
    json_open_array(&writer);
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->list[i];

        json_open_object(&writer);
        put(&writer, "file", problem->place.file != NULL ? problem->place.file : path);
        json_put_name(&writer, atamo_text("line"));
        json_put_uint(&writer, problem->place.line);
        json_put_name(&writer, atamo_text("column"));
        json_put_uint(&writer, problem->place.column);
        put(&writer, "severity", problem->warning ? "warning" : "error");
        put(&writer, "text", problem->text);
        json_close_object(&writer);
    }
    json_close_array(&writer);
    json_close_object(&writer);
    if (json_writer_status(&writer) == ATAMO_OK)
        (void)printf("%.*s\n", (int)writer.size, text);
    free(text);
}

/* All of a stream into malloc'd memory. ATAMO_TOO_LARGE, ATAMO_IO with errno set, ATAMO_NO_MEMORY.
 */
static int read_stream(FILE *stream, char **content, size_t *size)
{
    size_t room = 65536, used = 0;
    char *data = malloc(room);
    int status = data == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;

    while (status == ATAMO_OK) {
        char *larger;

        used += fread(data + used, 1, room - used, stream);
        if (used < room)
            break;
        room *= 2;
        larger = room > CLI_FILE_MAX ? NULL : realloc(data, room);
        if (larger != NULL)
            data = larger;
        else
            status = room > CLI_FILE_MAX ? ATAMO_TOO_LARGE : ATAMO_NO_MEMORY;
    }
    if (status == ATAMO_OK && ferror(stream) != 0)
        status = ATAMO_IO;
    if (status != ATAMO_OK) {
        free(data);
        return status;
    }
    *content = data;
    *size = used;
    return ATAMO_OK;
}

int cli_read_file(const char *path, atamo_bytes *content)
{
    const bool standard = strcmp(path, "-") == 0;
    FILE *stream = standard ? stdin : fopen(path, "re");
    char *data = NULL;
    size_t size = 0;
    char text[128];
    int status;

    if (stream == NULL) {
        status = errno == ENOENT ? ATAMO_NOT_FOUND : errno == EACCES ? ATAMO_DENIED : ATAMO_IO;
        cli_say("%s: %s", path, strerror_r(errno, text, sizeof text));
        return status;
    }
    errno = 0;
    status = read_stream(stream, &data, &size);
    if (status != ATAMO_OK)
        cli_say("%s: %s", path,
                status == ATAMO_IO ? strerror_r(errno, text, sizeof text)
                                   : atamo_status_text(status));
    if (!standard)
        (void)fclose(stream);
    if (status == ATAMO_OK)
        *content = (atamo_bytes){data, size};
    return status;
}
