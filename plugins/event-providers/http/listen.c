/* listen - sockets to listen on.
 *
 * Happy path: the text is taken apart, the address is bound, the port that the system chose is read
 * back. Only numbers are addresses: names would have to be resolved, and may mean several. A file
 * that is in the way of a Unix socket is removed only if it is a socket that nobody answers on.
 */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 4096, PORT_MAX = 65535 };

static const char unix_prefix[] = "unix:";

union address {
    struct sockaddr any;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
};

static bool read_port(const char *text, uint16_t *port)
{
    char *end;
    const unsigned long number = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || number > PORT_MAX)
        return false;
    *port = htons((uint16_t)number);
    return true;
}

/* "HOST:PORT" or "[HOST]:PORT"; 0: it is neither. */
static socklen_t read_ip(const char *text, union address *address)
{
    const char *colon = strrchr(text, ':');
    const bool six = text[0] == '[';
    char host[INET6_ADDRSTRLEN + 2] = "";
    size_t size;

    if (colon == NULL || (six && (colon == text || colon[-1] != ']')))
        return 0;
    size = (size_t)(colon - text) - (six ? 2 : 0);
    if (size >= sizeof host)
        return 0;
    memcpy(host, text + six, size);
    if (six) {
        address->in6.sin6_family = AF_INET6;
        return inet_pton(AF_INET6, host, &address->in6.sin6_addr) == 1 &&
                       read_port(colon + 1, &address->in6.sin6_port)
                   ? sizeof address->in6
                   : 0;
    }
    address->in4.sin_family = AF_INET;
    return inet_pton(AF_INET, host, &address->in4.sin_addr) == 1 &&
                   read_port(colon + 1, &address->in4.sin_port)
               ? sizeof address->in4
               : 0;
}

static bool is_local(const union address *address)
{
    switch (address->any.sa_family) {
    case AF_INET:
        return (ntohl(address->in4.sin_addr.s_addr) >> 24) == 127;
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(&address->in6.sin6_addr) != 0;
    default:
        return true;
    }
}

/* Is there a socket that its owner left behind? */
static bool is_left_behind(const union address *address, socklen_t size)
{
    struct stat status;
    bool answered;
    int fd;

    if (lstat(address->un.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    answered = connect(fd, &address->any, size) == 0 || errno != ECONNREFUSED;
    (void)close(fd);
    return !answered;
}

/* Only this user and group may connect until somebody changes the file's mode. */
static int bind_unix(struct listener *listener, const union address *address, socklen_t size)
{
    if (is_left_behind(address, size))
        (void)unlink(address->un.sun_path);
    if (bind(listener->fd, &address->any, size) != 0)
        return errno;
    listener->path = strdup(address->un.sun_path);
    if (listener->path == NULL || chmod(address->un.sun_path, 0660) != 0)
        return listener->path == NULL ? ENOMEM : errno;
    (void)snprintf(listener->name, sizeof listener->name, "%s%s", unix_prefix, listener->path);
    return 0;
}

static int bind_ip(struct listener *listener, union address *address, socklen_t size)
{
    const int on = 1;
    char host[INET6_ADDRSTRLEN] = "";
    const bool six = address->any.sa_family == AF_INET6;

    (void)setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (six)
        (void)setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(listener->fd, &address->any, size) != 0 ||
        getsockname(listener->fd, &address->any, &size) != 0)
        return errno;
    (void)inet_ntop(address->any.sa_family,
                    six ? (const void *)&address->in6.sin6_addr : &address->in4.sin_addr, host,
                    sizeof host);
    (void)snprintf(listener->name, sizeof listener->name, six ? "[%s]:%u" : "%s:%u", host,
                   ntohs(six ? address->in6.sin6_port : address->in4.sin_port));
    return 0;
}

static socklen_t read_address(const char *text, union address *address)
{
    const size_t prefix = sizeof unix_prefix - 1;

    memset(address, 0, sizeof *address);
    if (strncmp(text, unix_prefix, prefix) != 0)
        return read_ip(text, address);
    if (strlen(text) == prefix || strlen(text) - prefix >= sizeof address->un.sun_path)
        return 0;
    address->un.sun_family = AF_UNIX;
    memcpy(address->un.sun_path, text + prefix, strlen(text) - prefix + 1);
    return sizeof address->un;
}

int listener_open(struct listener *listener, const char *text, char why[LISTEN_WHY])
{
    union address address;
    char words[128];
    const socklen_t size = read_address(text, &address);
    int error;

    *listener = (struct listener){.fd = -1};
    if (size == 0) {
        (void)snprintf(why, LISTEN_WHY,
                       "\"%.80s\" is no address: expected 127.0.0.1:8080, [::1]:8080 or unix:/path",
                       text);
        return ATAMO_INVALID;
    }
    listener->local = is_local(&address);
    listener->fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    error = listener->fd < 0                   ? errno
            : address.any.sa_family == AF_UNIX ? bind_unix(listener, &address, size)
                                               : bind_ip(listener, &address, size);
    if (error == 0 && listen(listener->fd, BACKLOG) != 0)
        error = errno;
    if (error == 0)
        return ATAMO_OK;
    listener_close(listener);
    (void)snprintf(why, LISTEN_WHY, "cannot listen on %.80s: %s", text,
                   strerror_r(error, words, sizeof words));
    return error == EADDRINUSE ? ATAMO_EXISTS : ATAMO_IO;
}

void listener_close(struct listener *listener)
{
    if (listener->fd >= 0)
        (void)close(listener->fd);
    if (listener->path != NULL)
        (void)unlink(listener->path);
    free(listener->path);
    *listener = (struct listener){.fd = -1};
}
