/* Sockets from texts: what is an address, who can reach it, what is in the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../../plugins/event-providers/http/listen.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/atamo-listen-XXXXXX";

static int open_at(struct listener *listener, const char *address)
{
    char why[LISTEN_WHY] = "";
    const int status = listener_open(listener, address, why);

    assert_true((status == ATAMO_OK) == (why[0] == '\0'));
    assert_true((status == ATAMO_OK) == (listener->fd >= 0));
    return status;
}

static void test_port_0_is_replaced_by_the_one_that_was_taken(void **state)
{
    struct listener listener;
    struct listener second;

    (void)state;
    assert_int_equal(open_at(&listener, "127.0.0.1:0"), ATAMO_OK);
    assert_true(listener.local);
    assert_memory_equal(listener.name, "127.0.0.1:", 10);
    assert_true(strtoul(listener.name + 10, NULL, 10) > 0);
    assert_int_equal(open_at(&second, listener.name), ATAMO_EXISTS);
    listener_close(&listener);
    assert_int_equal(listener.fd, -1);
}

static void test_who_can_reach_an_address(void **state)
{
    static const struct {
        const char *address;
        bool local;
    } cases[] = {{"127.0.0.1:0", true},
                 {"127.9.9.9:0", true},
                 {"[::1]:0", true},
                 {"0.0.0.0:0", false},
                 {"[::]:0", false}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct listener listener;

        assert_int_equal(open_at(&listener, cases[i].address), ATAMO_OK);
        assert_true(listener.local == cases[i].local);
        listener_close(&listener);
    }
}

static void test_texts_that_are_no_addresses(void **state)
{
    static const char *const texts[] = {"",
                                        ":",
                                        ":80",
                                        "[",
                                        "]",
                                        "[]:80",
                                        "]:80",
                                        "[:80",
                                        "[::1]",
                                        "[::1]:",
                                        "[::1]80",
                                        "::1:80",
                                        "1.2.3.4",
                                        "1.2.3:80",
                                        "1.2.3.4:",
                                        "1.2.3.4:x",
                                        "1.2.3.4:80x",
                                        "1.2.3.4:-1",
                                        "localhost:",
                                        "unix:",
                                        "unix",
                                        "1.2.3.4: 80",
                                        "1.2.3.4:+80",
                                        "[1.2.3.4]:80",
                                        "1.2.3.4:65536",
                                        "256.0.0.1:80",
                                        "1.2.3.4:99999999999999999999"};
    char path[300] = "unix:/tmp/";

    (void)state;
    memset(path + strlen(path), 'x', sizeof path - strlen(path) - 1);
    path[sizeof path - 1] = '\0';
    for (size_t i = 0; i <= sizeof texts / sizeof texts[0]; i++) {
        struct listener listener;
        const char *text = i < sizeof texts / sizeof texts[0] ? texts[i] : path;

        assert_int_equal(open_at(&listener, text), ATAMO_INVALID);
        listener_close(&listener);
    }
}

static void test_a_unix_socket_is_replaced_only_if_nobody_answers(void **state)
{
    struct listener first;
    struct listener second;
    struct stat status;
    char address[80];

    (void)state;
    (void)snprintf(address, sizeof address, "unix:%s/socket", folder);
    assert_int_equal(open_at(&first, address), ATAMO_OK);
    assert_true(first.local);
    assert_string_equal(first.name, address);
    assert_int_equal(stat(address + 5, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0660);
    assert_int_equal(open_at(&second, address), ATAMO_EXISTS);
    assert_int_equal(stat(address + 5, &status), 0);

    assert_int_equal(close(first.fd), 0); /* as if its owner had been killed */
    first.fd = -1;
    assert_int_equal(open_at(&second, address), ATAMO_OK);
    listener_close(&second);
    assert_int_not_equal(stat(address + 5, &status), 0);
    listener_close(&first);
}

static void test_a_file_that_is_no_socket_stays(void **state)
{
    struct listener listener;
    char address[80];
    char byte = 0;
    int fd;

    (void)state;
    (void)snprintf(address, sizeof address, "unix:%s/file", folder);
    fd = open(address + 5, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(open_at(&listener, address), ATAMO_EXISTS);
    assert_int_equal(pread(fd, &byte, 1, 0), 1);
    assert_int_equal(byte, 'x');
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(address + 5), 0);
    (void)snprintf(address, sizeof address, "unix:%s/none/socket", folder);
    assert_int_equal(open_at(&listener, address), ATAMO_IO);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_port_0_is_replaced_by_the_one_that_was_taken),
        cmocka_unit_test(test_who_can_reach_an_address),
        cmocka_unit_test(test_texts_that_are_no_addresses),
        cmocka_unit_test(test_a_unix_socket_is_replaced_only_if_nobody_answers),
        cmocka_unit_test(test_a_file_that_is_no_socket_stays),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
