/* help - what the program says about itself: help of all commands, of one, the nearest to a
 * mistyped one, the completion for bash. All of it is made from the table of commands.
 */
#include "cli/help.h"

#include "cli/commands.h"

#include <string.h>

static void print_options(const struct cli_option *options, size_t count, FILE *stream)
{
    const struct cli_colours colours = cli_colours(stream);

    for (size_t i = 0; i < count; i++) {
        const char *argument = options[i].argument == NULL ? "" : options[i].argument;

        (void)fprintf(stream, "  %s--%s%s %-*s  %s\n", colours.bold, options[i].name, colours.reset,
                      25 - (int)strlen(options[i].name), argument, options[i].about);
    }
}

static void print_listed(const struct cli_command *command, const struct cli_colours *colours,
                         FILE *stream)
{
    (void)fprintf(stream, "  %s%s%s %-*s  %s\n", colours->bold, command->name, colours->reset,
                  27 - (int)strlen(command->name), command->arguments, command->about);
}

void help_all(FILE *stream)
{
    const struct cli_colours colours = cli_colours(stream);
    const char *group = "";

    (void)fprintf(stream,
                  "%satamo%s - a message hub: rules decide which agents act on each event\n\n"
                  "Usage: atamo COMMAND [OPTION...] [ARGUMENT...]\n",
                  colours.bold, colours.reset);
    for (size_t i = 0; i < command_count; i++) {
        const struct cli_command *command = &commands[i];

        if (command->about == NULL)
            continue;
        if (strcmp(command->group, group) != 0)
            (void)fprintf(stream, "\n%s%s%s\n", colours.dim, command->group, colours.reset);
        group = command->group;
        print_listed(command, &colours, stream);
    }
    (void)fprintf(stream, "\n%sOptions of every command%s\n", colours.dim, colours.reset);
    print_options(common_options, CLI_COMMON_OPTIONS, stream);
    (void)fprintf(stream,
                  "\n%sExit codes%s\n  0 ok, 1 failed, 2 usage, 3 not found, 4 denied, 5 timeout, "
                  "6 invalid\n",
                  colours.dim, colours.reset);
}

void help_command(const struct cli_command *command, FILE *stream)
{
    const struct cli_colours colours = cli_colours(stream);

    (void)fprintf(stream, "Usage: %satamo %s%s [OPTION...]%s%s\n", colours.bold, command->name,
                  colours.reset, command->arguments[0] == '\0' ? "" : " ", command->arguments);
    if (command->about != NULL)
        (void)fprintf(stream, "\n%s\n", command->about);
    if (command->notes != NULL)
        (void)fprintf(stream, "\n%s\n", command->notes);
    if (command->option_count > 0)
        (void)fprintf(stream, "\n%sOptions%s\n", colours.dim, colours.reset);
    print_options(command->options, command->option_count, stream);
    (void)fprintf(stream, "\n%sAs every command:", colours.dim);
    for (size_t i = 0; i < CLI_COMMON_OPTIONS; i++)
        (void)fprintf(stream, "%s --%s%s%s", i == 0 ? "" : ",", common_options[i].name,
                      common_options[i].argument == NULL ? "" : " ",
                      common_options[i].argument == NULL ? "" : common_options[i].argument);
    (void)fprintf(stream, "%s\n", colours.reset);
}

/* Does a command of two words begin with this one? */
static bool begins_command(const char *word)
{
    const size_t size = strlen(word);

    for (size_t i = 0; i < command_count; i++)
        if (strncmp(commands[i].name, word, size) == 0 && commands[i].name[size] == ' ')
            return true;
    return false;
}

/* The commands that begin with this word. */
static void print_family(const char *word, FILE *stream)
{
    const struct cli_colours colours = cli_colours(stream);
    const size_t size = strlen(word);

    (void)fprintf(stream, "Usage: %satamo %s%s COMMAND [OPTION...] [ARGUMENT...]\n\n", colours.bold,
                  word, colours.reset);
    for (size_t i = 0; i < command_count; i++)
        if (strncmp(commands[i].name, word, size) == 0 && commands[i].name[size] == ' ' &&
            commands[i].about != NULL)
            print_listed(&commands[i], &colours, stream);
}

/* "rulez": a first word of commands of two, with what may follow; NULL if none is near. */
static const char *nearest_first_word(const char *word)
{
    const char *nearest = NULL;

    for (size_t i = 0; i < command_count && nearest == NULL; i++) {
        char first[32];
        const char *names[] = {first};

        (void)snprintf(first, sizeof first, "%.*s", (int)strcspn(commands[i].name, " "),
                       commands[i].name);
        if (problems_nearest(atamo_text(word), names, 1) != NULL)
            nearest = commands[i].name;
    }
    return nearest;
}

