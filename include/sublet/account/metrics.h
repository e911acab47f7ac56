/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics as text, in the two forms that Prometheus reads. Pure: everything that is said is handed
 * in. A counter that the kernel did not give is no sample, never 0. Names, units and help are one
 * table (account/metrics_rows.c), for tenants and containers alike.
 */
#ifndef SUBLET_ACCOUNT_METRICS_H
#define SUBLET_ACCOUNT_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sublet/account/totals.h"
#include "sublet/cgroups.h"

struct arena;
struct buf;

enum metrics_format {
    METRICS_PROMETHEUS, /* the text format 0.0.4, also of node_exporter's textfile collector */
    METRICS_OPENMETRICS /* 1.0.0 */
};

#define METRICS_TEXT_MAX ((size_t) 256 << 20)

/* The files of a group that metrics are made of. */
#define METRICS_FILES                                                                            \
    (CG_READ_CPU | CG_READ_PRESSURE | CG_READ_MEMORY | CG_READ(MEMORY_STAT) | CG_READ(IO_STAT) | \
     CG_READ_PIDS)

/* What a sample has of it, without the rest of its 40 kB. */
struct metrics_counters {
    struct cg_cpu_counters cpu;
    struct cg_pressure cpu_pressure, memory_pressure, io_pressure, irq_pressure;
    struct cg_memory_counters memory;
    struct cg_memory_usage usage;
    struct cg_memory_activity activity;
    struct cg_pids_counters pids;
    const struct cg_io_counters *io;
    size_t io_count;
};

/* A tenant or a container. */
struct metrics_group {
    const char *name;
    const char *tenant;                      /* of a container; NULL: none */
    const char *contract;                    /* of a tenant: its CPU contract in words */
    const char *status;                      /* of a container */
    const char *cgroup;                      /* of a container: "/..."; NULL: it has none */
    bool outside;                            /* a container that no contract holds */
    uint64_t created_us;                     /* of a container, since 1970; 0: not known */
    uint64_t entitled_micro, cap_micro;      /* of a tenant, millionths of a CPU; cap 0: none */
    const struct metrics_counters *counters; /* NULL: it has no cgroup now */
    const struct account_total *total;       /* of a tenant; NULL: the ledger does not know it */
};

struct metrics {
    const char *version, *commit;
    const struct metrics_group *tenants, *containers;
    size_t tenant_count, container_count;
    const struct account_totals_stats *ledger;
    uint64_t took_us; /* to gather all of this */
    uint64_t now_us;  /* since 1970 */
    bool compat;      /* containers once more, by the names of cAdvisor */
};

/* -ENOMEM. */
int metrics_take(struct arena *arena, const struct cgroup_sample *sample,
                 struct metrics_counters *ret_counters);

void metrics_write(const struct metrics *metrics, enum metrics_format format, struct buf *text);

#endif
