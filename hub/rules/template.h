/* template - JSON with holes that an event fills: the `with:` of an action.
 *
 * A template is any tree of maps, lists and scalars. In its texts `${path}` stands for a value of
 * the event: alone in a text it keeps its type, among other text it is written out (text without
 * quotes, everything else as its JSON). `${path:-default}` gives what to use where the path is
 * missing; a default that is alone and is a JSON scalar is that scalar, otherwise it is text.
 * `$${` is a literal `${`.
 *
 * Paths begin with an attribute of the event or with `data`: `data.items[0].name`, the same as
 * `data.items.0.name`; names that are not plain words are quoted: `data["odd name"]`.
 *
 * A compiled template is immutable and lives in the arena. Any thread may render it.
 */
#ifndef HUB_RULES_TEMPLATE_H
#define HUB_RULES_TEMPLATE_H

#include "base/arena.h"
#include "base/problems.h"
#include "rules/fields.h"
#include "yaml/yaml.h"

struct template;

/* Compile a tree; `node` may be NULL for null. Asks the plan, which must not be sealed, for the
 * fields it needs. What is wrong is in `problems` (ATAMO_INVALID), all of it in one run;
 * ATAMO_NO_MEMORY. The template borrows nothing from the tree. */
int template_compile(struct arena *arena, struct field_plan *plan, const struct yaml_node *node,
                     struct problems *problems, const struct template **compiled);

/* Write the template, filled from the last extraction of `scratch`, as JSON text without a NUL.
 * Allocates nothing. If a path is missing in the event and has no default:
 * ATAMO_NOT_FOUND, and *missing is its path as written, as long as the template lives.
 * ATAMO_TOO_LARGE if the text needs more than `capacity`: *size is what it needs, the buffer holds
 * nothing of use. */
int template_render(const struct template *template, const struct field_scratch *scratch,
                    char *buffer, size_t capacity, size_t *size, atamo_bytes *missing);

/* Whether the template is exactly `${data}`, so that the event's own data can be shared instead of
 * being copied. *field is its field number then. */
bool template_is_whole(const struct template *template, uint32_t *field);

#endif
