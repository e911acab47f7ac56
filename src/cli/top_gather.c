/* SPDX-License-Identifier: Apache-2.0 */
/* Counters become rates: each is held against the one that the same group had a window before. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sublet/account/view.h"
#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/time.h"
#include "sublet/run.h"
#include "sublet/tenant.h"

#include "command.h"
#include "target.h"
#include "top.h"

#define MICRO UINT64_C(1000000)

/* What only grows. */
enum total {
    T_USED,
    T_THROTTLED,
    T_CPU_SOME,
    T_CPU_FULL,
    T_MEMORY_SOME,
    T_IO_SOME,
    T_READ,
    T_WRITTEN,
    T_OPERATIONS,
    TOTALS
};

struct totals {
    const char *name;
    bool is_container;
    uint64_t group; /* tells it from a later one with the same name: inode, or time of creation */
    uint32_t known;
    uint64_t of[TOTALS];
};

struct look { /* one round */
    struct arena arena;
    uint64_t monotonic_us;
    struct totals *totals;
    size_t count;
    struct top_rows rows;
};

struct top_world {
    const char *state_root;
    struct account_view *view; /* NULL: this host cannot have tenants */
    struct sub_err no_view;
    struct cgroup_sample sample; /* one for all */
    struct look before, now;
    bool has_before;
};

bool top_has(const struct top_row *row, enum top_value value)
{
    return (row->known & (UINT64_C(1) << value)) != 0;
}

void top_put(struct top_row *row, enum top_value value, uint64_t number)
{
    row->known |= UINT64_C(1) << value;
    row->values[value] = number;
}

const struct top_rows *top_world_rows(const struct top_world *world)
{
    return &world->now.rows;
}

bool top_world_has_no_tenants(const struct top_world *world)
{
    return world->view == NULL || account_view_count(world->view) == 0;
}

/* ---- from counters ---- */

static void put_total(struct totals *totals, enum total total, bool known, uint64_t value)
{
    if (known)
        totals->known |= 1u << total;
    totals->of[total] = value;
}

struct parts {
    const struct cg_cpu_counters *cpu;
    const struct cg_pressure *cpu_pressure, *memory_pressure, *io_pressure;
    const struct cg_memory_counters *memory;
    const struct cg_pids_counters *pids;
    const struct cg_io_counters *io;
    size_t io_count;
    bool io_known;
};

static void sum_io(const struct parts *parts, struct totals *totals)
{
    uint64_t read = 0, written = 0, operations = 0;

    for (size_t i = 0; i < parts->io_count; i++) {
        read += parts->io[i].read_bytes;
        written += parts->io[i].written_bytes;
        operations += parts->io[i].reads + parts->io[i].writes;
    }
    put_total(totals, T_READ, parts->io_known, read);
    put_total(totals, T_WRITTEN, parts->io_known, written);
    put_total(totals, T_OPERATIONS, parts->io_known, operations);
}

static void take_totals(const struct parts *parts, struct totals *totals)
{
    put_total(totals, T_USED, cg_has(parts->cpu, usage_us), parts->cpu->usage_us);
    put_total(totals, T_THROTTLED, cg_has(parts->cpu, throttled_us), parts->cpu->throttled_us);
    put_total(totals, T_CPU_SOME, cg_has(parts->cpu_pressure, some.total_us),
              parts->cpu_pressure->some.total_us);
    put_total(totals, T_CPU_FULL, cg_has(parts->cpu_pressure, full.total_us),
              parts->cpu_pressure->full.total_us);
    put_total(totals, T_MEMORY_SOME, cg_has(parts->memory_pressure, some.total_us),
              parts->memory_pressure->some.total_us);
    put_total(totals, T_IO_SOME, cg_has(parts->io_pressure, some.total_us),
              parts->io_pressure->some.total_us);
    sum_io(parts, totals);
}

static void put_levels(const struct parts *parts, struct top_row *row)
{
    const struct cg_memory_counters *memory = parts->memory;

    if (cg_has(memory, current_bytes))
        top_put(row, TOP_MEMORY, memory->current_bytes);
    if (cg_has(memory, limit_bytes))
        top_put(row, TOP_LIMIT, memory->limit_bytes);
    if (cg_has(memory, swap_bytes))
        top_put(row, TOP_SWAP, memory->swap_bytes);
    if (cg_has(memory, oom_kills))
        top_put(row, TOP_OOM, memory->oom_kills);
    if (cg_has(parts->pids, current))
        top_put(row, TOP_TASKS, parts->pids->current);
    if (cg_has(parts->pids, refused))
        top_put(row, TOP_REFUSED, parts->pids->refused);
    if (top_has(row, TOP_MEMORY) && top_has(row, TOP_LIMIT) && memory->limit_bytes != UINT64_MAX &&
        memory->limit_bytes > 0)
        top_put(
            row, TOP_FILLED,
            (uint64_t) ((unsigned __int128) memory->current_bytes * 10000 / memory->limit_bytes));
}

