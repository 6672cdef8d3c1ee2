/* cmd_why - why has become of a message what has: its path as a tree.
 *
 * Happy path: the hub is asked for the rules that were looked at and for the steps. Below the event
 * stand the rules that matched, below each its actions with their steps, in time since the event
 * was taken; then the rules that did not match, with the first clause that failed and the value it
 * saw; then events that came of it. Rules for other types of events are counted only. Fails with
 * the hub's words if it does not remember the message.
 */
#include "cli/remote_trace.h"
#include "cli/step_line.h"

#include <inttypes.h>
#include <string.h>

struct tree {
    struct answer why, trace;
    struct cli_colours colours;
    int64_t begun_us; /* time of the first step */
    size_t left;      /* branches of the trunk that are still to come */
    bool last_branch; /* the branch that is printed is the last one */
};

/* Which branches a walk visits; each is counted first, so that the last one can be drawn as such.
 */
typedef void (*tree_print)(struct tree *tree, uint32_t at);
typedef bool (*tree_choose)(const struct tree *tree, uint32_t at);

/* --- choosing */

static bool matched(const struct tree *tree, uint32_t at)
{
    return answer_bool(&tree->why, at, "matched");
}

static bool is_for_other_type(const struct tree *tree, uint32_t at)
{
    static const char start[] = "type is ";
    const atamo_bytes reason = answer_text(&tree->why, at, "reason");

    return !matched(tree, at) && reason.size >= sizeof start - 1 &&
           memcmp(reason.data, start, sizeof start - 1) == 0;
}

static bool did_not_match(const struct tree *tree, uint32_t at)
{
    return !matched(tree, at) && !is_for_other_type(tree, at);
}

