/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

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