static const struct totals *find_before(const struct top_world *world, const struct totals *totals)
{
    for (size_t i = 0; world->has_before && i < world->before.count; i++) {
        const struct totals *before = &world->before.totals[i];

        if (before->is_container == totals->is_container && before->group == totals->group &&
            strcmp(before->name, totals->name) == 0)
            return before;
    }
    return NULL;
}

static void put_rates(const struct top_world *world, const struct totals *totals,
                      struct top_row *row)
{
    static const struct {
        enum total total;
        enum top_value value;
        uint64_t unit; /* of a rate of one: a CPU is a million, all of the time 10,000 */
    } rates[] = {
        {T_USED,        TOP_USED,        MICRO},
        {T_THROTTLED,   TOP_THROTTLED,   10000},
        {T_CPU_SOME,    TOP_CPU_SOME,    10000},
        {T_CPU_FULL,    TOP_WAITING,     10000},
        {T_MEMORY_SOME, TOP_MEMORY_SOME, 10000},
        {T_IO_SOME,     TOP_IO_SOME,     10000},
        {T_READ,        TOP_READ,        MICRO},
        {T_WRITTEN,     TOP_WRITTEN,     MICRO},
        {T_OPERATIONS,  TOP_OPERATIONS,  MICRO},
    };
    const struct totals *before = find_before(world, totals);
    uint64_t window_us = world->now.rows.window_us;

    if (before == NULL || window_us == 0)
        return;
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        enum total total = rates[i].total;
        uint64_t now = totals->of[total], then = before->of[total];

        if ((totals->known & before->known & (1u << total)) != 0) {
            top_put(row, rates[i].value,
                    now < then ? 0
                               : (uint64_t) ((unsigned __int128) (now - then) * rates[i].unit /
                                             window_us));
        }
    }
}

/* ---- tenants ---- */

static uint64_t per_second(uint64_t us, uint64_t window_us)
{
    return window_us == 0 ? 0 : (uint64_t) ((unsigned __int128) us * MICRO / window_us);
}

static void put_account(const struct account_tenant *tenant, uint64_t window_us,
                        struct top_row *row)
{
    const struct account_row *account = &tenant->row;

    top_put(row, TOP_ENTITLED, tenant->entitled_micro);
    if (!tenant->measured)
        return;
    row->state = account_class_name(account->class);
    top_put(row, TOP_USED, per_second(account->used_us, window_us));
    top_put(row, TOP_BORROWED, per_second(account->borrowed_us, window_us));
    top_put(row, TOP_LENT, per_second(account->lent_us, window_us));
    top_put(row, TOP_SHORT, per_second(account->shortfall_us, window_us));
    top_put(row, TOP_WAITING, per_second(account->waiting_us, window_us) / 100);
    if (account->entitled_us > 0)
        top_put(row, TOP_UTILISED,
                (uint64_t) ((unsigned __int128) account->used_us * 10000 / account->entitled_us));
}

/* The view's own texts last to its next sample only. */
static void take_tenant(struct top_world *world, const struct account_tenant *tenant)
{
    const char *name = arena_strdup(&world->now.arena, tenant->name);
    const char *contract = arena_strdup(&world->now.arena, tenant->contract);

    struct look *now = &world->now;
    struct top_row *row = &now->rows.items[now->rows.count++];
    struct totals *totals = &now->totals[now->count++];
    const struct account_slow *slow = &tenant->slow;
    const struct parts parts = {.cpu = &tenant->cpu,
                                .cpu_pressure = &tenant->cpu_pressure,
                                .memory_pressure = &slow->memory_pressure,
                                .io_pressure = &slow->io_pressure,
                                .memory = &slow->memory,
                                .pids = &slow->pids,
                                .io = slow->io,
                                .io_count = slow->io_count,
                                .io_known = true};

    *row = (struct top_row){.name = name, .contract = contract, .state = "-"};
    *totals = (struct totals){.name = name, .group = tenant->cgroup_id};
    now->rows.tenants++;
    top_put(row, TOP_ENTITLED, tenant->entitled_micro);
    if (!tenant->open)
        return;
    take_totals(&parts, totals);
    put_rates(world, totals, row);
    put_levels(&parts, row);
    put_account(tenant, account_view_window_us(world->view), row);
}

static void take_host(struct top_world *world)
{
    const struct account_host_row *host = account_view_host(world->view);
    uint64_t window_us = account_view_window_us(world->view);

    world->now.rows.host = (struct top_host){
        .known = window_us > 0,
        .capacity = per_second(host->capacity_us, window_us),
        .tenants = per_second(host->tenants_us, window_us),
        .own = per_second(host->own_us, window_us),
        .idle = per_second(host->idle_us, window_us),
        .steal = per_second(host->steal_us, window_us),
        .entitled = per_second(host->entitled_us, window_us),
        .borrowed = per_second(host->borrowed_us, window_us),
        .missed = per_second(host->shortfall_us, window_us),
    };
}