static bool same(atamo_bytes a, atamo_bytes b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* An action whose rule the hub does not tell: of a rule that has gone meanwhile. */
static bool has_no_rule(const struct tree *tree, uint32_t at)
{
    const struct answer *why = &tree->why;
    const uint32_t rules = answer_member(why, 0, "rules");
    const atamo_bytes rule = answer_text(why, at, "rule");

    for (uint32_t one = answer_first(why, rules); one != 0; one = answer_after(why, rules, one))
        if (matched(tree, one) && same(answer_text(why, one, "id"), rule))
            return false;
    return true;
}

static bool is_emitted(const struct tree *tree, uint32_t at)
{
    return answer_is(answer_text(&tree->trace, at, "step"), "emitted");
}

/* --- printing */

static void print_since(const struct tree *tree, int64_t t_us)
{
    (void)printf("%s%+10.6f s%s  ", tree->colours.dim, (double)(t_us - tree->begun_us) / 1e6,
                 tree->colours.reset);
}

static void print_branch(struct tree *tree)
{
    tree->last_branch = --tree->left == 0;
    (void)fputs(tree->last_branch ? "└─ " : "├─ ", stdout);
}

static void print_text(const char *before, atamo_bytes text)
{
    if (text.size > 0)
        (void)fputs(before, stdout);
    answer_put(text, stdout);
}

/* The steps of one action, below it. */
static void print_steps(const struct tree *tree, int64_t ordinal, const char *before)
{
    const uint32_t list = answer_member(&tree->trace, 0, "steps");

    for (uint32_t at = answer_first(&tree->trace, list); at != 0;
         at = answer_after(&tree->trace, list, at)) {
        struct step_line line;

        if (ordinal == 0 || answer_int(&tree->trace, at, "action") != ordinal)
            continue;
        step_line_read(&line, &tree->trace, at);
        line.agent = line.rule = line.as = atamo_text("");
        line.type = is_emitted(tree, at) ? line.type : atamo_text("");
        (void)fputs(before, stdout);
        print_since(tree, line.t_us);
        step_line_print(&line, &tree->colours, stdout);
    }
}

/* Whom an action acts for, if its rule says so: its steps tell. */
static atamo_bytes acts_as(const struct tree *tree, int64_t ordinal)
{
    const struct answer *trace = &tree->trace;
    const uint32_t list = answer_member(trace, 0, "steps");

    for (uint32_t at = answer_first(trace, list); at != 0; at = answer_after(trace, list, at))
        if (answer_int(trace, at, "action") == ordinal)
            return answer_text(trace, at, "user");
    return atamo_text("");
}

static void print_action(struct tree *tree, uint32_t at)
{
    const struct answer *why = &tree->why;
    const atamo_bytes state = answer_text(why, at, "state");
    const int64_t attempt = answer_int(why, at, "attempt");

    print_text("", answer_text(why, at, "agent"));
    print_text(" ", answer_text(why, at, "action"));
    print_text(" as ", acts_as(tree, answer_int(why, at, "ordinal")));
    (void)printf("  %s", step_colour(&tree->colours, state));
    print_text("", state);
    (void)fputs(tree->colours.reset, stdout);
    if (attempt > 1)
        (void)printf(" after %" PRId64 " attempts", attempt);
    print_text(": ", answer_text(why, at, "reason"));
    (void)putchar('\n');
}

/* Why a rule that matched made nothing: it failed, which is said once, though an alert says it,
 * too, or its rule provider wanted nothing; unless what it made is not known yet. */
static void print_nothing(const struct tree *tree, atamo_bytes rule, const char *trunk)
{
    bool said = answer_is(answer_text(&tree->why, 0, "state"), "in flight");
    const struct answer *trace = &tree->trace;
    const uint32_t list = answer_member(trace, 0, "steps");

    for (uint32_t at = answer_first(trace, list); at != 0; at = answer_after(trace, list, at)) {
        if (!answer_is(answer_text(trace, at, "step"), "rule-failed") ||
            !same(answer_text(trace, at, "rule"), rule))
            continue;
        (void)printf("%s└─ %sfailed%s", trunk, tree->colours.red, tree->colours.reset);
        print_text(": ", answer_text(trace, at, "reason"));
        print_text(": ", answer_text(trace, at, "text"));
        (void)putchar('\n');
        said = true;
    }
    if (!said)
        (void)printf("%s└─ %sno action%s\n", trunk, tree->colours.dim, tree->colours.reset);
}

static void print_lone_action(struct tree *tree, uint32_t at)
{
    print_branch(tree);
    print_text("rule ", answer_text(&tree->why, at, "rule"));
    (void)fputs(" -> ", stdout);
    print_action(tree, at);
    print_steps(tree, answer_int(&tree->why, at, "ordinal"), tree->last_branch ? "   " : "│  ");
}

static size_t count_actions(const struct tree *tree, atamo_bytes rule)
{
    const uint32_t list = answer_member(&tree->why, 0, "actions");
    size_t count = 0;

    for (uint32_t at = answer_first(&tree->why, list); at != 0;
         at = answer_after(&tree->why, list, at))
        count += same(answer_text(&tree->why, at, "rule"), rule);
    return count;
}

static void print_matched(struct tree *tree, uint32_t rule)
{
    const struct answer *why = &tree->why;
    const atamo_bytes id = answer_text(why, rule, "id");
    const uint32_t list = answer_member(why, 0, "actions");
    size_t left = count_actions(tree, id);
    const char *trunk;

    print_branch(tree);
    trunk = tree->last_branch ? "   " : "│  ";
    (void)printf("rule %s", tree->colours.bold);
    print_text("", id);
    (void)printf("%s %smatched%s", tree->colours.reset, tree->colours.green, tree->colours.reset);
    print_text(": ", answer_text(why, rule, "reason"));
    (void)putchar('\n');
    if (left == 0)
        print_nothing(tree, id, trunk);
    for (uint32_t at = answer_first(why, list); at != 0; at = answer_after(why, list, at)) {
        char before[32];

        if (!same(answer_text(why, at, "rule"), id))
            continue;
        left--;
        (void)printf("%s%s", trunk, left == 0 ? "└─ " : "├─ ");
        print_action(tree, at);
        (void)snprintf(before, sizeof before, "%s%s", trunk, left == 0 ? "   " : "│  ");
        print_steps(tree, answer_int(why, at, "ordinal"), before);
    }
}

static void print_unmatched(struct tree *tree, uint32_t rule)
{
    print_branch(tree);
    (void)printf("%srule ", tree->colours.dim);
    print_text("", answer_text(&tree->why, rule, "id"));
    (void)fputs(" did not match", stdout);
    print_text(": ", answer_text(&tree->why, rule, "reason"));
    (void)printf("%s\n", tree->colours.reset);
}

static void print_no_rule(struct tree *tree)
{
    print_branch(tree);
    (void)printf("%sno rule is for this type of event%s\n", tree->colours.dim, tree->colours.reset);
}

static void print_emitted(struct tree *tree, uint32_t at)
{
    print_branch(tree);
    (void)printf("%semitted%s", tree->colours.blue, tree->colours.reset);
    print_text(" ", answer_text(&tree->trace, at, "type"));
    print_text(" ", answer_text(&tree->trace, at, "message"));
    (void)putchar('\n');
}

/* --- the whole */

/* Walk a list; print NULL: count only. */
static size_t walk(struct tree *tree, const struct answer *answer, const char *name,
                   tree_choose choose, tree_print print)
{
    const uint32_t list = answer_member(answer, 0, name);
    size_t count = 0;

    for (uint32_t at = answer_first(answer, list); at != 0; at = answer_after(answer, list, at)) {
        if (!choose(tree, at))
            continue;
        count++;
        if (print != NULL)
            print(tree, at);
    }
    return count;
}

static size_t walk_all(struct tree *tree, bool print)
{
    return walk(tree, &tree->why, "rules", matched, print ? print_matched : NULL) +
           walk(tree, &tree->why, "actions", has_no_rule, print ? print_lone_action : NULL) +
           walk(tree, &tree->why, "rules", did_not_match, print ? print_unmatched : NULL) +
           walk(tree, &tree->trace, "steps", is_emitted, print ? print_emitted : NULL);
}

static void print_tree(struct tree *tree)
{
    const uint32_t steps = answer_member(&tree->trace, 0, "steps");
    const uint32_t first = answer_first(&tree->trace, steps);
    const size_t others = walk(tree, &tree->why, "rules", is_for_other_type, NULL);
    bool no_rule;

    tree->begun_us = first == 0 ? 0 : answer_int(&tree->trace, first, "t_us");
    remote_print_title(answer_text(&tree->why, 0, "id"));
    print_text("", answer_text(&tree->trace, 0, "type"));
    print_text("  ", answer_text(&tree->why, 0, "state"));
    if (tree->begun_us > 0) {
        (void)fputs("  ", stdout);
        answer_put_time(tree->begun_us, ANSWER_DATE, stdout);
    }
    (void)putchar('\n');
    tree->left = walk_all(tree, false);
    no_rule = tree->left == 0;
    tree->left += (size_t)no_rule + (size_t)(others > 0);
    (void)walk_all(tree, true);
    if (no_rule)
        print_no_rule(tree);
    if (others == 0)
        return;
    print_branch(tree);
    (void)printf("%s%zu rule%s for other types of events%s\n", tree->colours.dim, others,
                 others == 1 ? " is" : "s are", tree->colours.reset);
}

static enum exit_code show(struct remote *remote, struct tree *tree, const char *id)
{
    enum exit_code code = remote_get_event(remote, id, "/why", &tree->why);

    if (code != EXIT_OK)
        return code;
    if (remote->json) {
        answer_print(&tree->why);
        return EXIT_OK;
    }
    code = remote_get_event(remote, id, "", &tree->trace);
    if (code == EXIT_OK)
        print_tree(tree);
    return code;
}

enum exit_code cmd_why(const struct cli_line *line)
{
    struct tree tree = {.colours = cli_colours(stdout)};
    struct remote remote;
    enum exit_code code = remote_open(&remote, line);

    if (code != EXIT_OK)
        return code;
    code = show(&remote, &tree, line->arguments[0]);
    answer_free(&tree.why);
    answer_free(&tree.trace);
    remote_close(&remote);
    return code;
}
