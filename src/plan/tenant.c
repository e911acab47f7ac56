/* SPDX-License-Identifier: Apache-2.0 */
/* Whose container it is, where that puts it, and what that forbids. */
#include "sublet/tenant.h"

#include <linux/capability.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/resource.h>

#include "sublet/base/path.h"

#include "planning.h"

#define KERNEL_NESTED HOST_KERNEL(6, 7)
#define ANNOTATION    "annotations['" TENANT_ANNOTATION "']"
#define PERIOD_US     100000u

const char *plan_tenant_name(struct arena *arena, const struct options *options,
                             const struct spec *spec, const char **ret_where)
{
    const char *path = spec->linux_ == NULL ? NULL : spec->linux_->cgroups_path;
    char of_path[TENANT_NAME_MAX + 1];

    *ret_where = "--tenant";
    if (options->tenant != NULL)
        return options->tenant;
    *ret_where = ANNOTATION;
    for (size_t i = 0; i < spec->annotations.count; i++) {
        if (strcmp(spec->annotations.items[i].key, TENANT_ANNOTATION) == 0)
            return spec->annotations.items[i].value;
    }
    *ret_where = "linux.cgroupsPath";
    if (options->cgroup_manager == OPTION_CGROUPFS && path != NULL && path[0] == '/' &&
        tenant_of_path(path + 1, of_path))
        return arena_strdup(arena, of_path);
    return NULL;
}

/* A host that can hold nobody to a contract has no tenants but those it is asked for. */
static bool has_tenants(const struct host *host)
{
    return host->tenant_count > 0 && !host->rootless && (host->cgroup_controllers & CG_CPU) != 0;
}

void plan_decide_tenant(struct planning *p)
{
    struct plan_cgroup *cgroup = &p->plan->cgroup;
    const char *where;
    const char *named = plan_tenant_name(p->arena, p->options, p->spec, &where);

    if (named == NULL && (!has_tenants(p->host) || p->options->cgroup_manager == OPTION_DISABLED))
        return;
    if (p->host->tenant == NULL) {
        plan_error(p, where, "no tenant '%.80s' is defined; 'sublet tenant list' tells them",
                   named == NULL ? TENANT_DEFAULT : named);
        return;
    }
    if (p->options->cgroup_manager == OPTION_DISABLED) {
        plan_error(p, where, "a tenant needs a cgroup, but the manager is 'disabled'");
        return;
    }
    if (p->host->rootless) {
        plan_error(p, where, "tenants are for containers of the host's root");
        return;
    }
    cgroup->tenant = p->host->tenant->name;
    cgroup->tenant_named = named != NULL;
    cgroup->tenant_json = where;
    cgroup->tenant_group =
        tenant_group_path(p->arena, p->host->tenant, p->host->kernel >= KERNEL_NESTED);
    cgroup->tenants_dir = p->options->tenants_dir;
    cgroup->tenant_origin = p->host->tenant->origin;
}

/* Within the contract only if the kernel accounts it there. */
static void decide_place(struct planning *p)
{
    struct plan_cgroup *cgroup = &p->plan->cgroup;

    cgroup->tenant_outside = cgroup->path == NULL || cgroup->tenant_group == NULL ||
                             cgroup->manager == PLAN_CGROUP_SYSTEMD ||
                             !path_holds(cgroup->tenant_group, cgroup->path);
    if (cgroup->tenant_outside && cgroup->tenant_named) {
        plan_warning(p, cgroup->tenant_json,
                     "the container is outside of tenant '%s', whose cgroup is /%s: no limit of "
                     "the contract holds",
                     cgroup->tenant, cgroup->tenant_group);
    }
}

