/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Was a tenant slow in a period, and whose doing was it. From the sums of its row of a summary
 * alone; pure. Each cause has a time: how long the tenant was held by it. A cause matters above a
 * share of the time that was metered, or where windows of its class came together; a process that
 * was killed and a fork that was refused always do.
 */
#ifndef SUBLET_ACCOUNT_WHY_H
#define SUBLET_ACCOUNT_WHY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct summary_row;

enum why_cause {
    WHY_OOM,              /* processes were killed at a memory limit */
    WHY_TASKS,            /* forks were refused */
    WHY_NEIGHBOUR,        /* others borrowed what it was entitled to */
    WHY_HOST,             /* what is outside of the tenants did, or nobody knows who */
    WHY_OWN_CAP,          /* its own contract, or a container's own quota */
    WHY_CONTRACT,         /* it had all that it is entitled to, and waited for more */
    WHY_MEMORY_OWN,       /* its own memory limit */
    WHY_MEMORY_NEIGHBOUR, /* memory ran out while others took it */
    WHY_IO_NEIGHBOUR,     /* the disk, which others used */
    WHY_IO_LIMIT,         /* its own limit of a disk */
    WHY_IO_OWN,           /* the disk, which it used itself */
    WHY_OWN_THREADS,      /* its own threads waited for each other */
    WHY_CAUSES
};

enum why_verdict { WHY_UNKNOWN, WHY_FINE, WHY_SLOW };

struct why_finding {
    enum why_cause cause;
    bool matters;
    uint64_t us;       /* the tenant was held */
    uint64_t permille; /* of the time that was metered */
    uint64_t count;    /* windows of the class, kills, refused forks, limit events */
};

struct why {
    enum why_verdict verdict;
    uint64_t metered_us;
    struct why_finding findings[WHY_CAUSES]; /* that matter first, the longest first */
    size_t count, matter_count;
};

const char *why_cause_name(enum why_cause cause); /* "own-cap" */

void why_find(const struct summary_row *row, struct why *ret_why);

#endif