/* ---- containers ---- */

/* The time it was made, as a number that tells it from another. */
static uint64_t made(const char *created)
{
    uint64_t us = 0;

    (void) time_parse_us(created, &us);
    return us;
}

static void take_container(struct top_world *world, const char *id, const struct run_stats *stats)
{
    const struct cgroup_sample *sample = &world->sample;
    struct look *now = &world->now;
    struct top_row *row = &now->rows.items[now->rows.count++];
    struct totals *totals = &now->totals[now->count++];
    const struct parts parts = {.cpu = &sample->cpu,
                                .cpu_pressure = &sample->cpu_pressure,
                                .memory_pressure = &sample->memory_pressure,
                                .io_pressure = &sample->io_pressure,
                                .memory = &sample->memory,
                                .pids = &sample->pids,
                                .io = sample->io,
                                .io_count = sample->io_count,
                                .io_known = sample->io_known};

    *row = (struct top_row){.name = id,
                            .tenant = stats->info.tenant,
                            .state = run_status_name(stats->info.status),
                            .is_container = true,
                            .outside = stats->info.tenant_outside};
    *totals = (struct totals){.name = id, .is_container = true, .group = made(stats->info.created)};
    now->rows.containers++;
    if (!stats->counted)
        return;
    take_totals(&parts, totals);
    put_rates(world, totals, row);
    put_levels(&parts, row);
}

static void take_containers(struct top_world *world, const struct run_info *infos, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct run_target target = {
            .arena = &world->now.arena, .state_root = world->state_root, .id = infos[i].id};
        struct sub_err ignored = {.code = 0}; /* went away, or its record makes no sense */
        struct run_stats stats;

        if (run_stats(&target, &world->sample, &stats, &ignored) == 0)
            take_container(world, infos[i].id, &stats);
    }
}

/* ---- rounds ---- */

static int begin(struct top_world *world, struct sub_err *err)
{
    struct look *now = &world->now;
    char time[TIME_TEXT];

    if (world->has_before)
        arena_done(&world->before.arena);
    if (now->monotonic_us > 0) {
        world->before = *now;
        world->has_before = true;
    }
    *now = (struct look){.monotonic_us = time_now_us(CLOCK_MONOTONIC)};
    arena_init(&now->arena, ARENA_MAX_BYTES);
    if (world->has_before)
        now->rows.window_us = now->monotonic_us - world->before.monotonic_us;
    (void) time_format_us(time_now_us(CLOCK_REALTIME), time);
    memcpy(now->rows.time, time + strlen("2026-11-22T"), 8);
    return world->view == NULL ? 0 : account_view_sample(world->view, ACCOUNT_ALL, err);
}

int top_world_look(struct top_world *world, struct sub_err *err)
{
    struct look *now = &world->now;
    struct run_info *infos;
    size_t count, tenants;

    SUBLET_TRY(begin(world, err));
    SUBLET_TRY(run_list(&now->arena, world->state_root, &infos, &count, err));
    tenants = world->view == NULL ? 0 : account_view_count(world->view);
    now->rows.items = arena_array(&now->arena, tenants + count + 1, sizeof *now->rows.items);
    now->totals = arena_array(&now->arena, tenants + count + 1, sizeof *now->totals);
    if (now->rows.items == NULL || now->totals == NULL)
        return -ENOMEM;
    now->rows.no_tenants = world->view == NULL ? world->no_view.text : NULL;
    for (size_t i = 0; i < tenants; i++)
        take_tenant(world, account_view_tenant(world->view, i));
    if (world->view != NULL)
        take_host(world);
    take_containers(world, infos, count);
    return arena_failed(&now->arena) ? -ENOMEM : 0;
}

int top_world_open(const struct call *call, struct top_world **ret_world, struct sub_err *err)
{
    OWNED_TOP_WORLD *world = calloc(1, sizeof *world);
    const char *tenants = call->args->tenants == NULL ? TENANT_DIR : call->args->tenants;

    if (world == NULL)
        return -ENOMEM;
    SUBLET_TRY(target_root(call, &world->state_root, err));
    int rc = account_view_open(tenants, &world->view, &world->no_view);
    if (rc < 0 && rc != -EOPNOTSUPP && rc != -ENOENT) {
        *err = world->no_view;
        return rc;
    }
    *ret_world = world;
    world = NULL;
    return 0;
}

void top_world_free(struct top_world **place)
{
    struct top_world *world = *place;

    if (world == NULL)
        return;
    account_view_free(&world->view);
    if (world->has_before)
        arena_done(&world->before.arena);
    if (world->now.monotonic_us > 0)
        arena_done(&world->now.arena);
    free(world);
    *place = NULL;
}
