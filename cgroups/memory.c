/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "counters.h"

static bool is_set(const struct cg_memory_limits *limits, unsigned bit)
{
    return (limits->set & bit) != 0;
}

static int check_bytes(const char *path, int64_t bytes, struct sub_err *err)
{
    if (bytes >= -1)
        return 0;
    return sub_fail(err, ERANGE, path, "%lld: 0 or more bytes are allowed, -1 for no limit",
                    (long long) bytes);
}

/*
 * v1, and with it the specification, limits memory and swap together; v2 limits swap alone. A
 * container without memory limit has none on swap either, unless it is said.
 */
static int add_swap(struct cg_rows *rows, const char *where, const struct cg_memory_limits *limits,
                    struct sub_err *err)
{
    const char *path = cg_field(rows, where, "swap");
    int64_t limit = is_set(limits, CG_SET_LIMIT) ? limits->limit_bytes : 0;
    int64_t total = is_set(limits, CG_SET_SWAP) ? limits->swap_bytes : 0;
    int64_t swap = -1;

    SUBLET_TRY(check_bytes(path, total, err));
    if (total == 0 && limit != -1)
        return 0;
    if (total > 0 && limit == -1) {
        return sub_fail(err, EINVAL, path,
                        "%lld: memory and swap together cannot be limited while memory.limit is "
                        "-1",
                        (long long) total);
    }
    if (total > 0 && limit == 0)
        return sub_fail(err, EINVAL, path,
                        "%lld: memory and swap together need a memory.limit to subtract",
                        (long long) total);
    if (total > 0 && total < limit)
        return sub_fail(err, ERANGE, path,
                        "%lld: memory and swap together, at least the limit of %lld bytes",
                        (long long) total, (long long) limit);
    if (total > 0)
        swap = total - limit;

    return cg_rows_put(rows,
                       (struct cg_row){.file = "memory.swap.max",
                                       .text = cg_bytes_text(rows->arena, swap),
                                       .path = path,
                                       .controller = CG_MEMORY,
                                       /* a kernel that cannot swap keeps both promises */
                                       .absent = swap <= 0 ? CG_ABSENT_IS_FINE : CG_ABSENT_FAILS},
                       err);
}

static int add_bytes(struct cg_rows *rows, const char *path, const char *file, int64_t bytes,
                     struct sub_err *err)
{
    SUBLET_TRY(check_bytes(path, bytes, err));
    return cg_rows_put(rows,
                       (struct cg_row){.file = file,
                                       .text = cg_bytes_text(rows->arena, bytes),
                                       .path = path,
                                       .controller = CG_MEMORY},
                       err);
}

int cg_memory_rows(struct cg_rows *rows, const char *where, const struct cg_memory_limits *limits,
                   struct sub_err *err)
{
    const struct {
        unsigned bit;
        const char *field, *file;
        int64_t bytes;
    } files[] = {
        {CG_SET_LIMIT,       "limit",       "memory.max",  limits->limit_bytes      },
        {CG_SET_RESERVATION, "reservation", "memory.low",  limits->reservation_bytes},
        {CG_SET_HIGH,        "high",        "memory.high", limits->high_bytes       },
        {CG_SET_MIN,         "min",         "memory.min",  limits->min_bytes        },
    };

    SUBLET_TRY(add_swap(rows, where, limits, err));
    for (size_t i = 0; i < CG_COUNT_OF(files); i++) {
        bool unset = files[i].bit == CG_SET_LIMIT && files[i].bytes == 0; /* Go's zero value */

        if (is_set(limits, files[i].bit) && !unset)
            SUBLET_TRY(add_bytes(rows, cg_field(rows, where, files[i].field), files[i].file,
                                 files[i].bytes, err));
    }
    if (!is_set(limits, CG_SET_OOM_GROUP))
        return 0;
    return cg_rows_put(rows,
                       (struct cg_row){.file = "memory.oom.group",
                                       .text = limits->oom_group ? "1" : "0",
                                       .path = cg_field(rows, where, "oomGroup"),
                                       .controller = CG_MEMORY},
                       err);
}

