/* fixture - a configuration given as text, built with the plugins of the test program. */
#ifndef TESTS_UNIT_CONFIG_FIXTURE_H
#define TESTS_UNIT_CONFIG_FIXTURE_H

#include "config/config.h"
#include "flow/host.h"
#include "unit/config/files.h"
#include "unit/config/plugins.h"

struct build_fixture {
    struct problems problems;
    struct plugin_counts counts;
    atamo_registration plugins[PLUGIN_COUNT];
    struct host_services services;
    struct names *names;
    struct generation *generation; /* of the last build */
    struct files files;
    yaml_environment environment;
};

static inline void fixture_log(void *user, int level, const char *instance, const char *line)
{
    (void)user;
    (void)level;
    (void)instance;
    (void)line;
}

static inline int fixture_open(void **state)
{
    struct build_fixture *f = calloc(1, sizeof *f);

    if (f == NULL || !files_open(&f->files))
        return -1;
    problems_init(&f->problems);
    plugins_fill(f->plugins, &f->counts);
    f->services.log.fn = fixture_log;
    f->names = names_open();
    *state = f;
    return f->names == NULL ? -1 : 0;
}

/* Fails the test if an instance or a compiled rule was left behind. */
static inline int fixture_close(void **state)
{
    struct build_fixture *f = *state;
    int status;

    generation_free(f->generation);
    status = f->counts.created == f->counts.destroyed && f->counts.compiled == f->counts.released;
    problems_close(&f->problems);
    names_close(f->names);
    files_close(&f->files);
    free(f);
    return status ? 0 : -1;
}

/* Read and build; *generation is set on success only. */
static inline int fixture_build_from(struct build_fixture *f, const struct config_source *source,
                                     struct generation *previous, struct generation **generation)
{
    const struct config_context context = {
        .depth = CONFIG_WHOLE,
        .names = f->names,
        .plugins = f->plugins,
        .plugin_count = PLUGIN_COUNT,
        .host = host_table(),
        .hub = &f->services,
        .previous = previous,
    };
    struct config *config = NULL;
    int status = config_read(source, &f->problems, &config);

    if (status == ATAMO_OK)
        status = config_build(config, &context, &f->problems, generation);
    config_free(config);
    return status;
}

/* Build a text anew: problems and generation of the last build are forgotten. */
static inline int fixture_build(struct build_fixture *f, const char *text)
{
    const struct config_source source = {.text = atamo_text(text), .environment = f->environment};

    generation_free(f->generation);
    f->generation = NULL;
    problems_close(&f->problems);
    return fixture_build_from(f, &source, NULL, &f->generation);
}

/* The same for a file of the fixture's folder. */
static inline int fixture_build_file(struct build_fixture *f, const char *name)
{
    const struct config_source source = {.path = files_path(&f->files, name),
                                         .environment = f->environment};

    generation_free(f->generation);
    f->generation = NULL;
    problems_close(&f->problems);
    return fixture_build_from(f, &source, NULL, &f->generation);
}

#endif
