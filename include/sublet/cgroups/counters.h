/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters out: what the kernel counted and what its knobs say, in whole microseconds, bytes and
 * numbers; the unit is the end of each name. Every struct begins with `present`; a value counts
 * only if cg_has(&counters, name): absent is not zero (older kernel, controller not enabled, PSI
 * off). In a limit UINT64_MAX means "max", no limit.
 */
#ifndef SUBLET_CGROUPS_COUNTERS_H
#define SUBLET_CGROUPS_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bit n of present belongs to the n-th uint64_t behind it. */
#define CG_BIT(type, member) (1ull << (offsetof(type, member) / sizeof(uint64_t) - 1))
#define cg_has(counters, member) \
    (((counters)->present & CG_BIT(__typeof__(*(counters)), member)) != 0)

struct cg_cpu_counters {
    uint64_t present;
    /* cpu.stat */
    uint64_t usage_us, user_us, system_us, nice_us;
    uint64_t periods, throttled_periods;
    uint64_t throttled_us; /* by its own quota, summed over CPUs: no wall time */
    uint64_t bursts, burst_us;
    uint64_t force_idle_us;
    /* cpu.stat.local: by its own quota or that of a group above */
    uint64_t suffered_throttled_us;
    /* cpu.max, .max.burst, .weight, .idle */
    uint64_t quota_us, period_us, burst_limit_us, weight, idle;
};

/* cpu.pressure and its like. Hundredths of percent: 12.34 % is 1234. */
struct cg_pressure_line {
    uint64_t avg10_centipercent, avg60_centipercent, avg300_centipercent;
    uint64_t total_us;
};
struct cg_pressure {
    uint64_t present;
    struct cg_pressure_line some, full;
};

struct cg_memory_counters {
    uint64_t present;
    uint64_t current_bytes, peak_bytes;
    uint64_t limit_bytes, high_bytes, low_bytes, min_bytes; /* memory.max .high .low .min */
    uint64_t swap_bytes, swap_peak_bytes, swap_limit_bytes, swap_high_bytes;
    uint64_t zswap_bytes, zswap_limit_bytes;
    /* memory.events: of the group and all below it */
    uint64_t low_events, high_events, limit_events, oom_events, oom_kills, oom_group_kills;
    uint64_t socket_throttles;
    /* memory.events.local */
    uint64_t local_low_events, local_high_events, local_limit_events, local_oom_events;
    uint64_t local_oom_kills, local_oom_group_kills, local_socket_throttles;
    /* memory.swap.events */
    uint64_t swap_high_events, swap_limit_events, swap_failures;
};

/* memory.stat, what is charged now. */
struct cg_memory_usage {
    uint64_t present;
    uint64_t anon_bytes, file_bytes, kernel_bytes, kernel_stack_bytes, page_table_bytes;
    uint64_t secondary_page_table_bytes, percpu_bytes, socket_bytes, vmalloc_bytes, shmem_bytes;
    uint64_t zswap_bytes, zswapped_bytes, file_mapped_bytes, file_dirty_bytes;
    uint64_t file_writeback_bytes, swap_cached_bytes;
    uint64_t anon_huge_bytes, file_huge_bytes, shmem_huge_bytes, hugetlb_bytes;
    uint64_t inactive_anon_bytes, active_anon_bytes, inactive_file_bytes, active_file_bytes;
    uint64_t unevictable_bytes, slab_reclaimable_bytes, slab_unreclaimable_bytes, slab_bytes;
};

