/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sublet/account/window.h"

#include "runner.h"

#define SECOND 1000000u

static const struct account_host two_cpus = {
    .window_us = SECOND, .cpus = 2, .reserve_micro = 200000};

/* How many do not hold. Every assertion of check is a system call, and windows are many. */
static unsigned count_broken(const struct account_row *rows, size_t count, int64_t unread_us,
                             const struct account_host_row *host)
{
    int64_t sum = (int64_t) (host->tenants_us + host->own_us + host->idle_us + host->steal_us);
    uint64_t used_us = 0, lent_us = 0;
    unsigned broken = 0;

    for (size_t i = 0; i < count; i++) {
        broken += rows[i].used_us + rows[i].unused_us != rows[i].entitled_us + rows[i].borrowed_us;
        broken += rows[i].lent_us + rows[i].shortfall_us > rows[i].unused_us;
        broken += rows[i].shortfall_us > rows[i].shortfall_max_us;
        used_us += rows[i].used_us;
        lent_us += rows[i].lent_us;
    }
    int64_t all_us = (int64_t) used_us + unread_us;
    broken += (int64_t) host->tenants_us != (all_us < 0 ? 0 : all_us);
    broken += lent_us > host->borrowed_us;
    broken += sum + host->rest_us != (int64_t) host->capacity_us;
    return broken;
}

START_TEST(what_is_borrowed_was_left_by_others)
{
    const struct account_party parties[] = {
        {.entitled_micro = 500000, .used_us = 1500000, .tasks = 2},
        {.entitled_micro = 1000000,                        .used_us = 100000,                  .tasks = 1},
        {.entitled_micro = 300000,              .used_us = 0              },
    };
    struct account_row rows[3];
    struct account_host_row host;

    account_window(&two_cpus, parties, 3, rows, &host);
    ck_assert_uint_eq(count_broken(rows, 3, 0, &host), 0);
    ck_assert_uint_eq(rows[0].borrowed_us, 1000000);
    ck_assert_int_eq(rows[0].class, ACCOUNT_BORROWING);
    ck_assert_uint_eq(rows[1].unused_us, 900000);
    ck_assert_uint_eq(rows[1].lent_us, 750000); /* 1.0 s * 0.9 / 1.2 */
    ck_assert_uint_eq(rows[2].lent_us, 250000);
    ck_assert_int_eq(rows[1].class, ACCOUNT_WITHIN);
    ck_assert_int_eq(rows[2].class, ACCOUNT_IDLE);
    ck_assert_uint_eq(host.own_us, 400000);
    ck_assert_uint_eq(host.own_excess_us, 200000);
}
END_TEST

START_TEST(a_victim_is_who_waits_below_its_entitlement_while_others_borrow)
{
    const struct account_party parties[] = {
        {.entitled_micro = 1000000,
         .used_us = 590000,
         .some_us = 200000,
         .full_us = 130000,
         .tasks = 1},
        {.entitled_micro = 800000,                         .used_us = 1400000, .full_us = 300000, .tasks = 4},
    };
    struct account_row rows[2];
    struct account_host_row host;

    account_window(&two_cpus, parties, 2, rows, &host);
    ck_assert_uint_eq(count_broken(rows, 2, 0, &host), 0);
    ck_assert_int_eq(rows[0].class, ACCOUNT_VICTIM);
    ck_assert_uint_eq(rows[0].shortfall_us, 130000);
    ck_assert_uint_eq(rows[0].shortfall_max_us, 130000); /* one thread */
    ck_assert_uint_eq(rows[0].self_wait_us, 70000);
    ck_assert_uint_eq(rows[0].lent_us, 280000);
    ck_assert_int_eq(rows[1].class, ACCOUNT_SQUEEZED);
}
END_TEST

START_TEST(the_own_cap_is_no_ones_fault)
{
    /* tenants.md: two threads under a quota of half a CPU, 6 s: 8.92 s throttled, full 4.499 s */
    const struct account_host host6 = {
        .window_us = 6 * SECOND, .cpus = 2, .reserve_micro = 200000, .idle_us = 9 * SECOND};
    const struct account_party party = {.entitled_micro = 500000,
                                        .used_us = 2990000,
                                        .throttled_us = 8920000,
                                        .some_us = 4510000,
                                        .full_us = 4499000,
                                        .tasks = 2};
    struct account_row row;
    struct account_host_row host;

    account_window(&host6, &party, 1, &row, &host);
    ck_assert_uint_eq(count_broken(&row, 1, 0, &host), 0);
    ck_assert_int_eq(row.class, ACCOUNT_AT_CAP);
    ck_assert_uint_eq(row.waiting_us, 39000); /* 4.499 - 8.92 / 2 */
    ck_assert_uint_eq(row.shortfall_us, 10000);
}
END_TEST

