/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "sublet/cgroups.h"

#include "runner.h"

START_TEST(cpu_stat_is_read_by_key_and_absent_is_not_zero)
{
    struct cg_cpu_counters c;

    ck_assert_int_eq(cg_parse_cpu_stat("usage_usec 18446744073709551615\nuser_usec 2\n"
                                       "system_usec 3\ncore_sched.force_idle_usec 0\n"
                                       "nr_periods 4\nnr_throttled 5\nthrottled_usec 6\n"
                                       "nr_bursts 7\nburst_usec 8\n",
                                       &c),
                     0);
    ck_assert_uint_eq(c.usage_us, UINT64_MAX);
    ck_assert_uint_eq(c.user_us, 2);
    ck_assert_uint_eq(c.system_us, 3);
    ck_assert_uint_eq(c.periods, 4);
    ck_assert_uint_eq(c.throttled_periods, 5);
    ck_assert_uint_eq(c.throttled_us, 6);
    ck_assert_uint_eq(c.bursts, 7);
    ck_assert_uint_eq(c.burst_us, 8);
    ck_assert_uint_eq(c.present, 511 & ~(unsigned) CG_HAS_NICE);

    ck_assert_int_eq(cg_parse_cpu_stat("nice_usec 0\nusage_usec 1", &c), 0);
    ck_assert_uint_eq(c.present, CG_HAS_NICE | CG_HAS_USAGE);
    ck_assert_int_eq(cg_parse_cpu_stat("", &c), 0);
    ck_assert_uint_eq(c.present, 0);
}
END_TEST

START_TEST(a_counter_that_is_no_number_is_refused)
{
    static const char *const bad[] = {
        "usage_usec\n",
        "usage_usec \n",
        "usage_usec -1\n",
        "usage_usec 1 \n",
        "usage_usec 0x1",
        "usage_usec 01\n",
        " 1\n",
        "\nusage_usec 1\n",
        "unknown\n",
        "unknown",
        "usage_usec 18446744073709551616\n",
        "usage_usec 99999999999999999999999999999999\n",
    };
    struct cg_cpu_counters c = {.present = 77};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(cg_parse_cpu_stat(bad[i], &c) == -EINVAL, "'%s' was taken", bad[i]);
    ck_assert_uint_eq(c.present, 77);
}
END_TEST

START_TEST(memory_files_add_up_in_one_structure)
{
    struct cg_memory_counters c = {0};

    ck_assert_int_eq(cg_parse_memory_stat("anon 1\nfile 2\nkernel 3\nsock 4\nshmem 5\nzswap 6\n"
                                          "file_dirty 7\nanon_thp 99\ninactive_file 8\nslab 9\n"
                                          "workingset_refault_anon 10\n"
                                          "workingset_refault_file 11\npgfault 12\npgmajfault 13\n",
                                          &c),
                     0);
    ck_assert_uint_eq(c.present, CG_HAS_MEMORY_STAT);
    ck_assert_int_eq(cg_parse_memory_events("low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\n"
                                            "oom_group_kill 6\nsock_throttled 9\n",
                                            &c),
                     0);
    ck_assert_uint_eq(c.present, CG_HAS_MEMORY_STAT | CG_HAS_MEMORY_EVENTS);
    ck_assert_uint_eq(c.anon_bytes, 1);
    ck_assert_uint_eq(c.file_bytes, 2);
    ck_assert_uint_eq(c.kernel_bytes, 3);
    ck_assert_uint_eq(c.sock_bytes, 4);
    ck_assert_uint_eq(c.shmem_bytes, 5);
    ck_assert_uint_eq(c.zswap_bytes, 6);
    ck_assert_uint_eq(c.file_dirty_bytes, 7);
    ck_assert_uint_eq(c.inactive_file_bytes, 8);
    ck_assert_uint_eq(c.slab_bytes, 9);
    ck_assert_uint_eq(c.refaults_anon, 10);
    ck_assert_uint_eq(c.refaults_file, 11);
    ck_assert_uint_eq(c.faults, 12);
    ck_assert_uint_eq(c.major_faults, 13);
    ck_assert_uint_eq(c.low_events, 1);
    ck_assert_uint_eq(c.high_events, 2);
    ck_assert_uint_eq(c.max_events, 3);
    ck_assert_uint_eq(c.oom_events, 4);
    ck_assert_uint_eq(c.oom_kills, 5);
    ck_assert_uint_eq(c.oom_group_kills, 6);
    ck_assert_int_eq(cg_parse_memory_events("low x\n", &c), -EINVAL);
}
END_TEST

