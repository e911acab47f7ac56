/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the ledger says of a period: sums by tenant, by container and by hour, the host's own, who
 * is blamed for what, and what is not known. The whole ledger is read once, record by record; what
 * is kept grows with the number of tenants, steps and running containers, never with the ledger.
 *
 * Sums are differences of cumulative counters. The record before the period and the one behind it
 * give its edges: what was counted between two records is divided by time where the edge lies
 * between them, and nowhere else. For every tenant, in every period and every step of it,
 *
 *     used + unused = entitled + borrowed + unmetered
 *
 * exactly, where unmetered is what was used while no window was measured: before the meter had
 * seen the tenant twice, and what containers told of themselves with no meter running.
 */
#ifndef SUBLET_ACCOUNT_SUMMARY_H
#define SUBLET_ACCOUNT_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sublet/account/ledger.h"
#include "sublet/account/window.h"

struct sub_err;

#define SUMMARY_STEPS_MAX        10000
#define SUMMARY_CONTAINERS_MAX   10000 /* named ones; the rest is one row */
#define SUMMARY_BLAME_MAX        32    /* names in one row; the rest is "others" */
#define SUMMARY_GAPS_MAX         64    /* that are told one by one */
#define SUMMARY_EVENTS_MAX       64
#define SUMMARY_OTHERS           "others"
#define SUMMARY_OTHER_CONTAINERS "(others)" /* no container is called so */

/* What is summed. us is of CPU time, wall_us of time that went by. */
enum summary_sum {
    SUM_USED, /* us */
    SUM_USER,
    SUM_SYSTEM,
    SUM_ENTITLED,
    SUM_BORROWED,
    SUM_UNUSED,
    SUM_LENT,
    SUM_SHORTFALL,     /* entitled, asked for and not given: lower bound */
    SUM_SHORTFALL_MAX, /* upper bound */
    SUM_UNMETERED,
    SUM_OUTSIDE,   /* of the unmetered: by containers outside of the tenant's group */
    SUM_THROTTLED, /* by the own cap, summed over CPUs */
    SUM_THROTTLED_PERIODS,
    SUM_PERIODS,
    SUM_BURST,
    SUM_CPU_SOME, /* wall_us */
    SUM_CPU_FULL,
    SUM_WAITING,        /* wall_us, for others */
    SUM_SELF_WAIT,      /* wall_us, its own threads for each other */
    SUM_MEMORY_BYTE_US, /* integral of the memory in use over time */
    SUM_MEMORY_TIME,    /* wall_us in which that was watched */
    SUM_MAJOR_FAULTS,
    SUM_REFAULTS_ANON,
    SUM_REFAULTS_FILE,
    SUM_MEMORY_HIGH, /* events */
    SUM_MEMORY_MAX,
    SUM_OOM,
    SUM_OOM_KILLS,
    SUM_MEMORY_SOME, /* wall_us */
    SUM_MEMORY_FULL,
    SUM_READ_BYTES,
    SUM_WRITTEN_BYTES,
    SUM_READS,
    SUM_WRITES,
    SUM_IO_COST, /* us of the device, where the kernel models it */
    SUM_IO_SOME, /* wall_us */
    SUM_IO_FULL,
    SUM_IO_CAPPED, /* of that, at a limit of its own contract */
    SUM_FORKS_REFUSED,
    SUM_WINDOWS,
    SUM_CLASS, /* windows of each class: SUM_CLASS + enum account_class */
    SUM_STARTED = SUM_CLASS + ACCOUNT_CLASSES, /* containers */
    SUM_ENDED,
    SUM_FAILED,  /* of those that ended: with a status that is not 0 */
    SUM_METERED, /* wall_us that records tell of */
    SUM_COUNT
};

/* One row for each sum: its name with the unit last, "used_us". */
const char *summary_sum_name(enum summary_sum sum);

struct summary_host {
    uint64_t capacity_us, tenants_us, own_us, idle_us, steal_us; /* where it was metered */
    uint64_t reserved_us;                                        /* not for sale, of capacity_us */
    uint64_t metered_us;                                         /* wall */
    uint64_t meter_us;                                           /* CPU time of the meter itself */
};

