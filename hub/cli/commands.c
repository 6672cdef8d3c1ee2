/* commands - everything that there is to say about a command stands in one row of a table.
 *
 * Rows of a group stand together. A command without `about` is there for scripts: help does not
 * list it.
 */
#include "cli/commands.h"

#include "cli/cmd_plugin.h"

#include <assert.h>
#include <string.h>

#define OPTIONS(array) .options = (array), .option_count = sizeof(array) / sizeof((array)[0])

static const struct cli_option run_options[] = {
    {"for", "DURATION", "stop after this time: 10s, 5m"},
    {"strict", NULL, "exit 1 if an action died or was shed, or a rule failed"},
    {"json", NULL, "print the summary as JSON on stdout"},
};
static const struct cli_option dev_options[] = {
    {"port", "N", "listen on this port of 127.0.0.1; 8080"},
};
static const struct cli_option new_options[] = {
    {"dir", "DIR", "the folder to write into; the current one"},
};
static const struct cli_option plugin_check_options[] = {
    {"config", "TEXT", "the plugin's options, or a file with them"},
    {"second", "TEXT", "the options of a second instance, if two cannot have the same"},
    {"rule", "JSON", "a rule for a rule provider, or a file with it"},
    {"limit", "MS", "how long anything may take"},
    {"json", NULL, "print JSON"},
};
static const struct cli_option check_options[] = {
    {"store", NULL, "read all of the store instead, and check every record"},
    {"json", NULL, "print JSON"},
};
#define FILTERS                                                                   \
    {"agent", "NAME", "only of this agent"}, {"rule", "ID", "only of this rule"}, \
        {"type", "TYPE", "only of events of this type"},                          \
    {                                                                             \
        "since", "DURATION", "only those that died in the last 10m, 2h, 7d"       \
    }
#define HUB                                                                          \
    {"url", "URL", "where the hub is: http://HOST:PORT or unix:/SOCKET; ATAMO_URL"}, \
        {"token", "TOKEN", "who asks; @FILE reads it from there; ATAMO_TOKEN"},      \
    {                                                                                \
        "cacert", "FILE", "certificates that the hub's is signed by"                 \
    }
static const struct cli_option emit_options[] = {
    {"source", "URI", "where the event comes from"},
    {"subject", "TEXT", "what it is about"},
    {"id", "ID", "its id; one that came before is a duplicate"},
    {"key", "KEY", "events with the same key are dealt with in order"},
    {"user", "NAME", "on whose behalf"},
    {"wait", "DURATION", "until all its actions have ended, at most so long"},
    {"file", "FILE", "events as JSON lines instead; - for stdin"},
    {"json", NULL, "print JSON"},
    HUB,
};
static const struct cli_option request_options[] = {
    {"source", "URI", "where the event comes from"},
    {"subject", "TEXT", "what it is about"},
    {"id", "ID", "its id"},
    {"key", "KEY", "events with the same key are dealt with in order"},
    {"user", "NAME", "on whose behalf"},
    {"timeout", "DURATION", "how long the agents have; 30s, for a feed no limit"},
    {"feed", NULL, "go on with updates until it is cancelled or the agents end it"},
    {"answers", "N", "how many agents must be done: all, first, or a number"},
    {"parts", NULL, "tell the end of each agent's part, too"},
    {"slow", "POLICY", "if nobody reads fast enough: drop-oldest, latest or block"},
    {"queue", "N", "so many responses are stored for whoever is slow or away"},
    {"keep", "DURATION", "how long results are stored, and a request goes on that nobody reads"},
    {"detached", NULL, "its end ends no work of agents"},
    {"attach", "ID", "come back to a request instead"},
    {"stream", NULL, "through one connection instead of long calls"},
    {"json", NULL, "print JSON lines"},
    HUB,
};
static const struct cli_option watch_options[] = {
    {"type", "TYPE", "only of events of this type"},
    {"agent", "NAME", "only of this agent"},
    {"rule", "ID", "only of this rule"},
    {"user", "NAME", "only of this user"},
    {"message", "UUID", "only of this message"},
    {"step", "STEP", "only steps of this kind: done, dead, ..."},
    {"since", "WHEN", "oldest: from the oldest step that is remembered"},
    {"json", NULL, "print JSON lines"},
    HUB,
};
static const struct cli_option top_options[] = {
    {"interval", "DURATION", "between two readings; 1s"},
    {"json", NULL, "print one reading as JSON"},
    HUB,
};
static const struct cli_option drain_options[] = {
    {"wait", "DURATION", "at most so long"},
    {"json", NULL, "print JSON"},
    HUB,
};
static const struct cli_option put_options[] = {
    {"why", "TEXT", "for the rule's history"},
    {"json", NULL, "print JSON"},
    HUB,
};
static const struct cli_option dead_list_options[] = {
    FILTERS,
    {"json", NULL, "print JSON"},
    HUB,
};
static const struct cli_option dead_drop_options[] = {
    FILTERS,
    {"all", NULL, "all of them"},
    {"dry-run", NULL, "say how many, and change nothing"},
    {"json", NULL, "print JSON"},
    HUB,
};
static const struct cli_option dead_replay_options[] = {
    FILTERS,
    {"all", NULL, "all of them"},
    {"rate", "N", "so many a second"},
    {"dry-run", NULL, "say how many, and change nothing"},
    {"json", NULL, "print JSON"},
    HUB,
};
static const struct cli_option token_new_options[] = {
    {"scope", "SCOPES", "what it may do, with ',' between them; events:write"},
    {"expires", "DURATION", "how long it holds: 12h, 90d; for ever"},
    {"tenant", "TENANT", "whose data its user works with"},
    {"note", "TEXT", "what it is for, for people"},
    {"json", NULL, "print JSON"},
};
static const struct cli_option json_options[] = {
    {"json", NULL, "print JSON"},
};
static const struct cli_option hub_options[] = {
    {"json", NULL, "print JSON"},
    HUB,
};
static const struct cli_option test_options[] = {
    {"event", "FILE", "a CloudEvent in JSON; - for stdin (required)"},
    {"json", NULL, "print JSON"},
    HUB,
};
#define WHICH                                                                                     \
    "Which: by id, by filters, or --all. Without CONFIG a running hub does it at once. With it\n" \
    "the hub must be stopped, as it has its store alone; replayed ones begin when it starts."
