/* SPDX-License-Identifier: Apache-2.0 */
/* What is for sale, what is sold, and every limit that follows. Pure. */
#include <errno.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/path.h"

#include "private.h"

#define WEIGHT_MAX       10000
#define NEIGHBOURS_LEAST 100 /* kernel threads and what lives in the root group itself */
#define US_PER_MILLI     1000u

struct planning {
    struct arena *arena;
    const struct tenant_host *host;
    const struct tenants *tenants;
    const char *changed;
    bool overcommit, kept;
    uint64_t (*cpus)[CPU_WORDS]; /* of the pinned ones, one set a tenant */
    struct findings *findings;
    struct tenant_plan *plan;
};

static bool is_changed(const struct planning *p, const struct tenant *tenant)
{
    return p->changed != NULL && strcmp(p->changed, tenant->name) == 0;
}

static const char *milli(const struct planning *p, uint64_t value)
{
    return tenant_milli_text(p->arena, value);
}

/* The CPUs that were promised to it alone are not there: the machine came back with fewer. */
static bool has_lost_cpus(const struct planning *p, size_t index)
{
    const struct tenant_cpu *cpu = &p->tenants->items[index].contract.cpu;

    return cpu->kind == TENANT_PINNED && cpu->milli > 0 && cpus_count(p->cpus[index]) == 0;
}

/* What can be kept of the contract: a share of that size, if it is no longer one of CPUs. */
static struct tenant_cpu kept_cpu(const struct planning *p, size_t index)
{
    struct tenant_cpu cpu = p->tenants->items[index].contract.cpu;

    if (has_lost_cpus(p, index))
        cpu.kind = TENANT_ELASTIC;
    return cpu;
}

static void add_up(struct planning *p)
{
    struct tenant_sums *sums = &p->plan->sums;

    *sums = (struct tenant_sums){.online_milli = (uint64_t) cpus_count(p->host->online) * 1000,
                                 .reserve_milli = p->host->reserve_milli,
                                 .memory_for_sale_bytes =
                                     p->host->memory_bytes - p->host->memory_bytes / 10};
    for (size_t i = 0; i < p->tenants->count; i++) {
        const struct tenant_contract *contract = &p->tenants->items[i].contract;
        const struct tenant_cpu cpu = kept_cpu(p, i);
        uint64_t low = contract->memory_bytes[TENANT_LOW];

        if (cpu.kind == TENANT_PINNED)
            sums->pinned_milli += cpu.milli;
        else
            sums->sold_milli += cpu.milli;
        sums->protected_bytes += low == TENANT_UNSET ? 0 : low;
    }

    uint64_t gone = sums->pinned_milli + sums->reserve_milli;
    sums->for_sale_milli = gone >= sums->online_milli ? 0 : sums->online_milli - gone;
}

const char *tenant_sums_text(struct arena *arena, const struct tenant_sums *sums)
{
    return arena_printf(
        arena, "%s CPUs - %s pinned - %s reserve = %s for sale, %s sold",
        tenant_milli_text(arena, sums->online_milli), tenant_milli_text(arena, sums->pinned_milli),
        tenant_milli_text(arena, sums->reserve_milli),
        tenant_milli_text(arena, sums->for_sale_milli), tenant_milli_text(arena, sums->sold_milli));
}

/* A contract that is new is refused, those that were accepted once are told of. */
static int complain(struct planning *p, const struct tenant *tenant, const char *text,
                    struct sub_err *err)
{
    const char *who = tenant == NULL ? NULL : arena_printf(p->arena, "tenant '%s'", tenant->name);

    if (tenant != NULL)
        return sub_fail(err, ENOSPC, who, "%s", text);
    findings_warning(p->findings, "tenants", "%s", text);
    return 0;
}

static const struct tenant *find_changed(const struct planning *p)
{
    for (size_t i = 0; i < p->tenants->count; i++) {
        if (is_changed(p, &p->tenants->items[i]))
            return &p->tenants->items[i];
    }
    return NULL;
}

static uint64_t promised_pinned_milli(const struct planning *p)
{
    uint64_t milli = 0;

    for (size_t i = 0; i < p->tenants->count; i++) {
        const struct tenant_cpu *cpu = &p->tenants->items[i].contract.cpu;

        milli += cpu->kind == TENANT_PINNED ? cpu->milli : 0;
    }
    return milli;
}

/* CPUs that are not there cannot be given twice, whatever the flag says; but what was promised on a
 * larger machine must not keep the others from theirs. */
