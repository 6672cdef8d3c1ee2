/* cmd_dev - the first five minutes: a hub in memory for a file of rules, with a page and a URL.
 *
 * Happy path: a configuration is written into a temporary folder, which includes the rules and
 * gives each agent that they name a stand-in that logs; the hub runs, each message's path is shown,
 * and when the rules are saved they are read again. A file of rules that is not there yet is begun
 * with some. Fails as running a configuration does; nothing is kept.
 */
#include "cli/cli.h"
#include "cli/running.h"
#include "cli/stand_ins.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static const char starter[] =
    "# What becomes of events. Save this file, and it is read again.\n"
    "- id: orders\n"
    "  on: order.*\n"
    "  then:\n"
    "    - {agent: log, action: note}\n"
    "\n"
    "- id: big-orders\n"
    "  on: order.created\n"
    "  when: {data: {total: [{numeric: [\">=\", 100]}]}}\n"
    "  then:\n"
    "    - {agent: log, action: tell-sales, with: {text: \"an order over ${data.total}\"}}\n"
    "\n"
    "- id: fail-twice\n"
    "  on: fail-twice\n"
    "  then:\n"
    "    - {agent: flaky, action: try}\n";

struct dev {
    struct running running; /* first */
    char rules[PATH_MAX];   /* the file of rules */
    char folder[64];        /* a temporary one */
    char config[PATH_MAX];
    const char *port;
};

/* --- files */

static bool begin_rules(const char *path)
{
    FILE *file = fopen(path, "wxe");

    if (file == NULL)
        return errno == EEXIST;
    if (fputs(starter, file) < 0 || fclose(file) != 0)
        return false;
    cli_say("began %s", path);
    return true;
}

/* The configuration around the rules, as they are now. */
static int write_config(const struct dev *dev)
{
    char *folder = strdup(dev->rules);
    FILE *file = fopen(dev->config, "we");
    int status = ATAMO_IO;

    if (folder != NULL && file != NULL) {
        *strrchr(folder, '/') = '\0';
        (void)fprintf(file,
                      "hub: {recent: 10000}\n"
                      "event_providers:\n"
                      "  web: {plugin: http, config: {listen: \"127.0.0.1:%s\"}}\n"
                      "auditors:\n"
                      "  paths: {plugin: trace}\n"
                      "rules_folder: \"%s/rules.d\"\n"
                      "rules: [{include: \"%s\"}]\n"
                      "agents:\n",
                      dev->port, folder, dev->rules);
        status = stand_ins_write(dev->rules, file);
    }
    if (file != NULL && fclose(file) != 0)
        status = ATAMO_IO;
    free(folder);
    return status;
}

static int make_folder(struct dev *dev)
{
    const char *base = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe): nobody sets it here */

    (void)snprintf(dev->folder, sizeof dev->folder, "%.40s/atamo-dev-XXXXXX",
                   base == NULL || strlen(base) > 40 ? "/tmp" : base);
    if (mkdtemp(dev->folder) == NULL)
        return ATAMO_IO;
    (void)snprintf(dev->config, sizeof dev->config, "%s/dev.yaml", dev->folder);
    return write_config(dev);
}

static void remove_folder(const struct dev *dev)
{
    (void)unlink(dev->config);
    (void)rmdir(dev->folder);
}

/* --- rules that are saved */

static void changed(struct running *running)
{
    struct dev *dev = (struct dev *)(void *)running;
    const char *name = strrchr(dev->rules, '/') + 1;
    char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    bool ours = false;
    ssize_t size;

    while ((size = read(running->news, buffer, sizeof buffer)) > 0) {
        const char *at = buffer;

        while (at < buffer + size) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)at;

            ours |= event->len > 0 && strcmp(event->name, name) == 0;
            at += sizeof *event + event->len;
        }
    }
    if (ours && write_config(dev) == ATAMO_OK)
        running_reload(running);
}

/* Editors write a file, or put a new one in its place. */
static int watch_rules(struct dev *dev)
{
    char folder[PATH_MAX];

    dev->running.news = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(dev->rules, '/') - dev->rules + 1),
                   dev->rules);
    if (dev->running.news < 0 ||
        inotify_add_watch(dev->running.news, folder, IN_CLOSE_WRITE | IN_MOVED_TO) < 0)
        return ATAMO_IO;
    dev->running.changed = changed;
    return ATAMO_OK;
}

/* --- the command */

static void say_what_to_do(const struct dev *dev, const char *rules)
{
    const struct cli_colours colours = cli_colours(stdout);
    const bool usual = strcmp(dev->port, "8080") == 0;

    (void)printf("\n%shttp://127.0.0.1:%s%s  rules: %s, read again when it is saved; nothing is "
                 "kept\n\n",
                 colours.bold, dev->port, colours.reset, rules);
    if (!usual)
        (void)printf("  export ATAMO_URL=http://127.0.0.1:%s\n", dev->port);
    (void)printf("Post an event, then ask what became of it, and why:\n"
                 "  curl -d '{\"total\": 120}' -H 'ce-type: order.created' -H 'ce-id: o-1' "
                 "http://127.0.0.1:%s/v1/events\n"
                 "  atamo why o-1\n"
                 "One that fails twice and is tried again:\n"
                 "  curl -d '{}' -H 'ce-type: fail-twice' -H 'ce-id: f-1' "
                 "http://127.0.0.1:%s/v1/events\n\n",
                 dev->port, dev->port);
    (void)fflush(stdout);
}

static enum exit_code run(struct dev *dev, const char *rules)
{
    int status = make_folder(dev);

    if (status == ATAMO_OK)
        status = watch_rules(dev);
    if (status == ATAMO_OK)
        status = running_open(&dev->running);
    if (status == ATAMO_OK) {
        say_what_to_do(dev, rules);
        running_wait(&dev->running);
        status = running_close(&dev->running);
    }
    if (dev->running.news >= 0)
        (void)close(dev->running.news);
    remove_folder(dev);
    return cli_exit(status);
}

enum exit_code cmd_dev(const struct cli_line *line)
{
    const char *rules = line->count > 0 ? line->arguments[0] : "rules.yaml";
    struct dev dev = {.running = {.for_ms = -1, .news = -1}, .port = cli_value(line, "port")};

    if (dev.port == NULL)
        dev.port = "8080";
    if (strspn(dev.port, "0123456789") != strlen(dev.port) || strlen(dev.port) > 5) {
        cli_say("--port %s: expected a number", dev.port);
        return EXIT_USAGE;
    }
    if (line->count == 0 && !begin_rules(rules)) {
        cli_say("%s cannot be written", rules);
        return EXIT_FAILED;
    }
    if (realpath(rules, dev.rules) == NULL) {
        cli_say("%s: there is no such file", rules);
        return EXIT_NOT_FOUND;
    }
    dev.running.path = dev.config;
    dev.running.name = rules;
    return run(&dev, rules);
}
