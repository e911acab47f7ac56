/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan, written to the kernel: groups are made where they are missing, and only files that differ
 * are written, since a write to cpu.max unthrottles and one to a partition moves processes.
 *
 * CPUs change hands in three steps, so that no two groups want one at a time: whoever has to
 * change lets go, the parent gets what all of them together may hold, each takes its own.
 */
#include <errno.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/listing.h"
#include "sublet/base/log.h"
#include "sublet/sys.h"
#include "sublet/tenant/repair.h"

#include "private.h"

#define REMOVE_LIMIT_MS 10000
#define BELOW           (CG_CPU | CG_MEMORY | CG_IO | CG_PIDS) /* every container is counted */
#define PARTITION       "cpuset.cpus.partition"
#define EXCLUSIVE       "cpuset.cpus.exclusive"

struct applying {
    struct arena *arena;
    int root_fd;
    const struct tenant_plan *plan;
    struct tenant_drifts *done;
};

/* An empty text is no write at all. */
static int write_file(int dir_fd, const struct tenant_drift *drift, struct sub_err *err)
{
    struct sub_err cause = {.code = 0};
    int rc = knob_write(dir_fd, drift->file, drift->want[0] == '\0' ? "\n" : drift->want, &cause);

    if (rc == 0)
        return 0;
    return sub_fail(err, -rc, drift->group, "%s: %s", drift->file, cause.text);
}

/* A burst may not exceed the quota at any moment. */
static int drop_burst(int dir_fd, const char *group, struct sub_err *err)
{
    uint64_t burst;

    if (knob_read_u64(dir_fd, "cpu.max.burst", &burst) < 0 || burst == 0)
        return 0;
    return write_file(dir_fd, &(struct tenant_drift){group, "cpu.max.burst", "0", NULL}, err);
}

/* The kernel takes a partition it cannot keep, and says why when asked. */
static int check_partition(int dir_fd, const struct tenant_drift *drift, struct sub_err *err)
{
    char have[256] = "";

    if (strcmp(drift->file, PARTITION) != 0)
        return 0;
    if (knob_read(dir_fd, PARTITION, have, sizeof have) < 0 || strcmp(have, drift->want) != 0)
        return sub_fail(err, EBUSY, drift->group, "%s is '%s', not '%s'", PARTITION, have,
                        drift->want);
    return 0;
}

static int write_drifts(struct applying *a, int dir_fd, const struct tenant_drifts *drifts,
                        struct sub_err *err)
{
    bool dropped = false;

    for (size_t i = 0; i < drifts->count; i++) {
        struct tenant_drift drift = drifts->items[i];

        if (strncmp(drift.file, "cpu.max", 7) == 0 && !dropped) {
            SUBLET_TRY(drop_burst(dir_fd, drift.group, err));
            dropped = true;
        }
        SUBLET_TRY(write_file(dir_fd, &drift, err));
        SUBLET_TRY(check_partition(dir_fd, &drift, err));
        SUBLET_TRY(drift_add(a->done, &drift));
    }
    return 0;
}

/* Dropping the burst loses one that was right. */
static int write_group(struct applying *a, const struct tenant_group *group, struct sub_err *err)
{
    OWNED_CGROUP cgroup = CGROUP_NONE;

    SUBLET_TRY(cgroup_open(a->root_fd, group->group, &cgroup, err));
    for (int round = 0; round < 2; round++) {
        struct tenant_drifts drifts = {.arena = a->arena};

        SUBLET_TRY(drifts_of_group(&drifts, cgroup.dir_fd, group, err));
        SUBLET_TRY(write_drifts(a, cgroup.dir_fd, &drifts, err));
    }
    return 0;
}

static int make_group(struct applying *a, const struct tenant_group *group, uint32_t below,
                      struct sub_err *err)
{
    const struct cgroup_controllers controllers = {.group = group->controllers, .below = below};
    OWNED_CGROUP cgroup = CGROUP_NONE;

    return cgroup_keep(a->root_fd, group->group, &controllers, group->group, &cgroup, err);
}

static int make_groups(struct applying *a, struct sub_err *err)
{
    SUBLET_TRY(make_group(a, &a->plan->parent, BELOW, err));
    for (size_t i = 0; i < a->plan->count; i++)
        SUBLET_TRY(make_group(a, &a->plan->groups[i], BELOW, err));
    return 0;
}

static bool changes_cpus(const struct tenant_drifts *drifts)
{
    for (size_t i = 0; i < drifts->count; i++) {
        if (strncmp(drifts->items[i].file, "cpuset.", 7) == 0)
            return true;
    }
    return false;
}

static int let_go(struct applying *a, const struct tenant_group *group, struct sub_err *err)
{
    struct tenant_drifts drifts = {.arena = a->arena};
    OWNED_CGROUP cgroup = CGROUP_NONE;

    SUBLET_TRY(cgroup_open(a->root_fd, group->group, &cgroup, err));
    SUBLET_TRY(drifts_of_group(&drifts, cgroup.dir_fd, group, err));
    if (!changes_cpus(&drifts))
        return 0;
    /* what cannot be let go is told by the group that wants it */
    if (knob_write(cgroup.dir_fd, PARTITION, "member", NULL) < 0 ||
        knob_write(cgroup.dir_fd, EXCLUSIVE, "\n", NULL) < 0)
        log_debug("%s: holds no CPUs that it could give back", group->group);
    return 0;
}

