/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits in: small structs in the units of the OCI specification become rows {file, text} in the
 * order a fresh group needs. All functions are pure (arena memory only). A member counts only if
 * its bit is in `set`. Errors: -EINVAL/-ERANGE with path "<where>.<field>", where is the JSON path
 * of the object ("linux.resources.cpu").
 */
#ifndef SUBLET_CGROUPS_LIMITS_H
#define SUBLET_CGROUPS_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"

/* Controllers of v2, as bits. */
#define CG_CPU        (1u << 0)
#define CG_CPUSET     (1u << 1)
#define CG_MEMORY     (1u << 2)
#define CG_IO         (1u << 3)
#define CG_PIDS       (1u << 4)
#define CG_HUGETLB    (1u << 5)
#define CG_RDMA       (1u << 6)
#define CG_MISC       (1u << 7)
#define CG_DMEM       (1u << 8)
#define CG_PERF_EVENT (1u << 9)

enum cg_absent {                        /* what an absent file means */
                 CG_ABSENT_FAILS,       /* an error */
                 CG_ABSENT_IS_FINE,     /* the row is skipped */
                 CG_ABSENT_IF_PREVIOUS, /* fine if the row before was written */
};

struct cg_row {
    const char *file;    /* one component: "memory.max" */
    const char *text;    /* exactly what is written */
    const char *path;    /* JSON path for errors */
    uint32_t controller; /* CG_* bit, 0 for core files */
    enum cg_absent absent;
    bool after_clone; /* see enum cg_phase */
};

#define CG_ROWS_MAX 4096

struct cg_rows {
    struct arena *arena;
    struct cg_row *rows;
    size_t count, room;
    uint32_t controllers; /* all the rows' controllers: what cgroup_make() must enable */
};

void cg_rows_init(struct cg_rows *rows, struct arena *arena);
/* -EINVAL if file is not one plain component, -E2BIG above CG_ROWS_MAX, -ENOMEM. The row is
 * copied, its texts are not. */
int cg_rows_add(struct cg_rows *rows, const struct cg_row *row, struct sub_err *err);

struct cg_cpu_limits {
    enum {
        CG_SET_SHARES = 1,
        CG_SET_WEIGHT = 2,
        CG_SET_QUOTA = 4,
        CG_SET_PERIOD = 8,
        CG_SET_BURST = 16,
        CG_SET_IDLE = 32
    } set;
    uint64_t shares;    /* v1 scale 2..262144; 0 = not set */
    uint64_t weight;    /* cpu.weight itself, 1..10000; wins over shares */
    int64_t quota_us;   /* <= 0: no cap; else >= 1000 */
    uint64_t period_us; /* 1000..1000000; 0 = the kernel's 100000 */
    uint64_t burst_us;  /* <= quota */
    int64_t idle;       /* 0 or 1 (SCHED_IDLE; a weight is then not written) */
};
/* The curve of runc 1.3.2 and crun 1.23: 2 -> 1, 1024 -> 100, 262144 -> 10000. */
uint64_t cg_weight_from_shares(uint64_t shares);
int cg_cpu_rows(struct cg_rows *rows, const char *where, const struct cg_cpu_limits *limits,
                struct sub_err *err);

/* cpus, mems: lists as "0-3,7"; NULL = not set. Same object as cpu in the specification. */
int cg_cpuset_rows(struct cg_rows *rows, const char *where, const char *cpus, const char *mems,
                   struct sub_err *err);

struct cg_memory_limits {
    enum {
        CG_SET_LIMIT = 1,
        CG_SET_RESERVATION = 2,
        CG_SET_SWAP = 4,
        CG_SET_HIGH = 8,
        CG_SET_MIN = 16,
        CG_SET_OOM_GROUP = 32
    } set;
    int64_t limit_bytes;       /* memory.max; -1 unlimited; 0 = not set */
    int64_t reservation_bytes; /* memory.low */
    int64_t swap_bytes;        /* memory + swap together, as in v1; -1 unlimited; 0 = not set */
    int64_t high_bytes;        /* memory.high, the wall that delays; -1 unlimited */
    int64_t min_bytes;         /* memory.min */
    bool oom_group;            /* the OOM killer takes the whole group */
};
int cg_memory_rows(struct cg_rows *rows, const char *where, const struct cg_memory_limits *limits,
                   struct sub_err *err);

/* -1 = no limit; 0 is a limit: no fork at all (written after the clone). Path "<where>.limit". */
int cg_pids_rows(struct cg_rows *rows, const char *where, int64_t limit, struct sub_err *err);

struct cg_io_device_weight {
    int64_t major, minor;
    uint16_t weight; /* 10..1000 */
};
struct cg_io_rate {
    int64_t major, minor;
    uint64_t rate; /* bytes or operations per second; 0 = no limit */
};
enum cg_io_kind { CG_IO_RBPS, CG_IO_WBPS, CG_IO_RIOPS, CG_IO_WIOPS, CG_IO_KINDS };

/* Behind the disk in a line of io.max: nothing is held back. */
#define CG_IO_UNLIMITED "rbps=max wbps=max riops=max wiops=max"

struct cg_io_limits {
    bool weight_set;
    uint16_t weight; /* v1 scale 10..1000; 0 = not set */
    const struct cg_io_device_weight *device_weights;
    size_t device_weight_count;
    const struct cg_io_rate *rates[CG_IO_KINDS]; /* throttle{Read,Write}{Bps,IOPS}Device */
    size_t rate_counts[CG_IO_KINDS];
};
/* io.weight from a v1 weight: 1 + (x - 10) * 9999 / 990. */
uint64_t cg_io_weight(uint16_t weight);
int cg_io_rows(struct cg_rows *rows, const char *where, const struct cg_io_limits *limits,
               struct sub_err *err);

/* One entry of hugepageLimits; where is the entry's path. page_size "2MB", "64KB", "1GB". */
int cg_hugetlb_rows(struct cg_rows *rows, const char *where, const char *page_size,
                    uint64_t limit_bytes, struct sub_err *err);

struct cg_rdma_limits {
    bool handles_set, objects_set;
    uint32_t handles, objects;
};
int cg_rdma_rows(struct cg_rows *rows, const char *where, const char *device,
                 const struct cg_rdma_limits *limits, struct sub_err *err);

/* One entry of unified: any file of any controller, one row per line of text. Refused: names that
 * are no plain component, and cgroup.procs, .kill, .freeze and their like, which are no limits. */
int cg_unified_rows(struct cg_rows *rows, const char *where, const char *file, const char *text,
                    struct sub_err *err);

#endif