START_TEST(without_a_borrower_the_host_starves_its_tenants)
{
    const struct account_host stolen = {
        .window_us = SECOND, .cpus = 2, .reserve_micro = 200000, .steal_us = 1000000};
    const struct account_party party = {
        .entitled_micro = 1500000, .used_us = 900000, .full_us = 400000, .tasks = 2};
    struct account_row row;
    struct account_host_row host;

    account_window(&stolen, &party, 1, &row, &host);
    ck_assert_uint_eq(count_broken(&row, 1, 0, &host), 0);
    ck_assert_int_eq(row.class, ACCOUNT_HOST_STARVED);
    ck_assert_uint_eq(row.shortfall_us, 400000);
    ck_assert_uint_eq(row.shortfall_max_us, 600000);
    ck_assert_uint_eq(host.own_excess_us, 0);
}
END_TEST

START_TEST(idle_time_told_in_ticks_closes_over_many_windows)
{
    /* 200 ms of two CPUs, both busy but for 7 ms that come as one tick or none */
    const struct account_party party = {.entitled_micro = 1000000, .used_us = 393000, .tasks = 2};
    struct account_host machine = {.window_us = 200000, .cpus = 2, .idle_us = 0};
    struct account_row row;
    struct account_host_row host = {.owed_us = 0};
    uint64_t idle_us = 0, told_us = 0, sum_us = 0;

    for (int i = 0; i < 1000; i++) {
        idle_us += 7000;
        machine.idle_us = idle_us / 10000 * 10000 - told_us;
        told_us += machine.idle_us;
        machine.owed_us = host.owed_us;
        account_window(&machine, &party, 1, &row, &host);
        ck_assert_uint_eq(count_broken(&row, 1, 0, &host), 0);
        sum_us += host.tenants_us + host.own_us + host.idle_us + host.steal_us;
    }
    ck_assert_uint_eq(sum_us - host.owed_us, (uint64_t) 400000 * 1000);
    ck_assert_uint_le(host.owed_us, 10000);
}
END_TEST

struct told {
    uint64_t us[8], host_us;
};

static void tell(void *context, size_t aggressor, uint64_t us)
{
    struct told *told = context;

    if (aggressor == ACCOUNT_BY_HOST)
        told->host_us += us;
    else
        told->us[aggressor] += us;
}

START_TEST(blame_is_divided_by_what_was_borrowed_and_sums_to_the_shortfall)
{
    const struct account_row rows[] = {
        {.shortfall_us = 100001, .class = ACCOUNT_VICTIM},
        {.borrowed_us = 300000                     },
        {.borrowed_us = 0},
        {.borrowed_us = 100000                     },
    };
    const struct account_host_row host = {.borrowed_us = 400000, .own_excess_us = 200000};
    struct told told = {{0}, 0};

    ck_assert_uint_eq(account_blame(rows, 4, &host, 0, tell, &told), 0);
    ck_assert_uint_eq(told.us[0], 0);
    ck_assert_uint_eq(told.us[1], 50000);
    ck_assert_uint_eq(told.us[2], 0);
    ck_assert_uint_eq(told.us[3], 16667);
    ck_assert_uint_eq(told.host_us, 33334);
    ck_assert_uint_eq(told.us[1] + told.us[3] + told.host_us, 100001);
}
END_TEST

START_TEST(nobody_is_blamed_where_nobody_borrowed)
{
    const struct account_row row = {.shortfall_us = 5000};
    const struct account_host_row host = {.borrowed_us = 0};
    struct told told = {{0}, 0};

    ck_assert_uint_eq(account_blame(&row, 1, &host, 0, tell, &told), 5000);
    ck_assert_uint_eq(told.host_us, 0);
}
END_TEST

/* xorshift64: the same numbers every time */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

