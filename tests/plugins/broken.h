/* broken - the sound parts of plugins that do one thing wrong. */
#ifndef TESTS_PLUGINS_BROKEN_H
#define TESTS_PLUGINS_BROKEN_H

#include <atamo/agent.h>

static inline void broken_done(void *self, atamo_action action)
{
    atamo_done(self, action);
}

#define BROKEN_AGENT(function)         \
    static const atamo_agent agent = { \
        .size = sizeof agent, .mode = ATAMO_INLINE, .handle = (function)}
#define BROKEN_HEAD \
    ATAMO_PLUGIN_HEAD, .id = "broken", .version = "1.0.0", .summary = "does one thing wrong"

#endif
