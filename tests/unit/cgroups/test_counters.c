/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sublet/cgroups.h"

#include "kernels.h"
#include "runner.h"

static struct cgroup_sample s;

static int add(enum cg_file file, const char *text)
{
    return cgroup_sample_add(&s, file, NULL, text);
}

static void add_fresh(enum cg_file file, const char *text)
{
    cgroup_sample_clear(&s);
    ck_assert_int_eq(add(file, text), 0);
}

static void ck_refused(enum cg_file file, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(add(file, texts[i]) == -EINVAL, "'%s' was taken", texts[i]);
}

START_TEST(cpu_stat_is_read_by_key_and_absent_is_not_zero)
{
    /* 6.1 */
    add_fresh(CG_FILE_CPU_STAT, "usage_usec 18446744073709551615\nuser_usec 2\nsystem_usec 3\n"
                                "core_sched.force_idle_usec 9\nnr_periods 4\nnr_throttled 5\n"
                                "throttled_usec 6\nnr_bursts 7\nburst_usec 0\n");
    ck_assert_uint_eq(s.cpu.usage_us, UINT64_MAX);
    ck_assert_uint_eq(s.cpu.user_us, 2);
    ck_assert_uint_eq(s.cpu.system_us, 3);
    ck_assert_uint_eq(s.cpu.periods, 4);
    ck_assert_uint_eq(s.cpu.throttled_periods, 5);
    ck_assert_uint_eq(s.cpu.throttled_us, 6);
    ck_assert_uint_eq(s.cpu.bursts, 7);
    ck_assert_uint_eq(s.cpu.force_idle_us, 9);
    ck_assert(cg_has(&s.cpu, burst_us));
    ck_assert_uint_eq(s.cpu.burst_us, 0);
    ck_assert(!cg_has(&s.cpu, nice_us));
    ck_assert(!cg_has(&s.cpu, suffered_throttled_us));

    /* 6.12 and later: nice; and cpu.stat.local, empty on a host whose controller is v1's */
    add_fresh(CG_FILE_CPU_STAT, "usage_usec 1\nuser_usec 2\nsystem_usec 3\nnice_usec 4\n");
    ck_assert_uint_eq(s.cpu.nice_us, 4);
    ck_assert(!cg_has(&s.cpu, periods));
    ck_assert_int_eq(add(CG_FILE_CPU_STAT_LOCAL, ""), 0);
    ck_assert(!cg_has(&s.cpu, suffered_throttled_us));
    ck_assert_int_eq(add(CG_FILE_CPU_STAT_LOCAL, "throttled_usec 5"), 0);
    ck_assert_uint_eq(s.cpu.suffered_throttled_us, 5);
    ck_assert(!cg_has(&s.cpu, throttled_us));
    ck_assert_uint_eq(s.cpu.usage_us, 1);
}
END_TEST

START_TEST(keys_in_any_order_are_found)
{
    add_fresh(CG_FILE_CPU_STAT, "new_key 1\nburst_usec 2\nusage_usec 3\nnr_bursts 4\nother 5");
    ck_assert_uint_eq(s.cpu.burst_us, 2);
    ck_assert_uint_eq(s.cpu.usage_us, 3);
    ck_assert_uint_eq(s.cpu.bursts, 4);
    ck_assert_uint_eq(__builtin_popcountll(s.cpu.present), 3);
    add_fresh(CG_FILE_CPU_STAT, "usage_use 1\nusage_usecs 1\n");
    ck_assert_uint_eq(s.cpu.present, 0);
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

    ck_refused(CG_FILE_CPU_STAT, bad, sizeof bad / sizeof *bad);
}
END_TEST

