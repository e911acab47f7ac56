/* SPDX-License-Identifier: Apache-2.0 */
/* pause, resume, and what else is asked of the container's group as a whole. */
#include <errno.h>

#include "sublet/base/fd.h"

#include "start.h"
#include "target.h"

#define PAUSE_LIMIT_MS 10000

struct frozen {
    int root_fd;
    struct cgroup group;
    bool here;
    char above[256]; /* nearest frozen group above; "" */
};

static void frozen_done(struct frozen *frozen)
{
    sub_close(&frozen->root_fd);
    cgroup_done(&frozen->group);
}

static int frozen_open(const struct target *target, struct frozen *ret_frozen, struct sub_err *err)
{
    const struct state_record *record = &target->record;

    *ret_frozen = (struct frozen){.root_fd = -EBADF, .group = CGROUP_NONE};
    int rc = record_group(record, &ret_frozen->root_fd, &ret_frozen->group, err);
    if (rc == -ENOENT)
        return no_group(record, err);
    SUBLET_TRY(rc);

    rc = cgroup_freezers(ret_frozen->root_fd, record->cgroup_path, ret_frozen->above,
                         sizeof ret_frozen->above, err);
    ret_frozen->here = rc > 0 && (rc & CGROUP_FROZEN_HERE) != 0;
    return rc < 0 ? rc : 0;
}

static int frozen_above(const char *id, const struct frozen *frozen, struct sub_err *err)
{
    return sub_fail(err, EBUSY, NULL,
                    "container '%s': cgroup '/%s' above it is frozen, only thawing that one helps",
                    id, frozen->above);
}

int run_pause(const struct run_target *request, struct sub_err *err)
{
    OWNED_TARGET target = TARGET_NONE;
    __attribute__((cleanup(frozen_done))) struct frozen frozen = {.root_fd = -EBADF,
                                                                  .group = CGROUP_NONE};

    SUBLET_TRY(target_open_living(request, &target, err));
    SUBLET_TRY(frozen_open(&target, &frozen, err));
    if (frozen.here)
        return sub_fail(err, EBUSY, NULL, "container '%s' is already paused", request->id);
    if (frozen.above[0] != '\0')
        return frozen_above(request->id, &frozen, err);
    return cgroup_freeze(frozen.group.dir_fd, PAUSE_LIMIT_MS, err);
}

int run_resume(const struct run_target *request, struct sub_err *err)
{
    OWNED_TARGET target = TARGET_NONE;
    struct sub_err unfinished = {.code = 0};
    __attribute__((cleanup(frozen_done))) struct frozen frozen = {.root_fd = -EBADF,
                                                                  .group = CGROUP_NONE};

    SUBLET_TRY(target_open_living(request, &target, err));
    SUBLET_TRY(frozen_open(&target, &frozen, err));
    if (frozen.above[0] != '\0')
        return frozen_above(request->id, &frozen, err);
    if (!frozen.here)
        return sub_fail(err, EINVAL, NULL, "container '%s' is not paused", request->id);
    (void) target_finish_update(&target, &unfinished); /* else the next update tells why not */
    return cgroup_thaw(frozen.group.dir_fd, PAUSE_LIMIT_MS, err);
}

bool is_frozen(const struct state_record *record)
{
    OWNED_CGROUP group = CGROUP_NONE;

    return record_group(record, NULL, &group, NULL) >= 0 && cgroup_is_frozen(group.dir_fd) == 1;
}

int run_pids(const struct run_target *request, pid_t **ret_pids, size_t *ret_count,
             struct sub_err *err)
{
    OWNED_TARGET target = TARGET_NONE;
    OWNED_CGROUP group = CGROUP_NONE;

    SUBLET_TRY(target_open(request, false, &target, err));
    if (!target.has_record || !target.record.complete)
        return not_running(request->id, err);
    int rc = record_group(&target.record, NULL, &group, err);
    if (rc == -ENOENT && target.record.cgroup_path == NULL)
        return no_group(&target.record, err);
    if (rc == -ENOENT)
        return not_running(request->id, err);
    SUBLET_TRY(rc);
    SUBLET_TRY(cgroup_pids(request->arena, group.dir_fd, ret_pids, ret_count, err));
    return *ret_count == 0 ? not_running(request->id, err) : 0;
}