enum exit_code help_unknown(size_t count, const char *const *words)
{
    const bool pair = count > 1 && begins_command(words[0]);
    const char *names[COMMANDS_MAX];
    const char *nearest;
    char typed[128];

    for (size_t i = 0; i < command_count; i++)
        names[i] = commands[i].name;
    if (pair && strcmp(words[1], "--help") == 0) {
        print_family(words[0], stdout);
        return EXIT_OK;
    }
    if (count == 1 && begins_command(words[0])) {
        cli_say("\"%s\" needs another word:", words[0]);
        print_family(words[0], stderr);
        return EXIT_USAGE;
    }
    (void)snprintf(typed, sizeof typed, "%s%s%s", words[0], pair ? " " : "", pair ? words[1] : "");
    nearest = problems_nearest(atamo_text(typed), names, command_count);
    if (nearest == NULL)
        nearest = nearest_first_word(words[0]);
    if (nearest != NULL)
        cli_say("there is no command \"%s\": did you mean \"%s\"?", typed, nearest);
    else
        cli_say("there is no command \"%s\"; atamo help lists them", typed);
    return EXIT_USAGE;
}

enum exit_code cmd_help(const struct cli_line *line)
{
    const struct cli_command *command;
    size_t words;

    if (line->count == 0) {
        help_all(stdout);
        return EXIT_OK;
    }
    command = command_find(line->count, line->arguments, &words);
    if (command == NULL && line->count == 1 && begins_command(line->arguments[0])) {
        print_family(line->arguments[0], stdout);
        return EXIT_OK;
    }
    if (command == NULL || words != line->count)
        return help_unknown(line->count, line->arguments);
    help_command(command, stdout);
    return EXIT_OK;
}

/* Words that may follow: of the first word, of the second, and the options of each command. */
static void print_words(void)
{
    const char *last = "";

    (void)fputs("  local first='", stdout);
    for (size_t i = 0; i < command_count; i++) {
        const size_t size = strcspn(commands[i].name, " ");

        if (strncmp(commands[i].name, last, size) != 0 || last[size] != ' ')
            (void)printf("%s%.*s", i == 0 ? "" : " ", (int)size, commands[i].name);
        last = commands[i].name;
    }
    (void)fputs("' options=''\n  case \"$1 $2\" in\n", stdout);
}

static void print_options_of(const struct cli_command *command)
{
    (void)printf("    \"%s%s\"*) options='", command->name,
                 strchr(command->name, ' ') == NULL ? " " : "");
    for (size_t i = 0; i < command->option_count; i++)
        (void)printf("--%s ", command->options[i].name);
    (void)fputs("' ;;\n", stdout);
}

static void print_second_words(void)
{
    (void)fputs("  esac\n  local second=''\n  case \"$1\" in\n", stdout);
    for (size_t i = 0; i < command_count; i++) {
        const char *space = strchr(commands[i].name, ' ');

        if (space != NULL)
            (void)printf("    %.*s) second+='%s ' ;;&\n", (int)(space - commands[i].name),
                         commands[i].name, space + 1);
    }
    (void)fputs("  esac\n", stdout);
}

enum exit_code cmd_completion(const struct cli_line *line)
{
    (void)line;
    (void)fputs("# Completion of atamo for bash, made from its table of commands.\n"
                "_atamo_words() { # _atamo_words FIRST SECOND POSITION\n",
                stdout);
    print_words();
    for (size_t i = 0; i < command_count; i++)
        print_options_of(&commands[i]);
    print_second_words();
    (void)fputs("  if [ \"$3\" -eq 1 ]; then echo \"$first\"\n"
                "  elif [ \"$3\" -eq 2 ] && [ -n \"$second\" ]; then echo \"$second\"\n"
                "  else echo \"$options",
                stdout);
    for (size_t i = 0; i < CLI_COMMON_OPTIONS; i++)
        (void)printf("%s--%s", i == 0 ? "" : " ", common_options[i].name);
    (void)fputs("\"; fi\n"
                "}\n"
                "_atamo() {\n"
                "  local word=${COMP_WORDS[COMP_CWORD]}\n"
                "  local words=$(_atamo_words \"${COMP_WORDS[1]}\" \"${COMP_WORDS[2]}\" "
                "\"$COMP_CWORD\")\n"
                "  if [ \"$COMP_CWORD\" -gt 1 ] && [ \"${word#-}\" = \"$word\" ] &&\n"
                "    [ \"${words#-}\" != \"$words\" ]; then mapfile -t COMPREPLY < <(compgen -f -- "
                "\"$word\")\n"
                "  else mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\"); fi\n"
                "}\n"
                "complete -o filenames -F _atamo atamo\n",
                stdout);
    return EXIT_OK;
}
