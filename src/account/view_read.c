/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/sys.h"
#include "sublet/tenant.h"

#include "view.h"

#define CPU  (CG_READ(CPU_STAT) | CG_READ(CPU_PRESSURE))
#define KEPT (CPU | CG_READ(MEMORY_CURRENT) | CG_READ(PIDS_CURRENT))
#define DISK (CG_READ(IO_PRESSURE) | CG_READ(IO_STAT))
/* what changes in a group without a process, and all */
#define HELD (CG_READ(MEMORY_MAX) | CG_READ(SWAP_CURRENT) | CG_READ(MEMORY_STAT) | CG_READ(IO_STAT))
#define REST                                                                                  \
    (HELD | DISK | CG_READ(MEMORY_PRESSURE) | CG_READ(MEMORY_PEAK) | CG_READ(MEMORY_EVENTS) | \
     CG_READ(PIDS_CURRENT) | CG_READ(PIDS_PEAK) | CG_READ(PIDS_EVENTS))
#define EVERY            (CPU | CG_READ(MEMORY_CURRENT) | REST)

#define ROOM_PERCENT     30 /* of the files that may be open: not more, if all are kept */
#define FILES_OF_TENANT  20
#define SMALL_PERCENT    1  /* of the capacity */
#define IO_LIMIT_PERCENT 95 /* of what a limit allows: it is what holds */

/* To open a file and to close it costs twice what it costs to read it. */
static bool has_room(const struct account_view *view)
{
    struct rlimit limit;

    return sys_getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
           limit.rlim_cur / 100 * ROOM_PERCENT >= view->count * FILES_OF_TENANT;
}

/* A group that is not there yet, or was made anew, is looked for again in every window. */
static bool open_group(struct account_view *view, struct watched *watched)
{
    struct sub_err ignored = {.code = 0};
    OWNED_CGROUP group = CGROUP_NONE;
    struct stat st;

    if (watched->reader != NULL)
        return true;
    watched->keeps_all = has_room(view);
    if (cgroup_open(view->cgroup_root_fd, watched->public.group, &group, &ignored) < 0 ||
        sys_fstat(group.dir_fd, &st) < 0 ||
        cgroup_reader_open(group.dir_fd, watched->keeps_all ? EVERY : KEPT, &watched->reader,
                           &ignored) < 0)
        return false;
    watched->dir_fd = sub_take_fd(&group.dir_fd);
    if (watched->public.cgroup_id != st.st_ino) {
        watched->public.sums = (struct account_sums){.windows = 0};
        watched->public.blame_count = 0;
        watched->public.memory_byte_us = 0;
        watched->based = watched->slow_based = false;
    }
    watched->public.cgroup_id = st.st_ino;
    view_still_watch(view, watched);
    return true;
}

/* ---- every window ---- */

static bool has_used(const struct account_tenant *tenant, const struct cg_cpu_counters *cpu)
{
    return cpu->usage_us != tenant->cpu.usage_us || cpu->throttled_us != tenant->cpu.throttled_us ||
           cpu->periods != tenant->cpu.periods;
}

static bool has_waited(const struct account_tenant *tenant, const struct cg_pressure *pressure)
{
    return pressure->some.total_us != tenant->cpu_pressure.some.total_us ||
           pressure->full.total_us != tenant->cpu_pressure.full.total_us;
}

/* Where nothing ran, somebody may have waited from some moment until now and not have got a CPU
 * yet. Where CPUs are idle that is not for long, and where they are not it is looked for in every
 * second window; once it has been seen, in every one. What is found late is in the sum all the
 * same, for the counters are. */
static bool may_skip_pressure(const struct account_view *view, const struct watched *watched,
                              const struct cg_cpu_counters *cpu)
{
    return !watched->waits && !has_used(&watched->public, cpu) && !view_is_empty(watched) &&
           (view->has_idle || !watched->was_skipped);
}

static uint64_t since_reading_us(const struct account_view *view, const struct watched *watched)
{
    return view->length_us + watched->unread_us;
}

/* Counters that are absent stay 0 on both sides; without a base it is not known when they grew. */
static void take_fast(const struct account_view *view, struct watched *watched,
                      const struct cg_cpu_counters *cpu, const struct cg_pressure *pressure)
{
    struct account_tenant *tenant = &watched->public;
    uint64_t window_us = since_reading_us(view, watched);

    if (watched->based) {
        watched->party = (struct account_party){
            .entitled_micro = tenant->entitled_micro,
            .used_us = num_above(cpu->usage_us, tenant->cpu.usage_us),
            .throttled_us = num_above(cpu->throttled_us, tenant->cpu.throttled_us),
            .some_us = num_above(pressure->some.total_us, tenant->cpu_pressure.some.total_us),
            .full_us = num_above(pressure->full.total_us, tenant->cpu_pressure.full.total_us),
            .tasks = tenant->slow.pids.current,
            .window_us = window_us,
        };
        watched->is_small =
            watched->party.used_us * 100 < window_us * view->machine.cpus * SMALL_PERCENT;
    }
    tenant->measured = watched->based;
    tenant->cpu = *cpu;
    tenant->cpu_pressure = *pressure;
    watched->based = true;
    tenant->open = true;
}

