/* paths - what has been heard of each message that is still under way.
 *
 * A fixed table, so that a flood cannot fill the memory: messages that find no place are not
 * traced.
 */
#include "paths.h"

#include <stdlib.h>

static size_t place_of(uint64_t message)
{
    return (size_t)((message * UINT64_C(0x9e3779b97f4a7c15)) >> 52) % PATHS_MAX;
}

struct path *paths_get(struct paths *paths, uint64_t message)
{
    size_t at = place_of(message);

    for (size_t tries = 0; tries < PATHS_MAX; tries++, at = (at + 1) % PATHS_MAX) {
        if (paths->list[at].message == message)
            return &paths->list[at];
        if (paths->list[at].message != 0)
            continue;
        if (paths->count > PATHS_MAX / 2)
            return NULL;
        paths->count++;
        paths->list[at].message = message;
        return &paths->list[at];
    }
    return NULL;
}

void path_add(struct path *path, const atamo_telemetry *record)
{
    struct path_step *steps;

    if (path->count == path->room) {
        const size_t room = path->room == 0 ? 8 : path->room * 2;

        steps = room > PATH_STEPS_MAX ? NULL : realloc(path->steps, room * sizeof *steps);
        if (steps == NULL) {
            path->omitted++;
            return;
        }
        path->steps = steps;
        path->room = room;
    }
    path->steps[path->count].record = *record;
    (void)atamo_telemetry_text(record, path->steps[path->count].text, STEP_TEXT_MAX);
    path->count++;
}

/* Move what stands behind the gap back, so that no search stops too early. */
static void close_gap(struct paths *paths, size_t gap)
{
    for (size_t at = (gap + 1) % PATHS_MAX; paths->list[at].message != 0;
         at = (at + 1) % PATHS_MAX) {
        const size_t wanted = place_of(paths->list[at].message);

        if ((at + PATHS_MAX - wanted) % PATHS_MAX < (at + PATHS_MAX - gap) % PATHS_MAX)
            continue;
        paths->list[gap] = paths->list[at];
        paths->list[at] = (struct path){0};
        gap = at;
    }
}

void paths_drop(struct paths *paths, struct path *path)
{
    const size_t gap = (size_t)(path - paths->list);

    free(path->steps);
    *path = (struct path){0};
    paths->count--;
    close_gap(paths, gap);
}

void paths_close(struct paths *paths)
{
    for (size_t i = 0; i < PATHS_MAX; i++)
        free(paths->list[i].steps);
}
