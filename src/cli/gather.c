/* SPDX-License-Identifier: Apache-2.0 */
#include "gather.h"

#include <errno.h>
#include <time.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/log.h"
#include "sublet/base/time.h"
#include "sublet/run.h"
#include "sublet/sys.h"
#include "sublet/tenant.h"

#include "texts.h"

static int take(const struct gather *gather, struct arena *arena, struct metrics_group *group)
{
    struct metrics_counters *counters = arena_alloc(arena, sizeof *counters);

    if (counters == NULL)
        return -ENOMEM;
    SUBLET_TRY(metrics_take(arena, gather->sample, counters));
    group->counters = counters;
    return 0;
}

/* ---- tenants ---- */

/* A tenant that no container has needed yet has no group. */
static int read_group(const struct gather *gather, struct arena *arena, int root_fd,
                      const char *path, struct metrics_group *group)
{
    OWNED_CGROUP cgroup = CGROUP_NONE;
    struct stat st;

    if (root_fd < 0 || cgroup_open(root_fd, path, &cgroup, NULL) < 0 ||
        sys_fstat(cgroup.dir_fd, &st) < 0 ||
        cgroup_sample_read(cgroup.dir_fd, METRICS_FILES, gather->sample, NULL) < 0)
        return 0;
    group->total = account_totals_find(gather->totals, group->name, st.st_ino);
    return take(gather, arena, group);
}

static int gather_tenants(const struct gather *gather, struct arena *arena, struct metrics *metrics,
                          struct sub_err *err)
{
    const struct tenant_plan *plan;
    struct cgroups_host host;
    struct findings findings;
    int root = -EBADF;

    findings_init(&findings, arena); /* a file that is wrong is its operator's to be told of */
    SUBLET_TRY(tenants_know(arena, gather->tenants_dir, &findings, &plan, err));
    (void) cgroups_mount_open(&root, &host, NULL);
    OWNED_FD owned_root = root;

    struct metrics_group *groups = arena_array(arena, plan->count, sizeof *groups);
    if (groups == NULL && plan->count > 0)
        return -ENOMEM;
    for (size_t i = 0; i < plan->count; i++) {
        const struct tenant_group *tenant = &plan->groups[i];

        groups[i] = (struct metrics_group){.name = tenant->tenant->name,
                                           .contract = tenant->contract,
                                           .entitled_micro = tenant->entitled_us_per_s,
                                           .cap_micro = tenant->cap_us_per_s};
        SUBLET_TRY(read_group(gather, arena, root, tenant->group, &groups[i]));
    }
    metrics->tenants = groups;
    metrics->tenant_count = plan->count;
    return 0;
}

/* ---- containers ---- */

/* 0: it went away, or its record makes no sense. */
static int read_container(const struct gather *gather, struct arena *arena, const char *id,
                          struct metrics_group *ret_group)
{
    const struct run_target target = {.arena = arena, .state_root = gather->state_root, .id = id};
    struct sub_err why = {.code = 0};
    struct run_stats stats;

    if (run_stats(&target, gather->sample, &stats, &why) < 0) {
        log_debug("container '%s' is left out: %s", id, why.text);
        return 0;
    }
    *ret_group = (struct metrics_group){.name = id,
                                        .tenant = stats.info.tenant,
                                        .outside = stats.info.tenant_outside,
                                        .status = run_status_name(stats.info.status)};
    if (stats.cgroup_path != NULL)
        ret_group->cgroup =
            arena_printf(arena, "%s%s", stats.cgroup_path[0] == '/' ? "" : "/", stats.cgroup_path);
    if (stats.info.created != NULL)
        (void) time_parse_us(stats.info.created, &ret_group->created_us);
    if (stats.counted)
        SUBLET_TRY(take(gather, arena, ret_group));
    return 1;
}

static int gather_containers(const struct gather *gather, struct arena *arena,
                             struct metrics *metrics, struct sub_err *err)
{
    struct run_info *infos;
    size_t count;

    SUBLET_TRY(run_list(arena, gather->state_root, &infos, &count, err));
    struct metrics_group *groups = arena_array(arena, count, sizeof *groups);
    if (groups == NULL && count > 0)
        return -ENOMEM;
    metrics->containers = groups;
    for (size_t i = 0; i < count; i++) {
        int rc = read_container(gather, arena, infos[i].id, &groups[metrics->container_count]);

        SUBLET_TRY(rc);
        metrics->container_count += (size_t) rc;
    }
    return 0;
}

int gather_metrics(const struct gather *gather, struct arena *arena, struct metrics *ret_metrics,
                   struct sub_err *err)
{
    struct metrics metrics = {.version = SUBLET_VERSION,
                              .commit = version_commit(),
                              .now_us = time_now_us(CLOCK_REALTIME),
                              .compat = gather->compat};
    uint64_t began_us = time_now_us(CLOCK_MONOTONIC);

    SUBLET_TRY(account_totals_update(gather->totals, err));
    metrics.ledger = account_totals_stats(gather->totals);
    SUBLET_TRY(gather_tenants(gather, arena, &metrics, err));
    SUBLET_TRY(gather_containers(gather, arena, &metrics, err));
    metrics.took_us = time_now_us(CLOCK_MONOTONIC) - began_us;
    *ret_metrics = metrics;
    return 0;
}
