/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tenants and their contracts. A tenant is a name with a contract, one JSON file in a folder; it
 * becomes a cgroup of its own that outlives its containers, with the limits of the contract. This
 * room reads and writes the files, decides every limit (tenant_plan_make, pure), writes them to the
 * kernel and finds what differs. It knows no container, prints nothing and counts nothing.
 *
 * For accounting: tenants_know() answers which tenants there are; of each struct tenant_group says
 * `group` (path of the cgroup below the v2 mount; it may not exist yet), `entitled_us_per_s` (CPU
 * microseconds promised for each second of wall time, that is millionths of a CPU; scaled down
 * where more was sold than there is), `cap_us_per_s` (0: none) and `contract` (the CPU contract in
 * words, "elastic 0.5 ceiling 1"). What is used, borrowed and refused follows from those and from
 * the counters of the group (sublet/cgroups/counters.h).
 *
 * CPUs are counted in thousandths ("milli"): 500 is half a CPU.
 */
#ifndef SUBLET_TENANT_H
#define SUBLET_TENANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sublet/base/warn.h"
#include "sublet/cgroups.h"

struct arena;
struct json_writer;
struct sub_err;

#define TENANT_DIR        "/etc/sublet/tenants"
#define TENANT_PARENT     "sublet.tenants" /* the group that holds those of all tenants */
#define TENANT_PINNED_TOP "sublet.pinned-" /* before 6.7 a partition lies at the top */
#define TENANT_DEFAULT    "default"
#define TENANT_ANNOTATION "org.sublet.tenant"
#define TENANT_NAME_MAX   63
#define TENANTS_MAX       4096
#define TENANT_IO_MAX     16
#define TENANT_FILE_MAX   ((size_t) 64 << 10)
#define TENANT_CPUS_MAX   8192 /* NR_CPUS of every kernel so far */
#define TENANT_MILLI_MAX  (TENANT_CPUS_MAX * UINT64_C(1000))
#define TENANT_UNSET      UINT64_MAX
#define TENANT_LOCK_MS    10000

/* ---- contracts ---- */

enum tenant_cpu_kind { TENANT_ELASTIC, TENANT_FIXED, TENANT_PINNED };

struct tenant_cpu {
    enum tenant_cpu_kind kind;
    uint32_t milli;         /* what is promised; 0 (elastic alone): nothing but what is idle */
    uint32_t ceiling_milli; /* elastic: never more than that; 0: no ceiling */
    uint64_t burst_us;      /* 0: none */
};

struct tenant_io {
    const char *path;            /* a file, folder or block device */
    uint64_t rates[CG_IO_KINDS]; /* bytes or operations per second; 0: no limit */
    bool found;                  /* tenant_find_disks() knows the disk: */
    uint32_t major, minor;
};

enum tenant_memory {
    TENANT_MAX,
    TENANT_HIGH,
    TENANT_LOW,
    TENANT_SWAP,
    TENANT_VIRTUAL,
    TENANT_MEMORIES
};

struct tenant_contract {
    struct tenant_cpu cpu;
    uint64_t memory_bytes[TENANT_MEMORIES]; /* TENANT_UNSET: no limit; low: no protection */
    struct tenant_io io[TENANT_IO_MAX];
    size_t io_count;
    uint64_t io_weight; /* 1..10000, TENANT_UNSET: the kernel's 100 */
    uint64_t pids;      /* TENANT_UNSET: no limit */
    bool realtime;      /* real-time scheduling, which escapes every CPU limit, is allowed */
};

struct tenant {
    const char *name;
    struct tenant_contract contract;
    bool builtin;              /* `default` where no file defines it */
    const char *origin;        /* tells this definition from the one before; NULL: unknown */
    const uint64_t *held_cpus; /* bits of the CPUs its group holds alone now; NULL: none */
};

struct tenants {
    struct tenant *items; /* sorted by name */
    size_t count;
};

void tenant_contract_init(struct tenant_contract *contract); /* best effort: elastic 0 */

