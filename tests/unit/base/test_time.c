/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "sublet/base/time.h"

#include "runner.h"

START_TEST(a_point_in_time_is_told_in_utc)
{
    char text[TIME_TEXT];

    ck_assert_str_eq(time_format_us(0, text), "1970-01-01T00:00:00.000000Z");
    ck_assert_str_eq(time_format_us(951782399999999, text), "2000-02-28T23:59:59.999999Z");
    ck_assert_str_eq(time_format(951782400, 5, 9, text), "2000-02-29T00:00:00.000000005Z");
    ck_assert_str_eq(time_format(4107542400, 0, 0, text), "2100-03-01T00:00:00Z");
}
END_TEST

START_TEST(now_is_between_a_reading_before_and_one_after)
{
    struct timespec before, after;

    ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &before), 0);
    uint64_t us = time_now_us(CLOCK_MONOTONIC);
    ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &after), 0);
    ck_assert_uint_ge(us, (uint64_t) before.tv_sec * 1000000 + (uint64_t) before.tv_nsec / 1000);
    ck_assert_uint_le(us, (uint64_t) after.tv_sec * 1000000 + (uint64_t) after.tv_nsec / 1000);
}
END_TEST

START_TEST(what_is_told_is_understood)
{
    static const struct {
        const char *text;
        uint64_t us;
    } cases[] = {
        {"1970-01-01",                  0                 },
        {"2000-02-29T00:00:00Z",        951782400000000   },
        {"2000-02-29 01:00",            951786000000000   },
        {"2000-02-29T01:30:00+01:30",   951782400000000   },
        {"2000-02-28T23:00:00-01:00",   951782400000000   },
        {"2026-11-22T11:02:00.000123Z", 1795345320000123  },
        {"2026-11-22T11:02:00.5",       1795345320500000  },
        {"9999-12-31T23:59:59Z",        253402300799000000},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t us = 1;

        ck_assert_msg(time_parse_us(cases[i].text, &us) == 0, "%s", cases[i].text);
        ck_assert_uint_eq(us, cases[i].us);
    }
}
END_TEST

START_TEST(what_is_no_point_in_time_is_refused)
{
    static const char *const texts[] = {
        "",
        "2026",
        "2026-13-01",
        "2026-02-29",
        "2026-04-31",
        "1969-12-31",
        "2026-11-22T",
        "2026-11-22T11",
        "2026-11-22T24:00",
        "2026-11-22T11:60",
        "2026-11-22T11:00:00.",
        "2026-11-22T11:00:00Zx",
        "2026-11-22T11:00:00+1:00",
        "1970-01-01T00:00:00+01:00",
        "-026-11-22",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint64_t us = 77;

        ck_assert_msg(time_parse_us(texts[i], &us) == -EINVAL, "'%s' was taken", texts[i]);
        ck_assert_uint_eq(us, 77);
    }
}
END_TEST

SUITE(time_suite, a_point_in_time_is_told_in_utc, now_is_between_a_reading_before_and_one_after,
      what_is_told_is_understood, what_is_no_point_in_time_is_refused)
