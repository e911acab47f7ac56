/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens in the groups of tenants, told by the kernel as it happens: memory.events changes
 * (processes were killed at a memory limit), somebody writes a file. One watch of inotify a
 * tenant, on its folder: what happens in those of its containers is not seen.
 */
#ifndef SUBLET_ACCOUNT_NOTICES_H
#define SUBLET_ACCOUNT_NOTICES_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct account_view;
struct sub_err;

struct notice_place;
struct notices {
    int inotify_fd;
    struct notice_place *places;
    size_t count;
};
#define NOTICES_NONE ((struct notices){.inotify_fd = -EBADF})

struct notice_calls {
    void (*killed)(void *context, const char *tenant, uint64_t kills);
    void (*written)(void *context, const char *tenant); /* NULL: nobody knows which */
    void *context;
};

int notices_init(struct notices *notices, struct sub_err *err);
void notices_done(struct notices *notices);

/* Follows the tenants of the view, as they are opened and go. What was written to a group before it
 * was followed nobody has told: it is suspected. */
void notices_follow(struct notices *notices, struct account_view *view);
/* Reads what has happened since the last time. */
void notices_read(struct notices *notices, const struct notice_calls *calls);

#endif