START_TEST(what_was_not_read_has_no_row_and_is_the_tenants_use_nevertheless)
{
    struct account_host machine = two_cpus;
    struct account_party parties[] = {
        {.entitled_micro = 500000, .used_us = 600000},
        {.entitled_micro = 500000, .unread = true   },
    };
    struct account_row rows[2];
    struct account_host_row host;

    machine.unread_us = 300000;
    account_window(&machine, parties, 2, rows, &host);
    ck_assert_uint_eq(host.tenants_us, 900000);
    ck_assert_uint_eq(host.own_us, 1100000);
    ck_assert_uint_eq(host.entitled_us, 1000000);
    ck_assert_uint_eq(rows[1].entitled_us + rows[1].unused_us + rows[1].lent_us, 0);

    /* and two windows later: of three windows */
    machine.unread_us = -300000;
    parties[1] = (struct account_party){
        .entitled_micro = 500000, .used_us = 900000, .full_us = 50000, .window_us = 3 * SECOND};
    account_window(&machine, parties, 2, rows, &host);
    ck_assert_uint_eq(host.tenants_us, 1200000);
    ck_assert_uint_eq(host.entitled_us, 1000000);
    ck_assert_uint_eq(rows[1].entitled_us, 1500000);
    ck_assert_uint_eq(rows[1].unused_us, 600000);
    ck_assert_int_eq(rows[1].class, ACCOUNT_WITHIN); /* 50 ms of three seconds are no waiting */
    parties[1].full_us = 100000;
    account_window(&machine, parties, 2, rows, &host);
    ck_assert_int_eq(rows[1].class, ACCOUNT_VICTIM);

    machine.unread_us = -2000000; /* more than there is: rounding */
    account_window(&machine, parties, 2, rows, &host);
    ck_assert_uint_eq(host.tenants_us, 0);
}
END_TEST

START_TEST(the_identities_hold_over_ten_thousand_windows_of_random_load)
{
    uint64_t seed = 88172645463325252u;
    unsigned broken = 0;

    for (int round = 0; round < 10000; round++) {
        struct account_party parties[8];
        struct account_row rows[8];
        struct account_host_row host;
        size_t count = 1 + next_random(&seed) % 8;
        struct account_host machine = {.window_us = 1 + next_random(&seed) % (3 * SECOND),
                                       .cpus = 1 + (uint32_t) (next_random(&seed) % 64),
                                       .reserve_micro = next_random(&seed) % SECOND};

        machine.idle_us = next_random(&seed) % (machine.window_us * machine.cpus);
        machine.steal_us = next_random(&seed) % SECOND;
        for (size_t i = 0; i < count; i++)
            parties[i] = (struct account_party){
                .entitled_micro = next_random(&seed) % (4 * SECOND),
                .used_us = next_random(&seed) % (machine.window_us * 2),
                .throttled_us =
                    next_random(&seed) % 3 == 0 ? next_random(&seed) % (machine.window_us * 2) : 0,
                .some_us = next_random(&seed) % machine.window_us,
                .full_us = next_random(&seed) % machine.window_us,
                .tasks = next_random(&seed) % 5,
                .window_us = next_random(&seed) % 4 == 0 ? machine.window_us * 3 : 0,
            };
        if (round % 3 == 0) {
            machine.unread_us = (int64_t) (next_random(&seed) % SECOND) - (int64_t) SECOND / 2;
            parties[0] = (struct account_party){.entitled_micro = SECOND, .unread = true};
        }
        account_window(&machine, parties, count, rows, &host);
        broken += count_broken(rows, count, machine.unread_us, &host);
        for (size_t i = 0; i < count; i++) {
            struct told told = {{0}, 0};
            uint64_t told_us = account_blame(rows, count, &host, i, tell, &told) + told.host_us;

            for (size_t j = 0; j < count; j++)
                told_us += told.us[j];
            broken += told_us != rows[i].shortfall_us;
        }
        if (broken != 0)
            ck_abort_msg("%u do not hold in window %d", broken, round);
    }
}
END_TEST

SUITE(window_suite, what_is_borrowed_was_left_by_others,
      a_victim_is_who_waits_below_its_entitlement_while_others_borrow, the_own_cap_is_no_ones_fault,
      without_a_borrower_the_host_starves_its_tenants,
      what_was_not_read_has_no_row_and_is_the_tenants_use_nevertheless,
      idle_time_told_in_ticks_closes_over_many_windows,
      blame_is_divided_by_what_was_borrowed_and_sums_to_the_shortfall,
      nobody_is_blamed_where_nobody_borrowed,
      the_identities_hold_over_ten_thousand_windows_of_random_load)
