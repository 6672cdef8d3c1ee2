/* casing - text compared without regard to case.
 *
 * Happy path: each character is looked up once, while rules are compiled; matching then compares
 * bytes with one of two forms. No form is the beginning (or end) of the other, so the first that
 * fits is the only one. Fails only without memory while compiling.
 */
#include "rules/casing.h"

#include "rules/casing_table.h"

#include <stdint.h>
#include <string.h>

enum { FORM_MAX = 12 }; /* bytes of one case of one character: at most three of up to three */

struct forms {
    unsigned char lower_size, upper_size;
    char lower[FORM_MAX], upper[FORM_MAX];
};

static unsigned char put_point(uint32_t point, char *out)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    out[0] = (char)(0xe0 | point >> 12);
    out[1] = (char)(0x80 | (point >> 6 & 0x3f));
    out[2] = (char)(0x80 | (point & 0x3f));
    return 3;
}

static bool find_special(uint32_t point, struct forms *forms)
{
    for (size_t i = 0; i < casing_special_count; i++) {
        const struct casing_special *special = &casing_specials[i];

        if (special->point != point)
            continue;
        forms->lower_size = (unsigned char)strlen(special->lower);
        forms->upper_size = (unsigned char)strlen(special->upper);
        memcpy(forms->lower, special->lower, forms->lower_size);
        memcpy(forms->upper, special->upper, forms->upper_size);
        return true;
    }
    return false;
}

static void find_forms(uint32_t point, struct forms *forms)
{
    uint32_t lower = point;
    uint32_t upper = point;

    if (point >= 0x80 && find_special(point, forms))
        return;
    for (size_t i = 0; i < casing_run_count && casing_runs[i].first <= point; i++) {
        const struct casing_run *run = &casing_runs[i];

        if (point > run->last)
            continue;
        if (run->step == 0) {
            const bool small = (point - run->first) % 2 != 0;

            lower = small ? point : point + 1;
            upper = small ? point - 1 : point;
        } else if ((point - run->first) % run->step == 0) {
            lower = point + (uint32_t)run->lower;
            upper = point + (uint32_t)run->upper;
        }
    }
    forms->lower_size = put_point(lower, forms->lower);
    forms->upper_size = put_point(upper, forms->upper);
}

/* The character at `at` of UTF-8 text (checked when the configuration was read), and its size. */
static uint32_t read_point(atamo_bytes text, size_t at, size_t *size)
{
    const unsigned char *c = (const unsigned char *)text.data + at;
    const size_t left = text.size - at;

    *size = 1;
    if (c[0] < 0xc0)
        return c[0];
    if (c[0] < 0xe0 && left >= 2) {
        *size = 2;
        return (c[0] & 0x1fu) << 6 | (c[1] & 0x3fu);
    }
    if (c[0] < 0xf0 && left >= 3) {
        *size = 3;
        return (c[0] & 0xfu) << 12 | (c[1] & 0x3fu) << 6 | (c[2] & 0x3fu);
    }
    *size = left >= 4 ? 4 : left;
    return 0x10000;
}

static size_t put_forms(uint32_t point, char *out)
{
    struct forms forms;
    size_t size = 0;

    if (point >= 0x10000) {
        for (; size < 8; size += 2) {
            out[size] = 1;
            out[size + 1] = '?';
        }
        return size;
    }
    find_forms(point, &forms);
    out[size++] = (char)forms.lower_size;
    memcpy(out + size, forms.lower, forms.lower_size);
    size += forms.lower_size;
    out[size++] = (char)forms.upper_size;
    memcpy(out + size, forms.upper, forms.upper_size);
    return size + forms.upper_size;
}

/* Swap the order of whole characters, in place: turn everything, then each character back. */
static void reverse(char *forms, const unsigned char *sizes, size_t count, size_t total,
                    char *spare)
{
    size_t from = 0;

    memcpy(spare, forms, total);
    for (size_t i = 0; i < count; i++) {
        memcpy(forms + total - from - sizes[i], spare + from, sizes[i]);
        from += sizes[i];
    }
}

const struct casing *casing_compile(struct arena *arena, atamo_bytes text, bool backward)
{
    const size_t room = text.size * (2 * FORM_MAX + 2) + 1;
    struct casing *casing = arena_alloc(arena, sizeof *casing);
    struct arena work;
    unsigned char *sizes;
    char *forms;
    size_t total = 0;
    size_t count = 0;

    arena_init(&work);
    forms = arena_alloc(&work, 2 * room);
    sizes = arena_alloc(&work, text.size + 1);
    if (casing == NULL || forms == NULL || sizes == NULL) {
        arena_close(&work);
        return NULL;
    }
    for (size_t at = 0, size; at < text.size; at += size) {
        sizes[count] = (unsigned char)put_forms(read_point(text, at, &size), forms + total);
        total += sizes[count++];
    }
    if (backward)
        reverse(forms, sizes, count, total, forms + room);
    *casing = (struct casing){text, arena_copy(arena, (atamo_bytes){forms, total}), backward};
    arena_close(&work);
    return casing->forms.data == NULL ? NULL : casing;
}

static bool fits(const struct casing *casing, const char *form, size_t size, atamo_bytes text,
                 size_t done)
{
    if (size > text.size - done)
        return false;
    return memcmp(casing->backward ? text.data + text.size - done - size : text.data + done, form,
                  size) == 0;
}

long casing_covers(const struct casing *casing, atamo_bytes text)
{
    const char *form = casing->forms.data;
    const char *end = form + casing->forms.size;
    size_t done = 0;

    while (form < end) {
        const size_t lower = (unsigned char)form[0];
        const size_t upper = (unsigned char)form[1 + lower];

        if (fits(casing, form + 1, lower, text, done))
            done += lower;
        else if (fits(casing, form + 2 + lower, upper, text, done))
            done += upper;
        else
            return -1;
        form += 2 + lower + upper;
    }
    return (long)done;
}
