/* SPDX-License-Identifier: Apache-2.0 */
/* From counters to records. */
#include <stdio.h>

#include "sublet/account/meter.h"
#include "sublet/account/view.h"

static struct ledger_cpu cpu_part(const struct cg_cpu_counters *cpu,
                                  const struct cg_pressure *pressure)
{
    return (struct ledger_cpu){
        .use = cpu->usage_us,
        .usr = cpu->user_us,
        .sys = cpu->system_us,
        .thr = cpu->throttled_us,
        .nthr = cpu->throttled_periods,
        .nper = cpu->periods,
        .bur = cpu->burst_us,
        .some = pressure->some.total_us,
        .full = pressure->full.total_us,
    };
}

static struct ledger_memory memory_part(const struct cg_memory_counters *memory,
                                        const struct cg_memory_usage *usage,
                                        const struct cg_memory_activity *activity,
                                        const struct cg_pressure *pressure)
{
    return (struct ledger_memory){
        .cur = memory->current_bytes,
        .peak = memory->peak_bytes,
        .swap = memory->swap_bytes,
        .anon = usage->anon_bytes,
        .file = usage->file_bytes,
        .kern = usage->kernel_bytes,
        .majflt = activity->major_faults,
        .refa = activity->refaults_anon,
        .reff = activity->refaults_file,
        .high = memory->high_events,
        .max = memory->limit_events,
        .oom = memory->oom_events,
        .oomkill = memory->oom_kills,
        .some = pressure->some.total_us,
        .full = pressure->full.total_us,
    };
}

static void put_devices(const struct cg_io_counters *io, size_t count,
                        struct meter_scratch *scratch, struct ledger_record *record)
{
    if (count > LEDGER_IO_MAX)
        count = LEDGER_IO_MAX;
    for (size_t i = 0; i < count; i++) {
        (void) snprintf(scratch->device_names[i], sizeof scratch->device_names[i], "%u:%u",
                        io[i].major, io[i].minor);
        scratch->devices[i] = (struct ledger_device){
            .d = scratch->device_names[i],
            .rb = io[i].read_bytes,
            .wb = io[i].written_bytes,
            .ro = io[i].reads,
            .wo = io[i].writes,
            .cost = io[i].cost_usage_us,
        };
    }
    record->io.items = scratch->devices;
    record->io.count = count;
}

static void put_parts(struct meter_scratch *scratch, const struct cg_pressure *io_pressure,
                      const struct cg_pids_counters *pids, struct ledger_record *record)
{
    scratch->io_pressure =
        (struct ledger_pressure){io_pressure->some.total_us, io_pressure->full.total_us, 0};
    scratch->pids = (struct ledger_pids){pids->current, pids->peak, pids->refused};
    record->cpu = &scratch->cpu;
    record->mem = &scratch->memory;
    record->iop = &scratch->io_pressure;
    record->pids = &scratch->pids;
}

static void put_blame(const struct account_tenant *tenant, struct meter_scratch *scratch,
                      struct ledger_record *record)
{
    for (size_t i = 0; i < tenant->blame_count; i++)
        scratch->blame[i] = (struct ledger_by){tenant->blame[i].name, tenant->blame[i].us};
    record->blame.items = scratch->blame;
    record->blame.count = tenant->blame_count;
}

void meter_record(const struct account_tenant *tenant, uint64_t window_us,
                  struct meter_scratch *scratch, struct ledger_record *ret_record)
{
    const struct account_slow *slow = &tenant->slow;
    const struct account_sums *sums = &tenant->sums;
    struct ledger_record record = {
        .k = LEDGER_SAMPLE,
        .tenant = tenant->name,
        .cg = tenant->cgroup_id,
        .contract = tenant->contract,
        .entmicro = tenant->entitled_micro,
        .winus = window_us,
        .cls = account_class_name(tenant->row.class),
        .win = &scratch->windows,
    };

    scratch->cpu = cpu_part(&tenant->cpu, &tenant->cpu_pressure);
    scratch->cpu.ent = sums->entitled_us;
    scratch->cpu.bor = sums->borrowed_us;
    scratch->cpu.unu = sums->unused_us;
    scratch->cpu.lent = sums->lent_us;
    scratch->cpu.shrt = sums->shortfall_us;
    scratch->cpu.shrtmax = sums->shortfall_max_us;
    scratch->cpu.wait = sums->waiting_us;
    scratch->cpu.self = sums->self_wait_us;
    scratch->memory =
        memory_part(&slow->memory, &slow->usage, &slow->activity, &slow->memory_pressure);
    scratch->memory.bytesus = tenant->memory_byte_us;
    scratch->windows = (struct ledger_windows){
        .n = sums->windows,
        .idle = sums->of_class[ACCOUNT_IDLE],
        .within = sums->of_class[ACCOUNT_WITHIN],
        .borrowing = sums->of_class[ACCOUNT_BORROWING],
        .atcap = sums->of_class[ACCOUNT_AT_CAP],
        .squeezed = sums->of_class[ACCOUNT_SQUEEZED],
        .victim = sums->of_class[ACCOUNT_VICTIM],
        .starved = sums->of_class[ACCOUNT_HOST_STARVED],
    };
    put_devices(slow->io, slow->io_count, scratch, &record);
    put_parts(scratch, &slow->io_pressure, &slow->pids, &record);
    scratch->io_pressure.cap = sums->io_capped_us;
    put_blame(tenant, scratch, &record);
    *ret_record = record;
}

void meter_container_record(const struct cgroup_sample *sample, struct meter_scratch *scratch,
                            struct ledger_record *record)
{
    scratch->cpu = cpu_part(&sample->cpu, &sample->cpu_pressure);
    scratch->memory = memory_part(&sample->memory, &sample->memory_usage, &sample->memory_activity,
                                  &sample->memory_pressure);
    put_devices(sample->io, sample->io_count, scratch, record);
    put_parts(scratch, &sample->io_pressure, &sample->pids, record);
}
