/* check - findings, instances under check, and the child process that a check runs in.
 *
 * Happy path: a child runs the check with its streams in a memory file, writes its findings into
 * shared memory and exits with 0. A child that dies, exits by itself or takes too long becomes a
 * finding that names the call it was in.
 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHECK_WAITS = 4, CHECK_SPARE_MS = 3000, CHECK_POLL_MS = 5, CHECK_OUTPUT = 400 };

void check_at(const struct check *check, const char *where)
{
    (void)snprintf(check->shared->where, sizeof check->shared->where, "%s", where);
}

void check_fail(const struct check *check, const char *format, ...)
{
    struct check_shared *shared = check->shared;
    va_list args;

    if (shared->count == CHECK_FINDINGS)
        return;
    va_start(args, format);
    (void)vsnprintf(shared->findings[shared->count], CHECK_TEXT, format, args);
    va_end(args);
    for (uint32_t i = 0; i < shared->count; i++)
        if (strcmp(shared->findings[i], shared->findings[shared->count]) == 0)
            return; /* said already */
    shared->count++;
}

void check_note(const struct check *check, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(check->shared->note, sizeof check->shared->note, format, args);
    va_end(args);
}

/* --- instances */

atamo_test_host *check_open(const struct check *check)
{
    const atamo_test_settings settings = {.size = sizeof settings,
                                          .flags = ATAMO_TEST_QUIET | ATAMO_TEST_REAL_TIME,
                                          .file = check->file,
                                          .config = check->config,
                                          .instance = "check"};
    atamo_test_host *host = NULL;
    char why[ATAMO_TEST_WHY];

    check_at(check, "loading the file");
    if (atamo_test_open(&settings, &host, why) == ATAMO_OK)
        return host;
    check_fail(check, "%.900s%s", why,
               strstr(why, "is required") == NULL ? "" : "; give it with --config 'KEY: VALUE'");
    return NULL;
}

static void fail_call(const struct check *check, const atamo_test_host *host, const char *call,
                      int status)
{
    const char *refusal = atamo_test_refusal(host);

    if (refusal[0] != '\0')
        check_fail(check, "%s failed: %s", call, refusal);
    else
        check_fail(check, "%s failed (%s) without saying why: return atamo_refuse(host, ...)", call,
                   atamo_status_text(status));
}

atamo_test_host *check_create(const struct check *check)
{
    atamo_test_host *host = check_open(check);
    int status;

    if (host == NULL)
        return NULL;
    check_at(check, "create()");
    status = atamo_test_create(host);
    if (status == ATAMO_OK)
        return host;
    fail_call(check, host, "create()", status);
    (void)atamo_test_close(host);
    return NULL;
}

atamo_test_host *check_run(const struct check *check)
{
    atamo_test_host *host = check_create(check);
    int status;

    if (host == NULL)
        return NULL;
    check_at(check, "start()");
    status = atamo_test_start(host);
    if (status == ATAMO_OK)
        return host;
    fail_call(check, host, "start()", status);
    check_at(check, "destroy() after a failed start()");
    (void)atamo_test_close(host);
    return NULL;
}

void check_close(const struct check *check, atamo_test_host *host)
{
    check_at(check, "drain()");
    (void)atamo_test_drain(host);
    check_at(check, "destroy()");
    (void)atamo_test_destroy(host);
    check_at(check, "a thread that runs on after destroy()");
    (void)atamo_test_loop(host, 20);
    for (size_t i = 0; i < atamo_test_misuse_count(host); i++)
        check_fail(check, "%.1000s", atamo_test_misuse(host, i));
    /* Whoever misuses a host may do so for longer: leave it where it is. */
    if (atamo_test_misuse_count(host) == 0)
        (void)atamo_test_close(host);
}

/* --- the child */

_Noreturn static void run_child(const struct check *check, const struct check_case *one, int output)
{
    const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(output, STDERR_FILENO) < 0)
        _exit(70);
    (void)close(nothing);
    one->run(check);
    check_at(check, "its destructors, at exit");
    exit(0); /* NOLINT(concurrency-mt-unsafe) */
}

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Wait for the child's end; false if it took too long and was killed. */
static bool wait_child(pid_t child, int64_t limit_ms, int *result)
{
    const int64_t until = now_ms() + limit_ms;
    const struct timespec pause = {0, CHECK_POLL_MS * 1000000L};

    while (waitpid(child, result, WNOHANG) == 0) {
        if (now_ms() > until) {
            (void)kill(child, SIGKILL);
            (void)waitpid(child, result, 0);
            return false;
        }
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

/* The end of what the child wrote, to go with a crash. */
static void read_output(int output, char text[CHECK_OUTPUT])
{
    const off_t size = lseek(output, 0, SEEK_END);
    const off_t from = size > CHECK_OUTPUT - 1 ? size - (CHECK_OUTPUT - 1) : 0;
    const ssize_t got = pread(output, text, CHECK_OUTPUT - 1, from);

    text[got > 0 ? got : 0] = '\0';
}

bool check_case_run(const struct check *check, const struct check_case *one)
{
    struct check_shared *shared = check->shared;
    const int output = memfd_create("output", MFD_CLOEXEC);
    char text[CHECK_OUTPUT] = "";
    int result = 0;
    pid_t child;

    shared->count = 0;
    shared->note[0] = '\0';
    check_at(check, "the beginning");
    child = output < 0 ? -1 : fork();
    if (child == 0)
        run_child(check, one, output);
    if (child < 0) {
        check_fail(check, "no child process: %s", strerrordesc_np(errno));
    } else if (!wait_child(child, (int64_t)check->limit_ms * CHECK_WAITS + CHECK_SPARE_MS,
                           &result)) {
        check_fail(check, "did not return from %s within the limit", shared->where);
    } else if (WIFSIGNALED(result)) {
        read_output(output, text);
        check_fail(check, "crashed by signal %d (%s) in %s%s%s", WTERMSIG(result),
                   sigdescr_np(WTERMSIG(result)), shared->where, text[0] == '\0' ? "" : "\n", text);
    } else if (WEXITSTATUS(result) != 0) {
        read_output(output, text);
        check_fail(check, "the process exited with %d in %s: a plugin must not end it\n%s",
                   WEXITSTATUS(result), shared->where, text);
    }
    if (output >= 0)
        (void)close(output);
    return shared->count == 0;
}