static int admit_pinned(struct planning *p, const struct tenant *changed, struct sub_err *err)
{
    const struct tenant_sums *sums = &p->plan->sums;
    uint64_t promised_milli = promised_pinned_milli(p);
    const char *text;

    if (promised_milli == 0 || promised_milli + sums->reserve_milli <= sums->online_milli)
        return 0;
    text = arena_printf(p->arena, "%s CPUs pinned in all, but of %s CPUs %s are the host's reserve",
                        milli(p, promised_milli), milli(p, sums->online_milli),
                        milli(p, sums->reserve_milli));
    if (changed != NULL && !p->kept && changed->contract.cpu.kind == TENANT_PINNED)
        return complain(p, changed, text, err);
    for (size_t i = 0; i < p->tenants->count; i++) {
        if (has_lost_cpus(p, i)) {
            findings_warning(p->findings,
                             arena_printf(p->arena, "tenant '%s'", p->tenants->items[i].name),
                             "%s: it gets a share of %s with all others", text,
                             milli(p, p->tenants->items[i].contract.cpu.milli));
        }
    }
    return 0;
}

static int admit_cpu(struct planning *p, const struct tenant *changed, struct sub_err *err)
{
    const struct tenant_sums *sums = &p->plan->sums;
    const char *all = tenant_sums_text(p->arena, sums);

    if (sums->sold_milli <= sums->for_sale_milli)
        return 0;
    if (p->overcommit || changed == NULL) {
        return complain(
            p, NULL,
            arena_printf(p->arena, "%s: more than there is, every promise is kept to %u per cent",
                         all, (unsigned) (sums->for_sale_milli * 100 / sums->sold_milli)),
            err);
    }

    uint64_t others = sums->sold_milli;
    if (changed->contract.cpu.kind != TENANT_PINNED)
        others -= changed->contract.cpu.milli;
    return complain(
        p, changed,
        arena_printf(p->arena,
                     "%s does not fit: %s, %s of it to others, %s left; --overcommit sells it all "
                     "the same",
                     tenant_cpu_text(p->arena, &changed->contract.cpu), all, milli(p, others),
                     milli(p, others > sums->for_sale_milli ? 0 : sums->for_sale_milli - others)),
        err);
}

static int admit_memory(struct planning *p, const struct tenant *changed, struct sub_err *err)
{
    const struct tenant_sums *sums = &p->plan->sums;

    if (sums->protected_bytes <= sums->memory_for_sale_bytes || sums->protected_bytes == 0)
        return 0;
    return complain(p, p->overcommit ? NULL : changed,
                    arena_printf(p->arena,
                                 "%s of memory protected in all, but of %s nine tenths are for "
                                 "sale, %s",
                                 tenant_size_text(p->arena, sums->protected_bytes),
                                 tenant_size_text(p->arena, p->host->memory_bytes),
                                 tenant_size_text(p->arena, sums->memory_for_sale_bytes)),
                    err);
}

const char *tenant_group_path(struct arena *arena, const struct tenant *tenant, bool nested)
{
    if (tenant->contract.cpu.kind == TENANT_PINNED && !nested)
        return arena_printf(arena, TENANT_PINNED_TOP "%s", tenant->name);
    return arena_printf(arena, TENANT_PARENT "/%s", tenant->name);
}

bool tenant_of_path(const char *path, char name[TENANT_NAME_MAX + 1])
{
    static const char *const tops[] = {TENANT_PARENT "/", TENANT_PINNED_TOP};

    for (size_t i = 0; i < sizeof tops / sizeof *tops; i++) {
        size_t top = strlen(tops[i]), length;

        if (strncmp(path, tops[i], top) != 0)
            continue;
        length = strcspn(path + top, "/");
        if (length == 0 || length > TENANT_NAME_MAX)
            return false;
        memcpy(name, path + top, length);
        name[length] = '\0';
        return tenant_name_check(name, NULL, NULL) == 0;
    }
    return false;
}

/* The parent against its neighbours, so that the tenants together get what is for sale when all
 * the machine is busy: W * (C - P - R) / R. */
static uint64_t parent_weight(const struct planning *p)
{
    const struct tenant_sums *sums = &p->plan->sums;
    uint64_t neighbours =
        p->host->neighbour_weight < NEIGHBOURS_LEAST ? NEIGHBOURS_LEAST : p->host->neighbour_weight;

    if (sums->reserve_milli == 0)
        return WEIGHT_MAX;

    uint64_t weight =
        (neighbours * sums->for_sale_milli + sums->reserve_milli / 2) / sums->reserve_milli;
    return weight < 1 ? 1 : weight > WEIGHT_MAX ? WEIGHT_MAX : weight;
}

static uint64_t entitled_us(const struct tenant_sums *sums, const struct tenant_cpu *cpu)
{
    uint64_t us = (uint64_t) cpu->milli * US_PER_MILLI;

    if (cpu->kind == TENANT_PINNED || sums->sold_milli <= sums->for_sale_milli)
        return us;
    return us * sums->for_sale_milli / sums->sold_milli;
}

