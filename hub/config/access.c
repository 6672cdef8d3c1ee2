/* access - who may come in: the section `access:`.
 *
 * Happy path: the file of tokens that it names is read, and the generation holds what it says. Only
 * a hub that is to run needs it: rules are tested and simulated without. Fails if the file cannot
 * be read or is damaged.
 */
#include "access/tokens.h"
#include "config/config_inside.h"

/* The path, in the arena; NULL if none is given. */
static int path_of(const struct config *config, const struct format_access *access,
                   struct arena *arena, const char **path)
{
    const char *file = access->tokens.data;

    *path = NULL;
    if (access->tokens.size == 0)
        return ATAMO_OK;
    *path = arena_printf(arena, "%s%s", file[0] == '/' ? "" : config->folder, file);
    return *path == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;
}

/* What went wrong, if nothing else says so. */
static int say_why(struct building *building, const char *path, int status)
{
    struct problems *problems = building->problems;

    if (status == ATAMO_NOT_FOUND)
        problems_warn(problems, keys_place(building->top.access, "tokens"),
                      "`atamo token new CONFIG USER` makes this file with a first token");
    else if (status != ATAMO_OK && problems->errors == 0)
        (void)problems_add(problems, (struct place){path, 0, 0}, "cannot use it: %s",
                           atamo_status_text(status));
    return status == ATAMO_NO_MEMORY ? status : ATAMO_OK;
}

int build_access(struct building *building)
{
    struct format_access access;
    const char *path;
    int status = build_read(building, &format_access, building->top.access, &access);

    if (status == ATAMO_OK)
        status = path_of(building->config, &access, &building->scratch, &path);
    if (status != ATAMO_OK || path == NULL || building->context->depth != CONFIG_WHOLE)
        return status;
    status = tokens_open(path, building->problems, &building->generation->tokens);
    return say_why(building, path, status);
}

int config_token_file(const struct config *config, struct arena *arena, struct problems *problems,
                      const char **path)
{
    const struct place nowhere = {NULL, 0, 0};
    struct format_access access;
    struct format_top top;
    int status = keys_read(arena, &format_top, config->root, problems, &top);

    if (status == ATAMO_OK)
        status = keys_read(arena, &format_access, top.access, problems, &access);
    if (status == ATAMO_OK)
        status = problems_status(problems);
    if (status == ATAMO_OK)
        status = path_of(config, &access, arena, path);
    if (status == ATAMO_OK && *path == NULL)
        return problems_add(problems, top.access == NULL ? nowhere : yaml_place(top.access),
                            "the configuration names no file of tokens: access: {tokens: FILE}");
    return status;
}
