/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contracts whose files somebody else has written, or the kernel has changed: found, put right and
 * told. What is written is looked at in the window in which that happens; what changes in silence
 * (the kernel scales a period it finds too short, a group is made anew) within one interval, since
 * each window looks at its part of all tenants: at that period, and at all files of those whose
 * writers nobody tells (notices.h).
 */
#ifndef SUBLET_ACCOUNT_DRIFT_H
#define SUBLET_ACCOUNT_DRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct account_view;

struct drift {
    const char *tenants_dir;
    uint64_t pause_us; /* between two repairs: who writes again and again costs no more */
    void (*tell)(void *context, const char *tenant, const char *path, const char *text);
    void *context;
    size_t next; /* to be looked at in its turn */
    uint64_t not_before_us;
    char failure[256]; /* the last one that was told */
};

/* Somebody has written to that tenant's files. NULL: to anybody's. */
void drift_suspect(struct account_view *view, const char *tenant);
/* The end of a window. turn: how many of the tenants, at the least, are looked at in any case. */
void drift_look(struct drift *drift, struct account_view *view, size_t turn);

#endif
