/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/sys.h"
#include "sublet/tenant.h"

#include "view.h"

#define FAST (CG_READ(CPU_STAT) | CG_READ(CPU_PRESSURE))
#define SLOW                                                                              \
    (CG_READ_SPAN(MEMORY_PRESSURE, IO_PRESSURE) | CG_READ_MEMORY | CG_READ(MEMORY_STAT) | \
     CG_READ(IO_STAT) | CG_READ_PIDS)

#define IO_LIMIT_PERCENT 95 /* of what a limit allows: it is what holds */

/* A group that is not there yet, or was made anew, is looked for again in every window. */
static bool open_group(struct account_view *view, struct watched *watched)
{
    struct sub_err ignored = {.code = 0};
    OWNED_CGROUP group = CGROUP_NONE;
    struct stat st;

    if (watched->reader != NULL)
        return true;
    if (cgroup_open(view->cgroup_root_fd, watched->public.group, &group, &ignored) < 0 ||
        sys_fstat(group.dir_fd, &st) < 0 ||
        cgroup_reader_open(group.dir_fd, FAST, &watched->reader, &ignored) < 0)
        return false;
    watched->dir_fd = sub_take_fd(&group.dir_fd);
    if (watched->public.cgroup_id != st.st_ino) {
        watched->public.sums = (struct account_sums){.windows = 0};
        watched->public.blame_count = 0;
        watched->public.memory_byte_us = 0;
        watched->based = watched->slow_based = false;
    }
    watched->public.cgroup_id = st.st_ino;
    return true;
}

/* Counters that are absent stay 0 on both sides; without a base it is not known when they grew. */
static void read_fast(struct account_view *view, struct watched *watched)
{
    struct account_tenant *tenant = &watched->public;
    const struct cg_cpu_counters *cpu = &view->sample.cpu;
    const struct cg_pressure *pressure = &view->sample.cpu_pressure;

    if (watched->based) {
        watched->party = (struct account_party){
            .entitled_micro = tenant->entitled_micro,
            .used_us = num_above(cpu->usage_us, tenant->cpu.usage_us),
            .throttled_us = num_above(cpu->throttled_us, tenant->cpu.throttled_us),
            .some_us = num_above(pressure->some.total_us, tenant->cpu_pressure.some.total_us),
            .full_us = num_above(pressure->full.total_us, tenant->cpu_pressure.full.total_us),
            .tasks = tenant->slow.pids.current,
        };
    }
    tenant->measured = watched->based;
    tenant->cpu = *cpu;
    tenant->cpu_pressure = *pressure;
    watched->based = true;
    tenant->open = true;
}

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

static void read_slow(struct account_view *view, struct watched *watched, uint64_t since_us)
{
    struct account_slow *slow = &watched->public.slow;
    const struct cgroup_sample *sample = &view->sample;
    struct sub_err ignored = {.code = 0};

    if (cgroup_sample_read(watched->dir_fd, SLOW, &view->sample, &ignored) < 0)
        return;
    watched->public.sums.io_capped_us += stalled_at_limit(watched, sample);
    watched->slow_based = true;
    watched->public.memory_byte_us += slow->memory.current_bytes * since_us;
    slow->memory_pressure = sample->memory_pressure;
    slow->io_pressure = sample->io_pressure;
    slow->memory = sample->memory;
    slow->usage = sample->memory_usage;
    slow->activity = sample->memory_activity;
    slow->pids = sample->pids;
    slow->io_count = sample->io_count < LEDGER_IO_MAX ? sample->io_count : LEDGER_IO_MAX;
    memcpy(slow->io, sample->io, slow->io_count * sizeof *slow->io);
}

void view_read(struct account_view *view, struct watched *watched, bool slow,
               uint64_t since_slow_us)
{
    struct sub_err ignored = {.code = 0};

    watched->party = (struct account_party){.entitled_micro = watched->public.entitled_micro};
    if (!open_group(view, watched))
        return;
    /* a window that nobody measures does not move the base that a restored tenant has */
    if (view->begun || !watched->based) {
        if (cgroup_reader_sample(watched->reader, FAST, &view->sample, &ignored) < 0) {
            view_forget(watched); /* the group is gone */
            return;
        }
        read_fast(view, watched);
    }
    if (slow)
        read_slow(view, watched, since_slow_us);
}