START_TEST(knobs_are_read_and_max_is_no_limit)
{
    static const char *const bad[] = {"", "\n", "max", "max 1 2", "1", "-1 2", "max  1"};
    static const char *const no_value[] = {"", "x", "1 2", "1\n2", "maximum"};

    add_fresh(CG_FILE_CPU_MAX, "max 100000\n");
    ck_assert_uint_eq(s.cpu.quota_us, UINT64_MAX);
    ck_assert_uint_eq(s.cpu.period_us, 100000);
    ck_assert_int_eq(add(CG_FILE_CPU_MAX, "50000 20000"), 0);
    ck_assert_uint_eq(s.cpu.quota_us, 50000);
    ck_assert_uint_eq(s.cpu.period_us, 20000);
    ck_assert_int_eq(add(CG_FILE_CPU_WEIGHT, "100\n"), 0);
    ck_assert_int_eq(add(CG_FILE_CPU_MAX_BURST, "0\n"), 0);
    ck_assert_int_eq(add(CG_FILE_CPU_IDLE, "1\n"), 0);
    ck_assert_uint_eq(s.cpu.weight, 100);
    ck_assert_uint_eq(s.cpu.idle, 1);
    ck_assert(cg_has(&s.cpu, burst_limit_us));
    ck_assert_int_eq(add(CG_FILE_PIDS_MAX, "max\n"), 0);
    ck_assert_uint_eq(s.pids.limit, UINT64_MAX);
    ck_refused(CG_FILE_CPU_MAX, bad, sizeof bad / sizeof *bad);
    ck_refused(CG_FILE_PIDS_MAX, no_value, sizeof no_value / sizeof *no_value);
    /* what counts has no "max" */
    ck_assert_int_eq(add(CG_FILE_PIDS_CURRENT, "max\n"), -EINVAL);
}
END_TEST

START_TEST(each_memory_file_fills_its_members)
{
    add_fresh(CG_FILE_MEMORY_CURRENT, "1\n");
    ck_assert_int_eq(add(CG_FILE_MEMORY_PEAK, "2\n"), 0);
    ck_assert_int_eq(add(CG_FILE_MEMORY_MAX, "max\n"), 0);
    ck_assert_int_eq(add(CG_FILE_MEMORY_HIGH, "4\n"), 0);
    ck_assert_int_eq(add(CG_FILE_MEMORY_LOW, "5\n"), 0);
    ck_assert_int_eq(add(CG_FILE_MEMORY_MIN, "6\n"), 0);
    ck_assert_int_eq(add(CG_FILE_SWAP_CURRENT, "7\n"), 0);
    ck_assert_int_eq(add(CG_FILE_SWAP_MAX, "8\n"), 0);
    ck_assert_int_eq(add(CG_FILE_SWAP_HIGH, "9\n"), 0);
    ck_assert_int_eq(add(CG_FILE_ZSWAP_CURRENT, "10\n"), 0);
    ck_assert_int_eq(add(CG_FILE_ZSWAP_MAX, "max\n"), 0);
    ck_assert_uint_eq(s.memory.current_bytes, 1);
    ck_assert_uint_eq(s.memory.peak_bytes, 2);
    ck_assert_uint_eq(s.memory.limit_bytes, UINT64_MAX);
    ck_assert_uint_eq(s.memory.high_bytes, 4);
    ck_assert_uint_eq(s.memory.low_bytes, 5);
    ck_assert_uint_eq(s.memory.min_bytes, 6);
    ck_assert_uint_eq(s.memory.swap_bytes, 7);
    ck_assert_uint_eq(s.memory.swap_limit_bytes, 8);
    ck_assert_uint_eq(s.memory.swap_high_bytes, 9);
    ck_assert_uint_eq(s.memory.zswap_bytes, 10);
    ck_assert_uint_eq(s.memory.zswap_limit_bytes, UINT64_MAX);
    ck_assert(!cg_has(&s.memory, swap_peak_bytes)); /* as on 6.1 */
}
END_TEST

START_TEST(events_of_memory_are_counted_below_and_by_itself)
{
    add_fresh(CG_FILE_MEMORY_EVENTS, "low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\noom_group_kill 6\n"
                                     "sock_throttled 7\n");
    ck_assert_int_eq(add(CG_FILE_MEMORY_EVENTS_LOCAL, "low 11\nhigh 12\nmax 13\noom 14\n"
                                                      "oom_kill 15\noom_group_kill 16\n"),
                     0);
    ck_assert_int_eq(add(CG_FILE_SWAP_EVENTS, "high 21\nmax 22\nfail 23\n"), 0);
    ck_assert_uint_eq(s.memory.low_events, 1);
    ck_assert_uint_eq(s.memory.high_events, 2);
    ck_assert_uint_eq(s.memory.limit_events, 3);
    ck_assert_uint_eq(s.memory.oom_events, 4);
    ck_assert_uint_eq(s.memory.oom_kills, 5);
    ck_assert_uint_eq(s.memory.oom_group_kills, 6);
    ck_assert_uint_eq(s.memory.socket_throttles, 7);
    ck_assert_uint_eq(s.memory.local_low_events, 11);
    ck_assert_uint_eq(s.memory.local_limit_events, 13);
    ck_assert_uint_eq(s.memory.local_oom_kills, 15);
    ck_assert_uint_eq(s.memory.local_oom_group_kills, 16);
    ck_assert(!cg_has(&s.memory, local_socket_throttles));
    ck_assert_uint_eq(s.memory.swap_high_events, 21);
    ck_assert_uint_eq(s.memory.swap_limit_events, 22);
    ck_assert_uint_eq(s.memory.swap_failures, 23);
    ck_assert_int_eq(add(CG_FILE_MEMORY_EVENTS, "low x\n"), -EINVAL);
}
END_TEST

