/* pattern_number - numbers and {numeric: [...]} of patterns.
 *
 * Happy path: one sign and a number, or a lower and an upper bound. Fails on anything else, on
 * numbers that are not comparable and on ranges that hold nothing, naming what was expected.
 */
#include "rules/number.h"
#include "rules/pattern_inside.h"

#include "json/json.h"

#include <float.h>
#include <string.h>

/* YAML knows numbers that JSON does not: 0x1f, 0o17, +1, .5, 5., .inf. The first two are written
 * out, the next three get their digits, and the last is no number here. */
atamo_bytes pattern_number_text(struct pattern_maker *maker, const struct yaml_node *node)
{
    const char *text = node->text.data;
    const char *made;
    size_t size = node->text.size;

    if (json_number_size(text, size) == size)
        return node->text;
    if (node->integral) {
        made = arena_printf(maker->arena, "%lld", (long long)node->integer);
    } else {
        const char *minus = text[0] == '-' ? "-" : "";
        const char *dot;

        text += text[0] == '-' || text[0] == '+';
        size = strcspn(text, ".");
        dot = text[size] == '.' ? text + size + 1 : "";
        made = *dot == '\0' || (*dot >= '0' && *dot <= '9')
                   ? arena_printf(maker->arena, "%s%.*s%.*s.%s%s", minus, size == 0, "0", (int)size,
                                  text, dot, *dot == '\0' ? "0" : "")
                   : arena_printf(maker->arena, "%s%.*s%s", minus, (int)size, text, dot);
    }
    if (made == NULL)
        maker->status = ATAMO_NO_MEMORY;
    return atamo_text(made);
}

bool pattern_number(struct pattern_maker *maker, const struct yaml_node *node, double *value)
{
    atamo_bytes text;

    if (node->kind != YAML_NUMBER)
        return pattern_wrong(maker, node, "expected a number, found %s",
                             yaml_kind_name(node->kind));
    text = pattern_number_text(maker, node);
    if (text.size == 0 || json_number_size(text.data, text.size) != text.size ||
        !number_comparable(text, value))
        return pattern_wrong(maker, node,
                             "%.*s cannot be compared: a double does not hold it without loss",
                             (int)node->text.size, node->text.data);
    return true;
}

static bool is_operator(const struct yaml_node *node, const char *name)
{
    return node->kind == YAML_TEXT && strcmp(node->text.data, name) == 0;
}

/* The upper bound after a lower one: "<" or "<=" and a number. */
static bool upper_bound(struct pattern_maker *maker, const struct yaml_node *list,
                        struct test *test)
{
    const struct yaml_node *sign = list->items[2];

    test->high_open = is_operator(sign, "<");
    if (!test->high_open && !is_operator(sign, "<="))
        return pattern_wrong(maker, sign,
                             "expected \"<\" or \"<=\" for the upper bound of numeric");
    if (!pattern_number(maker, list->items[3], &test->of.range.high))
        return false;
    if (test->of.range.high <= test->of.range.low)
        return pattern_wrong(maker, list->items[3],
                             "the upper bound of numeric must be above the lower one");
    return true;
}

bool pattern_numeric(struct pattern_maker *maker, const struct yaml_node *list, struct test *test)
{
    const struct yaml_node *sign;
    double number = 0;

    if (list->kind != YAML_LIST || (list->count != 2 && list->count != 4))
        return pattern_wrong(maker, list,
                             "numeric expects a list such as [\">=\", 1] or [\">\", 0, \"<\", 5]");
    sign = list->items[0];
    if (!pattern_number(maker, list->items[1], &number))
        return false;
    test->kind = TEST_RANGE;
    test->of.range.low = number;
    test->of.range.high = number;
    if (is_operator(sign, ">") || is_operator(sign, ">=")) {
        test->low_open = is_operator(sign, ">");
        test->of.range.high = DBL_MAX;
        return list->count == 2 || upper_bound(maker, list, test);
    }
    if (list->count != 2)
        return pattern_wrong(maker, sign, "numeric with two bounds starts with \">\" or \">=\"");
    if (is_operator(sign, "=")) {
        test->kind = TEST_NUMBER;
        return true;
    }
    test->of.range.low = -DBL_MAX;
    test->high_open = is_operator(sign, "<");
    if (!test->high_open && !is_operator(sign, "<="))
        return pattern_wrong(maker, sign, "numeric expects \"=\", \"<\", \"<=\", \">\" or \">=\"");
    return true;
}
