/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of tenants and containers, and by which name. */
#include "metrics.h"

#define ROWS(table)                              \
    {                                            \
        (table), sizeof(table) / sizeof *(table) \
    }
#define PART(part)       offsetof(struct metrics_counters, part)
#define AT(type, member) offsetof(struct type, member)
#define CPU(member)      PART(cpu), AT(cg_cpu_counters, member)
#define MEMORY(member)   PART(memory), AT(cg_memory_counters, member)
#define USAGE(member)    PART(usage), AT(cg_memory_usage, member)
#define ACTIVITY(member) PART(activity), AT(cg_memory_activity, member)
#define PIDS(member)     PART(pids), AT(cg_pids_counters, member)
#define SOME(part)       PART(part), AT(cg_pressure, some.total_us)
#define FULL(part)       PART(part), AT(cg_pressure, full.total_us)

/* The formatter would pad every text to the length of the longest. */
/* clang-format off */
static const struct metric_row rows[] = {
    {"cpu_used_seconds", METRIC_COUNTER, METRIC_SECONDS, "CPU time used.", CPU(usage_us)},
    {"cpu_user_seconds", METRIC_COUNTER, METRIC_SECONDS,
     "CPU time used in user mode, an estimate of the kernel.", CPU(user_us)},
    {"cpu_system_seconds", METRIC_COUNTER, METRIC_SECONDS,
     "CPU time used in kernel mode, an estimate of the kernel.", CPU(system_us)},
    {"cpu_throttled_seconds", METRIC_COUNTER, METRIC_SECONDS,
     "Time that the own CPU limit took away, summed over CPUs.", CPU(throttled_us)},
    {"cpu_throttled_above_seconds", METRIC_COUNTER, METRIC_SECONDS,
     "Time that the own CPU limit or one above took away, summed over CPUs.",
     CPU(suffered_throttled_us)},
    {"cpu_periods", METRIC_COUNTER, METRIC_NUMBER, "Periods in which the CPU limit was enforced.",
     CPU(periods)},
    {"cpu_throttled_periods", METRIC_COUNTER, METRIC_NUMBER, "Periods that were throttled.",
     CPU(throttled_periods)},
    {"cpu_burst_seconds", METRIC_COUNTER, METRIC_SECONDS, "CPU time beyond the limit, by bursts.",
     CPU(burst_us)},
    {"cpu_waiting_seconds", METRIC_COUNTER, METRIC_SECONDS,
     "Time in which at least one task waited for a CPU.", SOME(cpu_pressure)},
    {"cpu_stalled_seconds", METRIC_COUNTER, METRIC_SECONDS,
     "Time in which there was work and none of it ran.", FULL(cpu_pressure)},
    {"memory_waiting_seconds", METRIC_COUNTER, METRIC_SECONDS,
     "Time in which at least one task waited for memory.", SOME(memory_pressure)},
    {"memory_stalled_seconds", METRIC_COUNTER, METRIC_SECONDS,
     "Time in which all tasks waited for memory.", FULL(memory_pressure)},
    {"io_waiting_seconds", METRIC_COUNTER, METRIC_SECONDS,
     "Time in which at least one task waited for I/O.", SOME(io_pressure)},
    {"io_stalled_seconds", METRIC_COUNTER, METRIC_SECONDS,
     "Time in which all tasks waited for I/O.", FULL(io_pressure)},
    {"irq_stalled_seconds", METRIC_COUNTER, METRIC_SECONDS, "Time that interrupts took away.",
     FULL(irq_pressure)},
    {"memory_current_bytes", METRIC_GAUGE, METRIC_BYTES,
     "Memory now, with page cache and kernel memory.", MEMORY(current_bytes)},
    {"memory_peak_bytes", METRIC_GAUGE, METRIC_BYTES, "The most memory ever.", MEMORY(peak_bytes)},
    {"memory_limit_bytes", METRIC_GAUGE, METRIC_BYTES, "Limit of memory; +Inf: none.",
     MEMORY(limit_bytes)},
    {"memory_anon_bytes", METRIC_GAUGE, METRIC_BYTES, "Memory without a file.", USAGE(anon_bytes)},
    {"memory_file_bytes", METRIC_GAUGE, METRIC_BYTES, "Page cache.", USAGE(file_bytes)},
    {"memory_kernel_bytes", METRIC_GAUGE, METRIC_BYTES, "Kernel memory.", USAGE(kernel_bytes)},
    {"memory_swap_bytes", METRIC_GAUGE, METRIC_BYTES, "Swap now.", MEMORY(swap_bytes)},
    {"memory_swap_limit_bytes", METRIC_GAUGE, METRIC_BYTES, "Limit of swap; +Inf: none.",
     MEMORY(swap_limit_bytes)},
    {"memory_major_faults", METRIC_COUNTER, METRIC_NUMBER, "Page faults that needed I/O.",
     ACTIVITY(major_faults)},
    {"tasks", METRIC_GAUGE, METRIC_NUMBER, "Processes and threads now.", PIDS(current)},
    {"tasks_limit", METRIC_GAUGE, METRIC_NUMBER, "Limit of processes and threads; +Inf: none.",
     PIDS(limit)},
    {"forks_refused", METRIC_COUNTER, METRIC_NUMBER, "Forks that the limit of tasks refused.",
     PIDS(refused)},
};
static const struct metric_row event_rows[] = {
    {"low", METRIC_COUNTER, METRIC_NUMBER, NULL, MEMORY(low_events)},
    {"high", METRIC_COUNTER, METRIC_NUMBER, NULL, MEMORY(high_events)},
    {"max", METRIC_COUNTER, METRIC_NUMBER, NULL, MEMORY(limit_events)},
    {"oom", METRIC_COUNTER, METRIC_NUMBER, NULL, MEMORY(oom_events)},
    {"oom_kill", METRIC_COUNTER, METRIC_NUMBER, NULL, MEMORY(oom_kills)},
    {"swap_max", METRIC_COUNTER, METRIC_NUMBER, NULL, MEMORY(swap_limit_events)},
    {"swap_fail", METRIC_COUNTER, METRIC_NUMBER, NULL, MEMORY(swap_failures)},
};
static const struct metric_io_row io_rows[] = {
    {"io_read_bytes", METRIC_BYTES, "Bytes read from the disk.", AT(cg_io_counters, read_bytes)},
    {"io_written_bytes", METRIC_BYTES, "Bytes written to the disk.",
     AT(cg_io_counters, written_bytes)},
    {"io_reads", METRIC_NUMBER, "Reads of the disk.", AT(cg_io_counters, reads)},
    {"io_writes", METRIC_NUMBER, "Writes of the disk.", AT(cg_io_counters, writes)},
    {"io_cost_seconds", METRIC_SECONDS, "Time of the disk used, as io.cost models it.",
     AT(cg_io_counters, cost_usage_us)},
};
static const struct metric_ledger_row cpu_rows[] = {
    {"cpu_entitled_seconds", "CPU time that the contract promised.", AT(ledger_cpu, ent)},
    {"cpu_borrowed_seconds", "CPU time used beyond what was promised, of what was idle.",
     AT(ledger_cpu, bor)},
    {"cpu_unused_seconds", "CPU time promised and not used.", AT(ledger_cpu, unu)},
    {"cpu_lent_seconds", "The part of the unused that others borrowed.", AT(ledger_cpu, lent)},
    {"cpu_shortfall_seconds", "CPU time promised, asked for and not given, a lower bound.",
     AT(ledger_cpu, shrt)},
    {"cpu_shortfall_max_seconds", "CPU time promised, asked for and not given, an upper bound.",
     AT(ledger_cpu, shrtmax)},
    {"cpu_waited_for_others_seconds", "Time waited for a CPU that others had, a lower bound.",
     AT(ledger_cpu, wait)},
    {"cpu_waited_for_self_seconds", "Time in which own tasks waited for each other.",
     AT(ledger_cpu, self)},
};
static const struct metric_ledger_row class_rows[] = {
    {"idle", NULL, AT(ledger_windows, idle)},
    {"within", NULL, AT(ledger_windows, within)},
    {"borrowing", NULL, AT(ledger_windows, borrowing)},
    {"at-cap", NULL, AT(ledger_windows, atcap)},
    {"squeezed", NULL, AT(ledger_windows, squeezed)},
    {"victim", NULL, AT(ledger_windows, victim)},
    {"host-starved", NULL, AT(ledger_windows, starved)},
};
static const struct metric_ledger_row host_rows[] = {
    {"cpu_capacity_seconds", "CPU time that there was.", AT(ledger_total, cap)},
    {"cpu_reserved_seconds", "CPU time kept for the host.", AT(ledger_total, res)},
    {"cpu_tenants_seconds", "CPU time that tenants used.", AT(ledger_total, ten)},
    {"cpu_own_seconds", "CPU time used by the host outside of all tenants.", AT(ledger_total, own)},
    {"cpu_idle_seconds", "CPU time that nobody used.", AT(ledger_total, idle)},
    {"cpu_steal_seconds", "CPU time that a hypervisor took away.", AT(ledger_total, steal)},
};
/* cAdvisor gives a unit to what is no counter only now and then. */
static const struct metric_row compat_rows[] = {
    {"cpu_usage_seconds", METRIC_COUNTER, METRIC_SECONDS, "CPU time used.", CPU(usage_us)},
    {"cpu_user_seconds", METRIC_COUNTER, METRIC_SECONDS, "CPU time used in user mode.",
     CPU(user_us)},
    {"cpu_system_seconds", METRIC_COUNTER, METRIC_SECONDS, "CPU time used in kernel mode.",
     CPU(system_us)},
    {"cpu_cfs_periods", METRIC_COUNTER, METRIC_NUMBER,
     "Periods in which the CPU limit was enforced.", CPU(periods)},
    {"cpu_cfs_throttled_periods", METRIC_COUNTER, METRIC_NUMBER, "Periods that were throttled.",
     CPU(throttled_periods)},
    {"cpu_cfs_throttled_seconds", METRIC_COUNTER, METRIC_SECONDS,
     "Time that the CPU limit took away.", CPU(throttled_us)},
    {"cpu_cfs_burst_periods", METRIC_COUNTER, METRIC_NUMBER, "Periods with a burst.", CPU(bursts)},
    {"cpu_cfs_burst_seconds", METRIC_COUNTER, METRIC_SECONDS,
     "CPU time beyond the limit, by bursts.", CPU(burst_us)},
    {"memory_usage_bytes", METRIC_GAUGE, METRIC_BYTES, "Memory now, with page cache.",
     MEMORY(current_bytes)},
    {"memory_max_usage_bytes", METRIC_GAUGE, METRIC_BYTES, "The most memory ever.",
     MEMORY(peak_bytes)},
    {"memory_rss", METRIC_GAUGE, METRIC_NUMBER, "Memory without a file, in bytes.",
     USAGE(anon_bytes)},
    {"memory_cache", METRIC_GAUGE, METRIC_NUMBER, "Page cache, in bytes.", USAGE(file_bytes)},
    {"memory_mapped_file", METRIC_GAUGE, METRIC_NUMBER, "Files mapped, in bytes.",
     USAGE(file_mapped_bytes)},
    {"memory_swap", METRIC_GAUGE, METRIC_NUMBER, "Swap now, in bytes.", MEMORY(swap_bytes)},
    {"oom_events", METRIC_COUNTER, METRIC_NUMBER, "Processes killed at a memory limit.",
     MEMORY(oom_kills)},
    {"threads", METRIC_GAUGE, METRIC_NUMBER, "Processes and threads now.", PIDS(current)},
    {"pressure_cpu_waiting_seconds", METRIC_COUNTER, METRIC_SECONDS,
     "Time in which at least one task waited for a CPU.", SOME(cpu_pressure)},
    {"pressure_cpu_stalled_seconds", METRIC_COUNTER, METRIC_SECONDS,
     "Time in which there was work and none of it ran.", FULL(cpu_pressure)},
    {"pressure_memory_waiting_seconds", METRIC_COUNTER, METRIC_SECONDS,
     "Time in which at least one task waited for memory.", SOME(memory_pressure)},
    {"pressure_memory_stalled_seconds", METRIC_COUNTER, METRIC_SECONDS,
     "Time in which all tasks waited for memory.", FULL(memory_pressure)},
    {"pressure_io_waiting_seconds", METRIC_COUNTER, METRIC_SECONDS,
     "Time in which at least one task waited for I/O.", SOME(io_pressure)},
    {"pressure_io_stalled_seconds", METRIC_COUNTER, METRIC_SECONDS,
     "Time in which all tasks waited for I/O.", FULL(io_pressure)},
};
static const struct metric_io_row compat_io_rows[] = {
    {"fs_reads_bytes", METRIC_BYTES, "Bytes read from the disk.", AT(cg_io_counters, read_bytes)},
    {"fs_writes_bytes", METRIC_BYTES, "Bytes written to the disk.",
     AT(cg_io_counters, written_bytes)},
    {"fs_reads", METRIC_NUMBER, "Reads of the disk.", AT(cg_io_counters, reads)},
    {"fs_writes", METRIC_NUMBER, "Writes of the disk.", AT(cg_io_counters, writes)},
};
/* clang-format on */

const struct metric_rows metric_rows = ROWS(rows);
const struct metric_rows metric_event_rows = ROWS(event_rows);
const struct metric_io_rows metric_io_rows = ROWS(io_rows);
const struct metric_ledger_rows metric_cpu_rows = ROWS(cpu_rows);
const struct metric_ledger_rows metric_class_rows = ROWS(class_rows);
const struct metric_ledger_rows metric_host_rows = ROWS(host_rows);
const struct metric_rows metric_compat_rows = ROWS(compat_rows);
const struct metric_io_rows metric_compat_io_rows = ROWS(compat_io_rows);
