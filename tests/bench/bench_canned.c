/* bench_canned - the HTTP library with a canned answer and nothing behind it: the limit of `bench
 * http`. Prints its port, then serves until it is ended by a signal.
 */
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>

static char answer[] =
    "{\"id\":\"01a1fd3f-7973-7010-8004-0763ddeb6c19\",\"message\":\"01a1fd3f-7973-7010-8004-"
    "0763ddeb6c19\",\"durability\":\"memory\",\"duplicate\":false,\"status_url\":\"/v1/events/"
    "01a1fd3f-7973-7010-8004-0763ddeb6c19\"}";

/* NOLINTNEXTLINE(readability-function-size): eight parameters, as the library has it */
static enum MHD_Result handle(void *user, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **place)
{
    struct MHD_Response *response;
    enum MHD_Result result;

    (void)user;
    (void)url;
    (void)method;
    (void)version;
    (void)data;
    if (*place == NULL) {
        *place = answer; /* anything: the headers were seen */
        return MHD_YES;
    }
    if (*size > 0) {
        *size = 0;
        return MHD_YES;
    }
    response = MHD_create_response_from_buffer(sizeof answer - 1, answer, MHD_RESPMEM_PERSISTENT);
    (void)MHD_add_response_header(response, "Content-Type", "application/json");
    result = MHD_queue_response(connection, MHD_HTTP_ACCEPTED, response);
    MHD_destroy_response(response);
    return result;
}

int main(void)
{
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, handle, NULL, MHD_OPTION_CONNECTION_LIMIT,
                         1000U, MHD_OPTION_END);
    struct pollfd polled = {.events = POLLIN};

    if (daemon == NULL)
        return 1;
    polled.fd = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    (void)printf("%u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    (void)fflush(stdout);
    for (;;) {
        (void)poll(&polled, 1, 1000);
        (void)MHD_run(daemon);
    }
}
