/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share: paths cut into components, events, the walk, knobs. */
#ifndef CGROUPS_PRIVATE_H
#define CGROUPS_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sublet/cgroups.h"

#define CGROUP_PATH_MAX    2048 /* bytes of a path given to us, with its NUL */
#define CGROUP_NAME_MAX    255
#define CG_WALK_DEPTH_MAX  16384 /* levels below a group that removal and listing follow */

#define CG_COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* ---- path.c ---- */

struct cg_path {
    char text[CGROUP_PATH_MAX]; /* without leading slash */
    unsigned depth;             /* components */
    uint16_t end[CGROUP_DEPTH_MAX];
};
int cg_path_parse(struct cg_path *ret_path, const char *path, const char *where,
                  struct sub_err *err);
/* The first count components as text in path itself, valid until the next call; "." for 0. */
const char *cg_path_first(struct cg_path *path, unsigned count);

/* -ENOENT and -ENODEV are how a group that is gone answers, by name and by open file. */
static inline bool cg_is_gone(int rc)
{
    return rc == -ENOENT || rc == -ENODEV;
}

/* ---- knob.c ---- */

/* Without words. *ret_absent: the failure is that there is no such file. */
int knob_put(int dir_fd, const char *file, const char *text, bool *ret_absent);

/* One row with its rule for an absent file; *previous_written is for the next row's. */
int cg_row_write(int dir_fd, const struct cg_row *row, bool *previous_written, struct sub_err *err);

/* ---- events.c ---- */

struct cg_events {
    bool populated, frozen;
};
int cg_events_parse(const char *text, struct cg_events *ret_events); /* -EINVAL */
int cg_events_read(int dir_fd, struct cg_events *ret_events);

enum cg_event { CG_EVENT_POPULATED, CG_EVENT_FROZEN };
/* Sleeps in poll until the key has that value. -ETIMEDOUT; -ENODEV/-ENOENT: the group is gone. */
int cg_events_wait(int dir_fd, enum cg_event event, bool value, int deadline_ms);
/* Sleeps until anything changes in cgroup.events, at most timeout_ms. */
void cg_events_pause(int dir_fd, int timeout_ms);

/* ---- walk.c ---- */

/* For each group below: `before` on the way down (>0: do not go into it), `after` on the way up.
 * Negative ends the walk with that value. Either may be NULL. */
struct cg_visitor {
    int (*before)(void *context, int parent_fd, const char *name);
    int (*after)(void *context, int parent_fd, const char *name);
};
int cg_walk(int dir_fd, const struct cg_visitor *visitor, void *context);

/* ---- rows.c ---- */

int cg_rows_put(struct cg_rows *rows, struct cg_row row, struct sub_err *err);
/* Path and text in the arena's memory; a NULL (arena full) is reported by cg_rows_put. */
char *cg_field(const struct cg_rows *rows, const char *where, const char *field);
const char *cg_bytes_text(struct arena *arena, int64_t bytes); /* -1 -> "max" */

#endif
