/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owners for file descriptors and heap memory. An OWNED_FD is closed when it leaves its scope,
 * with errno kept; ownership moves out only by sub_take_fd. An empty fd is -EBADF, so a stray use
 * fails instead of hitting a stranger's descriptor.
 */
#ifndef SUBLET_BASE_FD_H
#define SUBLET_BASE_FD_H

#include <stddef.h>
#include <sys/types.h>

#include "sublet/base/err.h"

void sub_close(int *fd);             /* closes if >= 0, sets -EBADF, keeps errno */
int sub_take_fd(int *fd);            /* moves the descriptor out, leaves -EBADF */
void sub_freep(void *pointer_place); /* for OWNED_MEM */

/* unused: many are owned only to be closed, which clang does not count as a use */
#define OWNED_FD        __attribute__((cleanup(sub_close), unused)) int
#define OWNED_MEM       __attribute__((cleanup(sub_freep)))
#define sub_take(place) ((__typeof__(*(place))) sub_take_pointer(place))

/* Inline, for analyzers to see that the pointer moves and nothing is lost. */
static inline void *sub_take_pointer(void *pointer_place)
{
    void **place = (void **) pointer_place;
    void *taken = *place;

    *place = NULL;
    return taken;
}

/* Whole write of size bytes, EINTR-safe; 0 or -errno. */
int sub_write_all(int fd, const void *data, size_t size);
/* The same where the reader may have gone away: -EPIPE, but no SIGPIPE. The signal is held back for
 * the write and taken from the queue if it was ours; its disposition stays as the caller set it,
 * for a container inherits it. */
int sub_write_quietly(int fd, const void *data, size_t size);

/* Reads at most size bytes until end of file; returns the count or -errno. */
ssize_t sub_read_all(int fd, void *data, size_t size);

/* Reads a small file (dir_fd, name) into text, NUL-terminated, the last newline removed.
 * Returns its length or -errno; -EFBIG if it does not fit into size - 1 bytes. */
ssize_t sub_read_file_at(int dir_fd, const char *name, char *text, size_t size);

/* Reads a regular file of at most max bytes into heap memory with one NUL behind it. Anything but
 * a regular file (FIFO, device, folder) is refused without blocking. what names it in errors. */
int sub_load_file_at(int dir_fd, const char *name, size_t max, char **ret_text, size_t *ret_size,
                     struct sub_err *err);

#endif
