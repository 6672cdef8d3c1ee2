/* power - a file system that loses what was not synced, as when the power goes.
 *
 * An image on a loop device is mounted; a cut shuts the file system down without writing its log
 * (FS_IOC_SHUTDOWN with the flag NOLOGFLUSH: linux/fs/xfs and ext4, ioctl _IOR('X', 125, __u32),
 * flag 2), the processes on it are killed, and it is mounted again. Needs root; without it the
 * process ends with a sentence, since a test that is skipped proves nothing.
 */
#ifndef TESTS_CRASH_POWER_H
#define TESTS_CRASH_POWER_H

struct power;

/* An image in `folder`, with a file system of this kind ("ext4", "xfs"), mounted. */
struct power *power_on(const char *folder, const char *kind);

/* Where it is mounted. */
const char *power_folder(const struct power *power);

/* The power goes. Then, when nobody has it open any more: it is back. */
void power_cut(struct power *power);
void power_back(struct power *power);

/* Unmount and forget; NULL is nothing. Also done when the process ends in any way but SIGKILL. */
void power_off(struct power *power);

/* Planted: no process that is forked from now on syncs anything. */
void power_never_sync(void);

#endif
