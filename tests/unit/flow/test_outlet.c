/* The descriptor of a client, signalled by one thread while another quiets it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/outlet.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>

enum { ROUNDS = 300, SIGNALS = 2000 };

static void *signal_often(void *argument)
{
    for (unsigned i = 0; i < SIGNALS; i++)
        outlet_signal(argument);
    return NULL;
}

static bool is_readable(const struct outlet *outlet)
{
    struct pollfd polled = {.fd = outlet->bell.fd, .events = POLLIN};

    return poll(&polled, 1, 0) == 1;
}

/* Two strikes that were heard as one left the flag up: the next quiet() waited for ever. */
static void test_whatever_was_signalled_is_quieted_and_the_next_signal_is_heard(void **state)
{
    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct outlet outlet;
        pthread_t thread;

        assert_int_equal(outlet_open(&outlet), 0);
        assert_int_equal(pthread_create(&thread, NULL, signal_often, &outlet), 0);
        for (unsigned i = 0; i < SIGNALS; i++)
            outlet_quiet(&outlet);
        assert_int_equal(pthread_join(thread, NULL), 0);
        outlet_quiet(&outlet);
        assert_false(is_readable(&outlet));
        outlet_quiet(&outlet);
        outlet_signal(&outlet);
        assert_true(is_readable(&outlet));
        outlet_close(&outlet);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whatever_was_signalled_is_quieted_and_the_next_signal_is_heard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