#define ROW(member, file, key, kind) CG_FIELD(struct cg_memory_counters, member, file, key, kind)
static const struct cg_field memory_rows[] = {
    ROW(current_bytes, MEMORY_CURRENT, NULL, LEVEL),
    ROW(peak_bytes, MEMORY_PEAK, NULL, PEAK),
    ROW(limit_bytes, MEMORY_MAX, NULL, LIMIT),
    ROW(high_bytes, MEMORY_HIGH, NULL, LIMIT),
    ROW(low_bytes, MEMORY_LOW, NULL, LIMIT),
    ROW(min_bytes, MEMORY_MIN, NULL, LIMIT),
    ROW(swap_bytes, SWAP_CURRENT, NULL, LEVEL),
    ROW(swap_peak_bytes, SWAP_PEAK, NULL, PEAK),
    ROW(swap_limit_bytes, SWAP_MAX, NULL, LIMIT),
    ROW(swap_high_bytes, SWAP_HIGH, NULL, LIMIT),
    ROW(zswap_bytes, ZSWAP_CURRENT, NULL, LEVEL),
    ROW(zswap_limit_bytes, ZSWAP_MAX, NULL, LIMIT),
    ROW(low_events, MEMORY_EVENTS, "low", TOTAL),
    ROW(high_events, MEMORY_EVENTS, "high", TOTAL),
    ROW(limit_events, MEMORY_EVENTS, "max", TOTAL),
    ROW(oom_events, MEMORY_EVENTS, "oom", TOTAL),
    ROW(oom_kills, MEMORY_EVENTS, "oom_kill", TOTAL),
    ROW(oom_group_kills, MEMORY_EVENTS, "oom_group_kill", TOTAL),
    ROW(socket_throttles, MEMORY_EVENTS, "sock_throttled", TOTAL),
    ROW(local_low_events, MEMORY_EVENTS_LOCAL, "low", TOTAL),
    ROW(local_high_events, MEMORY_EVENTS_LOCAL, "high", TOTAL),
    ROW(local_limit_events, MEMORY_EVENTS_LOCAL, "max", TOTAL),
    ROW(local_oom_events, MEMORY_EVENTS_LOCAL, "oom", TOTAL),
    ROW(local_oom_kills, MEMORY_EVENTS_LOCAL, "oom_kill", TOTAL),
    ROW(local_oom_group_kills, MEMORY_EVENTS_LOCAL, "oom_group_kill", TOTAL),
    ROW(local_socket_throttles, MEMORY_EVENTS_LOCAL, "sock_throttled", TOTAL),
    ROW(swap_high_events, SWAP_EVENTS, "high", TOTAL),
    ROW(swap_limit_events, SWAP_EVENTS, "max", TOTAL),
    ROW(swap_failures, SWAP_EVENTS, "fail", TOTAL),
};
#undef ROW
const struct cg_fields cg_memory_fields = CG_FIELDS(memory_rows);

/* In the order of the kernel (memory_stats in mm/memcontrol.c). */
#define ROW(member, file, key, kind) CG_FIELD(struct cg_memory_usage, member, file, key, kind)
static const struct cg_field usage_rows[] = {
    ROW(anon_bytes, MEMORY_STAT, "anon", LEVEL),
    ROW(file_bytes, MEMORY_STAT, "file", LEVEL),
    ROW(kernel_bytes, MEMORY_STAT, "kernel", LEVEL),
    ROW(kernel_stack_bytes, MEMORY_STAT, "kernel_stack", LEVEL),
    ROW(page_table_bytes, MEMORY_STAT, "pagetables", LEVEL),
    ROW(secondary_page_table_bytes, MEMORY_STAT, "sec_pagetables", LEVEL),
    ROW(percpu_bytes, MEMORY_STAT, "percpu", LEVEL),
    ROW(socket_bytes, MEMORY_STAT, "sock", LEVEL),
    ROW(vmalloc_bytes, MEMORY_STAT, "vmalloc", LEVEL),
    ROW(shmem_bytes, MEMORY_STAT, "shmem", LEVEL),
    ROW(zswap_bytes, MEMORY_STAT, "zswap", LEVEL),
    ROW(zswapped_bytes, MEMORY_STAT, "zswapped", LEVEL),
    ROW(file_mapped_bytes, MEMORY_STAT, "file_mapped", LEVEL),
    ROW(file_dirty_bytes, MEMORY_STAT, "file_dirty", LEVEL),
    ROW(file_writeback_bytes, MEMORY_STAT, "file_writeback", LEVEL),
    ROW(swap_cached_bytes, MEMORY_STAT, "swapcached", LEVEL),
    ROW(anon_huge_bytes, MEMORY_STAT, "anon_thp", LEVEL),
    ROW(file_huge_bytes, MEMORY_STAT, "file_thp", LEVEL),
    ROW(shmem_huge_bytes, MEMORY_STAT, "shmem_thp", LEVEL),
    ROW(inactive_anon_bytes, MEMORY_STAT, "inactive_anon", LEVEL),
    ROW(active_anon_bytes, MEMORY_STAT, "active_anon", LEVEL),
    ROW(inactive_file_bytes, MEMORY_STAT, "inactive_file", LEVEL),
    ROW(active_file_bytes, MEMORY_STAT, "active_file", LEVEL),
    ROW(unevictable_bytes, MEMORY_STAT, "unevictable", LEVEL),
    ROW(slab_reclaimable_bytes, MEMORY_STAT, "slab_reclaimable", LEVEL),
    ROW(slab_unreclaimable_bytes, MEMORY_STAT, "slab_unreclaimable", LEVEL),
    ROW(slab_bytes, MEMORY_STAT, "slab", LEVEL),
    ROW(hugetlb_bytes, MEMORY_STAT, "hugetlb", LEVEL),
};
#undef ROW
const struct cg_fields cg_memory_usage_fields = CG_FIELDS(usage_rows);

