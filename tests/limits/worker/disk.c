/* SPDX-License-Identifier: Apache-2.0 */
/* A disk or a file on it, read or written round and round. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker.h"

#define FILE_BYTES (16u << 20)

static struct {
    const char *path;
    uint64_t block_bytes, size_bytes;
    _Atomic uint64_t next; /* block */
    bool writes, is_direct, syncs;
} disk;

static int open_disk(void)
{
    int fd = open(disk.path,
                  (disk.writes ? O_RDWR : O_RDONLY) | O_CLOEXEC | (disk.is_direct ? O_DIRECT : 0));

    /* What an earlier reader left in memory is no disk. */
    if (fd >= 0 && !disk.is_direct)
        (void) posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    return fd;
}

static bool one_round(int fd, void *block)
{
    uint64_t blocks = disk.size_bytes / disk.block_bytes;
    off_t at = (off_t) (atomic_fetch_add(&disk.next, 1) % blocks * disk.block_bytes);
    ssize_t moved = disk.writes ? pwrite(fd, block, disk.block_bytes, at)
                                : pread(fd, block, disk.block_bytes, at);

    if (moved != (ssize_t) disk.block_bytes || (disk.syncs && fdatasync(fd) < 0)) {
        (void) complain(disk.path);
        return false;
    }
    return true;
}

static void *go_round(void *context)
{
    const struct work *work = context;
    void *block = NULL;
    int fd = open_disk();

    if (fd < 0 || posix_memalign(&block, 4096, disk.block_bytes) != 0) {
        (void) complain(disk.path);
        return NULL;
    }
    memset(block, 'x', disk.block_bytes);
    while (!board_is_over(work)) {
        uint64_t began_ns = clock_now_ns();

        if (!one_round(fd, block))
            break;
        work_timed(work, began_ns);
        work_done(work, disk.block_bytes);
    }
    (void) close(fd);
    return NULL;
}

/* Of a disk, or of the file as it is. A file that is not there is made: its pages are charged to
 * the group that first writes it, so a writer wants a file of its own. */
static int find_size(void)
{
    int fd = open(disk.path, (disk.writes ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC, 0600);
    int rc = fd < 0 ? -1 : 0;
    struct stat info;

    if (rc == 0)
        rc = fstat(fd, &info);
    if (rc == 0 && S_ISBLK(info.st_mode))
        rc = ioctl(fd, BLKGETSIZE64, &disk.size_bytes);
    else if (rc == 0 && info.st_size == 0 && disk.writes)
        rc = ftruncate(fd, (off_t) (disk.size_bytes = FILE_BYTES));
    else if (rc == 0)
        disk.size_bytes = (uint64_t) info.st_size;
    if (rc < 0 || disk.size_bytes < disk.block_bytes)
        return complain(disk.path);
    (void) close(fd);
    return 0;
}

/* disk read|write direct|buffered|synced PATH BLOCK THREADS; synced: buffered, each block flushed
 */
int mode_disk(struct work *work)
{
    char **argument = work->arguments;

    disk.writes = strcmp(argument[0], "write") == 0;
    disk.is_direct = strcmp(argument[1], "direct") == 0;
    disk.syncs = strcmp(argument[1], "synced") == 0;
    disk.path = argument[2];
    disk.block_bytes = number(argument[3]);
    if (find_size() != 0)
        return 1;
    return work_report(work, (unsigned) number(argument[4]), go_round);
}
