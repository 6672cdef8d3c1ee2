/* no_symbol - a shared object that is no plugin. */
#include <atamo/plugin.h>

ATAMO_EXPORT int not_a_plugin(void);

int not_a_plugin(void)
{
    return 0;
}
