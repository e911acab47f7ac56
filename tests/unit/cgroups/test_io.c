/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "rows_check.h"

static const char IO[] = "linux.resources.blockIO";

START_TEST(the_weight_range_of_v1_covers_that_of_v2)
{
    ck_assert_uint_eq(cg_io_weight(10), 1);
    ck_assert_uint_eq(cg_io_weight(100), 910);
    ck_assert_uint_eq(cg_io_weight(500), 4950);
    ck_assert_uint_eq(cg_io_weight(1000), 10000);
}
END_TEST

START_TEST(weights_go_to_both_schedulers)
{
    ROWS_CASE(c);
    static const struct cg_io_device_weight devices[] = {
        {8, 0, 10}
    };
    struct cg_io_limits limits = {
        .weight_set = true, .weight = 500, .device_weights = devices, .device_weight_count = 1};

    ck_rows(c, cg_io_rows(&c.rows, IO, &limits, &c.err),
            "io.bfq.weight?=500; io.weight|=default 4950; io.bfq.weight?=8:0 10; io.weight|=8:0 1");
    ck_assert_uint_eq(c.rows.controllers, CG_IO);
    ck_assert_str_eq(c.rows.rows[0].path, "linux.resources.blockIO.weight");
    ck_assert_str_eq(c.rows.rows[3].path, "linux.resources.blockIO.weightDevice[0]");
}
END_TEST

START_TEST(all_rates_of_a_disk_are_one_write)
{
    ROWS_CASE(c);
    static const struct cg_io_rate rbps[] = {
        {8, 0,  600},
        {8, 16, 0  }
    };
    static const struct cg_io_rate wiops[] = {
        {8, 16, 300       },
        {8, 0,  UINT64_MAX}
    };
    struct cg_io_limits limits = {
        .rates = {[CG_IO_RBPS] = rbps, [CG_IO_WIOPS] = wiops},
        .rate_counts = {[CG_IO_RBPS] = 2,    [CG_IO_WIOPS] = 2    },
    };

    ck_rows(c, cg_io_rows(&c.rows, IO, &limits, &c.err),
            "io.max=8:0 rbps=600 wiops=18446744073709551615; io.max=8:16 rbps=max wiops=300");
    ck_assert_str_eq(c.rows.rows[0].path, "linux.resources.blockIO.throttleReadBpsDevice[0]");
    ck_assert_str_eq(c.rows.rows[1].path, "linux.resources.blockIO.throttleReadBpsDevice[1]");
}
END_TEST

START_TEST(no_io_limit_writes_nothing)
{
    ROWS_CASE(c);
    struct cg_io_limits zero = {.weight_set = true}, unset = {.weight = 5};

    ck_rows(c, cg_io_rows(&c.rows, IO, &zero, &c.err), "");
    ck_rows(c, cg_io_rows(&c.rows, IO, &unset, &c.err), "");
}
END_TEST

START_TEST(io_values_out_of_range_are_named)
{
    static const struct cg_io_device_weight weights[] = {
        {8, 0, 9}
    };
    static const struct cg_io_rate major[] = {
        {8,  0, 1},
        {-1, 0, 1}
    };
    static const struct cg_io_rate minor[] = {
        {8, 1048576, 1}
    };
    static const struct {
        struct cg_io_limits limits;
        const char *path, *text;
    } rows[] = {
        {{.weight_set = true, .weight = 9},
         "linux.resources.blockIO.weight",                    "9: 10 to 1000 are allowed"              },
        {{.weight_set = true, .weight = 1001},
         "linux.resources.blockIO.weight",                    "1001: 10 to 1000 are allowed"           },
        {{.device_weights = weights, .device_weight_count = 1},
         "linux.resources.blockIO.weightDevice[0]",           "9: 10 to 1000 are allowed"              },
        {{.rates = {[CG_IO_WBPS] = major}, .rate_counts = {[CG_IO_WBPS] = 2}},
         "linux.resources.blockIO.throttleWriteBpsDevice[1]", "major -1: 0 to 4095 are allowed"        },
        {{.rates = {[CG_IO_RIOPS] = minor}, .rate_counts = {[CG_IO_RIOPS] = 1}},
         "linux.resources.blockIO.throttleReadIOPSDevice[0]", "minor 1048576: 0 to 1048575 are allowed"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ROWS_CASE(c);
        ck_fails(cg_io_rows(&c.rows, IO, &rows[i].limits, &c.err), &c.err, ERANGE, rows[i].path,
                 rows[i].text);
    }
}
END_TEST

START_TEST(the_number_of_throttled_disks_is_bounded)
{
    ROWS_CASE(c);
    static struct cg_io_rate rates[257];
    struct cg_io_limits limits = {.rates = {[CG_IO_RBPS] = rates},
                                  .rate_counts = {[CG_IO_RBPS] = 256}};

    for (int i = 0; i < 257; i++)
        rates[i] = (struct cg_io_rate){8, i, 1};
    ck_ok(cg_io_rows(&c.rows, IO, &limits, &c.err), &c.err);
    ck_assert_uint_eq(c.rows.count, 256);
    limits.rate_counts[CG_IO_RBPS] = 257;
    ck_fails(cg_io_rows(&c.rows, IO, &limits, &c.err), &c.err, E2BIG,
             "linux.resources.blockIO.throttleReadBpsDevice[256]",
             "more than 256 different devices");
}
END_TEST

SUITE(io_suite, the_weight_range_of_v1_covers_that_of_v2, weights_go_to_both_schedulers,
      all_rates_of_a_disk_are_one_write, no_io_limit_writes_nothing,
      io_values_out_of_range_are_named, the_number_of_throttled_disks_is_bounded)
