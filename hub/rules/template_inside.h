/* template_inside - the compiled form, shared by those who build and who render it. */
#ifndef HUB_RULES_TEMPLATE_INSIDE_H
#define HUB_RULES_TEMPLATE_INSIDE_H

#include "rules/template.h"

enum template_hole {
    TEMPLATE_NO_HOLE,
    TEMPLATE_VALUE,  /* where a JSON value stands */
    TEMPLATE_INSIDE, /* between the quotes of a text */
};

/* Bytes that are copied as they are, and what comes after them. */
struct template_part {
    atamo_bytes literal;
    enum template_hole hole;
    uint32_t field;
    atamo_bytes path;     /* as written, for messages */
    atamo_bytes fallback; /* JSON, or escaped text; `data` NULL: none */
};

struct template
{
    const struct template_part *parts;
    size_t count;
    bool whole; /* exactly `${data}` */
};

#endif
