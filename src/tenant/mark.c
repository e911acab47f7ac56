/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mark of a group whose contract is in force: which definition it was made from, as an
 * extended attribute of the group itself, written behind the last limit. A group that a killed
 * `tenant apply` has left, that was made by somebody else or from an earlier definition, does not
 * have it; it goes with the group.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/log.h"
#include "sublet/sys.h"

#include "private.h"

#define MARK      "trusted.sublet.contract"
#define MARK_TEXT 96

const char *tenant_origin(struct arena *arena, int dir_fd, const char *file)
{
    struct stat st;

    if (sys_fstatat(dir_fd, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return arena_strdup(arena, TENANT_BUILTIN);
    return arena_printf(arena, "%llu %lld.%09ld", (unsigned long long) st.st_ino,
                        (long long) st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

/* Attributes need a descriptor that can read. */
static int open_group(int root_fd, const char *group)
{
    return sys_open_beneath(root_fd, group, O_RDONLY | O_DIRECTORY, 0);
}

void tenant_mark(int root_fd, const struct tenant_group *group)
{
    const char *origin = group->tenant->origin == NULL ? "" : group->tenant->origin;
    OWNED_FD fd = open_group(root_fd, group->group);
    int rc = fd < 0 ? fd : sys_set_xattr(fd, MARK, origin, strlen(origin));

    /* without it every start compares the whole contract, which is slow and no less right */
    if (rc < 0)
        log_debug("%s: cannot be marked: %s", group->group, sub_strerror(-rc));
}

int tenant_is_in_force(int root_fd, const char *group, const char *origin)
{
    char have[MARK_TEXT];
    OWNED_FD fd = open_group(root_fd, group);
    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;

    ssize_t n = sys_get_xattr(fd, MARK, have, sizeof have);
    if (n == -ENODATA || n == -ERANGE)
        return 0;
    if (n < 0)
        return (int) n;
    return origin == NULL ||
           ((size_t) n == strlen(origin) && memcmp(have, origin, (size_t) n) == 0);
}
