/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows an update of resources writes. */
#include "sublet/plan/update.h"

#include <errno.h>
#include <string.h>

#include "sublet/base/num.h"

#include "planning.h"

#define MEMORY "linux.resources.memory"
#define CPU    "linux.resources.cpu"

struct updating {
    struct planning *p;
    const struct plan_update_request *request;
    struct spec_resources wanted; /* what is given, completed where one file holds two fields */
    struct spec_memory memory;
    struct spec_cpu cpu;
    bool limit_is_known; /* memory.limit is there for the sum with swap, not to be written */
};

static const char *present(const struct updating *u, const char *file)
{
    return u->request->present.text(u->request->present.context, file);
}

/* -1: no limit; false: no such file. */
static bool present_number(const struct updating *u, const char *file, int64_t *ret_value)
{
    const char *text = present(u, file);

    if (text != NULL && strcmp(text, "max") == 0) {
        *ret_value = -1;
        return true;
    }
    return text != NULL && num_parse_i64(text, 0, INT64_MAX, ret_value) == 0;
}

/* "max 100000" or "50000 100000". */
static bool present_quota(const struct updating *u, int64_t *ret_quota_us, uint64_t *ret_period_us)
{
    const char *text = present(u, "cpu.max");
    const char *period = text == NULL ? NULL : strchr(text, ' ');
    char *quota =
        period == NULL ? NULL : arena_strndup(u->p->arena, text, (size_t) (period - text));

    if (quota == NULL || num_parse_u64(period + 1, UINT64_MAX, ret_period_us) < 0)
        return false;
    *ret_quota_us = -1;
    return strcmp(quota, "max") == 0 || num_parse_i64(quota, 0, INT64_MAX, ret_quota_us) == 0;
}

static bool has_memory(const struct spec_memory *memory, uint64_t bit, int64_t value)
{
    return memory != NULL && (memory->has & bit) != 0 && value != 0; /* 0 is "not set" */
}

/* memory.swap counts memory and swap together, in v2 each has its own file: a new limit changes
 * what is left for swap, and a new sum needs the limit. */
static void complete_memory(struct updating *u)
{
    const struct spec_memory *given = u->request->given->memory;
    const struct spec_resources *saved = u->request->saved;
    const struct spec_memory *before = saved == NULL ? NULL : saved->memory;

    if (given == NULL)
        return;
    u->memory = *given;
    u->wanted.memory = &u->memory;

    bool limit = has_memory(given, SPEC_MEMORY_LIMIT, given->limit_bytes);
    bool swap = has_memory(given, SPEC_MEMORY_SWAP, given->swap_bytes);
    if (limit && !swap && before != NULL &&
        has_memory(before, SPEC_MEMORY_SWAP, before->swap_bytes) && before->swap_bytes > 0) {
        u->memory.has |= SPEC_MEMORY_SWAP;
        u->memory.swap_bytes = before->swap_bytes;
    }
    if (swap && !limit && given->swap_bytes > 0 &&
        present_number(u, "memory.max", &u->memory.limit_bytes)) {
        u->memory.has |= SPEC_MEMORY_LIMIT;
        u->limit_is_known = true;
    }
    if ((given->has & SPEC_MEMORY_CHECK_BEFORE_UPDATE) == 0 && before != NULL)
        u->memory.check_before_update = before->check_before_update;
}

/* Without it the kernel would make room by killing. */
static void check_usage(struct updating *u)
{
    const struct spec_memory *memory = &u->memory;
    int64_t used, swapped;

    if (!memory->check_before_update || !present_number(u, "memory.current", &used))
        return;
    if (!u->limit_is_known && memory->limit_bytes > 0 && memory->limit_bytes < used)
        plan_error(u->p, MEMORY ".limit",
                   "%lld bytes are below the %lld in use, and checkBeforeUpdate is set",
                   (long long) memory->limit_bytes, (long long) used);
    if (memory->swap_bytes > 0 && present_number(u, "memory.swap.current", &swapped) &&
        memory->swap_bytes < used + swapped) {
        plan_error(u->p, MEMORY ".swap",
                   "%lld bytes are below the %lld of memory and swap in use, and "
                   "checkBeforeUpdate is set",
                   (long long) memory->swap_bytes, (long long) used + swapped);
    }
}

