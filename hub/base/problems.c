/* problems - everything that is wrong with an input, said in one run.
 *
 * Adding formats the text into the list's own arena. It cannot fail towards its caller: a full list
 * counts what it omits, and without memory the text is lost but the error still counts.
 */
#include "base/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_COMPARED = 63 };

void problems_init(struct problems *problems)
{
    memset(problems, 0, sizeof *problems);
    arena_init(&problems->arena);
}

void problems_close(struct problems *problems)
{
    arena_close(&problems->arena);
    problems_init(problems);
}

static void add(struct problems *problems, struct place place, bool warning, const char *format,
                va_list args)
{
    char text[1024];
    struct problem *problem;
    const char *copy;

    if (!warning)
        problems->errors++;
    if (problems->count == PROBLEMS_MAX) {
        problems->omitted++;
        return;
    }
    (void)vsnprintf(text, sizeof text, format, args);
    copy = arena_copy(&problems->arena, atamo_text(text)).data;
    if (copy == NULL) {
        problems->no_memory = true;
        problems->omitted++;
        return;
    }
    problem = &problems->list[problems->count++];
    problem->place = place;
    if (place.file != NULL)
        problem->place.file = arena_copy(&problems->arena, atamo_text(place.file)).data;
    problem->warning = warning;
    problem->text = copy;
}

int problems_add(struct problems *problems, struct place place, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(problems, place, false, format, args);
    va_end(args);
    return ATAMO_INVALID;
}

void problems_warn(struct problems *problems, struct place place, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(problems, place, true, format, args);
    va_end(args);
}

int problems_status(const struct problems *problems)
{
    if (problems->no_memory)
        return ATAMO_NO_MEMORY;
    return problems->errors > 0 ? ATAMO_INVALID : ATAMO_OK;
}

/* Levenshtein distance of two short names, one row at a time. */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t row[NAME_MAX_COMPARED + 1];

    for (size_t j = 0; j <= b_size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            const size_t above = row[j];
            size_t best = diagonal + (a[i - 1] != b[j - 1]);

            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[b_size];
}

const char *problems_nearest(atamo_bytes name, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t limit = name.size / 3 > 1 ? name.size / 3 : 1;

    if (name.size > NAME_MAX_COMPARED)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const size_t size = strlen(names[i]);
        size_t far;

        if (size > NAME_MAX_COMPARED)
            continue;
        far = distance(name.data, name.size, names[i], size);
        if (far <= limit) {
            nearest = names[i];
            limit = far - (far > 0);
            if (far == 0)
                break;
        }
    }
    return nearest;
}
