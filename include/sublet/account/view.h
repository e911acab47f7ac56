/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tenants of this host as they live: sampled window by window through kept descriptors. The
 * meter writes what it sees here to the ledger, `top` shows it. Sums go on from where the last
 * meter left them, if they are given back to it (account_view_restore).
 */
#ifndef SUBLET_ACCOUNT_VIEW_H
#define SUBLET_ACCOUNT_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sublet/account/ledger.h"
#include "sublet/account/window.h"
#include "sublet/cgroups.h"

struct account_view;
struct findings;
struct sub_err;

#define ACCOUNT_NAME_TEXT     64
#define ACCOUNT_CONTRACT_TEXT 96

/* Since the cgroup was made, or the first meter met it. */
struct account_sums {
    uint64_t entitled_us, borrowed_us, unused_us, lent_us, shortfall_us, shortfall_max_us;
    uint64_t waiting_us, self_wait_us;
    uint64_t io_capped_us; /* wall time it stalled at its own limit of a disk */
    uint64_t windows, of_class[ACCOUNT_CLASSES];
};

struct account_by {
    char name[ACCOUNT_NAME_TEXT]; /* a tenant, "host" or "others" */
    uint64_t us;
};

/* What is read less often than every window. */
struct account_slow {
    struct cg_pressure memory_pressure, io_pressure;
    struct cg_memory_counters memory;
    struct cg_memory_usage usage;
    struct cg_memory_activity activity;
    struct cg_pids_counters pids;
    struct cg_io_counters io[LEDGER_IO_MAX];
    size_t io_count;
};

struct account_tenant {
    char name[ACCOUNT_NAME_TEXT], contract[ACCOUNT_CONTRACT_TEXT];
    const char *group;          /* below the v2 mount */
    uint64_t entitled_micro;    /* millionths of a CPU */
    bool open;                  /* its group is there, and counters were read */
    bool measured;              /* row ends with the last window; false in the first, and while
                                   many take turns and it was not its own */
    bool undefined;             /* it has a group, but no definition that can be read: the last
                                   contract that was known stands */
    uint64_t cgroup_id;         /* inode: another one means counters that began at 0 */
    struct cg_cpu_counters cpu; /* cumulative, at the end of the last window */
    struct cg_pressure cpu_pressure;
    uint64_t memory_byte_us; /* integral of memory.current over time */
    uint64_t unrecorded_us;  /* windows since account_view_recorded() */
    struct account_row row;
    struct account_sums sums;
    size_t blame_count;
    /* what every window touches is above, for there are thousands */
    struct account_by blame[LEDGER_BLAME_MAX];
    struct account_slow slow;
};

/* A view needs eight descriptors for each tenant, and with twenty it costs less: raises this
 * process' limit as far as it may. */
void account_raise_files(void);

/* tenants_dir: TENANT_DIR. -EOPNOTSUPP where the host has no tenants' groups (hybrid). */
int account_view_open(const char *tenants_dir, struct account_view **ret_view, struct sub_err *err);
void account_view_free(struct account_view **view);
#define OWNED_ACCOUNT_VIEW __attribute__((cleanup(account_view_free))) struct account_view

enum account_depth {
    ACCOUNT_CPU,    /* of those that can have used any; of many that are awake: in turns */
    ACCOUNT_MEMORY, /* and the memory, the processes, the disks that are limited */
    ACCOUNT_ALL,    /* and the rest of what a record says */
};

/* Ends a window and begins the next. Tenants that were set or removed since are taken up or
 * dropped. 1 if a window was measured, 0 for the first, which is of everything. */
int account_view_sample(struct account_view *view, enum account_depth depth, struct sub_err *err);

/* Valid until the next sample. Sorted by name. */
size_t account_view_count(const struct account_view *view);
const struct account_tenant *account_view_tenant(const struct account_view *view, size_t index);
const struct account_host_row *account_view_host(const struct account_view *view);
/* Totals of all windows. */
const struct ledger_total *account_view_total(const struct account_view *view);
uint64_t account_view_window_us(const struct account_view *view);
/* By how much the clock of the wall was set in the last window; 0: by less than a second. */
int64_t account_view_clock_step_us(const struct account_view *view);

/* The tenant's record is written: its next one begins here. */
void account_view_recorded(struct account_view *view, size_t index);

/* What is wrong with the definitions, if it is not what it was at the last call: as findings, else
 * NULL. Valid until the next sample. */
const struct findings *account_view_findings(struct account_view *view);

/* ---- going on where an earlier meter ended, before the first sample ---- */

/* Gives a tenant the sums of its last sample record, if it is of this boot and this cgroup and the
 * tenant has none yet, and makes what was used since then one window. Of a host record: the host's
 * totals. True if it was of use; *ret_gap_us: the length of that window. */
bool account_view_restore(struct account_view *view, const struct ledger_record *record,
                          const char *boot, const struct ledger_moment *now, uint64_t *ret_gap_us);
/* How many tenants with a group have no sums yet. */
size_t account_view_fresh(struct account_view *view);

#endif
