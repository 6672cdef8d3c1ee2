/* certificate - the files of a TLS certificate and its key.
 *
 * Happy path: both are read into memory, and remembered by size, time and number, so that a change
 * is seen without reading them. Whether they fit together is for the TLS library to say. Fails if
 * one cannot be read, or is too large to be what it should be.
 */
#include "certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20 };

static void wipe(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

static int refuse(const char *path, const char *what, char why[CERTIFICATE_WHY])
{
    (void)snprintf(why, CERTIFICATE_WHY, "cannot read %.160s: %s", path, what);
    return ATAMO_INVALID;
}

static int read_file(const char *path, struct stat *seen, char **text, char why[CERTIFICATE_WHY])
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *made = NULL;
    ssize_t size = -1;

    if (fd < 0)
        return refuse(path, strerror(errno), why); /* NOLINT(concurrency-mt-unsafe): glibc's is */
    if (fstat(fd, seen) == 0 && S_ISREG(seen->st_mode) && seen->st_size < FILE_MAX)
        made = calloc(1, (size_t)seen->st_size + 1);
    if (made != NULL)
        size = read(fd, made, (size_t)seen->st_size);
    (void)close(fd);
    if (size > 0 && strlen(made) == (size_t)size) {
        *text = made;
        return ATAMO_OK;
    }
    wipe(made);
    return refuse(path, "it is no PEM file", why);
}

int certificate_read(struct certificate *certificate, char why[CERTIFICATE_WHY])
{
    char *texts[2] = {NULL, NULL};
    struct stat seen[2];
    int status = read_file(certificate->paths[0], &seen[0], &texts[0], why);

    if (status == ATAMO_OK)
        status = read_file(certificate->paths[1], &seen[1], &texts[1], why);
    if (status != ATAMO_OK) {
        wipe(texts[0]);
        return status;
    }
    certificate_close(certificate);
    memcpy(certificate->texts, texts, sizeof texts);
    memcpy(certificate->seen, seen, sizeof seen);
    return ATAMO_OK;
}

bool certificate_has_changed(const struct certificate *certificate)
{
    for (size_t i = 0; i < 2; i++) {
        const struct stat *old = &certificate->seen[i];
        struct stat now;

        if (stat(certificate->paths[i], &now) == 0 &&
            (now.st_ino != old->st_ino || now.st_size != old->st_size ||
             now.st_mtim.tv_sec != old->st_mtim.tv_sec ||
             now.st_mtim.tv_nsec != old->st_mtim.tv_nsec))
            return true;
    }
    return false;
}

void certificate_close(struct certificate *certificate)
{
    wipe(certificate->texts[0]);
    wipe(certificate->texts[1]);
    certificate->texts[0] = NULL;
    certificate->texts[1] = NULL;
}