static unsigned known_keys(const char *text)
{
    add_fresh(CG_FILE_MEMORY_STAT, text);
    return (unsigned) (__builtin_popcountll(s.memory_usage.present) +
                       __builtin_popcountll(s.memory_activity.present));
}

START_TEST(memory_stat_of_three_kernels_is_read_whole)
{
    ck_assert_uint_eq(known_keys(memory_stat_6_1), 51);
    ck_assert_uint_eq(s.memory_usage.anon_bytes, 1);
    ck_assert_uint_eq(s.memory_usage.slab_bytes, 27);
    ck_assert_uint_eq(s.memory_activity.scanned, 35);
    ck_assert_uint_eq(s.memory_activity.faults, 41);
    ck_assert_uint_eq(s.memory_activity.huge_collapse_allocs, 51);
    ck_assert(!cg_has(&s.memory_activity, promoted));
    ck_assert(!cg_has(&s.memory_activity, zero_swapped_in));

    ck_assert_uint_eq(known_keys(memory_stat_6_12), 65);
    ck_assert_uint_eq(s.memory_usage.anon_bytes, 1);
    ck_assert_uint_eq(s.memory_activity.demoted_kswapd, 35);
    ck_assert_uint_eq(s.memory_activity.numa_hint_faults, 65);
    ck_assert(!cg_has(&s.memory_activity, swapped_in));
    ck_assert(!cg_has(&s.memory_usage, hugetlb_bytes));

    ck_assert_uint_eq(known_keys(memory_stat_6_18), 73);
    ck_assert_uint_eq(s.memory_usage.hugetlb_bytes, 28);
    ck_assert_uint_eq(s.memory_activity.numa_task_swapped, 73);
}
END_TEST

START_TEST(any_flat_file_can_be_had_as_keys)
{
    struct cg_key keys[2];

    ck_assert_int_eq(cg_keys_parse("a 1\nb.c 2\nd 3\n", keys, 2), 3);
    ck_assert_uint_eq(keys[1].length, 3);
    ck_assert_int_eq(strncmp(keys[1].name, "b.c", 3), 0);
    ck_assert_uint_eq(keys[1].value, 2);
    ck_assert_int_eq(cg_keys_parse("", keys, 2), 0);
    ck_assert_int_eq(cg_keys_parse("a\n", keys, 2), -EINVAL);
}
END_TEST

START_TEST(io_stat_has_an_entry_for_each_disk_that_counts)
{
    add_fresh(CG_FILE_IO_STAT,
              "8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n"
              "254:0 rbytes=7 wbytes=8 rios=9 wios=10 dbytes=11 dios=12 cost.vrate=100.05 "
              "cost.usage=13 cost.wait=14 cost.indebt=15 cost.indelay=16 use_delay=-1 "
              "delay_nsec=5 depth=max avg_lat=3\n"
              "7:0 \n"
              "7:1\n"
              "259:3 rbytes=0 wbytes=4096 rios=0 wios=1 dbytes=0 dios=0");
    ck_assert_uint_eq(s.io_count, 3);
    ck_assert_uint_eq(s.io[0].major, 8);
    ck_assert_uint_eq(s.io[0].minor, 16);
    ck_assert_uint_eq(s.io[0].read_bytes, 1);
    ck_assert_uint_eq(s.io[0].written_bytes, 2);
    ck_assert_uint_eq(s.io[0].reads, 3);
    ck_assert_uint_eq(s.io[0].writes, 4);
    ck_assert_uint_eq(s.io[0].discarded_bytes, 5);
    ck_assert_uint_eq(s.io[0].discards, 6);
    ck_assert(!cg_has(&s.io[0], cost_usage_us));
    ck_assert_uint_eq(s.io[1].cost_rate_centipercent, 10005);
    ck_assert_uint_eq(s.io[1].cost_usage_us, 13);
    ck_assert_uint_eq(s.io[1].cost_wait_us, 14);
    ck_assert_uint_eq(s.io[1].cost_indebt_us, 15);
    ck_assert_uint_eq(s.io[1].cost_indelay_us, 16);
    ck_assert_uint_eq(s.io[1].delay_ns, 5);
    ck_assert(!cg_has(&s.io[1], delay_users));
    ck_assert_uint_eq(s.io[2].major, 259);
    ck_assert_uint_eq(s.io[2].minor, 3);
    ck_assert(cg_has(&s.io[2], read_bytes));
    add_fresh(CG_FILE_IO_STAT, "");
    ck_assert_uint_eq(s.io_count, 0);
}
END_TEST

