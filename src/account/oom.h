/* SPDX-License-Identifier: Apache-2.0 */
/* Deaths at a memory limit, told by the kernel: memory.events changes, inotify says so. */
#ifndef SUBLET_ACCOUNT_OOM_H
#define SUBLET_ACCOUNT_OOM_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

struct account_view;
struct sub_err;

struct oom_watched;
struct oom {
    int inotify_fd;
    struct oom_watched *items;
    size_t count;
};
#define OOM_NONE ((struct oom){.inotify_fd = -EBADF})

int oom_init(struct oom *oom, struct sub_err *err);
void oom_done(struct oom *oom);

/* Follows the tenants of the view, as they are opened and go. */
void oom_watch(struct oom *oom, const struct account_view *view);

/* Reads what has happened; tell for each tenant with kills since the last time. */
void oom_read(struct oom *oom, void (*tell)(void *context, const char *tenant, uint64_t kills),
              void *context);

#endif
