/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef SUBLET_SRC_TENANT_PRIVATE_H
#define SUBLET_SRC_TENANT_PRIVATE_H

#include "sublet/tenant.h"

#define PERIOD_US      100000 /* of every cap: long periods unthrottle late, short ones cost */
#define CPU_MILLI_MIN  10     /* the kernel takes no quota below 1 ms */
#define FILE_SUFFIX    ".json"
#define TENANT_BUILTIN "built in" /* origin of `default` where no file defines it */

uint64_t tenant_cap_milli(const struct tenant_cpu *cpu); /* 0: none */

/* ---- sets of CPUs, as bits ---- */

/* 'host' and 'others' are rows of the ledger beside those of tenants, 'cpu.max' a file of the
 * kernel. */
bool name_is_reserved(const char *name);

#define CPU_WORDS (TENANT_CPUS_MAX / 64)

bool cpus_has(const uint64_t *cpus, unsigned cpu);
void cpus_add(uint64_t *cpus, unsigned cpu);
unsigned cpus_count(const uint64_t *cpus);
int cpus_parse(const char *text, uint64_t *cpus); /* "0-3,7"; "" is none; -EINVAL */
const char *cpus_text(struct arena *arena, const uint64_t *cpus);

/* Chooses the CPUs of every pinned tenant: what it holds, if that fits, else the highest free ones.
 * cpus: one set a tenant. Whom the CPUs beside the host's reserve do not suffice for gets none. */
void pins_choose(const struct tenant_host *host, const struct tenants *tenants,
                 uint64_t (*cpus)[CPU_WORDS]);

/* ---- rows ---- */

/* The rows of one tenant; cpus: those of a pinned one, else those that are left to the others. */
int tenant_rows(struct arena *arena, const struct tenant_host *host, const struct tenant *tenant,
                const uint64_t *cpus, struct tenant_group *group, struct sub_err *err);

struct tenant_parent {
    uint64_t weight;
    uint64_t protected_bytes;  /* a group passes on no more protection than it has */
    const uint64_t *exclusive; /* CPUs of all pinned ones */
};
int tenant_parent_rows(struct arena *arena, const struct tenant_host *host,
                       const struct tenant_parent *wanted, struct tenant_group *parent,
                       struct sub_err *err);

/* mark.c: of the definition in that file; NULL only without memory. */
const char *tenant_origin(struct arena *arena, int dir_fd, const char *file);
/* All that the plan says of the group is written. */
void tenant_mark(int root_fd, const struct tenant_group *group);

/* A drift that has been found, remembered. */
int drift_add(struct tenant_drifts *drifts, const struct tenant_drift *drift);
/* Differences of one group that exists. */
int drifts_of_group(struct tenant_drifts *drifts, int dir_fd, const struct tenant_group *group,
                    struct sub_err *err);
/* know.c: descriptors are of the definitions and of the cgroup mount; either may be -EBADF. */
int tenants_plan(struct arena *arena, int dir_fd, int root_fd, struct findings *findings,
                 const struct tenant_plan **ret_plan, struct sub_err *err);
/* apply.c: the files of one group that differ are written; what they said goes to done. */
int tenant_group_restore(struct arena *arena, int root_fd, const struct tenant_plan *plan,
                         const struct tenant_group *group, struct tenant_drifts *done,
                         struct sub_err *err);

#endif
