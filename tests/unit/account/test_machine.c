/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "../../../src/account/machine.h"
#include "runner.h"

START_TEST(the_machine_is_the_line_of_all_cpus_and_the_number_of_the_others)
{
    struct machine machine;

    ck_assert_int_eq(machine_parse("cpu  11 12 13 100 5 16 17 7 0 0\n"
                                   "cpu0 1 1 1 50 2 1 1 3 0 0\n"
                                   "cpu1 1 1 1 50 3 1 1 4 0 0\n"
                                   "intr 1 2 3\nctxt 5\nprocs_running 3\nprocs_blocked 0\n",
                                   10000, &machine),
                     0);
    ck_assert_uint_eq(machine.cpus, 2);
    ck_assert_uint_eq(machine.idle_us, 1050000);
    ck_assert_uint_eq(machine.steal_us, 70000);
    ck_assert_uint_eq(machine.running, 3);
}
END_TEST

START_TEST(what_is_no_such_text_is_refused)
{
    static const char *const texts[] = {"",
                                        "cpu\n",
                                        "cpu  1 2 3\ncpu0 1\n",
                                        "cpu  1 2 3 4 5 6 7 8\n",
                                        "cpu  1 2 3 x 5 6 7 8\ncpu0 1\n",
                                        "intr 1\n"};
    struct machine machine;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_msg(machine_parse(texts[i], 10000, &machine) == -EINVAL, "%s", texts[i]);
}
END_TEST

START_TEST(idle_time_that_goes_back_is_none_and_is_not_counted_twice)
{
    struct machine base = {.cpus = 4, .idle_us = 50000, .steal_us = 20000};
    const struct machine back = {.cpus = 2, .idle_us = 40000, .steal_us = 30000};
    const struct machine on = {.cpus = 2, .idle_us = 60000, .steal_us = 30000};
    struct machine since = machine_advance(&base, &back);

    ck_assert_uint_eq(since.cpus, 2);
    ck_assert_uint_eq(since.idle_us, 0);
    ck_assert_uint_eq(since.steal_us, 10000);
    since = machine_advance(&base, &on);
    ck_assert_uint_eq(since.idle_us, 10000);
    ck_assert_uint_eq(since.steal_us, 0);
}
END_TEST

START_TEST(the_sum_of_a_cpu_that_went_begins_anew)
{
    struct machine base = {.cpus = 2, .idle_us = 900000000};
    const struct machine less = {.cpus = 1, .idle_us = 500000000};
    const struct machine on = {.cpus = 1, .idle_us = 500000007};

    ck_assert_uint_eq(machine_advance(&base, &less).idle_us, 0);
    ck_assert_uint_eq(machine_advance(&base, &on).idle_us, 7);
}
END_TEST

SUITE(machine_suite, the_machine_is_the_line_of_all_cpus_and_the_number_of_the_others,
      what_is_no_such_text_is_refused, idle_time_that_goes_back_is_none_and_is_not_counted_twice,
      the_sum_of_a_cpu_that_went_begins_anew)
