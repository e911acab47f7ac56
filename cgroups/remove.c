/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removal needs only the path, so that it works from a record after a crash. rmdir takes an empty
 * group only and cgroupfs has no symbolic links, so nothing outside can be hit by a path that is
 * canonical. SIGKILL ends frozen processes of v2 too: nothing is thawed here, but limits that would
 * delay the end are lifted, behind the kill: nothing runs on without them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"

#include "private.h"

#define RETRY_MS    10
#define IO_MAX_ROOM 16384
#define WEIGHT_MAX  "10000"

struct removal {
    int root_fd;
    const char *path;
    bool kill;
    uint64_t until_ms;
    bool busy; /* a group below could not be removed yet */
};

/* "8:16 rbps=1048576 wbps=max ...", a line a disk: with all of them at max the requests that wait
 * go to the disk. */
static void lift_disks(int dir_fd)
{
    char text[IO_MAX_ROOM], line[64];
    ssize_t n = knob_read(dir_fd, "io.max", text, sizeof text);
    bool absent;

    for (char *rest = n <= 0 ? NULL : text, *disk; (disk = strsep(&rest, "\n")) != NULL;) {
        disk[strcspn(disk, " ")] = '\0';
        (void) snprintf(line, sizeof line, "%.24s " CG_IO_UNLIMITED, disk);
        (void) knob_put(dir_fd, "io.max", line, &absent);
    }
}

/*
 * What makes the killed wait for their end: a process dies on its own CPU time, which a cap hands
 * out in slices and busy neighbours leave little of, and not before its throttled requests are
 * through. What is above the group holds on. Nothing to fail for: without it, the end only takes
 * longer.
 */
static void lift_delays(int dir_fd)
{
    bool absent;

    (void) knob_put(dir_fd, "cpu.max", "max", &absent);
    (void) knob_put(dir_fd, "cpu.idle", "0", &absent);
    (void) knob_put(dir_fd, "cpu.weight", WEIGHT_MAX, &absent);
    lift_disks(dir_fd);
}

/* A container that may make groups may give them limits. */
static int lift_below(void *context, int parent_fd, const char *name)
{
    OWNED_FD fd = sys_openat(parent_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);

    (void) context;
    if (fd >= 0)
        lift_delays(fd);
    return 0;
}

static int kill_unlimited(int dir_fd, struct sub_err *err)
{
    static const struct cg_visitor visitor = {.before = lift_below};

    SUBLET_TRY(cgroup_kill(dir_fd, err));
    if (cgroup_populated(dir_fd) != 1)
        return 0;
    lift_delays(dir_fd);
    (void) cg_walk(dir_fd, &visitor, NULL); /* nothing to fail for either */
    return 0;
}

int cgroup_end(int dir_fd, int deadline_ms, struct sub_err *err)
{
    SUBLET_TRY(kill_unlimited(dir_fd, err));
    return cgroup_wait_empty(dir_fd, deadline_ms, err);
}

static int remove_child_first(void *context, int parent_fd, const char *name)
{
    (void) context;

    int rc = sys_unlinkat(parent_fd, name, AT_REMOVEDIR);
    if (rc == 0 || cg_is_gone(rc))
        return 1;
    return rc == -EBUSY ? 0 : rc; /* it has groups or processes: look inside */
}

static int remove_child_last(void *context, int parent_fd, const char *name)
{
    struct removal *removal = context;
    int rc = sys_unlinkat(parent_fd, name, AT_REMOVEDIR);

    if (rc == -EBUSY)
        removal->busy = true;
    return rc == 0 || cg_is_gone(rc) || rc == -EBUSY ? 0 : rc;
}

static int left_ms(const struct removal *removal)
{
    uint64_t now = sys_now_ms();

    return now >= removal->until_ms ? 0 : (int) (removal->until_ms - now);
}

static int busy_error(const struct removal *removal, int dir_fd, struct sub_err *err)
{
    char text[128];

    cgroup_remaining(dir_fd, text, sizeof text);
    return sub_fail(err, EBUSY, removal->path, "cgroup busy: %s",
                    text[0] == '\0' ? "the kernel does not let go of it yet" : text);
}