#define ROW(member, file, key, kind) CG_FIELD(struct cg_memory_activity, member, file, key, kind)
static const struct cg_field activity_rows[] = {
    ROW(refaults_anon, MEMORY_STAT, "workingset_refault_anon", TOTAL),
    ROW(refaults_file, MEMORY_STAT, "workingset_refault_file", TOTAL),
    ROW(activations_anon, MEMORY_STAT, "workingset_activate_anon", TOTAL),
    ROW(activations_file, MEMORY_STAT, "workingset_activate_file", TOTAL),
    ROW(restores_anon, MEMORY_STAT, "workingset_restore_anon", TOTAL),
    ROW(restores_file, MEMORY_STAT, "workingset_restore_file", TOTAL),
    ROW(node_reclaims, MEMORY_STAT, "workingset_nodereclaim", TOTAL),
    ROW(demoted_kswapd, MEMORY_STAT, "pgdemote_kswapd", TOTAL),
    ROW(demoted_direct, MEMORY_STAT, "pgdemote_direct", TOTAL),
    ROW(demoted_khugepaged, MEMORY_STAT, "pgdemote_khugepaged", TOTAL),
    ROW(demoted_proactive, MEMORY_STAT, "pgdemote_proactive", TOTAL),
    ROW(promoted, MEMORY_STAT, "pgpromote_success", TOTAL),
    ROW(scanned, MEMORY_STAT, "pgscan", TOTAL),
    ROW(stolen, MEMORY_STAT, "pgsteal", TOTAL),
    ROW(swapped_in, MEMORY_STAT, "pswpin", TOTAL),
    ROW(swapped_out, MEMORY_STAT, "pswpout", TOTAL),
    ROW(scanned_kswapd, MEMORY_STAT, "pgscan_kswapd", TOTAL),
    ROW(scanned_direct, MEMORY_STAT, "pgscan_direct", TOTAL),
    ROW(scanned_khugepaged, MEMORY_STAT, "pgscan_khugepaged", TOTAL),
    ROW(scanned_proactive, MEMORY_STAT, "pgscan_proactive", TOTAL),
    ROW(stolen_kswapd, MEMORY_STAT, "pgsteal_kswapd", TOTAL),
    ROW(stolen_direct, MEMORY_STAT, "pgsteal_direct", TOTAL),
    ROW(stolen_khugepaged, MEMORY_STAT, "pgsteal_khugepaged", TOTAL),
    ROW(stolen_proactive, MEMORY_STAT, "pgsteal_proactive", TOTAL),
    ROW(faults, MEMORY_STAT, "pgfault", TOTAL),
    ROW(major_faults, MEMORY_STAT, "pgmajfault", TOTAL),
    ROW(refilled, MEMORY_STAT, "pgrefill", TOTAL),
    ROW(activated, MEMORY_STAT, "pgactivate", TOTAL),
    ROW(deactivated, MEMORY_STAT, "pgdeactivate", TOTAL),
    ROW(lazy_free, MEMORY_STAT, "pglazyfree", TOTAL),
    ROW(lazy_freed, MEMORY_STAT, "pglazyfreed", TOTAL),
    ROW(zero_swapped_in, MEMORY_STAT, "swpin_zero", TOTAL),
    ROW(zero_swapped_out, MEMORY_STAT, "swpout_zero", TOTAL),
    ROW(zswapped_in, MEMORY_STAT, "zswpin", TOTAL),
    ROW(zswapped_out, MEMORY_STAT, "zswpout", TOTAL),
    ROW(zswap_written_back, MEMORY_STAT, "zswpwb", TOTAL),
    ROW(huge_fault_allocs, MEMORY_STAT, "thp_fault_alloc", TOTAL),
    ROW(huge_collapse_allocs, MEMORY_STAT, "thp_collapse_alloc", TOTAL),
    ROW(huge_swapped_out, MEMORY_STAT, "thp_swpout", TOTAL),
    ROW(huge_swap_fallbacks, MEMORY_STAT, "thp_swpout_fallback", TOTAL),
    ROW(numa_migrated, MEMORY_STAT, "numa_pages_migrated", TOTAL),
    ROW(numa_pte_updates, MEMORY_STAT, "numa_pte_updates", TOTAL),
    ROW(numa_hint_faults, MEMORY_STAT, "numa_hint_faults", TOTAL),
    ROW(numa_task_migrated, MEMORY_STAT, "numa_task_migrated", TOTAL),
    ROW(numa_task_swapped, MEMORY_STAT, "numa_task_swapped", TOTAL),
};
#undef ROW
const struct cg_fields cg_memory_activity_fields = CG_FIELDS(activity_rows);

int cg_parse_memory_stat(const struct cg_place *place, const char *text)
{
    const struct cg_place places[] = {
        {.file = CG_FILE_MEMORY_STAT,
         .fields = &cg_memory_usage_fields,
         .counters = &place->sample->memory_usage   },
        {.file = CG_FILE_MEMORY_STAT,
         .fields = &cg_memory_activity_fields,
         .counters = &place->sample->memory_activity},
    };

    return cg_parse_flat_into(places, CG_COUNT_OF(places), text);
}
