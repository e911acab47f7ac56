/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The meter: watches the tenants and writes the ledger. It holds nothing that a crash could lose
 * but resolution: every record has the totals. And the records that the runtime writes itself, with
 * no meter running, when a container starts and ends.
 */
#ifndef SUBLET_ACCOUNT_METER_H
#define SUBLET_ACCOUNT_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "sublet/account/ledger.h"
#include "sublet/account/view.h"
#include "sublet/cgroups.h"

struct sub_err;

struct meter_options {
    const char *tenants_dir, *ledger_dir;
    uint64_t window_us;   /* how often CPU is looked at */
    uint64_t interval_us; /* how often records are written */
    uint64_t slow_us;     /* how often memory, I/O and processes are looked at */
    void (*tell)(const char *path,
                 const char *text); /* what the operator should see now; or NULL */
};

struct meter_cost { /* of the meter itself */
    uint64_t cpu_us, wall_us, windows, records, failed_records;
};

/* Runs until SIGTERM or SIGINT, then writes the last records. -EBUSY: another meter runs. */
int meter_run(const struct meter_options *options, struct meter_cost *ret_cost,
              struct sub_err *err);

/* Pure. How much the next window reads, so long after the last record and after the last look at
 * memory. ACCOUNT_ALL: a record is written at its end. */
enum account_depth meter_depth(const struct meter_options *options, uint64_t since_record_us,
                               uint64_t since_slow_us);

/* A sample record of one tenant from what the view knows; its parts live in scratch. */
struct meter_scratch {
    struct ledger_cpu cpu;
    struct ledger_memory memory;
    struct ledger_device devices[LEDGER_IO_MAX];
    char device_names[LEDGER_IO_MAX][24];
    struct ledger_pressure io_pressure;
    struct ledger_pids pids;
    struct ledger_windows windows;
    struct ledger_by blame[LEDGER_BLAME_MAX];
};
void meter_record(const struct account_tenant *tenant, uint64_t window_us,
                  struct meter_scratch *scratch, struct ledger_record *ret_record);

/* The totals of a container's group, for its start and exit records, --report and --assert. */
struct cgroup_sample;
void meter_container_record(const struct cgroup_sample *sample, struct meter_scratch *scratch,
                            struct ledger_record *record);
/* What such a record takes from the group. */
#define METER_FILES                                                                 \
    (CG_READ(CPU_STAT) | CG_READ_SPAN(CPU_PRESSURE, IO_PRESSURE) | CG_READ_MEMORY | \
     CG_READ(MEMORY_STAT) | CG_READ(IO_STAT) | CG_READ_PIDS)

#endif
