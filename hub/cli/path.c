/* path - the path and query of a request, escaped as RFC 3986 wants it.
 *
 * Happy path: letters, digits and -._~ stand for themselves, every other byte becomes %XX. What
 * does not fit is left out and remembered; path_is_good() says so before anything is sent.
 */
#include "cli/path.h"

#include "cli/cli.h"

#include <string.h>

static void add_byte(struct path *path, char byte)
{
    if (path->size + 1 < sizeof path->text) {
        path->text[path->size++] = byte;
        path->text[path->size] = '\0';
    } else {
        path->too_long = true;
    }
}

void path_begin(struct path *path, const char *start)
{
    *path = (struct path){.size = 0};
    path_add(path, start);
}

void path_add(struct path *path, const char *part)
{
    for (; *part != '\0'; part++)
        add_byte(path, *part);
}

static bool stands_for_itself(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || (byte != '\0' && strchr("-._~", byte) != NULL);
}

void path_add_escaped(struct path *path, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";

    for (; *text != '\0'; text++) {
        if (stands_for_itself(*text)) {
            add_byte(path, *text);
            continue;
        }
        add_byte(path, '%');
        add_byte(path, digits[(unsigned char)*text >> 4]);
        add_byte(path, digits[(unsigned char)*text & 15]);
    }
}

void path_query(struct path *path, const char *name, const char *value)
{
    if (value == NULL)
        return;
    add_byte(path, path->has_query ? '&' : '?');
    path->has_query = true;
    path_add(path, name);
    add_byte(path, '=');
    path_add_escaped(path, value);
}

bool path_is_good(const struct path *path)
{
    if (path->too_long)
        cli_say("that is too long to be asked for");
    return !path->too_long;
}
