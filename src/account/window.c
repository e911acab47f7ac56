/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/account/window.h"

#include "sublet/base/num.h"

#define IDLE_PERCENT    5 /* of the entitlement: less is no work to speak of */
#define WAITING_PERCENT 2 /* of the window */
#define FALLEN_PERCENT  5 /* of the entitlement */

const char *account_class_name(enum account_class class)
{
    static const char *const names[] = {
        [ACCOUNT_IDLE] = "idle",
        [ACCOUNT_WITHIN] = "within",
        [ACCOUNT_BORROWING] = "borrowing",
        [ACCOUNT_AT_CAP] = "at-cap",
        [ACCOUNT_SQUEEZED] = "squeezed",
        [ACCOUNT_VICTIM] = "victim",
        [ACCOUNT_HOST_STARVED] = "host-starved",
    };

    return names[class];
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* value * part / whole without overflow; whole is not 0. */
static uint64_t share(uint64_t value, uint64_t part, uint64_t whole)
{
    return (uint64_t) ((unsigned __int128) value * part / whole);
}

static bool exceeds_percent(uint64_t value, uint64_t percent, uint64_t whole)
{
    return value > share(whole, percent, 100);
}

/* Pressure counts the time a group's own cap held it as well. The kernel does not tell over how
 * many CPUs the throttled time was spread: the fewest possible give the lower bound. */
static uint64_t external_wait(const struct account_party *party, uint64_t window_us)
{
    uint64_t spread = window_us == 0 ? 1 : (party->throttled_us + window_us - 1) / window_us;

    return num_above(party->full_us, party->throttled_us / (spread == 0 ? 1 : spread));
}

static uint64_t window_of(const struct account_host *host, const struct account_party *party)
{
    return party->window_us == 0 ? host->window_us : party->window_us;
}

static struct account_row measure(const struct account_host *host,
                                  const struct account_party *party)
{
    uint64_t window_us = window_of(host, party);
    uint64_t entitled_us = share(window_us, party->entitled_micro, ACCOUNT_MICRO);
    uint64_t threads = party->tasks == 0 ? host->cpus : smaller(party->tasks, host->cpus);
    uint64_t waiting_us = external_wait(party, window_us);
    uint64_t unused_us = num_above(entitled_us, party->used_us);

    return (struct account_row){
        .entitled_us = entitled_us,
        .used_us = party->used_us,
        .borrowed_us = num_above(party->used_us, entitled_us),
        .unused_us = unused_us,
        .shortfall_us = smaller(unused_us, waiting_us),
        .shortfall_max_us = smaller(unused_us, waiting_us * threads),
        .throttled_us = party->throttled_us,
        .waiting_us = waiting_us,
        .self_wait_us = num_above(party->some_us, party->full_us),
    };
}

static enum account_class classify(const struct account_row *row, uint64_t window_us,
                                   bool somebody_took)
{
    bool waits = exceeds_percent(row->waiting_us, WAITING_PERCENT, window_us);

    if (waits && exceeds_percent(row->shortfall_us, FALLEN_PERCENT, row->entitled_us))
        return somebody_took ? ACCOUNT_VICTIM : ACCOUNT_HOST_STARVED;
    if (row->throttled_us > 0)
        return ACCOUNT_AT_CAP;
    if (waits && row->used_us >= row->entitled_us)
        return ACCOUNT_SQUEEZED;
    if (row->borrowed_us > 0)
        return ACCOUNT_BORROWING;
    if (!waits && !exceeds_percent(row->used_us, IDLE_PERCENT, row->entitled_us))
        return ACCOUNT_IDLE;
    return ACCOUNT_WITHIN;
}

/* What was borrowed came from those who left something: each by how much it left. */
static void divide_lent(struct account_row *rows, size_t count, uint64_t borrowed_us)
{
    uint64_t left_us = 0;

    for (size_t i = 0; i < count; i++)
        left_us += rows[i].unused_us - rows[i].shortfall_us;
    for (size_t i = 0; i < count && left_us > 0; i++) {
        uint64_t own_us = rows[i].unused_us - rows[i].shortfall_us;

        rows[i].lent_us = smaller(own_us, share(borrowed_us, own_us, left_us));
    }
}

static struct account_host_row close_host(const struct account_host *host, uint64_t tenants_us)
{
    struct account_host_row row = {
        .capacity_us = host->window_us * host->cpus,
        .tenants_us = tenants_us,
        .idle_us = host->idle_us,
        .steal_us = host->steal_us,
    };

    uint64_t told_us = row.idle_us + row.steal_us + tenants_us + host->owed_us;

    row.own_us = num_above(row.capacity_us, told_us);
    row.owed_us = num_above(told_us, row.capacity_us);
    row.own_excess_us =
        num_above(row.own_us, share(host->window_us, host->reserve_micro, ACCOUNT_MICRO));
    row.rest_us = (int64_t) host->owed_us - (int64_t) row.owed_us;
    return row;
}

void account_window(const struct account_host *host, const struct account_party *parties,
                    size_t count, struct account_row *rows, struct account_host_row *ret_host)
{
    uint64_t tenants_us = 0;

    for (size_t i = 0; i < count; i++)
        tenants_us += parties[i].used_us;
    tenants_us = host->unread_us < 0 ? num_above(tenants_us, -(uint64_t) host->unread_us)
                                     : tenants_us + (uint64_t) host->unread_us;

    struct account_host_row total = close_host(host, tenants_us);
    for (size_t i = 0; i < count; i++) {
        rows[i] = parties[i].unread ? (struct account_row){.class = ACCOUNT_IDLE}
                                    : measure(host, &parties[i]);
        total.entitled_us += share(host->window_us, parties[i].entitled_micro, ACCOUNT_MICRO);
        total.borrowed_us += rows[i].borrowed_us;
        total.shortfall_us += rows[i].shortfall_us;
    }
    divide_lent(rows, count, total.borrowed_us);
    for (size_t i = 0; i < count; i++) {
        bool took = total.borrowed_us + total.own_excess_us > 0;

        rows[i].class = classify(&rows[i], window_of(host, &parties[i]), took);
    }
    *ret_host = total;
}

uint64_t account_blame(const struct account_row *rows, size_t count,
                       const struct account_host_row *host, size_t victim,
                       void (*tell)(void *context, size_t aggressor, uint64_t us), void *context)
{
    uint64_t pool_us = host->borrowed_us + host->own_excess_us;
    uint64_t shortfall_us = rows[victim].shortfall_us, left_us = shortfall_us, before_us = 0;

    if (pool_us == 0)
        return shortfall_us;
    /* by differences of rounded sums, so that the parts make up the whole */
    for (size_t i = 0; i < count; i++) {
        uint64_t until_us = before_us + rows[i].borrowed_us;
        uint64_t part_us =
            share(shortfall_us, until_us, pool_us) - share(shortfall_us, before_us, pool_us);

        before_us = until_us;
        left_us -= part_us;
        if (part_us > 0)
            tell(context, i, part_us);
    }
    if (left_us > 0)
        tell(context, ACCOUNT_BY_HOST, left_us);
    return 0;
}