/* The first time, when it is not known yet whether this kernel counts pressure. */
static int read_first(struct account_view *view, struct watched *watched)
{
    struct sub_err ignored = {.code = 0};

    view_still_look(watched);
    SUBLET_TRY(cgroup_reader_sample(watched->reader, CPU, &view->sample, &ignored));
    watched->no_pressure = view->sample.cpu_pressure.present == 0;
    watched->waits = true; /* for all that is known */
    watched->was_skipped = false;
    view_still_seen(watched, true);
    view_rest_seen(watched, true);
    take_fast(view, watched, &view->sample.cpu, &view->sample.cpu_pressure);
    return 0;
}

/* -ENODEV: the group is gone. */
static int read_fast(struct account_view *view, struct watched *watched, bool all)
{
    struct sub_err ignored = {.code = 0};
    struct cg_pressure pressure = watched->public.cpu_pressure;

    view_still_look(watched);
    SUBLET_TRY(cgroup_reader_sample(watched->reader, CG_READ(CPU_STAT), &view->sample, &ignored));

    struct cg_cpu_counters cpu = view->sample.cpu;
    bool has_grown = has_used(&watched->public, &cpu);
    bool skip = watched->no_pressure || (!all && may_skip_pressure(view, watched, &cpu));
    if (!skip) {
        SUBLET_TRY(
            cgroup_reader_sample(watched->reader, CG_READ(CPU_PRESSURE), &view->sample, &ignored));
        if (view->sample.cpu_pressure.present != 0)
            pressure = view->sample.cpu_pressure;
        watched->waits = has_waited(&watched->public, &pressure);
        has_grown = has_grown || watched->waits;
    }
    watched->was_skipped = skip;
    view_still_seen(watched, has_grown);
    view_rest_seen(watched, has_grown);
    take_fast(view, watched, &cpu, &pressure);
    return 0;
}

/* ---- the rest ---- */

static const struct cg_io_counters *disk_of(const struct cg_io_counters *io, size_t count,
                                            const struct tenant_io *limit)
{
    for (size_t i = 0; i < count; i++) {
        if (io[i].major == limit->major && io[i].minor == limit->minor)
            return &io[i];
    }
    return NULL;
}

/* While somebody in it waited for a disk it did as much as that limit allows: the limit is what it
 * waited for. A disk that is slow itself, or that others use, stays below. */
static bool is_at_limit(const struct tenant_io *limit, const struct cg_io_counters *now,
                        const struct cg_io_counters *before, uint64_t waited_us)
{
    const uint64_t done[CG_IO_KINDS] = {
        [CG_IO_RBPS] = num_above(now->read_bytes, before->read_bytes),
        [CG_IO_WBPS] = num_above(now->written_bytes, before->written_bytes),
        [CG_IO_RIOPS] = num_above(now->reads, before->reads),
        [CG_IO_WIOPS] = num_above(now->writes, before->writes),
    };

    for (size_t i = 0; i < CG_IO_KINDS; i++) {
        unsigned __int128 allowed = (unsigned __int128) limit->rates[i] * waited_us / 1000000;

        if (limit->rates[i] > 0 && done[i] > 0 &&
            (unsigned __int128) done[i] * 100 >= allowed * IO_LIMIT_PERCENT)
            return true;
    }
    return false;
}

/* What it stalled since the last look, if that was at a limit of its contract. */
static uint64_t stalled_at_limit(const struct watched *watched, const struct cgroup_sample *sample)
{
    static const struct cg_io_counters none;
    const struct account_slow *slow = &watched->public.slow;
    const struct tenant_contract *contract = watched->contract;
    uint64_t waited_us =
        num_above(sample->io_pressure.some.total_us, slow->io_pressure.some.total_us);

    if (!watched->slow_based || contract == NULL || waited_us == 0)
        return 0;
    for (size_t i = 0; i < contract->io_count; i++) {
        const struct tenant_io *limit = &contract->io[i];
        const struct cg_io_counters *now = disk_of(sample->io, sample->io_count, limit);
        const struct cg_io_counters *before = disk_of(slow->io, slow->io_count, limit);

        if (limit->found && now != NULL &&
            is_at_limit(limit, now, before == NULL ? &none : before, waited_us))
            return num_above(sample->io_pressure.full.total_us, slow->io_pressure.full.total_us);
    }
    return 0;
}