/* 0 when all is gone, -EBUSY to try again. */
static int remove_once(struct removal *removal, int dir_fd, const char *path)
{
    static const struct cg_visitor visitor = {.before = remove_child_first,
                                              .after = remove_child_last};

    int rc = sys_unlinkat(removal->root_fd, path, AT_REMOVEDIR);
    if (rc == -EBUSY) { /* groups below, made from inside */
        removal->busy = false;
        SUBLET_TRY(cg_walk(dir_fd, &visitor, removal));
        if (removal->busy)
            return -EBUSY;
        rc = sys_unlinkat(removal->root_fd, path, AT_REMOVEDIR);
    }
    return cg_is_gone(rc) ? 0 : rc;
}

static int remove_tree(struct removal *removal, int dir_fd, const char *path, struct sub_err *err)
{
    for (;;) {
        if (removal->kill)
            SUBLET_TRY(kill_unlimited(dir_fd, err));

        int rc =
            cg_events_wait(dir_fd, CG_EVENT_POPULATED, false, removal->kill ? left_ms(removal) : 0);
        if (rc == -ETIMEDOUT)
            return busy_error(removal, dir_fd, err);
        if (rc < 0 && !cg_is_gone(rc))
            return sub_fail(err, -rc, removal->path, "cannot wait for the end of its processes: %s",
                            sub_strerror(-rc));

        rc = remove_once(removal, dir_fd, path);
        if (rc == 0)
            return 0;
        if (rc == -ELOOP)
            return sub_fail(err, ELOOP, removal->path, "cgroups nest deeper than %d levels",
                            CG_WALK_DEPTH_MAX);
        if (rc != -EBUSY)
            return sub_fail(err, -rc, removal->path, "cannot remove the cgroup: %s",
                            sub_strerror(-rc));
        if (left_ms(removal) == 0)
            return busy_error(removal, dir_fd, err);

        /* someone came in between, or made a group: that shows in cgroup.events, or need not */
        int left = left_ms(removal);
        cg_events_pause(dir_fd, left < RETRY_MS ? left : RETRY_MS);
    }
}

static int remove_path(struct removal *removal, struct sub_err *err)
{
    struct cg_path parsed;

    SUBLET_TRY(cg_path_parse(&parsed, removal->path, removal->path, err));

    int rc = sys_unlinkat(removal->root_fd, parsed.text, AT_REMOVEDIR);
    if (rc == 0 || cg_is_gone(rc))
        return 0;
    if (rc != -EBUSY)
        return sub_fail(err, -rc, removal->path, "cannot remove the cgroup: %s", sub_strerror(-rc));

    OWNED_FD fd = sys_open_beneath(removal->root_fd, parsed.text, O_PATH | O_DIRECTORY, 0);
    if (cg_is_gone(fd))
        return 0;
    if (fd < 0)
        return sub_fail(err, -fd, removal->path, "cannot open the cgroup: %s", sub_strerror(-fd));
    return remove_tree(removal, fd, parsed.text, err);
}

int cgroup_destroy(int root_fd, const char *path, int deadline_ms, struct sub_err *err)
{
    struct removal removal = {.root_fd = root_fd,
                              .path = path,
                              .kill = true,
                              .until_ms =
                                  sys_now_ms() + (uint64_t) (deadline_ms < 0 ? 0 : deadline_ms)};

    return remove_path(&removal, err);
}

int cgroup_remove(int root_fd, const char *path, int deadline_ms, struct sub_err *err)
{
    struct removal removal = {.root_fd = root_fd,
                              .path = path,
                              .until_ms =
                                  sys_now_ms() + (uint64_t) (deadline_ms < 0 ? 0 : deadline_ms)};

    return remove_path(&removal, err);
}

int cgroup_remove_ancestors(int root_fd, const char *path, unsigned count, struct sub_err *err)
{
    struct cg_path parsed;

    SUBLET_TRY(cg_path_parse(&parsed, path, path, err));
    for (unsigned i = 1; i <= count && i < parsed.depth; i++) {
        const char *ancestor = cg_path_first(&parsed, parsed.depth - i);
        int rc = sys_unlinkat(root_fd, ancestor, AT_REMOVEDIR);

        if (rc == -EBUSY) /* others moved in: it is theirs now, and so is all above */
            return 0;
        if (rc < 0 && !cg_is_gone(rc))
            return sub_fail(err, -rc, path, "cannot remove cgroup '/%s': %s", ancestor,
                            sub_strerror(-rc));
    }
    return 0;
}
