/* hints - rules that can be read but hardly be meant: names that nothing else knows. */
#ifndef HUB_CONFIG_HINTS_H
#define HUB_CONFIG_HINTS_H

#include "config/config_inside.h"

/* Gather the names of event types, users and groups, after build_types() and build_users().
 * ATAMO_NO_MEMORY. */
int hints_gather(struct building *building);

/* A rule for an event type that the hub refuses is an error: it can never match. */
void hints_types(struct building *building, const struct key_texts *on);

/* A group that nobody is in, and a user who is not listed but nearly, are warnings. */
void hints_groups(struct building *building, const struct key_texts *groups);
void hints_user(struct building *building, struct place place, atamo_bytes user);

/* An attribute in `when` that no event can have, or that nearly is another one, is a warning. */
void hints_attributes(struct building *building, const struct yaml_node *when);

#endif
