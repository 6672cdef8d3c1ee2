/* paths - what has been heard of each message that is still under way. */
#ifndef TRACE_PATHS_H
#define TRACE_PATHS_H

#include <atamo/telemetry.h>

#include <stdbool.h>

enum { PATHS_MAX = 4096, PATH_STEPS_MAX = 256, STEP_TEXT_MAX = 120 };

struct path_step {
    atamo_telemetry record;
    char text[STEP_TEXT_MAX];
};

struct path {
    uint64_t message; /* 0: free */
    struct path_step *steps;
    size_t count, room;
    uint64_t omitted; /* steps over PATH_STEPS_MAX */
};

struct paths {
    struct path list[PATHS_MAX]; /* a hash table by message, open addressing */
    size_t count;
};

/* The path of a message, made if it is new; NULL if there are too many. */
struct path *paths_get(struct paths *paths, uint64_t message);

/* Note one step; without memory it is only counted. */
void path_add(struct path *path, const atamo_telemetry *record);

/* Forget a message. */
void paths_drop(struct paths *paths, struct path *path);
void paths_close(struct paths *paths);

#endif
