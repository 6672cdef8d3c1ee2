/* yaml_walk - visit every node of a tree in written order, without recursion.
 *
 * The stack holds the lists and maps that are open; each step looks at the top one's next child.
 * The only failure is that the stack cannot grow.
 */
#include "yaml/yaml_walk.h"

#include <assert.h>
#include <stdlib.h>

void yaml_walk_open(struct yaml_walk *walk, const struct yaml_node *root)
{
    assert(root != NULL);
    *walk = (struct yaml_walk){.root = root};
}

void yaml_walk_close(struct yaml_walk *walk)
{
    free(walk->frames);
    *walk = (struct yaml_walk){0};
}

static int visit(struct yaml_walk *walk, struct yaml_step *step)
{
    if (step->node->kind != YAML_LIST && step->node->kind != YAML_MAP)
        return 1;
    step->kind = YAML_STEP_ENTER;
    if (walk->depth == walk->room) {
        const size_t room = walk->room > 0 ? walk->room * 2 : 16;
        struct yaml_walk_frame *grown = realloc(walk->frames, room * sizeof *grown);

        if (grown == NULL)
            return ATAMO_NO_MEMORY;
        walk->frames = grown;
        walk->room = room;
    }
    walk->frames[walk->depth++] = (struct yaml_walk_frame){*step, 0};
    return 1;
}

int yaml_walk_next(struct yaml_walk *walk, struct yaml_step *step)
{
    struct yaml_walk_frame *top = walk->depth > 0 ? &walk->frames[walk->depth - 1] : NULL;

    if (walk->root != NULL) {
        *step = (struct yaml_step){.node = walk->root};
        walk->root = NULL;
        return visit(walk, step);
    }
    if (top == NULL)
        return 0;
    if (top->next == top->step.node->count) {
        *step = top->step;
        step->kind = YAML_STEP_LEAVE;
        walk->depth--;
        return 1;
    }
    *step = (struct yaml_step){.node = top->step.node->items[top->next], .index = top->next};
    if (top->step.node->kind == YAML_MAP)
        step->key = top->step.node->keys[top->next];
    top->next++;
    return visit(walk, step);
}
