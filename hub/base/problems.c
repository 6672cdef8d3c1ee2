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

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters to insert, delete, change or swap with their neighbour make one name the other:
 * optimal string alignment, three rows at a time. */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t rows[3][NAME_MAX_COMPARED + 1];

    for (size_t i = 0; i <= a_size; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *second = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            if (i == 0) {
                row[j] = j;
                continue;
            }
            row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], second[j - 2] + 1);
        }
    }
    return rows[a_size % 3][b_size];
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