/* Before 6.7 a pinned tenant lies elsewhere, and running containers cannot follow. */
static int leave_old_place(struct applying *a, const struct tenant_group *group,
                           struct sub_err *err)
{
    struct tenant moved = *group->tenant;
    struct sub_err cause = {.code = 0};
    const char *other;

    moved.contract.cpu.kind =
        moved.contract.cpu.kind == TENANT_PINNED ? TENANT_FIXED : TENANT_PINNED;
    other = tenant_group_path(a->arena, &moved, false);
    if (other == NULL)
        return -ENOMEM;
    if (strcmp(other, group->group) == 0 || cgroup_missing(a->root_fd, other, &cause) != 0)
        return 0;

    int rc = cgroup_remove(a->root_fd, other, REMOVE_LIMIT_MS, &cause);
    if (rc < 0) {
        return sub_fail(err, -rc, other,
                        "containers run in it, and before Linux 6.7 a tenant that becomes pinned, "
                        "or is no longer, gets another cgroup: end them first (%s)",
                        cause.text);
    }
    return 0;
}

/* Those that are not pinned first: they leave the CPUs that a partition is about to take. */
static int write_groups(struct applying *a, bool pinned, struct sub_err *err)
{
    for (size_t i = 0; i < a->plan->count; i++) {
        const struct tenant_group *group = &a->plan->groups[i];

        if ((group->tenant->contract.cpu.kind == TENANT_PINNED) == pinned)
            SUBLET_TRY(write_group(a, group, err));
    }
    return 0;
}

static int write_all(struct applying *a, struct sub_err *err)
{
    const struct tenant_plan *plan = a->plan;

    for (size_t i = 0; i < plan->count; i++)
        SUBLET_TRY(leave_old_place(a, &plan->groups[i], err));
    SUBLET_TRY(make_groups(a, err));
    for (size_t i = 0; i < plan->count; i++)
        SUBLET_TRY(let_go(a, &plan->groups[i], err));
    SUBLET_TRY(write_group(a, &plan->parent, err));
    SUBLET_TRY(write_groups(a, false, err));
    SUBLET_TRY(write_groups(a, true, err));
    return 0;
}

int tenant_plan_apply(struct arena *arena, int root_fd, const struct tenant_plan *plan,
                      struct tenant_drifts *ret_done, struct sub_err *err)
{
    struct tenant_drifts done = {.arena = arena};
    struct applying a = {arena, root_fd, plan, &done};

    SUBLET_TRY(write_all(&a, err));
    for (size_t i = 0; i < plan->count; i++)
        tenant_mark(root_fd, &plan->groups[i]);
    *ret_done = done;
    return arena_failed(arena) ? -ENOMEM : 0;
}

/* What is missing is made by the next start of a container, or by `tenant apply`. */
int tenant_group_restore(struct arena *arena, int root_fd, const struct tenant_plan *plan,
                         const struct tenant_group *group, struct tenant_drifts *done,
                         struct sub_err *err)
{
    struct tenant_drifts found, ignored = {.arena = arena};
    struct applying a = {arena, root_fd, plan, &ignored};

    SUBLET_TRY(tenant_group_drifts(arena, root_fd, group, NULL, &found, err));
    if (found.count == 0)
        return 0;
    if (changes_cpus(&found)) {
        SUBLET_TRY(let_go(&a, group, err));
        SUBLET_TRY(write_group(&a, &plan->parent, err));
    }
    SUBLET_TRY(write_group(&a, group, err));
    if (group->tenant != NULL)
        tenant_mark(root_fd, group);
    for (size_t i = 0; i < found.count; i++)
        SUBLET_TRY(drift_add(done, &found.items[i]));
    return 0;
}

int tenant_group_empty(int root_fd, const char *group, bool force, struct sub_err *err)
{
    OWNED_CGROUP cgroup = CGROUP_NONE;
    char text[128];
    int rc = cgroup_open(root_fd, group, &cgroup, err);

    if (rc == -ENOENT)
        return 0;
    if (rc < 0 || cgroup_populated(cgroup.dir_fd) != 1)
        return rc;
    if (!force) {
        cgroup_remaining(cgroup.dir_fd, text, sizeof text);
        return sub_fail(err, EBUSY, group, "cgroup busy: %s", text);
    }
    return cgroup_end(cgroup.dir_fd, REMOVE_LIMIT_MS, err);
}

int tenant_group_remove(int root_fd, const char *group, bool force, struct sub_err *err)
{
    if (force)
        return cgroup_destroy(root_fd, group, REMOVE_LIMIT_MS, err);
    return cgroup_remove(root_fd, group, REMOVE_LIMIT_MS, err);
}

size_t tenant_containers(int root_fd, const char *group)
{
    OWNED_CGROUP cgroup = CGROUP_NONE;
    size_t count = 0;

    if (cgroup_open(root_fd, group, &cgroup, NULL) < 0)
        return 0;
    OWNED_FOLDER folder = listing_open(cgroup.dir_fd);
    for (const struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        OWNED_CGROUP below = CGROUP_NONE;

        if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
            cgroup_open(cgroup.dir_fd, entry->d_name, &below, NULL) == 0)
            count += cgroup_populated(below.dir_fd) == 1;
    }
    return count;
}
