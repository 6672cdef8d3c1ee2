/* rule_test_write - the result of a dry run, as JSON or for people.
 *
 * The JSON is written twice: once to learn its size, once into memory of that size.
 */
#include "config/rule_test.h"

#include "json/write.h"

#include <stdlib.h>

static void put(struct json_writer *writer, const char *name, atamo_bytes text)
{
    json_put_name(writer, atamo_text(name));
    json_put_text(writer, text);
}

static void put_rules(struct json_writer *writer, const struct rule_test_result *result)
{
    json_put_name(writer, atamo_text("rules"));
    json_open_array(writer);
    for (size_t i = 0; i < result->rule_count; i++) {
        const struct rule_test_rule *rule = &result->rules[i];

        json_open_object(writer);
        put(writer, "id", rule->id);
        json_put_name(writer, atamo_text("matched"));
        json_put_bool(writer, rule->matched);
        put(writer, "reason", atamo_text(rule->reason));
        json_close_object(writer);
    }
    json_close_array(writer);
}

static void put_actions(struct json_writer *writer, const struct rule_test_result *result)
{
    json_put_name(writer, atamo_text("actions"));
    json_open_array(writer);
    for (size_t i = 0; i < result->action_count; i++) {
        const struct rule_test_action *action = &result->actions[i];

        json_open_object(writer);
        put(writer, "rule", action->rule);
        put(writer, "agent", action->agent);
        put(writer, "action", action->action);
        json_put_name(writer, atamo_text("as"));
        if (action->as.size > 0)
            json_put_text(writer, action->as);
        else
            json_put_null(writer);
        json_put_name(writer, atamo_text("body"));
        json_put_raw(writer, action->body);
        json_close_object(writer);
    }
    json_close_array(writer);
}

static void put_all(struct json_writer *writer, const struct rule_test_result *result)
{
    json_open_object(writer);
    json_put_name(writer, atamo_text("event"));
    json_put_raw(writer, result->event);
    if (result->refused != NULL)
        put(writer, "refused", atamo_text(result->refused));
    put_rules(writer, result);
    put_actions(writer, result);
    json_close_object(writer);
}

int rule_test_write_json(const struct rule_test_result *result, FILE *out)
{
    struct json_writer writer;
    size_t size;
    char *text;
    bool written;

    json_writer_init(&writer, NULL, 0);
    put_all(&writer, result);
    size = writer.size;
    text = malloc(size + 1);
    if (text == NULL)
        return ATAMO_NO_MEMORY;
    json_writer_init(&writer, text, size);
    put_all(&writer, result);
    text[size] = '\n';
    written = fwrite(text, 1, size + 1, out) == size + 1;
    free(text);
    return written ? ATAMO_OK : ATAMO_IO;
}

int rule_test_write_text(const struct rule_test_result *result, FILE *out)
{
    if (result->refused != NULL)
        (void)fprintf(out, "refused: %s\n", result->refused);
    for (size_t i = 0; i < result->rule_count; i++)
        (void)fprintf(out, "%-5s %s: %s\n", result->rules[i].matched ? "yes" : "no",
                      result->rules[i].id.data, result->rules[i].reason);
    for (size_t i = 0; i < result->action_count; i++) {
        const struct rule_test_action *action = &result->actions[i];

        (void)fprintf(out, "-> %s %s%s%s, from %s: %.*s\n", action->agent.data, action->action.data,
                      action->as.size > 0 ? " as " : "", action->as.data, action->rule.data,
                      (int)action->body.size, action->body.data);
    }
    return ferror(out) ? ATAMO_IO : ATAMO_OK;
}