/* cpu.max holds both numbers: the one that is not given stays as it is. */
static void complete_quota(struct updating *u)
{
    bool quota = (u->cpu.has & SPEC_CPU_QUOTA) != 0 && u->cpu.quota_us != 0;
    bool period = (u->cpu.has & SPEC_CPU_PERIOD) != 0 && u->cpu.period_us != 0;
    int64_t quota_us = -1, burst_us = 0;
    uint64_t period_us = 0;
    bool known = present_quota(u, &quota_us, &period_us);

    if (quota && !period && known) {
        u->cpu.period_us = period_us;
        u->cpu.has |= SPEC_CPU_PERIOD;
    }
    if (period && !quota && known) {
        u->cpu.quota_us = quota_us;
        u->cpu.has |= SPEC_CPU_QUOTA;
    }
    if ((u->cpu.has & SPEC_CPU_BURST) != 0) {
        if (!quota && quota_us >= 0 && u->cpu.burst_us > (uint64_t) quota_us)
            plan_error(u->p, CPU ".burst", "%llu is above the quota %lld",
                       (unsigned long long) u->cpu.burst_us, (long long) quota_us);
    } else if (quota && u->cpu.quota_us > 0 && present_number(u, "cpu.max.burst", &burst_us) &&
               burst_us > u->cpu.quota_us) {
        plan_error(u->p, CPU ".quota", "%lld is below the burst of %lld: lower that, too",
                   (long long) u->cpu.quota_us, (long long) burst_us);
    }
}

/* An idle group has no weight; one that stops being idle begins with the default. */
static void complete_weight(struct updating *u)
{
    const struct spec_resources *saved = u->request->saved;
    const struct spec_cpu *before = saved == NULL ? NULL : saved->cpu;
    const char *idle = present(u, "cpu.idle");
    bool shares = (u->cpu.has & SPEC_CPU_SHARES) != 0 && u->cpu.shares != 0;

    if (idle == NULL || strcmp(idle, "1") != 0)
        return;
    if (shares && (u->cpu.has & SPEC_CPU_IDLE) == 0) {
        u->cpu.has &= ~(uint64_t) SPEC_CPU_SHARES;
        plan_warning(u->p, CPU ".shares",
                     "kept for later: the container is idle (cpu.idle), and so without weight");
    } else if (!shares && (u->cpu.has & SPEC_CPU_IDLE) != 0 && u->cpu.idle == 0 && before != NULL) {
        u->cpu.shares = before->shares;
        u->cpu.has |= before->has & SPEC_CPU_SHARES;
    }
}

static void complete_cpu(struct updating *u)
{
    if (u->request->given->cpu == NULL)
        return;
    u->cpu = *u->request->given->cpu;
    u->wanted.cpu = &u->cpu;
    complete_quota(u);
    complete_weight(u);
}

static void drop_file(struct cg_rows *rows, const char *path)
{
    size_t kept = 0;

    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows->rows[i].path, path) != 0)
            rows->rows[kept++] = rows->rows[i];
    rows->count = kept;
}

static void decide_devices(struct updating *u, struct plan_update *update)
{
    struct spec_linux linux_ = {.resources = u->request->given};
    const struct plan_cgroup *cgroup = &u->p->plan->cgroup;

    if (u->request->given->devices.count == 0)
        return;
    u->p->linux_ = &linux_;
    plan_decide_device_rules(u->p);
    update->device_rules = cgroup->device_rules;
    update->device_rule_count = cgroup->device_rule_count;
    if (cgroup->device_rules == NULL && !arena_failed(u->p->arena))
        plan_error(u->p, "linux.resources.devices", "needs the rights of the host's root");
}

static void decide_class(struct updating *u, struct plan_update *update)
{
    const struct spec_intel_rdt *rdt = u->request->rdt;

    if (rdt == NULL || spec_check_intel_rdt(rdt, u->p->findings) < 0)
        return;
    update->schemata = plan_schemata(u->p->arena, rdt);
    if (update->schemata == NULL && !arena_failed(u->p->arena))
        plan_error(u->p, "linux.intelRdt.l3CacheSchema", "has no line such as 'L3:0=f;1=f'");
}

int plan_update(struct arena *arena, const struct plan_update_request *request,
                struct findings *findings, struct plan_update *ret_update, struct sub_err *err)
{
    static const struct options options = {.cgroup_manager = OPTION_CGROUPFS};
    struct plan plan = {.id = NULL};
    struct planning p = {.arena = arena,
                         .options = &options,
                         .host = request->host,
                         .findings = findings,
                         .plan = &plan};
    struct updating u = {.p = &p, .request = request, .wanted = *request->given};
    struct plan_update update = {.merged = NULL};
    struct cg_rows rows;

    complete_memory(&u);
    complete_cpu(&u);
    (void) spec_check_resources(&u.wanted, findings); /* the findings are looked at below */
    check_usage(&u);
    cg_rows_init(&rows, arena);
    plan_resource_rows(&p, &u.wanted, &rows);
    if (u.limit_is_known)
        drop_file(&rows, MEMORY ".limit");
    decide_devices(&u, &update);
    decide_class(&u, &update);
    SUBLET_TRY(findings_result(findings, err));

    SUBLET_TRY(cg_changes_make(&rows, &request->present, &update.changes, err));
    update.merged = plan_merge_resources(arena, request->saved, request->given, &rows);
    if (update.merged == NULL)
        return sub_fail(err, ENOMEM, NULL, "out of memory");
    *ret_update = update;
    return 0;
}