static void forbid_realtime(struct planning *p)
{
    const struct plan_process *process = &p->plan->process;
    const struct plan_caps *caps = &process->caps;
    uint64_t nice = (uint64_t) 1 << CAP_SYS_NICE;
    const char *tenant = p->plan->cgroup.tenant;
    uint32_t policy = process->scheduler == NULL ? SCHED_NORMAL : process->scheduler->policy;

    if (policy == SCHED_FIFO || policy == SCHED_RR || policy == SCHED_DEADLINE) {
        plan_error(p, "process.scheduler.policy",
                   "real-time scheduling escapes every CPU limit; the contract of tenant '%s' does "
                   "not allow it",
                   tenant);
    }
    /* the power over the scheduler is that of the first user namespace alone */
    if (!p->plan->ns.new_user && !p->plan->ns.join_user &&
        ((caps->bounding | caps->effective | caps->permitted | caps->inheritable) & nice) != 0)
        plan_error(p, "process.capabilities",
                   "CAP_SYS_NICE allows real-time scheduling; the contract of tenant '%s' does not",
                   tenant);
    for (size_t i = 0; i < process->rlimit_count; i++) {
        if (process->rlimits[i].resource == RLIMIT_RTPRIO && process->rlimits[i].hard > 0) {
            plan_error(p, process->rlimits[i].json,
                       "RLIMIT_RTPRIO allows real-time scheduling; the contract of tenant '%s' "
                       "does not",
                       tenant);
        }
    }
}

/* The limit of the contract where the container has none that is lower. */
static void put_rlimit(struct plan_rlimit *limits, size_t *count, const struct plan_rlimit *wanted)
{
    for (size_t i = 0; i < *count; i++) {
        if (limits[i].resource != wanted->resource)
            continue;
        if (limits[i].hard > wanted->hard)
            limits[i].hard = wanted->hard;
        if (limits[i].soft > limits[i].hard)
            limits[i].soft = limits[i].hard;
        return;
    }
    limits[(*count)++] = *wanted;
}

static void decide_rlimits(struct planning *p, const struct tenant_contract *contract)
{
    struct plan_process *process = &p->plan->process;
    uint64_t bytes = contract->memory_bytes[TENANT_VIRTUAL];
    struct plan_rlimit *limits = arena_array(p->arena, process->rlimit_count + 2, sizeof *limits);
    const char *json = p->plan->cgroup.tenant_json;

    if (limits == NULL)
        return;
    if (process->rlimit_count > 0)
        memcpy(limits, process->rlimits, process->rlimit_count * sizeof *limits);
    if (bytes != TENANT_UNSET)
        put_rlimit(limits, &process->rlimit_count,
                   &(struct plan_rlimit){RLIMIT_AS, bytes, bytes, json});
    /* what the caller has would be inherited */
    if (!contract->realtime)
        put_rlimit(limits, &process->rlimit_count,
                   &(struct plan_rlimit){RLIMIT_RTPRIO, 0, 0, json});
    process->rlimits = limits;
}

static void warn_of_quota(struct planning *p, const struct tenant_cpu *contract)
{
    const struct spec_resources *resources = p->linux_->resources;
    const struct spec_cpu *cpu = resources == NULL ? NULL : resources->cpu;
    uint64_t cap_milli = contract->kind == TENANT_FIXED ? contract->milli : contract->ceiling_milli;
    uint64_t period_us = PERIOD_US;

    if (cpu == NULL || (cpu->has & SPEC_CPU_QUOTA) == 0 || cpu->quota_us <= 0 || cap_milli == 0)
        return;
    if ((cpu->has & SPEC_CPU_PERIOD) != 0 && cpu->period_us > 0)
        period_us = cpu->period_us;
    if ((uint64_t) cpu->quota_us > cap_milli * period_us / 1000)
        plan_warning(p, "linux.resources.cpu.quota",
                     "more than tenant '%s' has in all, %s CPUs: the rest is of no use",
                     p->plan->cgroup.tenant, tenant_milli_text(p->arena, cap_milli));
}

void plan_decide_tenant_limits(struct planning *p)
{
    if (p->plan->cgroup.tenant == NULL)
        return;
    decide_place(p);
    if (p->plan->cgroup.tenant_outside)
        return;

    const struct tenant_contract *contract = &p->host->tenant->contract;
    if (!contract->realtime)
        forbid_realtime(p);
    decide_rlimits(p, contract);
    warn_of_quota(p, &contract->cpu);
}

/* One more process in a container that is within its tenant's contract. */
void plan_decide_tenant_exec(struct planning *p)
{
    const struct tenant *tenant = p->host->tenant;

    if (tenant == NULL)
        return;
    p->plan->cgroup.tenant = tenant->name;
    p->plan->cgroup.tenant_json = "tenant";
    if (!tenant->contract.realtime)
        forbid_realtime(p);
    decide_rlimits(p, &tenant->contract);
}
