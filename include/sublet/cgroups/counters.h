/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters out: what the kernel counted, in whole microseconds, bytes and operations. A value
 * counts only if its bit is in `present`: absent is not zero (older kernel, controller not
 * enabled, PSI off). Parsers are pure and strict about numbers, and ignore keys they do not know;
 * -EINVAL for text that is no such file. Readers return -ENODEV if the group is gone.
 */
#ifndef SUBLET_CGROUPS_COUNTERS_H
#define SUBLET_CGROUPS_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

struct cg_cpu_counters { /* cpu.stat */
    enum {
        CG_HAS_USAGE = 1,
        CG_HAS_USER = 2,
        CG_HAS_SYSTEM = 4,
        CG_HAS_NICE = 8,
        CG_HAS_PERIODS = 16,
        CG_HAS_THROTTLED_PERIODS = 32,
        CG_HAS_THROTTLED = 64,
        CG_HAS_BURSTS = 128,
        CG_HAS_BURST = 256
    } present;
    uint64_t usage_us, user_us, system_us, nice_us;
    uint64_t periods, throttled_periods;
    uint64_t throttled_us; /* summed over CPUs, not wall time */
    uint64_t bursts, burst_us;
};

struct cg_memory_counters { /* memory.current .peak .swap.current .swap.peak .stat .events */
    enum {
        CG_HAS_CURRENT = 1,
        CG_HAS_PEAK = 2,
        CG_HAS_SWAP = 4,
        CG_HAS_SWAP_PEAK = 8,
        CG_HAS_MEMORY_STAT = 16,
        CG_HAS_MEMORY_EVENTS = 32
    } present;
    uint64_t current_bytes, peak_bytes, swap_bytes, swap_peak_bytes;
    /* memory.stat: 0 where this kernel has no such key */
    uint64_t anon_bytes, file_bytes, kernel_bytes, slab_bytes, sock_bytes, shmem_bytes;
    uint64_t inactive_file_bytes, file_dirty_bytes, zswap_bytes;
    uint64_t faults, major_faults, refaults_anon, refaults_file;
    /* memory.events, hierarchical counts */
    uint64_t low_events, high_events, max_events, oom_events, oom_kills, oom_group_kills;
};

struct cg_io_counters { /* one line of io.stat */
    uint32_t major, minor;
    enum { CG_HAS_IO = 1, CG_HAS_IO_COST = 2 } present;
    uint64_t read_bytes, written_bytes, discarded_bytes;
    uint64_t reads, writes, discards;
    uint64_t cost_usage_us, cost_wait_us, cost_indebt_us, cost_indelay_us;
};

struct cg_pids_counters { /* pids.current .peak .max .events */
    enum {
        CG_HAS_PIDS = 1,
        CG_HAS_PIDS_PEAK = 2,
        CG_HAS_PIDS_LIMIT = 4,
        CG_HAS_PIDS_REFUSED = 8
    } present;
    uint64_t current, peak, limit; /* limit: UINT64_MAX = none */
    uint64_t refused;              /* forks refused */
};

struct cg_pressure_line {
    uint32_t avg10_centipercent, avg60_centipercent, avg300_centipercent; /* 12.34 % = 1234 */
    uint64_t total_us;
};
struct cg_pressure {
    enum { CG_HAS_SOME = 1, CG_HAS_FULL = 2 } present;
    struct cg_pressure_line some, full;
};

int cg_parse_cpu_stat(const char *text, struct cg_cpu_counters *ret_counters);
int cg_parse_memory_stat(const char *text, struct cg_memory_counters *counters);   /* adds to it */
int cg_parse_memory_events(const char *text, struct cg_memory_counters *counters); /* adds to it */
/* Number of devices in the text; rows beyond room are counted but not stored. */
int cg_parse_io_stat(const char *text, struct cg_io_counters *rows, size_t room);
int cg_parse_pressure(const char *text, struct cg_pressure *ret_pressure);

int cgroup_read_cpu(int dir_fd, struct cg_cpu_counters *ret_counters);
int cgroup_read_memory(int dir_fd, struct cg_memory_counters *ret_counters);
int cgroup_read_io(int dir_fd, struct cg_io_counters *rows, size_t room); /* number of devices */
int cgroup_read_pids(int dir_fd, struct cg_pids_counters *ret_counters);
/* resource: "cpu", "memory", "io", "irq"; present = 0 where PSI is off or has no such file. */
int cgroup_read_pressure(int dir_fd, const char *resource, struct cg_pressure *ret_pressure);

#endif