static void warn_of_dirty_pages(struct planning *p, const struct tenant *tenant)
{
    if (tenant->contract.io_count > 0 && tenant->contract.memory_bytes[TENANT_MAX] == TENANT_UNSET)
        findings_warning(p->findings, arena_printf(p->arena, "tenant '%s'", tenant->name),
                         "io is limited but memory is not: writes gather in memory and are slowed "
                         "only behind it; set --memory as well");
}

static int plan_group(struct planning *p, size_t index, const uint64_t *cpus, struct sub_err *err)
{
    const struct tenant *tenant = &p->tenants->items[index];
    struct tenant kept = *tenant;
    const struct tenant_cpu *cpu = &kept.contract.cpu;
    struct tenant_group *group = &p->plan->groups[index];

    kept.contract.cpu = kept_cpu(p, index);
    bool pinned = cpu->kind == TENANT_PINNED;

    *group = (struct tenant_group){
        .tenant = tenant,
        .group = tenant_group_path(p->arena, tenant, p->host->nested_partitions),
        .contract = tenant_cpu_text(p->arena, cpu),
        .entitled_us_per_s = entitled_us(&p->plan->sums, cpu),
        .cap_us_per_s = tenant_cap_milli(cpu) * US_PER_MILLI,
        .cpus = pinned ? cpus_text(p->arena, cpus) : NULL,
    };
    warn_of_dirty_pages(p, tenant);

    int rc = tenant_rows(p->arena, p->host, &kept, cpus, group, err);
    return rc < 0 ? sub_err_wrap(err, "tenant '%s'", tenant->name) : 0;
}

/* Of those that lie in the group of all. */
static uint64_t protected_in_parent(const struct planning *p)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < p->tenants->count; i++) {
        uint64_t low = p->tenants->items[i].contract.memory_bytes[TENANT_LOW];
        const char *group = p->plan->groups[i].group;

        if (low != TENANT_UNSET && group != NULL &&
            strncmp(group, TENANT_PARENT "/", sizeof TENANT_PARENT) == 0)
            bytes += low - low % p->host->page_bytes;
    }
    return bytes;
}

static int plan_groups(struct planning *p, struct sub_err *err)
{
    uint64_t exclusive[CPU_WORDS] = {0}, left[CPU_WORDS];
    struct tenant_plan *plan = p->plan;

    plan->groups = arena_array(p->arena, p->tenants->count, sizeof *plan->groups);
    if (plan->groups == NULL)
        return -ENOMEM;
    plan->count = p->tenants->count;
    memcpy(left, p->host->online, sizeof left);
    for (size_t i = 0; i < plan->count; i++) {
        for (size_t word = 0; word < CPU_WORDS; word++) {
            exclusive[word] |= p->cpus[i][word];
            left[word] &= ~p->cpus[i][word];
        }
    }
    for (size_t i = 0; i < plan->count; i++) {
        bool pinned = kept_cpu(p, i).kind == TENANT_PINNED;

        SUBLET_TRY(plan_group(p, i, pinned ? p->cpus[i] : left, err));
    }
    plan->parent = (struct tenant_group){.group = TENANT_PARENT};

    const struct tenant_parent wanted = {parent_weight(p), protected_in_parent(p), exclusive};
    return tenant_parent_rows(p->arena, p->host, &wanted, &plan->parent, err);
}

int tenant_plan_make(const struct tenant_host *host, const struct tenants *tenants,
                     const struct tenant_change *change, struct findings *findings,
                     const struct tenant_plan **ret_plan, struct sub_err *err)
{
    struct arena *arena = findings->arena;
    struct tenant_plan *plan = arena_alloc(arena, sizeof *plan);
    struct planning p = {
        .arena = arena,
        .host = host,
        .tenants = tenants,
        .changed = change == NULL ? NULL : change->name,
        .overcommit = change == NULL || change->overcommit,
        .kept = change == NULL || change->kept,
        .cpus = arena_array(arena, tenants->count, sizeof *p.cpus),
        .findings = findings,
        .plan = plan,
    };

    if (plan == NULL || p.cpus == NULL)
        return -ENOMEM;
    pins_choose(host, tenants, p.cpus);
    add_up(&p);
    SUBLET_TRY(admit_pinned(&p, find_changed(&p), err));
    SUBLET_TRY(admit_cpu(&p, find_changed(&p), err));
    SUBLET_TRY(admit_memory(&p, find_changed(&p), err));
    SUBLET_TRY(plan_groups(&p, err));
    *ret_plan = plan;
    return arena_failed(arena) ? -ENOMEM : 0;
}

const struct tenant_group *tenant_plan_find(const struct tenant_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (strcmp(plan->groups[i].tenant->name, name) == 0)
            return &plan->groups[i];
    }
    return NULL;
}