/* memory.stat, what has happened; pages and events. */
struct cg_memory_activity {
    uint64_t present;
    uint64_t refaults_anon, refaults_file, activations_anon, activations_file;
    uint64_t restores_anon, restores_file, node_reclaims;
    uint64_t demoted_kswapd, demoted_direct, demoted_khugepaged, demoted_proactive, promoted;
    uint64_t scanned, stolen;
    uint64_t scanned_kswapd, scanned_direct, scanned_khugepaged, scanned_proactive;
    uint64_t stolen_kswapd, stolen_direct, stolen_khugepaged, stolen_proactive;
    uint64_t swapped_in, swapped_out;
    uint64_t faults, major_faults, refilled, activated, deactivated, lazy_free, lazy_freed;
    uint64_t zero_swapped_in, zero_swapped_out, zswapped_in, zswapped_out, zswap_written_back;
    uint64_t huge_fault_allocs, huge_collapse_allocs, huge_swapped_out, huge_swap_fallbacks;
    uint64_t numa_migrated, numa_pte_updates, numa_hint_faults;
    uint64_t numa_task_migrated, numa_task_swapped;
};

struct cg_pids_counters {
    uint64_t present;
    uint64_t current, peak, limit;
    uint64_t refused, local_refused; /* forks; pids.events and .local */
};

struct cg_group_counters { /* cgroup.stat, .stat.local, .events */
    uint64_t present;
    uint64_t populated, frozen; /* 0 or 1 */
    uint64_t frozen_us;
    uint64_t descendants, dying_descendants;
    /* removed, and still held by what they are charged for */
    uint64_t dying_cpu, dying_cpuset, dying_io, dying_memory, dying_hugetlb, dying_pids;
    uint64_t dying_rdma, dying_misc, dying_dmem, dying_perf_event;
};

struct cg_io_counters { /* io.stat, one disk */
    uint64_t present;
    uint64_t read_bytes, written_bytes, discarded_bytes;
    uint64_t reads, writes, discards;
    uint64_t cost_rate_centipercent; /* the root group alone */
    uint64_t cost_usage_us, cost_wait_us, cost_indebt_us, cost_indelay_us;
    uint64_t delay_users, delay_ns;
    uint32_t major, minor;
};

#define CG_NAME_TEXT 64

struct cg_hugetlb_counters { /* hugetlb.SIZE.*, one page size */
    uint64_t present;
    uint64_t current_bytes, limit_bytes, reserved_bytes, reserved_limit_bytes;
    uint64_t limit_events, local_limit_events;
    uint64_t page_bytes;     /* always known */
    char name[CG_NAME_TEXT]; /* "2MB" */
};

struct cg_misc_counters { /* misc.*, one resource */
    uint64_t present;
    uint64_t current, peak, limit, limit_events, local_limit_events;
    char name[CG_NAME_TEXT];
};

struct cg_rdma_counters { /* rdma.current, .max, one device */
    uint64_t present;
    uint64_t handles, objects, handle_limit, object_limit;
    char name[CG_NAME_TEXT];
};

/* ---- fields as data: printing and differences walk these tables ---- */

enum cg_kind {
    CG_TOTAL, /* only grows, while the group lives */
    CG_LEVEL, /* now */
    CG_PEAK,
    CG_LIMIT, /* asked of the kernel; UINT64_MAX: none */
};

struct cg_field {
    const char *name; /* of the member */
    const char *key;  /* in the file; NULL: it has but one value */
    unsigned short file, offset;
    enum cg_kind kind;
};
struct cg_fields {
    const struct cg_field *rows;
    size_t count;
};

extern const struct cg_fields cg_cpu_fields, cg_pressure_fields, cg_memory_fields,
    cg_memory_usage_fields, cg_memory_activity_fields, cg_pids_fields, cg_group_fields,
    cg_io_fields, cg_hugetlb_fields, cg_misc_fields, cg_rdma_fields;

/* Of any of the structs above. False, and *ret_value untouched, where the value is absent. */
bool cg_field_value(const struct cg_field *field, const void *counters, uint64_t *ret_value);

/* ---- one file as keys, for those who want all there is ---- */

struct cg_key {
    const char *name; /* into the text, of length bytes */
    size_t length;
    uint64_t value;
};

/* "key 123" lines as of memory.stat. Number of keys; rows beyond room are counted, not stored.
 * -EINVAL: not of that form. */
int cg_keys_parse(const char *text, struct cg_key *rows, size_t room);

#endif
