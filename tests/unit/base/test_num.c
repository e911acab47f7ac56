/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "sublet/base/num.h"

#include "runner.h"

START_TEST(only_plain_digits_are_a_number)
{
    static const char *const bad[] = {"",    "+1", "-1",  " 1",  "1 ",  "0x1",
                                      "1.0", "01", "1e3", "--1", "1\n", "١"};
    uint64_t value = 77;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(num_parse_u64(bad[i], UINT64_MAX, &value), -EINVAL);
    ck_assert_uint_eq(value, 77);
}
END_TEST

START_TEST(the_whole_unsigned_range_is_read)
{
    uint64_t value;

    ck_assert_int_eq(num_parse_u64("18446744073709551615", UINT64_MAX, &value), 0);
    ck_assert_uint_eq(value, UINT64_MAX);
    ck_assert_int_eq(num_parse_u64("18446744073709551616", UINT64_MAX, &value), -ERANGE);
    ck_assert_int_eq(num_parse_u64("99999999999999999999999", UINT64_MAX, &value), -ERANGE);
    ck_assert_int_eq(num_parse_u64("0", 0, &value), 0);
    ck_assert_uint_eq(value, 0);
    ck_assert_int_eq(num_parse_u64("11", 10, &value), -ERANGE);
}
END_TEST

START_TEST(negative_numbers_have_bounds_too)
{
    int64_t value;

    ck_assert_int_eq(num_parse_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &value), 0);
    ck_assert_int_eq(value, INT64_MIN);
    ck_assert_int_eq(num_parse_i64("-0", -1, 1, &value), -EINVAL);
    ck_assert_int_eq(num_parse_i64("-2", -1, 1, &value), -ERANGE);
    ck_assert_int_eq(num_parse_i64("9223372036854775808", INT64_MIN, INT64_MAX, &value), -ERANGE);
}
END_TEST

START_TEST(sizes_take_units_of_1024)
{
    static const struct {
        const char *text;
        int rc;
        uint64_t bytes;
    } rows[] = {
        {"0",        0,       0               },
        {"512",      0,       512             },
        {"512B",     0,       512             },
        {"64K",      0,       65536           },
        {"64kb",     0,       65536           },
        {"64KiB",    0,       65536           },
        {"1.5G",     0,       1610612736      },
        {"2T",       0,       2199023255552ULL},
        {"1.5",      -EINVAL, 0               },
        {"M",        -EINVAL, 0               },
        {"1X",       -EINVAL, 0               },
        {"-1",       -EINVAL, 0               },
        {"1iB",      -EINVAL, 0               },
        {"9999999T", -ERANGE, 0               },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t bytes = 0;
        ck_assert_msg(num_parse_size(rows[i].text, &bytes) == rows[i].rc, "%s", rows[i].text);
        ck_assert_uint_eq(bytes, rows[i].bytes);
    }
}
END_TEST

START_TEST(durations_and_thousandths)
{
    uint64_t value;

    ck_assert_int_eq(num_parse_duration("250us", &value), 0);
    ck_assert_uint_eq(value, 250);
    ck_assert_int_eq(num_parse_duration("1.5", &value), 0);
    ck_assert_uint_eq(value, 1500000);
    ck_assert_int_eq(num_parse_duration("2h", &value), 0);
    ck_assert_uint_eq(value, 7200000000ULL);
    ck_assert_int_eq(num_parse_duration("2d", &value), -EINVAL);
    ck_assert_int_eq(num_parse_milli("0.25", 1000, &value), 0);
    ck_assert_uint_eq(value, 250);
    ck_assert_int_eq(num_parse_milli("0.1234", 1000, &value), -EINVAL);
    ck_assert_int_eq(num_parse_milli("1.001", 1000, &value), -ERANGE);
}
END_TEST

START_TEST(numbers_print_as_they_are)
{
    char text[NUM_TEXT];

    ck_assert_str_eq(num_format_u64(UINT64_MAX, text), "18446744073709551615");
    ck_assert_str_eq(num_format_u64(0, text), "0");
    ck_assert_str_eq(num_format_i64(INT64_MIN, text), "-9223372036854775808");
}
END_TEST

SUITE(num_suite, only_plain_digits_are_a_number, the_whole_unsigned_range_is_read,
      negative_numbers_have_bounds_too, sizes_take_units_of_1024, durations_and_thousandths,
      numbers_print_as_they_are)