/* One field from text: "cpu", "memory", "memory-high", "memory-low", "swap", "virtual",
 * "io-weight", "pids", "realtime"; "none" takes a limit away. where: what errors call it. */
int tenant_contract_set(struct tenant_contract *contract, const char *field, const char *text,
                        const char *where, struct sub_err *err);
/* "/data=50MB/s,500iops", "/data=read:10MB/s,write:5MB/s"; replaces an entry of the same path. */
int tenant_contract_add_io(struct arena *arena, struct tenant_contract *contract, const char *text,
                           const char *where, struct sub_err *err);

/* The pieces that a single container's limits share. */
int tenant_cpu_parse(const char *text, const char *where, struct tenant_cpu *ret_cpu,
                     struct sub_err *err);
int tenant_io_parse(struct arena *arena, const char *text, const char *where,
                    struct tenant_io *ret_io, struct sub_err *err);

const char *tenant_milli_text(struct arena *arena, uint64_t milli); /* "0.5" */
const char *tenant_cpu_text(struct arena *arena, const struct tenant_cpu *cpu);
const char *tenant_io_text(struct arena *arena, const struct tenant_io *io);
const char *tenant_size_text(struct arena *arena, uint64_t bytes); /* "512M"; "none" if unset */

/* [a-z0-9][a-z0-9_.-]*, at most TENANT_NAME_MAX; not 'host' or 'others', rows of the ledger */
int tenant_name_check(const char *name, const char *where, struct sub_err *err);

/* ---- definitions on disk ---- */

/* -ENOENT without text if there is none and make is false. Refused: a folder others may write to.
 * lock: exclusive, waits at most TENANT_LOCK_MS. */
int tenant_dir_open(const char *path, bool make, bool lock, int *ret_dir_fd, struct sub_err *err);

/* All definitions, and `default` in any case. A file that is wrong becomes an error in findings and
 * is left out. */
int tenants_load(struct arena *arena, int dir_fd, struct findings *findings,
                 struct tenants *ret_tenants, struct sub_err *err);

/* What a container has to know. *ret_defined: how many definitions exist (0: this host has no
 * tenants). name NULL: counts alone. -ENOENT without text: no such tenant. */
int tenant_find(struct arena *arena, const char *dir_path, const char *name, size_t *ret_defined,
                struct tenant *ret_tenant, struct sub_err *err);

/* Replaces NAME.json by rename, and the tenant's origin; the folder's lock is held. */
int tenant_save(struct arena *arena, int dir_fd, struct tenant *tenant, struct sub_err *err);
int tenant_erase(int dir_fd, const char *name, struct sub_err *err);
/* As in the file. */
int tenant_encode(const struct tenant *tenant, struct json_writer *writer, const char *key);

/* ---- the host ---- */

struct tenant_host {
    uint64_t online[TENANT_CPUS_MAX / 64]; /* bits of the CPUs online */
    uint64_t memory_bytes, page_bytes;
    uint32_t reserve_milli;    /* not for sale; a tenth of the CPUs */
    uint64_t neighbour_weight; /* sum of cpu.weight of the groups beside the tenants' parent */
    bool nested_partitions;    /* kernel 6.7: cpuset.cpus.exclusive */
};

/* The common machine: 4 GiB, that many CPUs, kernel 6.12. For tests. */
void tenant_host_example(uint32_t cpus, struct tenant_host *ret_host);
int tenant_host_read(int cgroup_root_fd, struct tenant_host *ret_host, struct sub_err *err);

/* The disk behind each path of a contract. A path that has none is an error in findings, its entry
 * stays not found. */
void tenant_find_disks(struct arena *arena, const char *name, struct tenant_contract *contract,
                       struct findings *findings);
int tenant_disk_of(struct arena *arena, const char *path, uint32_t *ret_major, uint32_t *ret_minor,
                   struct sub_err *err);

/* CPUs that pinned tenants hold now, into held_cpus. */
int tenants_find_held(struct arena *arena, int cgroup_root_fd, struct tenants *tenants,
                      struct sub_err *err);