static const struct cli_option suite_options[] = {
    {"junit", "FILE", "write the results as JUnit XML, too"},
    {"json", NULL, "print the results as JSON"},
};
static const struct cli_option simulate_options[] = {
    {"events", "FILE", "events as JSON lines, spread over the days (required)"},
    {"days", "N", "how many days; 1"},
    {"seed", "S", "the same seed gives the same journal; 1"},
    {"journal", "FILE", "write every step as a JSON line"},
    {"json", NULL, "print the outcome as JSON on stdout"},
};

const struct cli_option common_options[CLI_COMMON_OPTIONS] = {
    {"color", "WHEN", "auto, always or never; auto heeds NO_COLOR"},
    {"quiet", NULL, "only what was asked for, and what went wrong"},
    {"help", NULL, "say what a command does"},
};

const struct cli_command commands[] = {
    {"dev", "[RULES]", "try rules: a hub in memory with a page and a URL", 0, 1,
     OPTIONS(dev_options), .run = cmd_dev, .group = "Run",
     .notes = "Without RULES: rules.yaml, which is begun if it is not there. Each agent that the\n"
              "rules name is a stand-in that logs; flaky fails twice. The rules are read again\n"
              "when they are saved. Nothing is kept."},
    {"run", "CONFIG", "run a hub until its input ends, or until it is stopped", 1, 1,
     OPTIONS(run_options), .run = cmd_run, .group = "Run",
     .notes =
         "SIGHUP reads the configuration again; one that is wrong changes nothing. SIGINT and\n"
         "SIGTERM let what runs finish; a second one ends it at once.\n"
         "Dead letters are no failure of the hub: exit 0, unless --strict."},
    {"check", "CONFIG", "check a configuration without starting anything", 1, 1,
     OPTIONS(check_options), .run = cmd_check, .group = "Run",
     .notes =
         "Shows all mistakes in one run, each with its place. Exit 6 if there are any.\n"
         "With --store it reads the store, also beside a hub that runs, and names every record\n"
         "that is damaged. Exit 1 if there are any."},
    {"simulate", "CONFIG", "days in seconds on a virtual clock, agents replaced by chance", 1, 1,
     OPTIONS(simulate_options), .run = cmd_simulate, .group = "Run"},
    {"rules test", "[CONFIG]", "what would the rules make of an event? nothing fires", 0, 1,
     OPTIONS(test_options), .run = cmd_rules_test, .group = "Rules",
     .notes = "For every rule whether it matches, else the first clause that fails; and the\n"
              "actions that would be made. Without CONFIG a running hub is asked."},
    {"rules list", "[CONFIG]", "the rules of a configuration, or of a running hub", 0, 1,
     OPTIONS(hub_options), .run = cmd_rules_list, .group = "Rules"},
    {"rules show", "ID", "a rule of a running hub, as it was written", 1, 1, OPTIONS(hub_options),
     .run = cmd_rules_show, .group = "Rules"},
    {"rules put", "FILE", "give a running hub a rule, or another one in its place", 1, 1,
     OPTIONS(put_options), .run = cmd_rules_put, .group = "Rules",
     .notes = "FILE has one rule in YAML; - for stdin. Mistakes are shown with line and column."},
    {"rules rm", "ID", "take a rule away from a running hub", 1, 1, OPTIONS(hub_options),
     .run = cmd_rules_rm, .group = "Rules"},
    {"rules history", "ID", "what a rule was: its versions", 1, 1, OPTIONS(hub_options),
     .run = cmd_rules_history, .group = "Rules"},
    {"rules rollback", "ID VERSION", "make a rule what it was", 2, 2, OPTIONS(hub_options),
     .run = cmd_rules_rollback, .group = "Rules"},
    {"test", "[PATH...]", "run the unit tests of rules: *.test.yaml", 0, CLI_ARGUMENTS_MAX,
     OPTIONS(suite_options), .run = cmd_test, .group = "Rules",
     .notes = "Without PATH: all that are below the current folder. Exit 1 if one fails."},
    {"schema", "", "print the JSON Schema of configurations, for editors", 0, 0, .run = cmd_schema,
     .group = "Rules"},
    {"emit", "TYPE [DATA]", "submit an event", 0, 2, OPTIONS(emit_options), .run = cmd_emit,
     .group = "Ask a running hub",
     .notes =
         "DATA is JSON; - reads it from stdin. With --file no TYPE: each line is a CloudEvent.\n"
         "They are sent in batches; a hub that is busy is waited for."},
    {"request", "[TYPE [DATA]]", "submit an event and print what agents answer", 0, 2,
     OPTIONS(request_options), .run = cmd_request, .group = "Ask a running hub",
     .notes =
         "Responses are printed as they come. SIGINT cancels the request. With --keep it goes on\n"
         "when the terminal or the connection is lost: --attach ID comes back to it."},
    {"watch", "", "every step of every message while it happens", 0, 0, OPTIONS(watch_options),
     .run = cmd_watch, .group = "Ask a running hub",
     .notes = "A connection that is lost is made again, without gaps if the hub remembers."},
    {"why", "ID", "the path of one message as a tree: rules, actions, attempts", 1, 1,
     OPTIONS(hub_options), .run = cmd_why, .group = "Ask a running hub",
     .notes = "Rules that did not match say the first clause that failed and the value it saw."},
    {"top", "", "rates, queues and latencies, live", 0, 0, OPTIONS(top_options), .run = cmd_top,
     .group = "Ask a running hub",
     .notes = "Keys: q quits, r reverses, n d u x p sort. Without a terminal: one reading."},
    {"stats", "", "what the hub has counted", 0, 0, OPTIONS(hub_options), .run = cmd_stats,
     .group = "Ask a running hub"},
    {"agents list", "", "the agents, their queues and breakers", 0, 0, OPTIONS(hub_options),
     .run = cmd_agents_list, .group = "Ask a running hub"},
    {"agents pause", "NAME", "let an agent begin nothing more", 1, 1, OPTIONS(hub_options),
     .run = cmd_agents_pause, .group = "Ask a running hub"},
    {"agents resume", "NAME", "let it go on", 1, 1, OPTIONS(hub_options), .run = cmd_agents_resume,
     .group = "Ask a running hub"},
    {"agents drain", "NAME", "pause it, and wait until nothing of it runs", 1, 1,
     OPTIONS(drain_options), .run = cmd_agents_drain, .group = "Ask a running hub"},
    {"agents", "", NULL, 0, 0, OPTIONS(hub_options), .run = cmd_agents_list,
     .group = "Ask a running hub"},
    {"trace", "[CONFIG] ID", "the path of one message", 1, 2, OPTIONS(hub_options),
     .run = cmd_trace, .group = "Messages",
     .notes =
         "ID is the event's id or the hub's UUID. With CONFIG its store's journal is read, also\n"
         "after the hub has stopped; without, a running hub is asked."},
    {"dead list", "[CONFIG]", "actions that failed for good", 0, 1, OPTIONS(dead_list_options),
     .run = cmd_dead_list, .group = "Messages",
     .notes =
         "With CONFIG its store is read, also after the hub has stopped; without, a running hub\n"
         "is asked."},
    {"dead show", "[CONFIG] ID", "one of them, with its event and all its steps", 1, 2,
     OPTIONS(hub_options), .run = cmd_dead_show, .group = "Messages"},
    {"dead replay", "[CONFIG] [ID...]", "let them begin anew", 0, CLI_ARGUMENTS_MAX,
     OPTIONS(dead_replay_options), .run = cmd_dead_replay, .group = "Messages", .notes = WHICH},
    {"dead drop", "[CONFIG] [ID...]", "forget them", 0, CLI_ARGUMENTS_MAX,
     OPTIONS(dead_drop_options), .run = cmd_dead_drop, .group = "Messages", .notes = WHICH},
    {"backup", "CONFIG FILE", "copy the store to a new file, also while the hub runs", 2, 2,
     OPTIONS(json_options), .run = cmd_backup, .group = "Store"},
    {"restore", "CONFIG FILE", "check a copy and put it in the place of a store that is gone", 2, 2,
     OPTIONS(json_options), .run = cmd_restore, .group = "Store"},
    {"token new", "CONFIG USER", "make a bearer token and print it, once", 2, 2,
     OPTIONS(token_new_options), .run = cmd_token_new, .group = "Access",
     .notes =
         "Scopes: events:write, requests:write, telemetry:read, rules:read, rules:write,\n"
         "agents:manage, dead:manage, or * for all. The configuration says where tokens are kept:\n"
         "access: {tokens: FILE}. A user has at most two at a time, so that one can follow "
         "another.\n"
         "A hub that runs knows it within a second."},
    {"token list", "CONFIG", "the tokens: whose they are and what they may do", 1, 1,
     OPTIONS(json_options), .run = cmd_token_list, .group = "Access"},
    {"token revoke", "CONFIG ID", "let a token hold no longer", 2, 2, .run = cmd_token_revoke,
     .group = "Access",
     .notes = "ID is that of the list: the part of the token between its two '_'.\n"
              "A hub that runs knows it within a second."},
    {"plugin list", "", "the plugins that are found", 0, 0, OPTIONS(json_options),
     .run = cmd_plugin_list, .group = "Plugins",
     .notes = "They are looked for in the folders of ATAMO_PLUGIN_PATH and where they were\n"
              "installed."},
    {"plugin new", "KIND NAME", "write a new plugin from a template", 2, 2, OPTIONS(new_options),
     .run = cmd_plugin_new, .group = "Plugins",
     .notes = "KIND is agent, rule-provider, auditor or event-provider. Nothing is overwritten."},
    {"plugin check", "FILE", "does a plugin do what the headers ask of it?", 1, 1,
     OPTIONS(plugin_check_options), .run = cmd_plugin_check, .group = "Plugins"},
    {"bench", "[CASE]", "measure this machine; without CASE: the cases there are", 0, 1,
     .run = cmd_bench, .group = "More",
     .notes = "Only in a build folder: the programs that measure are not installed."},
    {"version", "", "print the version", 0, 0, OPTIONS(json_options), .run = cmd_version,
     .group = "More"},
    {"help", "[COMMAND]", "print this, or what there is to say about a command", 0, 2,
     .run = cmd_help, .group = "More"},
    {"completion", "", NULL, 0, 0, .run = cmd_completion, .group = "More",
     .notes = "Prints the completion for bash: eval \"$(atamo completion)\""},
};

const size_t command_count = sizeof commands / sizeof commands[0];

static_assert(sizeof commands / sizeof commands[0] <= COMMANDS_MAX, "room in arrays of names");

/* "agents" behind "agents list" and so on: another word would have been one of those. */
static bool ends_group(size_t i)
{
    const char *name = commands[i].name;

    return i > 0 && strncmp(commands[i - 1].name, name, strlen(name)) == 0 &&
           commands[i - 1].name[strlen(name)] == ' ';
}

const struct cli_command *command_find(size_t count, const char *const *arguments, size_t *words)
{
    for (size_t i = 0; i < command_count && count > 0; i++) {
        const char *name = commands[i].name;
        const char *space = strchr(name, ' ');
        const size_t first = space == NULL ? strlen(name) : (size_t)(space - name);

        if (strlen(arguments[0]) != first || strncmp(arguments[0], name, first) != 0)
            continue;
        if (space != NULL && (count < 2 || strcmp(arguments[1], space + 1) != 0))
            continue;
        if (space == NULL && ends_group(i) && count > 1 && arguments[1][0] != '-')
            continue;
        *words = space == NULL ? 1 : 2;
        return &commands[i];
    }
    return NULL;
}
