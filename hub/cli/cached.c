/* cached - how much an agent's cache has saved. A hub says nothing of a cache that was never asked.
 */
#include "cli/cached.h"

double agent_cached(const struct answer *answer, uint32_t at)
{
    const uint32_t cache = answer_member(answer, at, "cache");
    const double saved = cache == 0 ? 0
                                    : (double)answer_int(answer, cache, "hits") +
                                          (double)answer_int(answer, cache, "joins");
    const double asked = cache == 0 ? 0 : saved + (double)answer_int(answer, cache, "misses");

    return asked > 0 ? saved / asked : -1;
}
