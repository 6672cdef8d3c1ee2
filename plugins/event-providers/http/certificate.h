/* certificate - the files of a TLS certificate and its key, read again when they change. */
#ifndef HTTP_CERTIFICATE_H
#define HTTP_CERTIFICATE_H

#include <atamo/plugin.h>

#include <stdbool.h>
#include <sys/stat.h>

enum { CERTIFICATE_WHY = 256 };

struct certificate {
    const char *paths[2]; /* certificate chain and key, PEM; "" both: no TLS */
    char *texts[2];
    struct stat seen[2];
};

static inline bool certificate_is_wanted(const struct certificate *certificate)
{
    return certificate->paths[0][0] != '\0';
}

/* Read both files. ATAMO_INVALID with a sentence in `why`: what was read before stays. */
int certificate_read(struct certificate *certificate, char why[CERTIFICATE_WHY]);

/* Have the files changed since they were read? */
bool certificate_has_changed(const struct certificate *certificate);

/* Wipe and free. */
void certificate_close(struct certificate *certificate);

#endif
