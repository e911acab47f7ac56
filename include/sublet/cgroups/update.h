/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing the limits of a group that is in use. The rows are those of a fresh group; but the files
 * hold values now: these decide the order of writing, and come back where a later row is refused.
 */
#ifndef SUBLET_CGROUPS_UPDATE_H
#define SUBLET_CGROUPS_UPDATE_H

#include "sublet/cgroups/limits.h"

/* What a file of the group holds, without its last newline; NULL if it is not there or cannot be
 * read. A table for tests, cg_reader for a group. */
struct cg_present {
    const char *(*text)(void *context, const char *file);
    void *context;
};

struct cg_reader {
    struct arena *arena;
    int dir_fd;
};
const char *cg_reader_text(void *context, const char *file); /* context: struct cg_reader */

struct cg_change {
    struct cg_row row;
    const char *back; /* written to the same file to undo the row; NULL: nothing to undo */
};

struct cg_changes {
    struct cg_change *items; /* arena of the rows */
    size_t count;
    uint32_t controllers;
};

/* Pure. Gives room before it takes it: swap, memory and its high mark are raised in this order
 * before everything else, and lowered in the opposite one behind it, so that what may kill comes
 * last. A burst is put aside while the quota changes (the kernel refuses a quota below it). Of two
 * rows for one value the later counts. */
int cg_changes_make(const struct cg_rows *rows, const struct cg_present *present,
                    struct cg_changes *ret_changes, struct sub_err *err);

/* Writes all rows, or none: the first refusal (file and value in err) puts back the earlier ones.
 */
int cgroup_change(int dir_fd, const struct cg_changes *changes, struct sub_err *err);

/* Puts everything back, for a caller whose next step fails; err, which tells of that failure, gets
 * a word about a value that could not be put back. */
void cgroup_change_back(int dir_fd, const struct cg_changes *changes, struct sub_err *err);

/* Enables controllers for an existing group in every group above it. 1 if something had to be
 * done, 0 if all of them were there. */
int cgroup_enable(int root_fd, const char *path, uint32_t controllers, const char *where,
                  struct sub_err *err);

/* The same for controllers that are good to have: what cannot be enabled is left. */
void cgroup_wish(int root_fd, const char *path, int dir_fd, uint32_t controllers);

#endif
