/* settings - the configuration of one instance.
 *
 * Happy path: the host has checked types and bounds already; what is left is to build the vectors
 * for execve() and to find the program. Fails for want of memory, and with a sentence for people if
 * the program is not there or may not be run: better at the start than at the first action.
 */
#include "settings.h"

#include "program.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int64_t ns_per_ms = 1000000;

/* clang-format off */
const atamo_option settings_options[] = {
    {"command", ATAMO_OPTION_LIST, ATAMO_OPTION_REQUIRED, NULL, 0, 0, NULL,
     "The program and its arguments; no shell is involved."},
    {"workers", ATAMO_OPTION_INTEGER, 0, "1", 1, EXEC_WORKERS_MAX, NULL,
     "How many processes run it."},
    {"in_flight", ATAMO_OPTION_INTEGER, 0, "256", 1, EXEC_IN_FLIGHT_MAX, NULL,
     "How many actions one worker may hold at once."},
    {"queue", ATAMO_OPTION_INTEGER, 0, "65536", 1, EXEC_QUEUE_MAX, NULL,
     "How many actions may wait for a worker; more are handed back to be tried again."},
    {"timeout", ATAMO_OPTION_DURATION, 0, "30s", 1, 7 * 86400000LL, NULL,
     "How long a worker may take for one action."},
    {"event", ATAMO_OPTION_CHOICE, 0, "attributes", 0, 0, "none|attributes|full",
     "What a worker is told of the event behind the action."},
    {"restart_delay", ATAMO_OPTION_DURATION, 0, "200ms", 1, 3600000, NULL,
     "The pause before a worker that ended is started again; doubles each time."},
    {"restart_delay_max", ATAMO_OPTION_DURATION, 0, "30s", 1, 86400000, NULL,
     "The longest pause before a restart."},
    {"environment", ATAMO_OPTION_MAP, 0, NULL, 0, 0, NULL,
     "Variables of the workers, besides PATH, HOME, LANG and TZ."},
    {"directory", ATAMO_OPTION_TEXT, 0, "", 0, 0, NULL,
     "The folder in which the workers run; else that of the hub."},
    {"max_line", ATAMO_OPTION_SIZE, 0, "1MiB", 1024, 64 << 20, NULL,
     "The longest line to and from a worker."},
    {"stop_grace", ATAMO_OPTION_DURATION, 0, "2s", 1, 3600000, NULL,
     "How long a worker may take to finish what it holds, and then to end, before it is killed."},
};
/* clang-format on */
_Static_assert(sizeof settings_options / sizeof settings_options[0] == SETTINGS_OPTION_COUNT,
               "the header says how many");

/* Variables that every program may need, and that tell it nothing secret. */
static const char *const inherited[] = {"PATH", "HOME", "LANG", "TZ"};
enum { INHERITED = sizeof inherited / sizeof inherited[0] };

static void free_vector(char **vector)
{
    for (char **at = vector; at != NULL && *at != NULL; at++)
        free(*at);
    free(vector);
}

static int read_arguments(const atamo_host *host, struct settings *settings)
{
    const size_t count = host->count(host, "command");

    if (count == 0 || host->text_at(host, "command", 0).size == 0)
        return atamo_refuse(host, "option \"command\" names no program");
    settings->arguments = calloc(count + 1, sizeof *settings->arguments);
    if (settings->arguments == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const atamo_bytes text = host->text_at(host, "command", i);

        if (memchr(text.data, '\0', text.size) != NULL)
            return atamo_refuse(host, "option \"command\": an argument contains a NUL");
        settings->arguments[i] = strndup(text.data, text.size);
        if (settings->arguments[i] == NULL)
            return ATAMO_NO_MEMORY;
    }
    return ATAMO_OK;
}

/* "NAME=value" of the hub's own environment, NULL if it has none. */
static const char *own_variable(const char *name)
{
    const size_t size = strlen(name);

    for (char **at = environ; at != NULL && *at != NULL; at++)
        if (strncmp(*at, name, size) == 0 && (*at)[size] == '=')
            return *at;
    return NULL;
}

static bool is_configured(const atamo_host *host, const char *name)
{
    for (size_t i = 0; i < host->count(host, "environment"); i++)
        if (strcmp(host->key_at(host, "environment", i).data, name) == 0)
            return true;
    return false;
}

