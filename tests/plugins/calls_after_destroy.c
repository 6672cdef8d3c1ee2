/* calls_after_destroy - a thread of its own runs on, and logs. */
#include "broken.h"

#include <pthread.h>
#include <time.h>

static void *run(void *self)
{
    const struct timespec pause = {0, 2000000L};
    const atamo_host *host = self;

    for (int i = 0; i < 5; i++) {
        (void)nanosleep(&pause, NULL);
        host->log(host, ATAMO_LOG_INFO, "still here");
    }
    return NULL;
}

static int start(void *self)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, run, self) != 0)
        return ATAMO_IO;
    return pthread_detach(thread) == 0 ? ATAMO_OK : ATAMO_IO;
}

BROKEN_AGENT(broken_done);

ATAMO_PLUGIN = {BROKEN_HEAD, .start = start, .agent = &agent};
