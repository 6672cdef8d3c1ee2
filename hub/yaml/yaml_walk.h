/* yaml_walk - visit every node of a tree in written order, without recursion. */
#ifndef HUB_YAML_YAML_WALK_H
#define HUB_YAML_YAML_WALK_H

#include "yaml/yaml.h"

enum yaml_step_kind { YAML_STEP_SCALAR, YAML_STEP_ENTER, YAML_STEP_LEAVE };

struct yaml_step {
    enum yaml_step_kind kind;
    const struct yaml_node *node;
    const struct yaml_node *key; /* of the node in its map; NULL in a list and for the root */
    size_t index;                /* of the node in its list or map */
};

/* A list or map that has been entered and not left. */
struct yaml_walk_frame {
    struct yaml_step step;
    size_t next; /* child */
};

struct yaml_walk {
    struct yaml_walk_frame *frames;
    size_t depth, room;
    const struct yaml_node *root; /* until it has been visited */
};

/* Begin at a node. Takes no memory yet. */
void yaml_walk_open(struct yaml_walk *walk, const struct yaml_node *root);
void yaml_walk_close(struct yaml_walk *walk);

/* The next step: 1, or 0 after the last, or ATAMO_NO_MEMORY. LEAVE repeats the key and index of its
 * ENTER. */
int yaml_walk_next(struct yaml_walk *walk, struct yaml_step *step);

#endif