static int add_configured(const atamo_host *host, size_t index, char **place)
{
    const atamo_bytes name = host->key_at(host, "environment", index);
    const atamo_bytes value = host->text_at(host, "environment", index);
    char *text;

    if (name.size == 0 || memchr(name.data, '=', name.size) != NULL ||
        memchr(name.data, '\0', name.size) != NULL || memchr(value.data, '\0', value.size) != NULL)
        return atamo_refuse(host, "option \"environment\": \"%s\" cannot be set", name.data);
    text = malloc(name.size + value.size + 2);
    if (text == NULL)
        return ATAMO_NO_MEMORY;
    memcpy(text, name.data, name.size);
    text[name.size] = '=';
    memcpy(text + name.size + 1, value.data, value.size);
    text[name.size + 1 + value.size] = '\0';
    *place = text;
    return ATAMO_OK;
}

static int read_environment(const atamo_host *host, struct settings *settings)
{
    const size_t count = host->count(host, "environment");
    size_t used = 0;
    int status = ATAMO_OK;

    settings->environment = calloc(count + INHERITED + 1, sizeof *settings->environment);
    if (settings->environment == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < INHERITED; i++) {
        const char *own = own_variable(inherited[i]);

        if (own == NULL || is_configured(host, inherited[i]))
            continue;
        settings->environment[used] = strdup(own);
        if (settings->environment[used++] == NULL)
            return ATAMO_NO_MEMORY;
    }
    for (size_t i = 0; i < count && status == ATAMO_OK; i++)
        status = add_configured(host, i, &settings->environment[used++]);
    return status;
}

static const char *path_of(const struct settings *settings)
{
    for (char **at = settings->environment; *at != NULL; at++)
        if (strncmp(*at, "PATH=", 5) == 0)
            return *at + 5;
    return "/usr/local/bin:/usr/bin:/bin";
}

static int find_program(const atamo_host *host, struct settings *settings)
{
    const char *name = settings->arguments[0];
    int status;

    if (settings->directory[0] != '\0' && !program_is_folder(settings->directory))
        return atamo_refuse(host, "directory \"%s\" is not a folder", settings->directory);
    status = program_find(name, path_of(settings), settings->directory, &settings->program);
    if (status == ATAMO_NOT_FOUND)
        return atamo_refuse(host, "command \"%s\" was not found%s; give its full path, or set PATH",
                            name, strchr(name, '/') == NULL ? " in PATH" : "");
    if (status == ATAMO_DENIED)
        return atamo_refuse(host, "command \"%s\" is not a file that may be executed", name);
    return status;
}

static enum event_part event_part(atamo_bytes choice)
{
    if (strcmp(choice.data, "none") == 0)
        return EVENT_NONE;
    return strcmp(choice.data, "full") == 0 ? EVENT_FULL : EVENT_ATTRIBUTES;
}

int settings_read(const atamo_host *host, struct settings *settings)
{
    int status;

    *settings = (struct settings){
        .directory = host->text(host, "directory").data,
        .workers = (uint32_t)host->integer(host, "workers"),
        .in_flight = (uint32_t)host->integer(host, "in_flight"),
        .queue = (uint32_t)host->integer(host, "queue"),
        .event = event_part(host->text(host, "event")),
        .max_line = (size_t)host->integer(host, "max_line"),
        .timeout_ns = host->integer(host, "timeout") * ns_per_ms,
        .restart_delay_ns = host->integer(host, "restart_delay") * ns_per_ms,
        .restart_delay_max_ns = host->integer(host, "restart_delay_max") * ns_per_ms,
        .stop_grace_ns = host->integer(host, "stop_grace") * ns_per_ms,
    };
    if (settings->restart_delay_max_ns < settings->restart_delay_ns)
        settings->restart_delay_max_ns = settings->restart_delay_ns;
    status = read_arguments(host, settings);
    if (status == ATAMO_OK)
        status = read_environment(host, settings);
    if (status == ATAMO_OK)
        status = find_program(host, settings);
    if (status != ATAMO_OK)
        settings_close(settings);
    return status;
}

void settings_close(struct settings *settings)
{
    free_vector(settings->arguments);
    free_vector(settings->environment);
    free(settings->program);
    *settings = (struct settings){0};
}
