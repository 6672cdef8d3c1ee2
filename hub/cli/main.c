/* main - the `atamo` program: finds the command, reads its options, runs it. */
#include "cli/commands.h"
#include "cli/help.h"

#include <stdlib.h>
#include <string.h>

#ifndef ATAMO_VERSION
#error "ATAMO_VERSION comes from the build"
#endif

enum exit_code cmd_version(const struct cli_line *line)
{
    const bool json = line != NULL && cli_value(line, "json") != NULL;

    (void)printf(json ? "{\"version\":\"%s\"}\n" : "atamo %s\n", ATAMO_VERSION);
    return EXIT_OK;
}

/* The option that a word names, and where its value goes; NULL if there is none. */
static const struct cli_option *find_option(struct cli_line *line, atamo_bytes name,
                                            const char ***value)
{
    const struct cli_command *command = line->command;

    for (size_t i = 0; i < command->option_count; i++) {
        *value = &line->values[i];
        if (atamo_text(command->options[i].name).size == name.size &&
            memcmp(command->options[i].name, name.data, name.size) == 0)
            return &command->options[i];
    }
    for (size_t i = 0; i < CLI_COMMON_OPTIONS; i++) {
        *value = &line->common[i];
        if (atamo_text(common_options[i].name).size == name.size &&
            memcmp(common_options[i].name, name.data, name.size) == 0)
            return &common_options[i];
    }
    return NULL;
}

static void say_unknown_option(const struct cli_line *line, const char *word, atamo_bytes name)
{
    const char *names[CLI_OPTIONS_MAX + CLI_COMMON_OPTIONS];
    const char *nearest;
    size_t count = 0;

    for (size_t i = 0; i < line->command->option_count; i++)
        names[count++] = line->command->options[i].name;
    for (size_t i = 0; i < CLI_COMMON_OPTIONS; i++)
        names[count++] = common_options[i].name;
    nearest = problems_nearest(name, names, count);
    if (nearest != NULL)
        cli_say("atamo %s has no option %s: did you mean --%s?", line->command->name, word,
                nearest);
    else
        cli_say("atamo %s has no option %s; atamo help %s lists them", line->command->name, word,
                line->command->name);
}

/* --name, --name=VALUE or --name VALUE. Returns how many words were used, 0 if it is wrong. */
static int take_option(struct cli_line *line, const char *word, const char *next)
{
    const atamo_bytes name = {word + 2, strcspn(word + 2, "=")};
    const char *attached = name.data[name.size] == '=' ? name.data + name.size + 1 : NULL;
    const char **value = NULL;
    const struct cli_option *option = find_option(line, name, &value);

    if (option == NULL) {
        say_unknown_option(line, word, name);
        return 0;
    }
    if (option->argument == NULL) {
        *value = "";
        if (attached != NULL)
            cli_say("--%s takes no value", option->name);
        return attached == NULL ? 1 : 0;
    }
    *value = attached != NULL ? attached : next;
    if (*value == NULL)
        cli_say("--%s needs %s", option->name, option->argument);
    return *value == NULL ? 0 : attached != NULL ? 1 : 2;
}

/* Is there a number of arguments that the command can take? */
static bool check_arguments(const struct cli_line *line)
{
    const struct cli_command *command = line->command;

    if (line->count >= command->least && line->count <= command->most)
        return true;
    if (line->count > command->most && command->most > 0)
        cli_say("\"%s\" is one argument too many", line->arguments[command->most]);
    cli_say("usage: atamo %s [OPTION...]%s%s", command->name,
            command->arguments[0] == '\0' ? "" : " ", command->arguments);
    return false;
}

static bool read_line(struct cli_line *line, int argc, const char *const *argv)
{
    bool options = true;

    for (int i = 0; i < argc;) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
            i++;
        } else if (options && strcmp(argv[i], "-h") == 0) {
            (void)take_option(line, "--help", NULL);
            i++;
        } else if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
            const char *word = argv[i][1] == '-' ? argv[i] : NULL;
            const int used =
                word == NULL ? 0 : take_option(line, word, i + 1 < argc ? argv[i + 1] : NULL);

            if (word == NULL)
                cli_say("there is no option %s: options are words, as in --help", argv[i]);
            if (used == 0)
                return false;
            i += used;
        } else if (line->count == CLI_ARGUMENTS_MAX) {
            cli_say("more than %d arguments", CLI_ARGUMENTS_MAX);
            return false;
        } else {
            line->arguments[line->count++] = argv[i++];
        }
    }
    return true;
}

/* Told through the environment, so that plugins that write to the terminal know it, too. The
 * program is not threaded yet. */
static bool set_colour(const struct cli_line *line)
{
    const char *when = cli_value(line, "color");

    if (when == NULL || strcmp(when, "auto") == 0)
        return true;
    if (strcmp(when, "always") == 0)
        return unsetenv("NO_COLOR") == 0 &&           /* NOLINT(concurrency-mt-unsafe) */
               setenv("CLICOLOR_FORCE", "1", 1) == 0; /* NOLINT(concurrency-mt-unsafe) */
    if (strcmp(when, "never") == 0)
        return setenv("NO_COLOR", "1", 1) == 0; /* NOLINT(concurrency-mt-unsafe) */
    cli_say("--color %s: expected auto, always or never", when);
    return false;
}

static enum exit_code run(const struct cli_command *command, int argc, const char *const *argv)
{
    struct cli_line line = {.command = command};

    if (!read_line(&line, argc, argv) || !set_colour(&line))
        return EXIT_USAGE;
    if (cli_value(&line, "help") != NULL) {
        help_command(command, stdout);
        return EXIT_OK;
    }
    return check_arguments(&line) ? command->run(&line) : EXIT_USAGE;
}

/* What was asked for may not have reached its reader: a full disk, a closed pipe. */
static int finish(enum exit_code code)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return (int)code;
    cli_say("standard output could not be written");
    return code == EXIT_OK ? EXIT_FAILED : (int)code;
}

int main(int argc, char **argv)
{
    const char *const *words = (const char *const *)argv + 1;
    const size_t count = argc < 1 ? 0 : (size_t)argc - 1;
    const struct cli_command *command;
    size_t used = 0;

    /* A line is written in one piece, so that none stands within another in a shared pipe. */
    (void)setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
    if (count == 0) {
        help_all(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0) {
        help_all(stdout);
        return finish(EXIT_OK);
    }
    if (strcmp(words[0], "--version") == 0)
        return finish(cmd_version(NULL));
    command = command_find(count, words, &used);
    if (command == NULL)
        return finish(help_unknown(count, words));
    return finish(run(command, argc - 1 - (int)used, words + used));
}
