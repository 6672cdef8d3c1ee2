/* control - the extension "atamo.control/1". */
#ifndef HUB_API_CONTROL_H
#define HUB_API_CONTROL_H

/* The table, or NULL for another name. */
const void *control_extension(const char *name);

#endif