START_TEST(io_stat_has_a_row_a_device_even_without_io)
{
    static const char text[] =
        "8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n"
        "254:0 rbytes=7 wbytes=8 rios=9 wios=10 dbytes=11 dios=12 cost.vrate=100.00 "
        "cost.usage=13 cost.wait=14 cost.indebt=15 cost.indelay=16 use_delay=-1 delay_nsec=5\n"
        "7:0 \n"
        "7:1\n";
    struct cg_io_counters rows[4];

    ck_assert_int_eq(cg_parse_io_stat(text, rows, 4), 4);
    ck_assert_uint_eq(rows[0].major, 8);
    ck_assert_uint_eq(rows[0].minor, 16);
    ck_assert_uint_eq(rows[0].present, CG_HAS_IO);
    ck_assert_uint_eq(rows[0].read_bytes, 1);
    ck_assert_uint_eq(rows[0].written_bytes, 2);
    ck_assert_uint_eq(rows[0].reads, 3);
    ck_assert_uint_eq(rows[0].writes, 4);
    ck_assert_uint_eq(rows[0].discarded_bytes, 5);
    ck_assert_uint_eq(rows[0].discards, 6);
    ck_assert_uint_eq(rows[1].major, 254);
    ck_assert_uint_eq(rows[1].present, CG_HAS_IO | CG_HAS_IO_COST);
    ck_assert_uint_eq(rows[1].read_bytes, 7);
    ck_assert_uint_eq(rows[1].discards, 12);
    ck_assert_uint_eq(rows[1].cost_usage_us, 13);
    ck_assert_uint_eq(rows[1].cost_wait_us, 14);
    ck_assert_uint_eq(rows[1].cost_indebt_us, 15);
    ck_assert_uint_eq(rows[1].cost_indelay_us, 16);
    ck_assert_uint_eq(rows[2].present, 0);
    ck_assert_uint_eq(rows[3].minor, 1);
}
END_TEST

START_TEST(more_devices_than_room_are_counted)
{
    struct cg_io_counters rows[2] = {{.major = 1}, {.major = 77}};

    ck_assert_int_eq(cg_parse_io_stat("8:0 rios=1\n8:1 rios=2\n8:2 rios=3\n", rows, 1), 3);
    ck_assert_uint_eq(rows[0].major, 8);
    ck_assert_uint_eq(rows[1].major, 77);
    ck_assert_int_eq(cg_parse_io_stat("", rows, 1), 0);
}
END_TEST

START_TEST(a_broken_io_stat_is_refused)
{
    static const char *const bad[] = {"8\n",          "8:\n",          ":0\n",
                                      "a:0 rios=1\n", "8:0 rios=x\n",  "8:0 rios=-1\n",
                                      "8:0 rios=\n",  "8:0x rios=1\n", "4294967296:0 rios=1\n"};
    struct cg_io_counters row;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(cg_parse_io_stat(bad[i], &row, 1) == -EINVAL, "'%s' was taken", bad[i]);
}
END_TEST

START_TEST(pressure_has_hundredths_of_percent_and_microseconds)
{
    struct cg_pressure p;

    ck_assert_int_eq(cg_parse_pressure("some avg10=12.34 avg60=0.05 avg300=100.00 total=987654321\n"
                                       "full avg10=0.00 avg60=1.00 avg300=2.50 total=7\n",
                                       &p),
                     0);
    ck_assert_uint_eq(p.present, CG_HAS_SOME | CG_HAS_FULL);
    ck_assert_uint_eq(p.some.avg10_centipercent, 1234);
    ck_assert_uint_eq(p.some.avg60_centipercent, 5);
    ck_assert_uint_eq(p.some.avg300_centipercent, 10000);
    ck_assert_uint_eq(p.some.total_us, 987654321);
    ck_assert_uint_eq(p.full.avg60_centipercent, 100);
    ck_assert_uint_eq(p.full.avg300_centipercent, 250);
    ck_assert_uint_eq(p.full.total_us, 7);

    /* irq.pressure has no line of `some` */
    ck_assert_int_eq(cg_parse_pressure("full avg10=0.00 avg60=0.00 avg300=0.00 total=1\n", &p), 0);
    ck_assert_uint_eq(p.present, CG_HAS_FULL);
}
END_TEST

START_TEST(a_broken_pressure_file_is_refused)
{
    static const char *const bad[] = {
        "some\n",
        "some avg10=0.00 avg60=0.00 avg300=0.00\n",
        "some avg10=0.0 avg60=0.00 avg300=0.00 total=1\n",
        "some avg10=-.00 avg60=0.00 avg300=0.00 total=1\n",
        "some avg10=101.00 avg60=0.00 avg300=0.00 total=1\n",
        "some avg10=1.0x avg60=0.00 avg300=0.00 total=1\n",
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=x\n",
        "most avg10=0.00 avg60=0.00 avg300=0.00 total=1\n",
    };
    struct cg_pressure p;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(cg_parse_pressure(bad[i], &p) == -EINVAL, "'%s' was taken", bad[i]);
}
END_TEST

SUITE(counters_suite, cpu_stat_is_read_by_key_and_absent_is_not_zero,
      a_counter_that_is_no_number_is_refused, memory_files_add_up_in_one_structure,
      io_stat_has_a_row_a_device_even_without_io, more_devices_than_room_are_counted,
      a_broken_io_stat_is_refused, pressure_has_hundredths_of_percent_and_microseconds,
      a_broken_pressure_file_is_refused)
