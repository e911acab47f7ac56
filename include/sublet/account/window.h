/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arithmetic of one window: from what the kernel counted for each tenant and for the host to
 * who was entitled, used, borrowed, lent and fell short, and whose doing it was. All in whole
 * microseconds of CPU time; pure. The identities, exact:
 *
 *     used + unused = entitled + borrowed                      for each row
 *     tenants + own + idle + steal + rest = capacity           for the host
 *
 * own is what is left when idle, steal and the tenants are taken from the capacity: the kernel
 * counts busy time in ticks, of which a busy machine loses some, but idle time by the clock. Where
 * those say more than there was (idle time is told in ticks, too), it is owed: taken from the own
 * use of later windows, so that the sums over many windows close. rest is what is owed before less
 * what is owed after.
 */
#ifndef SUBLET_ACCOUNT_WINDOW_H
#define SUBLET_ACCOUNT_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACCOUNT_MICRO 1000000u /* entitlements are in millionths of a CPU */

enum account_class {
    ACCOUNT_IDLE,
    ACCOUNT_WITHIN,
    ACCOUNT_BORROWING,
    ACCOUNT_AT_CAP,       /* throttled by its own contract or a container's own quota */
    ACCOUNT_SQUEEZED,     /* has what it is entitled to and waits for more */
    ACCOUNT_VICTIM,       /* below its entitlement, waiting, while others took more than theirs */
    ACCOUNT_HOST_STARVED, /* the same, but nobody borrowed */
    ACCOUNT_CLASSES
};
const char *account_class_name(enum account_class class); /* "at-cap" */

/* What one tenant did in the window: differences of cumulative counters. */
struct account_party {
    uint64_t entitled_micro; /* millionths of a CPU; 0: no contract for CPU */
    uint64_t used_us;        /* cpu.stat usage_usec */
    uint64_t throttled_us;   /* cpu.stat throttled_usec, summed over CPUs */
    uint64_t some_us;        /* cpu.pressure totals, of wall time */
    uint64_t full_us;
    uint64_t tasks;     /* pids.current at the end; 0: unknown */
    uint64_t window_us; /* since the last reading, where that is not one window; 0: it is */
    bool unread;        /* not known: it has no row in this window, its next one is longer */
};

struct account_host {
    uint64_t window_us;
    uint32_t cpus;
    uint64_t reserve_micro;     /* CPU that is not for sale */
    uint64_t idle_us, steal_us; /* of all CPUs, from /proc/stat */
    uint64_t owed_us;           /* by the windows before: owed_us of the last row */
    int64_t unread_us; /* CPU time of tenants in no row; below 0: in one, of earlier windows */
};

struct account_row {
    uint64_t entitled_us, used_us, borrowed_us, unused_us;
    uint64_t lent_us;          /* part of the unused that others borrowed */
    uint64_t shortfall_us;     /* entitled and asked for, not given: lower bound */
    uint64_t shortfall_max_us; /* and upper bound */
    uint64_t throttled_us;
    uint64_t waiting_us;   /* for others: pressure without the own cap; lower bound */
    uint64_t self_wait_us; /* its own threads waiting for each other */
    enum account_class class;
};

struct account_host_row {
    uint64_t capacity_us, entitled_us;
    uint64_t tenants_us; /* of all rows and unread_us */
    uint64_t own_us, idle_us, steal_us;
    int64_t rest_us;
    uint64_t owed_us;
    uint64_t borrowed_us;
    uint64_t own_excess_us; /* own use beyond the reserve */
    uint64_t shortfall_us;
};

/* rows has room for count. */
void account_window(const struct account_host *host, const struct account_party *parties,
                    size_t count, struct account_row *rows, struct account_host_row *ret_host);

/* Aggressor number of the host itself. */
#define ACCOUNT_BY_HOST SIZE_MAX

/* Divides the shortfall of row `victim` over those who borrowed in the same window, and the host
 * as far as it used more than its reserve, in proportion; the parts sum to the shortfall. Calls
 * tell for each part that is not 0; returns the part nobody borrowed for: all or nothing. */
uint64_t account_blame(const struct account_row *rows, size_t count,
                       const struct account_host_row *host, size_t victim,
                       void (*tell)(void *context, size_t aggressor, uint64_t us), void *context);

#endif
