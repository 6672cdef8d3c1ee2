/* loader_check - is a plugin's table one that the hub can work with?
 *
 * Sizes and ABI first, because nothing else can be read safely before. Then names, options and
 * roles; all that is wrong is said in one run.
 */
#include "plugin/loader.h"
#include "plugin/options.h"

#include <atamo/agent.h>
#include <atamo/auditor.h>
#include <atamo/event_provider.h>
#include <atamo/rule_provider.h>
#include <atamo/store.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* One check under way. */
struct checking {
    const char *file;
    struct place place;
    struct problems *problems;
};

__attribute__((format(printf, 2, 3))) static void fault(const struct checking *checking,
                                                        const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)problems_add(checking->problems, checking->place, "%s: %s", checking->file, text);
}

static bool is_id(const char *text, char joint)
{
    if (text == NULL || text[0] == '\0' || strlen(text) > 63)
        return false;
    for (; *text != '\0'; text++)
        if (!((*text >= 'a' && *text <= 'z') || (*text >= '0' && *text <= '9') || *text == joint))
            return false;
    return true;
}

static void check_option(const struct checking *checking, const atamo_plugin *plugin, size_t index)
{
    const atamo_option *option = options_row(plugin, index);

    if (!is_id(option->name, '_')) {
        fault(checking, "option %zu has no name of lower-case letters, digits and '_'", index);
        return;
    }
    if (option->type < ATAMO_OPTION_TEXT || option->type > ATAMO_OPTION_JSON)
        fault(checking, "option \"%s\" has the unknown type %u", option->name, option->type);
    if (option->about == NULL || option->about[0] == '\0')
        fault(checking, "option \"%s\" says nothing in `about`", option->name);
    if (option->type == ATAMO_OPTION_CHOICE && option->choices == NULL)
        fault(checking, "option \"%s\" is a choice without `choices`", option->name);
    if (option->min > option->max)
        fault(checking, "option \"%s\" has a `min` above its `max`", option->name);
    for (size_t i = 0; i < index; i++)
        if (strcmp(options_row(plugin, i)->name, option->name) == 0)
            fault(checking, "option \"%s\" is there twice", option->name);
}

static void check_options(const struct checking *checking, const atamo_plugin *plugin)
{
    const size_t errors = checking->problems->errors;

    if (plugin->option_count == 0)
        return;
    if (plugin->options == NULL || plugin->option_stride < sizeof(atamo_option)) {
        fault(checking, "its option table is missing or has rows of %u bytes; use ATAMO_OPTIONS()",
              plugin->option_stride);
        return;
    }
    for (size_t i = 0; i < plugin->option_count; i++)
        check_option(checking, plugin, i);
    if (checking->problems->errors == errors &&
        options_check_fallbacks(plugin, checking->place, checking->problems) != ATAMO_OK)
        fault(checking, "a fallback in its option table does not fit its own row");
}

static void check_role(const struct checking *checking, const char *role, const void *table,
                       size_t least)
{
    uint32_t size;

    if (table == NULL)
        return;
    memcpy(&size, table, sizeof size);
    if (size < least)
        fault(checking, "its %s table says %u bytes, at least %zu are needed", role, size, least);
}

static void check_roles(const struct checking *checking, const atamo_plugin *plugin)
{
    check_role(checking, "agent", plugin->agent, sizeof(atamo_agent));
    check_role(checking, "auditor", plugin->auditor, sizeof(atamo_auditor));
    check_role(checking, "rule provider", plugin->rule_provider, sizeof(atamo_rule_provider));
    check_role(checking, "event provider", plugin->event_provider, sizeof(atamo_event_provider));
    check_role(checking, "store", plugin->store, sizeof(atamo_store));
    if (plugin->agent == NULL && plugin->auditor == NULL && plugin->rule_provider == NULL &&
        plugin->event_provider == NULL && plugin->store == NULL)
        fault(checking, "it plays no role: agent, rule_provider, auditor, event_provider or store");
    if (plugin->agent != NULL && plugin->agent->handle == NULL &&
        plugin->agent->handle_batch == NULL)
        fault(checking, "its agent has neither handle() nor handle_batch()");
    if (plugin->auditor != NULL && plugin->auditor->records == NULL)
        fault(checking, "its auditor has no records()");
    if (plugin->rule_provider != NULL &&
        (plugin->rule_provider->compile == NULL || plugin->rule_provider->evaluate == NULL))
        fault(checking, "its rule provider needs compile() and evaluate()");
}

int loader_check(const atamo_plugin *plugin, const char *file, struct place place,
                 struct problems *problems)
{
    const struct checking checking = {file, place, problems};
    const size_t errors = problems->errors;

    if (plugin->abi != ATAMO_ABI)
        fault(&checking, "it was built for ABI %u, this hub speaks ABI %u; build it again",
              plugin->abi, ATAMO_ABI);
    else if (plugin->size < sizeof(atamo_plugin))
        fault(&checking, "its table says %u bytes, at least %zu are needed; use ATAMO_PLUGIN_HEAD",
              plugin->size, sizeof(atamo_plugin));
    if (problems->errors > errors)
        return ATAMO_INVALID;
    if (!is_id(plugin->id, '-'))
        fault(&checking, "its id is not made of lower-case letters, digits and '-'");
    if (plugin->version == NULL || plugin->version[0] == '\0')
        fault(&checking, "it has no version");
    if (plugin->summary == NULL || plugin->summary[0] == '\0')
        fault(&checking, "it has no summary");
    check_options(&checking, plugin);
    check_roles(&checking, plugin);
    return problems->errors > errors ? ATAMO_INVALID : ATAMO_OK;
}