/* ---- the plan ---- */

struct tenant_sums {
    uint64_t online_milli, pinned_milli, reserve_milli;
    uint64_t for_sale_milli; /* what remains of them for fixed and elastic tenants */
    uint64_t sold_milli;     /* to fixed and elastic tenants */
    uint64_t protected_bytes, memory_for_sale_bytes;
};

struct tenant_group {
    const struct tenant *tenant; /* NULL: the parent of all */
    const char *group;           /* below the v2 mount, no leading slash */
    const char *contract;        /* the CPU contract in words */
    uint64_t entitled_us_per_s, cap_us_per_s;
    const char *cpus; /* pinned: "2-3"; NULL, also where the host has lost the CPUs for it */
    const struct cg_row *rows;
    size_t row_count;
    uint32_t controllers; /* CG_* bits its rows need */
};

struct tenant_plan {
    struct tenant_sums sums;
    struct tenant_group parent;
    struct tenant_group *groups; /* one a tenant, sorted by name */
    size_t count;
};

/* The tenant whose contract is new. */
struct tenant_change {
    const char *name;
    bool overcommit, kept; /* it need not fit; it promises no more than it did */
};

/* Pure. change NULL: all are as they were, and what does not fit is a warning in findings; else it
 * is -ENOSPC with the numbers. Memory is of the findings' arena. */
int tenant_plan_make(const struct tenant_host *host, const struct tenants *tenants,
                     const struct tenant_change *change, struct findings *findings,
                     const struct tenant_plan **ret_plan, struct sub_err *err);
const struct tenant_group *tenant_plan_find(const struct tenant_plan *plan, const char *name);
const char *tenant_sums_text(struct arena *arena, const struct tenant_sums *sums);

/* Where a tenant's group lies; pinned ones lie elsewhere on kernels before 6.7. */
const char *tenant_group_path(struct arena *arena, const struct tenant *tenant, bool nested);
/* The tenant in whose group that path lies (into name), false if in none. */
bool tenant_of_path(const char *path, char name[TENANT_NAME_MAX + 1]);

/* All of the above from the folder and the machine. */
int tenants_know(struct arena *arena, const char *dir_path, struct findings *findings,
                 const struct tenant_plan **ret_plan, struct sub_err *err);

/* ---- the kernel ---- */

/* What a file should say and does not. have NULL: there is no such group or file. */
struct tenant_drift {
    const char *group, *file, *want, *have;
};
struct tenant_drifts {
    struct arena *arena;
    struct tenant_drift *items;
    size_t count, room;
};

/* The cgroup hierarchy, if it can carry contracts. -EOPNOTSUPP on a hybrid host, in one line. */
int tenant_cgroups_open(int *ret_root_fd, struct sub_err *err);

/* name NULL: all tenants. */
int tenant_drifts_find(struct arena *arena, int root_fd, const struct tenant_plan *plan,
                       const char *name, struct tenant_drifts *ret_drifts, struct sub_err *err);
/* Makes groups and writes what differs, nothing else. ret_done: what was put right. */
int tenant_plan_apply(struct arena *arena, int root_fd, const struct tenant_plan *plan,
                      struct tenant_drifts *ret_done, struct sub_err *err);
/* The tenant's group as a start needs it: one look if that definition is in force in it. */
int tenant_ensure(struct arena *arena, int root_fd, const char *dir_path, const char *group,
                  const char *origin, struct sub_err *err);
/* 1 if the contract of that definition (NULL: of any) is in force in it; 0; -errno: unknown. */
int tenant_is_in_force(int root_fd, const char *group, const char *origin);

/* -EBUSY naming the processes, unless force, which kills them. */
int tenant_group_empty(int root_fd, const char *group, bool force, struct sub_err *err);
int tenant_group_remove(int root_fd, const char *group, bool force, struct sub_err *err);
/* Groups of containers in it that hold processes; 0 where there is no group. */
size_t tenant_containers(int root_fd, const char *group);

#endif