/* Of whom a tenant's lack of CPU, and its waiting for the disk and for memory, is the doing. */
enum summary_resource { SUMMARY_CPU, SUMMARY_IO, SUMMARY_MEMORY, SUMMARY_RESOURCES };

struct summary_blame {
    const char *by;                      /* a tenant, "host" or "others" */
    uint64_t us[SUMMARY_RESOURCES];      /* CPU: of the shortfall; else: of the stalled time */
    uint64_t records[SUMMARY_RESOURCES]; /* in how many of the victim's records */
};

/* What is drawn over time, for every step of the query. */
enum summary_plot { PLOT_USED, PLOT_ENTITLED, PLOT_THROTTLED, PLOT_SHORTFALL, SUMMARY_PLOTS };

struct summary_row {
    const char *tenant;    /* NULL: of none */
    const char *container; /* NULL: the row is a tenant */
    const char *contract;  /* the last in the period, or NULL */
    uint64_t entitled_micro;
    uint64_t contract_changes;
    uint64_t sums[SUM_COUNT];
    uint64_t memory_peak_bytes; /* of the records in the period: more may have been in between */
    uint64_t memory_last_bytes, swap_last_bytes, swap_peak_bytes, tasks_peak;
    struct summary_blame *blame; /* by CPU, the most first */
    size_t blame_count;
    uint64_t fallen_records[SUMMARY_RESOURCES]; /* records in which it fell short or stalled */
    uint64_t (*plots)[SUMMARY_PLOTS];           /* one for each step; NULL: not asked for */
    uint64_t started_us, ended_us;              /* of a container; 0: not in the ledger */
    int32_t status;                             /* of one that ended */
    bool running;                               /* at the end of the period, as far as is known */
    bool shown;                                 /* by the filter */
};

struct summary_step {
    uint64_t from_us;
    uint64_t sums[SUM_COUNT]; /* of the tenants that are shown */
    struct summary_host host;
};

enum summary_gap_kind { GAP_BEFORE, GAP_METER, GAP_AFTER };

struct summary_gap {
    uint64_t from_us, to_us;
    enum summary_gap_kind kind; /* before the first record, no meter ran, behind the last record */
};

struct summary_event {
    uint64_t us, count;
    const char *tenant; /* or NULL */
    const char *text;
};

enum summary_by { SUMMARY_TENANTS, SUMMARY_CONTAINERS };

struct summary_query {
    uint64_t from_us, to_us;
    const char *tenant, *container; /* NULL: all */
    uint32_t classes;               /* bits 1 << class: rows with such windows; 0: all */
    enum summary_by by;
    uint64_t step_us; /* 0: no steps; they begin at multiples of it (UTC) */
    bool plots;
};

struct summary {
    struct summary_query query;
    struct summary_row *rows; /* by name */
    size_t count;
    uint64_t total[SUM_COUNT]; /* of the rows that are shown */
    uint64_t all[SUM_COUNT];   /* of all tenants */
    struct summary_host host;
    uint64_t cpus, capacity_us; /* of the whole period, metered or not; 0: not known */
    struct summary_step *steps;
    size_t step_count;
    struct summary_gap gaps[SUMMARY_GAPS_MAX];
    size_t gap_count; /* all of them, the first SUMMARY_GAPS_MAX are here */
    uint64_t gap_us;
    struct summary_event events[SUMMARY_EVENTS_MAX];
    size_t event_count;
    uint64_t first_us, last_us; /* records of the whole ledger; 0: there is none */
    uint64_t records;           /* in the period */
    struct ledger_stats ledger;
};

/* -ERANGE: more than SUMMARY_STEPS_MAX steps. A missing ledger is an empty one. */
int summary_read(const char *ledger_dir, const struct summary_query *query,
                 struct summary **ret_summary, struct sub_err *err);
void summary_free(struct summary **summary);
#define OWNED_SUMMARY __attribute__((cleanup(summary_free))) struct summary

#endif
