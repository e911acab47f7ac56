/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "rows_check.h"

static const char CPU[] = "linux.resources.cpu", MEMORY[] = "linux.resources.memory";

START_TEST(shares_become_a_weight_by_the_new_curve)
{
    /* the three points the curve was made for, the ends, and values worked out with Python */
    static const struct {
        uint64_t shares, weight;
    } rows[] = {
        {0,          1    },
        {1,          1    },
        {2,          1    },
        {3,          2    },
        {10,         4    },
        {102,        17   },
        {128,        21   },
        {256,        35   },
        {512,        59   },
        {1000,       99   },
        {1024,       100  },
        {2048,       174  },
        {4096,       303  },
        {65536,      3023 },
        {262143,     10000},
        {262144,     10000},
        {UINT64_MAX, 10000},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(cg_weight_from_shares(rows[i].shares) == rows[i].weight,
                      "%llu shares: weight %llu, not %llu", (unsigned long long) rows[i].shares,
                      (unsigned long long) cg_weight_from_shares(rows[i].shares),
                      (unsigned long long) rows[i].weight);
}
END_TEST

START_TEST(more_shares_never_mean_less_weight)
{
    uint64_t last = 0;

    for (uint64_t shares = 0; shares <= 262150; shares++) {
        uint64_t weight = cg_weight_from_shares(shares);

        if (weight < last || weight < 1 || weight > 10000)
            ck_abort_msg("%llu shares", (unsigned long long) shares);
        last = weight;
    }
}
END_TEST

START_TEST(cpu_limits_are_written_weight_quota_burst)
{
    ROWS_CASE(c);
    struct cg_cpu_limits limits = {
        .set = CG_SET_SHARES | CG_SET_QUOTA | CG_SET_PERIOD | CG_SET_BURST | CG_SET_IDLE,
        .shares = 1024,
        .quota_us = 50000,
        .period_us = 20000,
        .burst_us = 50000,
    };

    ck_rows(c, cg_cpu_rows(&c.rows, CPU, &limits, &c.err),
            "cpu.idle?=0; cpu.weight=100; cpu.max=50000 20000; cpu.max.burst=50000");
    ck_assert_uint_eq(c.rows.controllers, CG_CPU);
    ck_assert_str_eq(c.rows.rows[1].path, "linux.resources.cpu.shares");
    ck_assert_str_eq(c.rows.rows[2].path, "linux.resources.cpu.quota");
    ck_assert_str_eq(c.rows.rows[3].path, "linux.resources.cpu.burst");
}
END_TEST

START_TEST(an_idle_group_gets_no_weight)
{
    ROWS_CASE(c);
    struct cg_cpu_limits limits = {.set = CG_SET_SHARES | CG_SET_IDLE, .shares = 1024, .idle = 1};

    ck_rows(c, cg_cpu_rows(&c.rows, CPU, &limits, &c.err), "cpu.idle=1");
}
END_TEST

START_TEST(an_unset_or_zero_cpu_limit_writes_nothing)
{
    ROWS_CASE(c);
    struct cg_cpu_limits unset = {.shares = 5, .quota_us = 5, .period_us = 5, .burst_us = 5};
    struct cg_cpu_limits zero = {.set = CG_SET_SHARES | CG_SET_QUOTA | CG_SET_PERIOD};

    ck_rows(c, cg_cpu_rows(&c.rows, CPU, &unset, &c.err), "");
    ck_rows(c, cg_cpu_rows(&c.rows, CPU, &zero, &c.err), "");
    ck_assert_uint_eq(c.rows.controllers, 0);
}
END_TEST

START_TEST(a_negative_quota_removes_the_cap)
{
    ROWS_CASE(c);
    struct cg_cpu_limits limits = {.set = CG_SET_QUOTA, .quota_us = -1};

    ck_rows(c, cg_cpu_rows(&c.rows, CPU, &limits, &c.err), "cpu.max=max 100000");
}
END_TEST

START_TEST(a_period_alone_keeps_no_cap)
{
    ROWS_CASE(c);
    struct cg_cpu_limits limits = {.set = CG_SET_PERIOD, .period_us = 1000};

    ck_rows(c, cg_cpu_rows(&c.rows, CPU, &limits, &c.err), "cpu.max=max 1000");
    ck_assert_str_eq(c.rows.rows[0].path, "linux.resources.cpu.period");
}
END_TEST

START_TEST(a_direct_weight_wins_over_shares)
{
    ROWS_CASE(c);
    struct cg_cpu_limits limits = {
        .set = CG_SET_SHARES | CG_SET_WEIGHT, .shares = 1024, .weight = 7};

    ck_rows(c, cg_cpu_rows(&c.rows, CPU, &limits, &c.err), "cpu.weight=7");
}
END_TEST

START_TEST(cpu_values_out_of_range_are_named_with_their_bounds)
{
    static const struct {
        struct cg_cpu_limits limits;
        const char *path, *text;
    } rows[] = {
        {{.set = CG_SET_QUOTA, .quota_us = 999},
         "linux.resources.cpu.quota",                                                                          "999: 1000 to 17592186044415 us are allowed, -1 for no cap"           },
        {{.set = CG_SET_QUOTA, .quota_us = (int64_t) 1 << 44},
         "linux.resources.cpu.quota",                                                                          "17592186044416: 1000 to 17592186044415 us are allowed, -1 for no cap"},
        {{.set = CG_SET_PERIOD, .period_us = 999},
         "linux.resources.cpu.period",                                                                         "999: 1000 to 1000000 us are allowed"                                 },
        {{.set = CG_SET_PERIOD, .period_us = 1000001},
         "linux.resources.cpu.period",                                                                         "1000001: 1000 to 1000000 us are allowed"                             },
        {{.set = CG_SET_QUOTA | CG_SET_BURST, .quota_us = 5000, .burst_us = 5001},
         "linux.resources.cpu.burst",                                                                          "5001: at most the quota of 5000 us is allowed"                       },
        {{.set = CG_SET_IDLE, .idle = 2},                                          "linux.resources.cpu.idle", "2: 0 or 1 is allowed"                                                },
        {{.set = CG_SET_WEIGHT, .weight = 10001},
         "linux.resources.cpu.weight",                                                                         "10001: 1 to 10000 are allowed"                                       },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ROWS_CASE(c);
        ck_fails(cg_cpu_rows(&c.rows, CPU, &rows[i].limits, &c.err), &c.err, ERANGE, rows[i].path,
                 rows[i].text);
    }
}
END_TEST

START_TEST(memory_and_swap_together_become_swap_alone)
{
    ROWS_CASE(c);
    struct cg_memory_limits limits = {.set = CG_SET_LIMIT | CG_SET_RESERVATION | CG_SET_SWAP,
                                      .limit_bytes = 1000,
                                      .reservation_bytes = 400,
                                      .swap_bytes = 1500};

    ck_rows(c, cg_memory_rows(&c.rows, MEMORY, &limits, &c.err),
            "memory.swap.max=500; memory.max=1000; memory.low=400");
    ck_assert_uint_eq(c.rows.controllers, CG_MEMORY);
    ck_assert_str_eq(c.rows.rows[0].path, "linux.resources.memory.swap");
    ck_assert_str_eq(c.rows.rows[1].path, "linux.resources.memory.limit");
    ck_assert_str_eq(c.rows.rows[2].path, "linux.resources.memory.reservation");
}
END_TEST

START_TEST(memory_words_for_unlimited_none_and_unset)
{
    static const struct {
        struct cg_memory_limits limits;
        const char *rows;
    } rows[] = {
        {{0},                                                                          ""                                    },
        {{.set = CG_SET_LIMIT, .limit_bytes = 0},                                      ""                                    },
        {{.set = CG_SET_LIMIT, .limit_bytes = 4096},                                   "memory.max=4096"                     },
        {{.set = CG_SET_LIMIT, .limit_bytes = -1},                                     "memory.swap.max?=max; memory.max=max"},
        {{.set = CG_SET_LIMIT | CG_SET_SWAP, .limit_bytes = -1, .swap_bytes = -1},
         "memory.swap.max?=max; memory.max=max"                                                                              },
        {{.set = CG_SET_LIMIT | CG_SET_SWAP, .limit_bytes = 4096, .swap_bytes = -1},
         "memory.swap.max?=max; memory.max=4096"                                                                             },
        {{.set = CG_SET_LIMIT | CG_SET_SWAP, .limit_bytes = 4096, .swap_bytes = 4096},
         "memory.swap.max?=0; memory.max=4096"                                                                               },
        {{.set = CG_SET_LIMIT | CG_SET_SWAP, .limit_bytes = 4096, .swap_bytes = 0},
         "memory.max=4096"                                                                                                   },
        {{.set = CG_SET_SWAP, .swap_bytes = -1},                                       "memory.swap.max?=max"                },
        {{.set = CG_SET_RESERVATION, .reservation_bytes = 0},                          "memory.low=0"                        },
        {{.set = CG_SET_RESERVATION, .reservation_bytes = -1},                         "memory.low=max"                      },
        {{.set = CG_SET_HIGH | CG_SET_MIN | CG_SET_OOM_GROUP,
          .high_bytes = 9,
          .min_bytes = 8,
          .oom_group = true},
         "memory.high=9; memory.min=8; memory.oom.group=1"                                                                   },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ROWS_CASE(c);
        ck_rows(c, cg_memory_rows(&c.rows, MEMORY, &rows[i].limits, &c.err), rows[i].rows);
    }
}
END_TEST

START_TEST(memory_values_that_contradict_are_refused)
{
    static const struct {
        struct cg_memory_limits limits;
        int code;
        const char *path, *text;
    } rows[] = {
        {{.set = CG_SET_LIMIT, .limit_bytes = -2},
         ERANGE, "linux.resources.memory.limit",
         "-2: 0 or more bytes are allowed, -1 for no limit"                      },
        {{.set = CG_SET_SWAP, .swap_bytes = -2},
         ERANGE, "linux.resources.memory.swap",
         "-2: 0 or more bytes are allowed, -1 for no limit"                      },
        {{.set = CG_SET_SWAP, .swap_bytes = 5},
         EINVAL, "linux.resources.memory.swap",
         "5: memory and swap together need a memory.limit to subtract"           },
        {{.set = CG_SET_SWAP | CG_SET_LIMIT, .swap_bytes = 5, .limit_bytes = -1},
         EINVAL, "linux.resources.memory.swap",
         "5: memory and swap together cannot be limited while memory.limit is -1"},
        {{.set = CG_SET_SWAP | CG_SET_LIMIT, .swap_bytes = 4095, .limit_bytes = 4096},
         ERANGE, "linux.resources.memory.swap",
         "4095: memory and swap together, at least the limit of 4096 bytes"      },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ROWS_CASE(c);
        ck_fails(cg_memory_rows(&c.rows, MEMORY, &rows[i].limits, &c.err), &c.err, rows[i].code,
                 rows[i].path, rows[i].text);
    }
}
END_TEST

START_TEST(pids_zero_is_a_limit_that_waits_for_the_clone)
{
    static const struct {
        int64_t limit;
        const char *rows;
    } rows[] = {
        {-1,        "pids.max=max"    },
        {0,         "pids.max@=0"     },
        {1,         "pids.max=1"      },
        {4194304,   "pids.max=4194304"},
        {4194305,   "pids.max=max"    },
        {INT64_MAX, "pids.max=max"    },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ROWS_CASE(c);
        ck_rows(c, cg_pids_rows(&c.rows, "linux.resources.pids", rows[i].limit, &c.err),
                rows[i].rows);
        ck_assert_uint_eq(c.rows.controllers, CG_PIDS);
    }

    ROWS_CASE(c);
    ck_fails(cg_pids_rows(&c.rows, "linux.resources.pids", -2, &c.err), &c.err, ERANGE,
             "linux.resources.pids.limit", "-2: 0 or more tasks are allowed, -1 for no limit");
}
END_TEST

START_TEST(cpu_lists_are_checked_before_the_kernel_sees_them)
{
    static const char *const bad[] = {"0-",   "-1", "3-1",  "a",      "0,,1", ",",
                                      "0, 1", "1;", "9999", "0-9999", "0x1",  "1\n"};
    static const char *const good[] = {"0", "0-3", "0-3,7,9-10", "8191", "1,1"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ROWS_CASE(c);
        char text[128];

        (void) snprintf(text, sizeof text, "'%s' is not a list as '0-3,7' of numbers up to 8191",
                        bad[i]);
        ck_fails(cg_cpuset_rows(&c.rows, CPU, bad[i], NULL, &c.err), &c.err, EINVAL,
                 "linux.resources.cpu.cpus", text);
        sub_err_clear(&c.err);
        ck_fails(cg_cpuset_rows(&c.rows, CPU, NULL, bad[i], &c.err), &c.err, EINVAL,
                 "linux.resources.cpu.mems", text);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ROWS_CASE(c);
        char text[128];

        (void) snprintf(text, sizeof text, "cpuset.cpus=%s; cpuset.mems=0", good[i]);
        ck_rows(c, cg_cpuset_rows(&c.rows, CPU, good[i], "0", &c.err), text);
        ck_assert_uint_eq(c.rows.controllers, CG_CPUSET);
    }

    ROWS_CASE(c);
    ck_rows(c, cg_cpuset_rows(&c.rows, CPU, "", NULL, &c.err), "");
}
END_TEST

START_TEST(huge_pages_are_limited_at_reservation_and_at_fault)
{
    ROWS_CASE(c);
    static const char where[] = "linux.resources.hugepageLimits[1]";

    ck_rows(c, cg_hugetlb_rows(&c.rows, where, "2MB", 209715200, &c.err),
            "hugetlb.2MB.rsvd.max?=209715200; hugetlb.2MB.max=209715200");
    ck_assert_uint_eq(c.rows.controllers, CG_HUGETLB);
    ck_assert_str_eq(c.rows.rows[1].path, "linux.resources.hugepageLimits[1].limit");
}
END_TEST

START_TEST(a_page_size_cannot_name_another_file)
{
    static const char *const bad[] = {"",     "2M",   "MB",     "2mb",   "02MB",
                                      "2MB/", "2 MB", "../2MB", "2MB.x", "99999KB"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ROWS_CASE(c);
        ck_assert_int_eq(cg_hugetlb_rows(&c.rows, "h", bad[i], 1, &c.err), -EINVAL);
        ck_assert_str_eq(c.err.path, "h.pageSize");
        ck_assert_uint_eq(c.rows.count, 0);
    }

    ROWS_CASE(c);
    ck_rows(c, cg_hugetlb_rows(&c.rows, "h", "1GB", UINT64_MAX, &c.err),
            "hugetlb.1GB.rsvd.max?=max; hugetlb.1GB.max=max");
}
END_TEST

START_TEST(rdma_limits_name_only_what_is_set)
{
    ROWS_CASE(c);
    struct cg_rdma_limits both = {
        .handles_set = true, .handles = 3, .objects_set = true, .objects = 10000};
    struct cg_rdma_limits one = {.objects_set = true, .objects = UINT32_MAX};
    struct cg_rdma_limits none = {.objects = 1};

    ck_ok(cg_rdma_rows(&c.rows, "rdma['mlx5_1']", "mlx5_1", &both, &c.err), &c.err);
    ck_rows(c, cg_rdma_rows(&c.rows, "rdma['rxe3']", "rxe3", &one, &c.err),
            "rdma.max=mlx5_1 hca_handle=3 hca_object=10000; rdma.max=rxe3 hca_object=4294967295");
    cg_rows_init(&c.rows, &c.arena);
    struct cg_rdma_limits handles = {.handles_set = true, .handles = 0};
    ck_rows(c, cg_rdma_rows(&c.rows, "rdma['rxe3']", "rxe3", &handles, &c.err),
            "rdma.max=rxe3 hca_handle=0");
    ck_fails(cg_rdma_rows(&c.rows, "rdma['x']", "x", &none, &c.err), &c.err, EINVAL, "rdma['x']",
             "one of hcaHandles and hcaObjects is needed");
    sub_err_clear(&c.err);
    ck_fails(cg_rdma_rows(&c.rows, "rdma", "a b", &one, &c.err), &c.err, EINVAL, "rdma",
             "'a b' is not the name of an RDMA device");
}
END_TEST

START_TEST(unified_values_go_line_by_line_with_their_controller)
{
    ROWS_CASE(c);
    static const char where[] = "linux.resources.unified['io.max']";

    ck_ok(cg_unified_rows(&c.rows, where, "io.max", "259:0 rbps=2097152 wiops=120\n253:0 rbps=1\n",
                          &c.err),
          &c.err);
    ck_ok(cg_unified_rows(&c.rows, where, "misc.max", "res_a 1", &c.err), &c.err);
    ck_rows(c, cg_unified_rows(&c.rows, where, "cgroup.max.depth", "3", &c.err),
            "io.max=259:0 rbps=2097152 wiops=120; io.max=253:0 rbps=1; misc.max=res_a 1; "
            "cgroup.max.depth=3");
    ck_assert_uint_eq(c.rows.controllers, CG_IO | CG_MISC);
    ck_assert_str_eq(c.rows.rows[1].path, where);
}
END_TEST

START_TEST(unified_refuses_names_that_are_no_limit)
{
    static const struct {
        const char *file, *text;
    } rows[] = {
        {"../x",                   "'../x' is not the name of a cgroup file, as 'memory.high'"        },
        {"..",                     "'..' is not the name of a cgroup file, as 'memory.high'"          },
        {"",                       "'' is not the name of a cgroup file, as 'memory.high'"            },
        {"memory",                 "'memory' is not the name of a cgroup file, as 'memory.high'"      },
        {"a/memory.max",           "'a/memory.max' is not the name of a cgroup file, as 'memory.high'"},
        {"memory.max\n",           "'memory.max\n' is not the name of a cgroup file, as 'memory.high'"},
        {"cgroup.procs",           "'cgroup.procs' is not a limit"                                    },
        {"cgroup.kill",            "'cgroup.kill' is not a limit"                                     },
        {"cgroup.subtree_control", "'cgroup.subtree_control' is not a limit"                          },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ROWS_CASE(c);
        ck_fails(cg_unified_rows(&c.rows, "u", rows[i].file, "1", &c.err), &c.err, EINVAL, "u",
                 rows[i].text);
    }
}
END_TEST

START_TEST(a_row_cannot_leave_the_group)
{
    static const char *const bad[] = {"../memory.max", "a/b", "/x", "..", ".", "", "a b", "a\tb"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ROWS_CASE(c);
        struct cg_row row = {.file = bad[i], .text = "1", .path = "p"};

        ck_assert_int_eq(cg_rows_add(&c.rows, &row, &c.err), -EINVAL);
        ck_assert_str_eq(c.err.path, "p");
        ck_assert_uint_eq(c.rows.count, 0);
    }
}
END_TEST

START_TEST(a_full_arena_is_an_error_not_a_missing_row)
{
    struct sub_err err = {0};
    struct cg_rows rows;
    OWNED_ARENA arena;
    struct cg_memory_limits limits = {.set = CG_SET_LIMIT, .limit_bytes = 4096};

    arena_init(&arena, 16);
    cg_rows_init(&rows, &arena);
    ck_assert_int_eq(cg_memory_rows(&rows, MEMORY, &limits, &err), -ENOMEM);
    ck_assert_str_eq(err.text, "out of memory");
}
END_TEST

START_TEST(rows_have_a_named_maximum)
{
    ROWS_CASE(c);
    struct cg_row row = {.file = "memory.max", .text = "1", .path = "p"};

    for (int i = 0; i < CG_ROWS_MAX; i++)
        ck_assert_int_eq(cg_rows_add(&c.rows, &row, &c.err), 0);
    ck_fails(cg_rows_add(&c.rows, &row, &c.err), &c.err, E2BIG, "p",
             "more than 4096 cgroup values");
}
END_TEST

SUITE(limits_suite, shares_become_a_weight_by_the_new_curve, more_shares_never_mean_less_weight,
      cpu_limits_are_written_weight_quota_burst, an_idle_group_gets_no_weight,
      an_unset_or_zero_cpu_limit_writes_nothing, a_negative_quota_removes_the_cap,
      a_period_alone_keeps_no_cap, a_direct_weight_wins_over_shares,
      cpu_values_out_of_range_are_named_with_their_bounds,
      memory_and_swap_together_become_swap_alone, memory_words_for_unlimited_none_and_unset,
      memory_values_that_contradict_are_refused, pids_zero_is_a_limit_that_waits_for_the_clone,
      cpu_lists_are_checked_before_the_kernel_sees_them,
      huge_pages_are_limited_at_reservation_and_at_fault, a_page_size_cannot_name_another_file,
      rdma_limits_name_only_what_is_set, unified_values_go_line_by_line_with_their_controller,
      unified_refuses_names_that_are_no_limit, a_row_cannot_leave_the_group,
      a_full_arena_is_an_error_not_a_missing_row, rows_have_a_named_maximum)
