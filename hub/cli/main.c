/* main - the `atamo` program: finds the command, reads its options, runs it.
 *
 * Everything that there is to say about a command stands in one row of a table; help and usage
 * errors are made from it.
 */
#include "cli/cli.h"

#include <string.h>

#ifndef ATAMO_VERSION
#error "ATAMO_VERSION comes from the build"
#endif

#define OPTIONS(array) .options = (array), .option_count = sizeof(array) / sizeof((array)[0])

static enum exit_code cmd_version(const struct cli_line *line)
{
    (void)line;
    (void)printf("atamo %s\n", ATAMO_VERSION);
    return EXIT_OK;
}

static enum exit_code cmd_help(const struct cli_line *line);

static const struct cli_option run_options[] = {
    {"for", "DURATION", "stop after this time: 10s, 5m"},
    {"strict", NULL, "exit 1 if an action died or a rule failed"},
    {"quiet", NULL, "no summary at the end"},
};
static const struct cli_option json_options[] = {
    {"json", NULL, "print JSON"},
};
static const struct cli_option test_options[] = {
    {"event", "FILE", "a CloudEvent in JSON; - for stdin (required)"},
    {"json", NULL, "print JSON"},
};

static const struct cli_option suite_options[] = {
    {"junit", "FILE", "write the results as JUnit XML, too"},
};

static const struct cli_option simulate_options[] = {
    {"events", "FILE", "events as JSON lines, spread over the days (required)"},
    {"days", "N", "how many days; 1"},
    {"seed", "S", "the same seed gives the same journal; 1"},
    {"journal", "FILE", "write every step as a JSON line"},
};

static const struct cli_command commands[] = {
    {"run", "CONFIG", "run a hub until its input ends, or until it is stopped", 1, 1,
     OPTIONS(run_options), .run = cmd_run},
    {"check", "CONFIG", "check a configuration without starting anything", 1, 1,
     OPTIONS(json_options), .run = cmd_check},
    {"rules test", "CONFIG", "what would the rules make of an event? nothing fires", 1, 1,
     OPTIONS(test_options), .run = cmd_rules_test},
    {"rules list", "CONFIG", "the rules of a configuration", 1, 1, OPTIONS(json_options),
     .run = cmd_rules_list},
    {"test", "[PATH...]", "run the unit tests of rules: *.test.yaml; without PATH: below here", 0,
     CLI_ARGUMENTS_MAX, OPTIONS(suite_options), .run = cmd_test},
    {"simulate", "CONFIG", "days in seconds on a virtual clock, agents replaced by chance", 1, 1,
     OPTIONS(simulate_options), .run = cmd_simulate},
    {"plugin list", "", "the plugins that are found", 0, 0, OPTIONS(json_options),
     .run = cmd_plugin_list},
    {"version", "", "print the version", 0, 0, .run = cmd_version},
    {"help", "[COMMAND]", "print this, or what there is to say about a command", 0, 3,
     .run = cmd_help},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void print_commands(FILE *stream)
{
    const struct cli_colours colours = cli_colours(stream);

    (void)fprintf(stream,
                  "%satamo%s - a message hub: rules decide which agents act on each event\n\n"
                  "usage: atamo COMMAND [OPTION...] [ARGUMENT...]\n\n",
                  colours.bold, colours.reset);
    for (size_t i = 0; i < COMMANDS; i++)
        (void)fprintf(stream, "  %s%-12s%s %-10s %s\n", colours.bold, commands[i].name,
                      colours.reset, commands[i].arguments, commands[i].about);
    (void)fputs("\nexit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 denied, 5 timeout, 6 "
                "invalid\n",
                stream);
}

static void print_command(const struct cli_command *command, FILE *stream)
{
    (void)fprintf(stream, "usage: atamo %s [OPTION...] %s\n\n%s\n", command->name,
                  command->arguments, command->about);
    if (command->option_count > 0)
        (void)fputc('\n', stream);
    for (size_t i = 0; i < command->option_count; i++)
        (void)fprintf(stream, "  --%s%s%-*s %s\n", command->options[i].name,
                      command->options[i].argument == NULL ? "" : " ",
                      18 - (int)strlen(command->options[i].name),
                      command->options[i].argument == NULL ? "" : command->options[i].argument,
                      command->options[i].about);
}

/* The command that the first words name; *words is how many. */
static const struct cli_command *find_command(int argc, const char *const *argv, int *words)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        const char *name = commands[i].name;
        const char *space = strchr(name, ' ');
        const size_t first = space == NULL ? strlen(name) : (size_t)(space - name);

        if (argc < 1 || strlen(argv[0]) != first || strncmp(argv[0], name, first) != 0)
            continue;
        if (space != NULL && (argc < 2 || strcmp(argv[1], space + 1) != 0))
            continue;
        *words = space == NULL ? 1 : 2;
        return &commands[i];
    }
    return NULL;
}

