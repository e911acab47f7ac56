/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All groups below one, with a single fd whatever the depth: a container that may make groups
 * chooses how deep they nest, and neither the stack, nor RLIMIT_NOFILE, nor the length of a path
 * may decide whether `delete` gets through. Going up is openat(".."), which is safe here: groups
 * of v2 cannot be renamed, and the count of levels keeps the walk inside.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"

#include "private.h"

struct level {
    off64_t next; /* where its parent's listing goes on */
    char name[CGROUP_NAME_MAX + 1];
};

struct walk {
    int fd; /* the directory being listed */
    struct level *levels;
    size_t depth, room;
    off64_t next;
    size_t used, at;
    _Alignas(struct dirent64) char entries[4096];
};

static int enter(struct walk *walk, int parent_fd, const char *name, off64_t from)
{
    int fd = sys_openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0)
        return fd;

    if (from != 0 && lseek64(fd, from, SEEK_SET) < 0) {
        int rc = -errno;

        sub_close(&fd);
        return rc;
    }
    sub_close(&walk->fd);
    walk->fd = fd;
    walk->next = from;
    walk->used = walk->at = 0;
    return 0;
}

/* 1 and a name, or 0 at the end. */
static int next_child(struct walk *walk, const char **ret_name)
{
    for (;;) {
        while (walk->at < walk->used) {
            const struct dirent64 *entry = (const void *) (walk->entries + walk->at);

            walk->at += entry->d_reclen;
            walk->next = entry->d_off;
            if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
                strcmp(entry->d_name, "..") == 0)
                continue;
            *ret_name = entry->d_name;
            return 1;
        }

        ssize_t n = getdents64(walk->fd, walk->entries, sizeof walk->entries);
        if (n < 0)
            return cg_is_gone(-errno) ? 0 : -errno;
        if (n == 0)
            return 0;
        walk->used = (size_t) n;
        walk->at = 0;
    }
}

static int go_down(struct walk *walk, const char *name)
{
    if (walk->depth == CG_WALK_DEPTH_MAX)
        return -ELOOP;
    if (walk->depth == walk->room) {
        size_t room = walk->room == 0 ? 8 : 2 * walk->room;
        struct level *levels = realloc(walk->levels, room * sizeof *levels);

        if (levels == NULL)
            return -ENOMEM;
        walk->levels = levels;
        walk->room = room;
    }

    /* the name lies in entries[], which the new directory overwrites */
    struct level *level = &walk->levels[walk->depth];
    level->next = walk->next;
    (void) snprintf(level->name, sizeof level->name, "%s", name); /* a name is at most 255 bytes */

    int rc = enter(walk, walk->fd, level->name, 0);
    if (rc == 0)
        walk->depth++;
    return cg_is_gone(rc) ? 0 : rc;
}

static int go_up(struct walk *walk, const struct cg_visitor *visitor, void *context)
{
    const struct level *level = &walk->levels[--walk->depth];

    SUBLET_TRY(enter(walk, walk->fd, "..", level->next));
    return visitor->after == NULL ? 0 : visitor->after(context, walk->fd, level->name);
}

static int walk_all(struct walk *walk, const struct cg_visitor *visitor, void *context)
{
    for (;;) {
        const char *name = NULL;
        int rc = next_child(walk, &name);

        if (rc == 0 && walk->depth == 0)
            return 0;
        if (rc == 0) {
            rc = go_up(walk, visitor, context);
        } else if (rc > 0) {
            rc = visitor->before == NULL ? 0 : visitor->before(context, walk->fd, name);
            if (rc == 0)
                rc = go_down(walk, name);
        }
        if (rc < 0)
            return rc;
    }
}

int cg_walk(int dir_fd, const struct cg_visitor *visitor, void *context)
{
    struct walk walk = {.fd = -EBADF};
    int rc = enter(&walk, dir_fd, ".", 0);

    if (rc == 0)
        rc = walk_all(&walk, visitor, context);
    else if (cg_is_gone(rc))
        rc = 0;
    sub_close(&walk.fd);
    free(walk.levels);
    return rc;
}
