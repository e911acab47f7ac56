/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"

#include "private.h"

static int write_freeze(int dir_fd, const char *value, struct sub_err *err)
{
    bool absent = false;
    int rc = knob_put(dir_fd, "cgroup.freeze", value, &absent);

    if (rc == 0)
        return 0;
    return sub_fail(err, -rc, "cgroup.freeze", "cannot write '%s': %s", value,
                    cg_is_gone(rc) ? "the cgroup is gone" : sub_strerror(-rc));
}

int cgroup_is_frozen(int dir_fd)
{
    struct cg_events events;
    int rc = cg_events_read(dir_fd, &events);

    return rc < 0 ? rc : events.frozen;
}

int cgroup_wait_thawed(int dir_fd)
{
    return cg_events_wait(dir_fd, CG_EVENT_FROZEN, false, INT_MAX);
}

int cgroup_freeze(int dir_fd, int deadline_ms, struct sub_err *err)
{
    SUBLET_TRY(write_freeze(dir_fd, "1", err));

    int rc = cg_events_wait(dir_fd, CG_EVENT_FROZEN, true, deadline_ms);
    if (rc == 0)
        return 0;

    /* a process in an uninterruptible sleep does not freeze: half frozen is worse than running */
    (void) write_freeze(dir_fd, "0", NULL);
    if (rc == -ETIMEDOUT) {
        char text[128];

        cgroup_remaining(dir_fd, text, sizeof text);
        return sub_fail(err, ETIMEDOUT, "cgroup.freeze",
                        "not frozen after %d ms, thawed again; in the cgroup: %s", deadline_ms,
                        text);
    }
    return sub_fail(err, -rc, "cgroup.events", "cannot wait for the freeze: %s",
                    cg_is_gone(rc) ? "the cgroup is gone" : sub_strerror(-rc));
}

int cgroup_thaw(int dir_fd, int deadline_ms, struct sub_err *err)
{
    SUBLET_TRY(write_freeze(dir_fd, "0", err));

    int rc = cg_events_wait(dir_fd, CG_EVENT_FROZEN, false, deadline_ms);
    if (rc == 0)
        return 0;
    if (rc == -ETIMEDOUT)
        return sub_fail(err, EBUSY, "cgroup.freeze",
                        "still frozen after %d ms: a cgroup above it is frozen", deadline_ms);
    return sub_fail(err, -rc, "cgroup.events", "cannot wait for the thaw: %s",
                    cg_is_gone(rc) ? "the cgroup is gone" : sub_strerror(-rc));
}

/* 1 if cgroup.freeze of that group itself says so; cgroup.events cannot tell it from an ancestor's
 * doing. */
static int is_freezer(int root_fd, const char *path)
{
    char text[8];
    OWNED_FD fd = sys_open_beneath(root_fd, path, O_PATH | O_DIRECTORY, 0);
    ssize_t n = fd < 0 ? fd : knob_read(fd, "cgroup.freeze", text, sizeof text);

    return n < 0 ? (int) n : strcmp(text, "1") == 0;
}

int cgroup_freezers(int root_fd, const char *path, char *text, size_t size, struct sub_err *err)
{
    struct cg_path parsed;
    int found = 0;

    SUBLET_TRY(cg_path_parse(&parsed, path, path, err));
    text[0] = '\0';
    for (unsigned count = parsed.depth; count > 0 && (found & CGROUP_FROZEN_ABOVE) == 0; count--) {
        const char *group = cg_path_first(&parsed, count);
        int rc = is_freezer(root_fd, group);

        if (rc < 0)
            return sub_fail(err, -rc, "cgroup.freeze", "cannot read it of cgroup '/%s': %s", group,
                            cg_is_gone(rc) ? "the cgroup is gone" : sub_strerror(-rc));
        if (rc == 0)
            continue;
        found |= count == parsed.depth ? CGROUP_FROZEN_HERE : CGROUP_FROZEN_ABOVE;
        if (count < parsed.depth)
            (void) snprintf(text, size, "%s", group);
    }
    return found;
}