START_TEST(more_disks_than_a_sample_holds_are_an_error)
{
    static char text[CG_IO_MAX * 32];
    char *end = text;

    for (int i = 0; i < CG_IO_MAX; i++)
        end += sprintf(end, "8:%d rbytes=1\n", i);
    add_fresh(CG_FILE_IO_STAT, text);
    ck_assert_uint_eq(s.io_count, CG_IO_MAX);
    (void) sprintf(end, "9:0 rbytes=1\n");
    cgroup_sample_clear(&s);
    ck_assert_int_eq(add(CG_FILE_IO_STAT, text), -E2BIG);
}
END_TEST

START_TEST(a_broken_io_stat_is_refused)
{
    static const char *const bad[] = {"8\n",
                                      "8:\n",
                                      ":0\n",
                                      "a:0 rios=1\n",
                                      "8:0 rios=x\n",
                                      "8:0 rios=-1\n",
                                      "8:0 rios=\n",
                                      "8:0x rios=1\n",
                                      "8:0 rios=1x\n",
                                      "4294967296:0 rios=1\n",
                                      "8:0 cost.vrate=1\n"};

    ck_refused(CG_FILE_IO_STAT, bad, sizeof bad / sizeof *bad);
}
END_TEST

START_TEST(pressure_has_hundredths_of_percent_and_microseconds)
{
    add_fresh(CG_FILE_CPU_PRESSURE, "some avg10=12.34 avg60=0.05 avg300=100.00 total=987654321\n"
                                    "full avg10=0.00 avg60=1.00 avg300=2.50 total=7\n");
    ck_assert_uint_eq(s.cpu_pressure.present, 255);
    ck_assert_uint_eq(s.cpu_pressure.some.avg10_centipercent, 1234);
    ck_assert_uint_eq(s.cpu_pressure.some.avg60_centipercent, 5);
    ck_assert_uint_eq(s.cpu_pressure.some.avg300_centipercent, 10000);
    ck_assert_uint_eq(s.cpu_pressure.some.total_us, 987654321);
    ck_assert_uint_eq(s.cpu_pressure.full.avg60_centipercent, 100);
    ck_assert_uint_eq(s.cpu_pressure.full.avg300_centipercent, 250);
    ck_assert_uint_eq(s.cpu_pressure.full.total_us, 7);

    /* irq.pressure has no line of `some` */
    ck_assert_int_eq(add(CG_FILE_IRQ_PRESSURE, "full avg10=0.00 avg60=0.00 avg300=0.00 total=1\n"),
                     0);
    ck_assert(cg_has(&s.irq_pressure, full.total_us));
    ck_assert(!cg_has(&s.irq_pressure, some.total_us));
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

    ck_refused(CG_FILE_MEMORY_PRESSURE, bad, sizeof bad / sizeof *bad);
}
END_TEST

START_TEST(tasks_and_refused_forks_are_counted)
{
    add_fresh(CG_FILE_PIDS_CURRENT, "3\n");
    ck_assert_int_eq(add(CG_FILE_PIDS_PEAK, "7\n"), 0);
    ck_assert_int_eq(add(CG_FILE_PIDS_EVENTS, "max 2\n"), 0);
    ck_assert_uint_eq(s.pids.current, 3);
    ck_assert_uint_eq(s.pids.peak, 7);
    ck_assert_uint_eq(s.pids.refused, 2);
    ck_assert(!cg_has(&s.pids, local_refused));
    ck_assert_int_eq(add(CG_FILE_PIDS_EVENTS_LOCAL, "max 1\n"), 0);
    ck_assert_uint_eq(s.pids.local_refused, 1);
}
END_TEST