static enum exit_code unknown_command(const char *word)
{
    const char *names[COMMANDS];
    const char *nearest;

    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    nearest = problems_nearest(atamo_text(word), names, COMMANDS);
    if (nearest != NULL)
        cli_say("there is no command \"%s\": did you mean \"%s\"?", word, nearest);
    else
        cli_say("there is no command \"%s\"; atamo help lists them", word);
    return EXIT_USAGE;
}

static enum exit_code cmd_help(const struct cli_line *line)
{
    int words;
    const struct cli_command *command;

    if (line->count == 0) {
        print_commands(stdout);
        return EXIT_OK;
    }
    command = find_command((int)line->count, line->arguments, &words);
    if (command == NULL)
        return unknown_command(line->arguments[0]);
    print_command(command, stdout);
    return EXIT_OK;
}

/* --name, --name=VALUE or --name VALUE. Returns how many words were used, 0 if it is wrong. */
static int take_option(struct cli_line *line, const char *word, const char *next)
{
    const struct cli_command *command = line->command;
    const size_t size = strcspn(word + 2, "=");
    const char *names[CLI_OPTIONS_MAX];
    const char *nearest;

    for (size_t i = 0; i < command->option_count; i++) {
        const struct cli_option *option = &command->options[i];

        names[i] = option->name;
        if (strlen(option->name) != size || strncmp(option->name, word + 2, size) != 0)
            continue;
        if (option->argument == NULL) {
            line->values[i] = "";
            return word[2 + size] == '\0' ? 1 : 0;
        }
        line->values[i] = word[2 + size] == '=' ? word + 3 + size : next;
        if (line->values[i] == NULL)
            cli_say("--%s needs %s", option->name, option->argument);
        return line->values[i] == NULL ? 0 : word[2 + size] == '=' ? 1 : 2;
    }
    nearest = problems_nearest((atamo_bytes){word + 2, size}, names, command->option_count);
    cli_say("atamo %s has no option %s%s%s%s", command->name, word,
            nearest == NULL ? "" : ": did you mean --", nearest == NULL ? "" : nearest,
            nearest == NULL ? "" : "?");
    return 0;
}

static bool read_line(struct cli_line *line, int argc, const char *const *argv)
{
    bool options = true;

    for (int i = 0; i < argc;) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
            i++;
        } else if (options && strncmp(argv[i], "--", 2) == 0) {
            const int used = take_option(line, argv[i], i + 1 < argc ? argv[i + 1] : NULL);

            if (used == 0)
                return false;
            i += used;
        } else if (line->count == CLI_ARGUMENTS_MAX) {
            return false;
        } else {
            line->arguments[line->count++] = argv[i++];
        }
    }
    if (line->count >= line->command->least && line->count <= line->command->most)
        return true;
    cli_say("usage: atamo %s [OPTION...] %s", line->command->name, line->command->arguments);
    return false;
}

int main(int argc, char **argv)
{
    const char *const *words = (const char *const *)argv + 1;
    struct cli_line line = {0};
    int used = 0;

    if (argc < 2) {
        print_commands(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0) {
        print_commands(stdout);
        return EXIT_OK;
    }
    if (strcmp(words[0], "--version") == 0)
        return (int)cmd_version(&line);
    line.command = find_command(argc - 1, words, &used);
    if (line.command == NULL)
        return (int)unknown_command(words[0]);
    for (int i = used; i < argc - 1; i++) {
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0) {
            print_command(line.command, stdout);
            return EXIT_OK;
        }
    }
    if (!read_line(&line, argc - 1 - used, words + used))
        return EXIT_USAGE;
    return (int)line.command->run(&line);
}