static void take_disks(struct account_slow *slow, const struct cgroup_sample *sample)
{
    slow->io_count = sample->io_count < LEDGER_IO_MAX ? sample->io_count : LEDGER_IO_MAX;
    memcpy(slow->io, sample->io, slow->io_count * sizeof *slow->io);
}

static void take_held(struct account_slow *slow, const struct cgroup_sample *sample)
{
    slow->memory.limit_bytes = sample->memory.limit_bytes;
    slow->memory.swap_bytes = sample->memory.swap_bytes;
    slow->usage = sample->memory_usage;
    slow->activity = sample->memory_activity;
    take_disks(slow, sample);
}

static void take_rest(struct account_slow *slow, const struct cgroup_sample *sample)
{
    slow->memory = sample->memory;
    take_held(slow, sample);
    slow->memory_pressure = sample->memory_pressure;
    slow->io_pressure = sample->io_pressure;
    slow->pids = sample->pids;
}

static int sample_rest(struct account_view *view, struct watched *watched, uint64_t files)
{
    struct sub_err ignored = {.code = 0};

    return watched->keeps_all
               ? cgroup_reader_sample(watched->reader, files, &view->sample, &ignored)
               : cgroup_sample_read(watched->dir_fd, files, &view->sample, &ignored);
}

static void read_limited_disks(struct account_view *view, struct watched *watched)
{
    struct account_slow *slow = &watched->public.slow;

    if (watched->contract == NULL || watched->contract->io_count == 0 ||
        sample_rest(view, watched, DISK) < 0)
        return;
    watched->public.sums.io_capped_us += stalled_at_limit(watched, &view->sample);
    slow->io_pressure = view->sample.io_pressure;
    take_disks(slow, &view->sample);
    watched->slow_based = true;
}

static void read_rest(struct account_view *view, struct watched *watched)
{
    struct account_slow *slow = &watched->public.slow;

    if (sample_rest(view, watched, watched->is_settled ? HELD : REST) < 0)
        return;
    if (watched->is_settled) {
        take_held(slow, &view->sample);
        return;
    }
    watched->public.sums.io_capped_us += stalled_at_limit(watched, &view->sample);
    take_rest(slow, &view->sample);
    watched->slow_based = true;
    watched->is_settled = view_is_still(view, watched);
}

/* Processes come and go only where some of them run. */
static void read_slow(struct account_view *view, struct watched *watched, enum account_depth depth,
                      uint64_t since_us)
{
    struct account_slow *slow = &watched->public.slow;
    struct cg_memory_counters memory = {.current_bytes = slow->memory.current_bytes};
    bool has_run = watched->looked_us != watched->public.cpu.usage_us;
    uint64_t files = CG_READ(MEMORY_CURRENT) | (has_run ? CG_READ(PIDS_CURRENT) : 0);
    struct sub_err ignored = {.code = 0};

    if (depth == ACCOUNT_ALL)
        cgroup_reader_look_again(watched->reader); /* a controller that came later */
    watched->public.memory_byte_us += slow->memory.current_bytes * since_us;
    if (cgroup_reader_sample(watched->reader, files, &view->sample, &ignored) == 0) {
        if (cg_has(&view->sample.memory, current_bytes))
            memory = view->sample.memory;
        if (cg_has(&view->sample.pids, current))
            slow->pids.current = view->sample.pids.current;
    }
    if (depth == ACCOUNT_ALL)
        read_rest(view, watched);
    else
        read_limited_disks(view, watched);
    slow->memory.current_bytes = memory.current_bytes;
    slow->memory.present |= memory.present;
    watched->looked_us = watched->public.cpu.usage_us;
}

void view_read_memory(struct account_view *view, struct watched *watched, uint64_t since_slow_us)
{
    read_slow(view, watched, ACCOUNT_MEMORY, since_slow_us);
}

void view_read(struct account_view *view, struct watched *watched, enum account_depth depth,
               uint64_t since_slow_us)
{
    watched->party = (struct account_party){.entitled_micro = watched->public.entitled_micro,
                                            .window_us = since_reading_us(view, watched)};
    if (!open_group(view, watched))
        return;
    if (watched->based && view->begun && depth == ACCOUNT_CPU && view_is_still(view, watched)) {
        watched->public.measured = true;
        return;
    }
    /* a window that nobody measures does not move the base that a restored tenant has */
    int rc = !watched->based ? read_first(view, watched)
             : view->begun   ? read_fast(view, watched, depth > ACCOUNT_CPU)
                             : 0;
    if (rc < 0) {
        view_forget(watched); /* the group is gone */
        return;
    }
    watched->is_settled = watched->is_settled && view_is_still(view, watched);
    if (depth > ACCOUNT_CPU)
        read_slow(view, watched, depth, since_slow_us);
}