START_TEST(huge_pages_are_counted_by_size)
{
    cgroup_sample_clear(&s);
    ck_assert_int_eq(cgroup_sample_add(&s, CG_FILE_HUGETLB_CURRENT, "2MB", "4194304\n"), 0);
    ck_assert_int_eq(cgroup_sample_add(&s, CG_FILE_HUGETLB_CURRENT, "1GB", "0\n"), 0);
    ck_assert_int_eq(cgroup_sample_add(&s, CG_FILE_HUGETLB_MAX, "2MB", "8388608\n"), 0);
    /* no limit, as 6.1 and as 6.18 say it */
    ck_assert_int_eq(cgroup_sample_add(&s, CG_FILE_HUGETLB_MAX, "1GB", "max\n"), 0);
    ck_assert_int_eq(
        cgroup_sample_add(&s, CG_FILE_HUGETLB_RSVD_MAX, "2MB", "9223372036854771712\n"), 0);
    ck_assert_int_eq(cgroup_sample_add(&s, CG_FILE_HUGETLB_EVENTS, "2MB", "max 5\n"), 0);
    ck_assert_uint_eq(s.hugetlb_count, 2);
    ck_assert_str_eq(s.hugetlb[0].name, "2MB");
    ck_assert_uint_eq(s.hugetlb[0].page_bytes, 2 << 20);
    ck_assert_uint_eq(s.hugetlb[0].current_bytes, 4194304);
    ck_assert_uint_eq(s.hugetlb[0].limit_bytes, 8388608);
    ck_assert_uint_eq(s.hugetlb[0].reserved_limit_bytes, UINT64_MAX);
    ck_assert_uint_eq(s.hugetlb[0].limit_events, 5);
    ck_assert(!cg_has(&s.hugetlb[0], reserved_bytes));
    ck_assert_str_eq(s.hugetlb[1].name, "1GB");
    ck_assert_uint_eq(s.hugetlb[1].page_bytes, 1 << 30);
    ck_assert_uint_eq(s.hugetlb[1].limit_bytes, UINT64_MAX);
    ck_assert_int_eq(cgroup_sample_add(&s, CG_FILE_HUGETLB_MAX, "lots", "1\n"), -EINVAL);
    ck_assert_int_eq(cgroup_sample_add(&s, CG_FILE_HUGETLB_MAX, NULL, "1\n"), -EINVAL);
}
END_TEST

START_TEST(misc_resources_are_joined_by_name)
{
    static const char *const bad[] = {"sev\n", "sev x\n", " 1\n", "sev 1 2\n"};

    add_fresh(CG_FILE_MISC_CURRENT, "sev 3\nsev_es 0\n");
    ck_assert_int_eq(add(CG_FILE_MISC_MAX, "sev 10\nsev_es max\n"), 0);
    ck_assert_int_eq(add(CG_FILE_MISC_PEAK, "sev 4\nsev_es 1\n"), 0);
    ck_assert_int_eq(add(CG_FILE_MISC_EVENTS, "sev.max 2\nsev_es.max 0\nsev.other 9\n"), 0);
    ck_assert_uint_eq(s.misc_count, 2);
    ck_assert_str_eq(s.misc[0].name, "sev");
    ck_assert_uint_eq(s.misc[0].current, 3);
    ck_assert_uint_eq(s.misc[0].peak, 4);
    ck_assert_uint_eq(s.misc[0].limit, 10);
    ck_assert_uint_eq(s.misc[0].limit_events, 2);
    ck_assert_str_eq(s.misc[1].name, "sev_es");
    ck_assert_uint_eq(s.misc[1].limit, UINT64_MAX);
    ck_assert(!cg_has(&s.misc[1], local_limit_events));
    ck_refused(CG_FILE_MISC_CURRENT, bad, sizeof bad / sizeof *bad);
}
END_TEST

START_TEST(rdma_devices_have_handles_and_objects)
{
    static const char *const bad[] = {"mlx4_0 hca_handle\n", "mlx4_0 hca_handle=x\n",
                                      " hca_handle=1\n"};

    add_fresh(CG_FILE_RDMA_CURRENT, "mlx4_0 hca_handle=2 hca_object=2000\nocrdma1 hca_handle=0\n");
    ck_assert_int_eq(add(CG_FILE_RDMA_MAX, "mlx4_0 hca_handle=max hca_object=9000 new=1\n"), 0);
    ck_assert_uint_eq(s.rdma_count, 2);
    ck_assert_str_eq(s.rdma[0].name, "mlx4_0");
    ck_assert_uint_eq(s.rdma[0].handles, 2);
    ck_assert_uint_eq(s.rdma[0].objects, 2000);
    ck_assert_uint_eq(s.rdma[0].handle_limit, UINT64_MAX);
    ck_assert_uint_eq(s.rdma[0].object_limit, 9000);
    ck_assert(cg_has(&s.rdma[1], handles));
    ck_assert(!cg_has(&s.rdma[1], objects));
    ck_refused(CG_FILE_RDMA_CURRENT, bad, sizeof bad / sizeof *bad);
}
END_TEST

