/* power - a file system that loses what was not synced. See power.h.
 *
 * mount(8) finds the loop device and lets it go with the mount. The calls that sync are defined
 * here for everybody in this process and forwarded, unless somebody planted that they do nothing.
 */
#include "power.h"

#include "life.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/types.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHUT_DOWN  _IOR('X', 125, __u32)
#define EVERYBODYS __attribute__((visibility("default")))

enum { NO_LOG_FLUSH = 2, IMAGE_SIZE_MB = 320 };

struct power {
    char image[96], folder[96];
    const char *kind;
    pid_t owner;
    bool mounted;
};

static struct power the_power;
static bool never_syncs;

static void run(const char *command)
{
    must(system(command) == 0, command); /* NOLINT(concurrency-mt-unsafe): one thread */
}

static void mount_image(struct power *power)
{
    char command[512];

    (void)snprintf(command, sizeof command, "mount -o loop -t %s %s %s", power->kind, power->image,
                   power->folder);
    run(command);
    power->mounted = true;
}

/* A life that is forked must not unmount it when it ends. */
static void clean_up(void)
{
    if (the_power.mounted && the_power.owner == getpid())
        (void)umount2(the_power.folder, MNT_DETACH);
}

struct power *power_on(const char *folder, const char *kind)
{
    struct power *power = &the_power;
    char command[512];

    must(geteuid() == 0, "a power cut needs root, for a loop device and a mount");
    (void)snprintf(power->image, sizeof power->image, "%s/image", folder);
    (void)snprintf(power->folder, sizeof power->folder, "%s/mounted", folder);
    power->kind = kind;
    power->owner = getpid();
    must(mkdir(power->folder, 0700) == 0, "no folder to mount on");
    (void)snprintf(command, sizeof command, "truncate -s %dM %s && mkfs.%s -q %s %s", IMAGE_SIZE_MB,
                   power->image, kind, strcmp(kind, "ext4") == 0 ? "-F" : "-f", power->image);
    run(command);
    mount_image(power);
    (void)atexit(clean_up);
    return power;
}

const char *power_folder(const struct power *power)
{
    return power->folder;
}

void power_cut(struct power *power)
{
    const int fd = open(power->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const __u32 flag = NO_LOG_FLUSH;

    must(fd >= 0 && ioctl(fd, SHUT_DOWN, &flag) == 0, "the file system cannot be shut down");
    (void)close(fd);
}

void power_back(struct power *power)
{
    must(umount2(power->folder, 0) == 0, "somebody still has the file system open");
    power->mounted = false;
    mount_image(power);
}

void power_off(struct power *power)
{
    if (power == NULL)
        return;
    must(umount2(power->folder, 0) == 0, "somebody still has the file system open");
    power->mounted = false;
}

/* --- planted: nothing is synced */

void power_never_sync(void)
{
    never_syncs = true;
}

#define REAL(name) ((__typeof__(&(name)))(uintptr_t)dlsym(RTLD_NEXT, #name))

/* The C library's declarations name no parameters that anybody could use.
 * NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
EVERYBODYS int fdatasync(int fd)
{
    return never_syncs ? 0 : REAL(fdatasync)(fd);
}

EVERYBODYS int fsync(int fd)
{
    return never_syncs ? 0 : REAL(fsync)(fd);
}

EVERYBODYS int open(const char *path, int flags, ...)
{
    va_list list;
    mode_t mode = 0;

    va_start(list, flags);
    if ((flags & O_CREAT) != 0)
        mode = va_arg(list, mode_t);
    va_end(list);
    return REAL(open)(path, never_syncs ? flags & ~O_SYNC : flags, mode);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
