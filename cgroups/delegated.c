/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/cgroups/delegated.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/cgroups.h"
#include "sublet/sys.h"

#include "private.h"

static bool may_open(int dir_fd, const char *file)
{
    OWNED_FD fd = sys_open_beneath(dir_fd, file, O_WRONLY | O_NOFOLLOW, 0);

    return fd >= 0;
}

/* Groups are made in it, and processes born below it: both is needed. */
static bool is_ours(int dir_fd)
{
    struct stat info;

    if (sys_fstat(dir_fd, &info) < 0)
        return false;
    if ((info.st_uid != geteuid() || (info.st_mode & S_IWUSR) == 0) &&
        (info.st_gid != getegid() || (info.st_mode & S_IWGRP) == 0) &&
        (info.st_mode & S_IWOTH) == 0)
        return false;
    return may_open(dir_fd, "cgroup.procs");
}

static uint32_t read_controllers(int dir_fd, const char *file)
{
    char text[256];

    return knob_read(dir_fd, file, text, sizeof text) < 0 ? 0 : cg_controllers_parse(text);
}

/* A group that holds processes of its own gives no controller to those below (cgroup-v2.rst, "No
 * Internal Process Constraint"). */
static bool is_occupied(int dir_fd)
{
    char text[KNOB_TEXT_MAX];

    return knob_read(dir_fd, "cgroup.procs", text, sizeof text) != 0;
}

static bool look(int root_fd, const char *path, struct cg_place *ret_place)
{
    OWNED_FD fd = sys_open_beneath(root_fd, path[0] == '\0' ? "." : path, O_PATH | O_DIRECTORY, 0);

    if (fd < 0 || !is_ours(fd))
        return false;
    *ret_place = (struct cg_place){
        .path = path,
        .has = read_controllers(fd, "cgroup.controllers"),
        .offers = read_controllers(fd, "cgroup.subtree_control"),
    };
    if (ret_place->has != ret_place->offers && may_open(fd, "cgroup.subtree_control") &&
        !is_occupied(fd))
        ret_place->offers = ret_place->has;
    return true;
}

int cgroup_places(struct arena *arena, int root_fd, const char *own,
                  const struct cg_place **ret_places, size_t *ret_count, struct sub_err *err)
{
    struct cg_place *places = arena_array(arena, CGROUP_DEPTH_MAX + 1, sizeof *places);
    const char *path = arena_strdup(arena, own[0] == '/' ? own + 1 : own);
    size_t count = 0;

    for (unsigned depth = 0; path != NULL && places != NULL && depth <= CGROUP_DEPTH_MAX; depth++) {
        const char *slash = strrchr(path, '/');

        if (look(root_fd, path, &places[count]))
            count++;
        if (path[0] == '\0')
            break;
        path = arena_strndup(arena, path, slash == NULL ? 0 : (size_t) (slash - path));
    }
    if (arena_failed(arena))
        return sub_fail(err, ENOMEM, NULL, "out of memory");
    *ret_places = places;
    *ret_count = count;
    return 0;
}