START_TEST(a_group_counts_its_dead_and_its_frozen_time)
{
    add_fresh(CG_FILE_GROUP_STAT, "nr_descendants 2\nnr_subsys_memory 3\n"
                                  "nr_dying_descendants 1\nnr_dying_subsys_memory 4\n");
    ck_assert_int_eq(add(CG_FILE_GROUP_STAT_LOCAL, "frozen_usec 17\n"), 0);
    ck_assert_int_eq(add(CG_FILE_GROUP_EVENTS, "populated 1\nfrozen 0\n"), 0);
    ck_assert_uint_eq(s.group.descendants, 2);
    ck_assert_uint_eq(s.group.dying_descendants, 1);
    ck_assert_uint_eq(s.group.dying_memory, 4);
    ck_assert(!cg_has(&s.group, dying_io));
    ck_assert_uint_eq(s.group.frozen_us, 17);
    ck_assert_uint_eq(s.group.populated, 1);
    ck_assert(cg_has(&s.group, frozen));
}
END_TEST

START_TEST(fields_give_names_and_values_of_what_is_there)
{
    uint64_t value = 77;

    add_fresh(CG_FILE_CPU_STAT, "user_usec 5\n");
    ck_assert_str_eq(cg_cpu_fields.rows[0].name, "usage_us");
    ck_assert(!cg_field_value(&cg_cpu_fields.rows[0], &s.cpu, &value));
    ck_assert_uint_eq(value, 77);
    ck_assert_str_eq(cg_cpu_fields.rows[1].name, "user_us");
    ck_assert(cg_field_value(&cg_cpu_fields.rows[1], &s.cpu, &value));
    ck_assert_uint_eq(value, 5);
}
END_TEST

/* Every value of a struct has a row, and only one. */
static void ck_rows(const struct cg_fields *fields, size_t bytes)
{
    size_t values = bytes / sizeof(uint64_t) - 1;
    uint64_t seen = 0;

    for (size_t row = 0; row < fields->count; row++)
        seen |= 1ull << (fields->rows[row].offset / sizeof(uint64_t) - 1);
    ck_assert_uint_eq(fields->count, values);
    ck_assert_uint_eq(seen, (1ull << values) - 1);
}

START_TEST(no_member_is_without_a_row)
{
    ck_rows(&cg_cpu_fields, sizeof(struct cg_cpu_counters));
    ck_rows(&cg_pressure_fields, sizeof(struct cg_pressure));
    ck_rows(&cg_memory_fields, sizeof(struct cg_memory_counters));
    ck_rows(&cg_memory_usage_fields, sizeof(struct cg_memory_usage));
    ck_rows(&cg_memory_activity_fields, sizeof(struct cg_memory_activity));
    ck_rows(&cg_pids_fields, sizeof(struct cg_pids_counters));
    ck_rows(&cg_group_fields, sizeof(struct cg_group_counters));
    ck_rows(&cg_io_fields, offsetof(struct cg_io_counters, major));
    ck_rows(&cg_hugetlb_fields, offsetof(struct cg_hugetlb_counters, page_bytes));
    ck_rows(&cg_misc_fields, offsetof(struct cg_misc_counters, name));
    ck_rows(&cg_rdma_fields, offsetof(struct cg_rdma_counters, name));
}
END_TEST

SUITE(counters_suite, cpu_stat_is_read_by_key_and_absent_is_not_zero, keys_in_any_order_are_found,
      a_counter_that_is_no_number_is_refused, knobs_are_read_and_max_is_no_limit,
      each_memory_file_fills_its_members, events_of_memory_are_counted_below_and_by_itself,
      memory_stat_of_three_kernels_is_read_whole, any_flat_file_can_be_had_as_keys,
      io_stat_has_an_entry_for_each_disk_that_counts, more_disks_than_a_sample_holds_are_an_error,
      a_broken_io_stat_is_refused, pressure_has_hundredths_of_percent_and_microseconds,
      a_broken_pressure_file_is_refused, tasks_and_refused_forks_are_counted,
      huge_pages_are_counted_by_size, misc_resources_are_joined_by_name,
      rdma_devices_have_handles_and_objects, a_group_counts_its_dead_and_its_frozen_time,
      fields_give_names_and_values_of_what_is_there, no_member_is_without_a_row)
