/* SPDX-License-Identifier: Apache-2.0 */
/* Contracts on many hosts, and the exact texts that follow. */
#include <stdio.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/tenant.h"

#include "runner.h"

static struct arena arena;
static struct sub_err err;
static struct findings findings;
static struct tenant_host host;
static struct tenants tenants;
static struct tenant rooms[32];
static const struct tenant_plan *plan;

static void fresh(uint32_t cpus)
{
    arena_done(&arena);
    arena_init(&arena, ARENA_MAX_BYTES);
    sub_err_clear(&err);
    findings_init(&findings, &arena);
    tenant_host_example(cpus, &host);
    tenants = (struct tenants){rooms, 0};
    plan = NULL;
}

static struct tenant *define(const char *name, const char *cpu)
{
    struct tenant *tenant = &rooms[tenants.count++];

    *tenant = (struct tenant){.name = name};
    tenant_contract_init(&tenant->contract);
    ck_ok(tenant_contract_set(&tenant->contract, "cpu", cpu, "cpu", &err), &err);
    return tenant;
}

static void hold(struct tenant *tenant, unsigned first, unsigned last)
{
    uint64_t *bits = arena_array(&arena, TENANT_CPUS_MAX / 64, sizeof *bits);

    for (unsigned cpu = first; cpu <= last; cpu++)
        bits[cpu / 64] |= (uint64_t) 1 << cpu % 64;
    tenant->held_cpus = bits;
}

static int make(const char *changed, bool overcommit)
{
    const struct tenant_change change = {.name = changed, .overcommit = overcommit};

    return tenant_plan_make(&host, &tenants, changed == NULL ? NULL : &change, &findings, &plan,
                            &err);
}

/* "cpu.weight=50 cpu.max=..." of all files that begin with prefix. */
static const char *rows_of(const struct tenant_group *group, const char *prefix)
{
    const char *text = "";

    for (size_t i = 0; i < group->row_count; i++) {
        const struct cg_row *row = &group->rows[i];

        if (strncmp(row->file, prefix, strlen(prefix)) == 0)
            text = arena_printf(&arena, "%s%s%s=%s", text, *text == '\0' ? "" : "; ", row->file,
                                row->text);
    }
    return text;
}

static const char *rows(const char *name, const char *prefix)
{
    return rows_of(tenant_plan_find(plan, name), prefix);
}

START_TEST(a_contract_becomes_weight_cap_and_burst)
{
    static const struct {
        const char *cpu, *rows;
        uint64_t entitled_us, cap_us;
    } cases[] = {
        {"elastic 0",                            "cpu.weight=1; cpu.max=max 100000; cpu.max.burst=0",          0,       0      },
        {"elastic 0.01",                         "cpu.weight=1; cpu.max=max 100000; cpu.max.burst=0",          10000,   0      },
        {"elastic 0.015",                        "cpu.weight=2; cpu.max=max 100000; cpu.max.burst=0",          15000,   0      },
        {"elastic 0.5",                          "cpu.weight=50; cpu.max=max 100000; cpu.max.burst=0",         500000,  0      },
        {"elastic 0.5 ceiling 1.25 burst 125ms",
         "cpu.weight=50; cpu.max=125000 100000; cpu.max.burst=125000",                                         500000,  1250000},
        {"fixed 0.01",                           "cpu.weight=1; cpu.max=1000 100000; cpu.max.burst=0",         10000,   10000  },
        {"fixed 1.5 burst 20ms",                 "cpu.weight=150; cpu.max=150000 100000; cpu.max.burst=20000",
         1500000,                                                                                                       1500000},
        {"pinned 3",                             "cpu.weight=300; cpu.max=max 100000; cpu.max.burst=0",        3000000, 0      },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fresh(8);
        define("a", cases[i].cpu);
        ck_ok(make("a", false), &err);
        ck_assert_str_eq(rows("a", "cpu."), cases[i].rows);
        ck_assert_str_eq(plan->groups[0].group, "sublet.tenants/a");
        ck_assert_str_eq(plan->groups[0].contract, cases[i].cpu);
        ck_assert_uint_eq(plan->groups[0].entitled_us_per_s, cases[i].entitled_us);
        ck_assert_uint_eq(plan->groups[0].cap_us_per_s, cases[i].cap_us);
    }
}
END_TEST

START_TEST(above_100_cpus_a_cpu_weighs_less)
{
    fresh(100);
    define("a", "elastic 90");
    ck_ok(make("a", false), &err);
    ck_assert_str_eq(rows("a", "cpu.weight"), "cpu.weight=9000");
    fresh(128);
    define("a", "elastic 64");
    define("b", "fixed 1");
    ck_ok(make("a", false), &err);
    ck_assert_str_eq(rows("a", "cpu.weight"), "cpu.weight=5000");
    ck_assert_str_eq(rows("b", "cpu.weight"), "cpu.weight=78");
    fresh(8192);
    define("a", "fixed 0.01");
    define("b", "pinned 4096");
    ck_ok(make("a", false), &err);
    ck_assert_str_eq(rows("a", "cpu.weight"), "cpu.weight=1");
    ck_assert_str_eq(rows("b", "cpu.weight"), "cpu.weight=5000");
}
END_TEST

START_TEST(memory_io_and_pids_are_written_as_the_kernel_prints_them)
{
    struct tenant *tenant;

    fresh(2);
    tenant = define("a", "elastic 0.5");
    ck_ok(make("a", false), &err);
    ck_assert_str_eq(rows("a", "memory."), "memory.swap.max=max; memory.low=0; memory.high=max; "
                                           "memory.max=max");
    ck_assert_str_eq(rows("a", "pids."), "pids.max=max");
    ck_assert_str_eq(rows("a", "io."), "io.weight=default 100");
    ck_assert_uint_eq(plan->groups[0].controllers, CG_CPU | CG_MEMORY | CG_IO | CG_PIDS);

    ck_ok(tenant_contract_set(&tenant->contract, "memory", "10000", "x", &err), &err);
    ck_ok(tenant_contract_set(&tenant->contract, "memory-high", "8192", "x", &err), &err);
    ck_ok(tenant_contract_set(&tenant->contract, "memory-low", "4095", "x", &err), &err);
    ck_ok(tenant_contract_set(&tenant->contract, "swap", "1M", "x", &err), &err);
    ck_ok(tenant_contract_set(&tenant->contract, "pids", "33", "x", &err), &err);
    ck_ok(tenant_contract_set(&tenant->contract, "io-weight", "250", "x", &err), &err);
    ck_ok(tenant_contract_add_io(&arena, &tenant->contract, "/a=1MB/s,write:7iops", "x", &err),
          &err);
    tenant->contract.io[0].found = true;
    tenant->contract.io[0].major = 254;
    tenant->contract.io[0].minor = 16;
    ck_ok(make("a", false), &err);
    ck_assert_str_eq(rows("a", "memory."), "memory.swap.max=1048576; memory.low=0; "
                                           "memory.high=8192; memory.max=8192");
    ck_assert_str_eq(rows("a", "pids."), "pids.max=33");
    ck_assert_str_eq(rows("a", "io."), "io.weight=default 250; io.max=254:16 rbps=1048576 "
                                       "wbps=1048576 riops=max wiops=7");
}
END_TEST

START_TEST(two_paths_on_one_disk_are_refused)
{
    struct tenant *tenant;

    fresh(2);
    tenant = define("a", "elastic 0.5");
    ck_ok(tenant_contract_add_io(&arena, &tenant->contract, "/a=1MB/s", "x", &err), &err);
    ck_ok(tenant_contract_add_io(&arena, &tenant->contract, "/b=1MB/s", "x", &err), &err);
    for (size_t i = 0; i < 2; i++) {
        tenant->contract.io[i].found = true;
        tenant->contract.io[i].major = 8;
    }
    ck_fails(make("a", false), &err, EINVAL, "/b", "tenant 'a': lies on the same disk 8:0 as '/a'");
}
END_TEST

START_TEST(io_without_a_memory_limit_is_warned_of)
{
    struct tenant *tenant;

    fresh(2);
    tenant = define("a", "elastic 0.5");
    ck_ok(tenant_contract_add_io(&arena, &tenant->contract, "/a=1MB/s", "x", &err), &err);
    ck_ok(make("a", false), &err);
    ck_assert_uint_eq(findings.warning_count, 1);
    ck_assert_str_eq(findings.warnings[0].path, "tenant 'a'");
    ck_ok(tenant_contract_set(&tenant->contract, "memory", "1G", "x", &err), &err);
    findings_init(&findings, &arena);
    ck_ok(make("a", false), &err);
    ck_assert_uint_eq(findings.warning_count, 0);
}
END_TEST

START_TEST(the_parent_weighs_what_is_for_sale_against_its_neighbours)
{
    static const struct {
        uint32_t cpus;
        uint64_t neighbours;
        uint32_t reserve_milli;
        const char *pinned, *weight;
    } cases[] = {
        {2,  100, 200,  NULL,       "cpu.weight=900"  },
        {2,  0,   200,  NULL,       "cpu.weight=900"  }, /* the root group itself counts 100 */
        {2,  300, 200,  NULL,       "cpu.weight=2700" },
        {2,  100, 200,  "pinned 1", "cpu.weight=400"  }, /* 0.8 against 0.2 */
        {16, 200, 1600, "pinned 8", "cpu.weight=800"  },
        {4,  100, 0,    NULL,       "cpu.weight=10000"},
        {4,  900, 40,   NULL,       "cpu.weight=10000"},
        {64, 100, 6400, NULL,       "cpu.weight=900"  },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fresh(cases[i].cpus);
        host.neighbour_weight = cases[i].neighbours;
        host.reserve_milli = cases[i].reserve_milli;
        if (cases[i].pinned != NULL)
            define("p", cases[i].pinned);
        ck_ok(make(NULL, false), &err);
        ck_assert_str_eq(rows_of(&plan->parent, "cpu."), cases[i].weight);
    }
}
END_TEST

START_TEST(what_fits_is_admitted_to_the_last_thousandth)
{
    fresh(2);
    define("a", "fixed 0.5");
    define("b", "elastic 1.3 ceiling 2");
    define("c", "elastic 0");
    ck_ok(make("b", false), &err);
    ck_assert_uint_eq(plan->sums.online_milli, 2000);
    ck_assert_uint_eq(plan->sums.for_sale_milli, 1800);
    ck_assert_uint_eq(plan->sums.sold_milli, 1800);
    ck_assert_str_eq(tenant_sums_text(&arena, &plan->sums),
                     "2 CPUs - 0 pinned - 0.2 reserve = 1.8 for sale, 1.8 sold");
}
END_TEST

START_TEST(what_does_not_fit_is_refused_with_the_numbers)
{
    fresh(2);
    define("a", "fixed 0.5");
    define("b", "elastic 1.301");
    ck_fails(make("b", false), &err, ENOSPC, "tenant 'b'",
             "elastic 1.301 does not fit: 2 CPUs - 0 pinned - 0.2 reserve = 1.8 for sale, 1.801 "
             "sold, 0.5 of it to others, 1.3 left; --overcommit sells it all the same");
    fresh(4);
    define("a", "fixed 1.5");
    define("p", "pinned 3");
    ck_fails(make("p", false), &err, ENOSPC, "tenant 'p'",
             "pinned 3 does not fit: 4 CPUs - 3 pinned - 0.4 reserve = 0.6 for sale, 1.5 sold, "
             "1.5 of it to others, 0 left; --overcommit sells it all the same");
    fresh(2);
    define("p", "pinned 2");
    ck_fails(make("p", true), &err, ENOSPC, "tenant 'p'",
             "2 CPUs pinned in all, but of 2 CPUs 0.2 are the host's reserve");
}
END_TEST

START_TEST(overcommit_scales_what_is_entitled)
{
    fresh(2);
    define("a", "elastic 1.8");
    define("b", "fixed 1.8");
    ck_ok(make("b", true), &err);
    ck_assert_uint_eq(findings.warning_count, 1);
    ck_assert_str_eq(findings.warnings[0].text,
                     "2 CPUs - 0 pinned - 0.2 reserve = 1.8 for sale, 3.6 sold: more than there "
                     "is, every promise is kept to 50 per cent");
    ck_assert_uint_eq(plan->groups[0].entitled_us_per_s, 900000);
    ck_assert_uint_eq(plan->groups[1].entitled_us_per_s, 900000);
    ck_assert_uint_eq(plan->groups[1].cap_us_per_s, 1800000);
}
END_TEST

START_TEST(protected_memory_is_sold_to_nine_tenths)
{
    struct tenant *tenant;

    fresh(2);
    tenant = define("a", "elastic 0.5");
    ck_ok(tenant_contract_set(&tenant->contract, "memory-low", "3686M", "x", &err), &err);
    ck_ok(make("a", false), &err);
    ck_assert_str_eq(rows_of(&plan->parent, "memory."), "memory.low=3865051136");
    ck_ok(tenant_contract_set(&tenant->contract, "memory-low", "3687M", "x", &err), &err);
    ck_assert_int_eq(make("a", false), -ENOSPC);
    ck_assert_str_eq(err.path, "tenant 'a'");
}
END_TEST

START_TEST(the_parent_passes_on_as_much_protection_as_all_below_it_have)
{
    struct tenant *tenant;

    fresh(4);
    tenant = define("a", "elastic 0.5");
    ck_ok(tenant_contract_set(&tenant->contract, "memory-low", "10001", "x", &err), &err);
    tenant = define("b", "pinned 1");
    ck_ok(tenant_contract_set(&tenant->contract, "memory-low", "1M", "x", &err), &err);
    ck_ok(make(NULL, false), &err);
    ck_assert_str_eq(rows_of(&plan->parent, "memory."), "memory.low=1056768");
    host.nested_partitions = false; /* it lies elsewhere */
    ck_ok(make(NULL, false), &err);
    ck_assert_str_eq(rows_of(&plan->parent, "memory."), "memory.low=8192");
}
END_TEST

START_TEST(pinned_tenants_get_the_highest_cpus_and_keep_them)
{
    struct tenant *second;

    fresh(8);
    define("a", "pinned 2");
    second = define("b", "pinned 1");
    ck_ok(make(NULL, false), &err);
    ck_assert_str_eq(plan->groups[0].cpus, "6-7");
    ck_assert_str_eq(plan->groups[1].cpus, "5");
    ck_assert_str_eq(rows_of(&plan->parent, "cpuset."), "cpuset.cpus.exclusive=5-7");
    ck_assert_str_eq(rows("a", "cpuset."),
                     "cpuset.cpus=6-7; cpuset.cpus.exclusive=6-7; cpuset.cpus.partition=root");
    ck_assert((plan->groups[0].controllers & CG_CPUSET) != 0);

    hold(second, 7, 7); /* b was there first */
    ck_ok(make(NULL, false), &err);
    ck_assert_str_eq(plan->groups[0].cpus, "5-6");
    ck_assert_str_eq(plan->groups[1].cpus, "7");

    host.online[0] = 0x7d; /* 1 and 7 went offline: 0, 2-6 are left */
    ck_ok(make(NULL, false), &err);
    ck_assert_str_eq(plan->groups[0].cpus, "5-6");
    ck_assert_str_eq(plan->groups[1].cpus, "4");
}
END_TEST

/* After a reboot: with an error here no tenant at all would get its limits. */
START_TEST(a_machine_that_has_lost_cpus_keeps_what_it_can)
{
    fresh(8);
    define("a", "pinned 4");
    define("b", "pinned 2");
    define("c", "fixed 1");
    ck_ok(make("c", false), &err);

    host.online[0] = 0x0f;
    host.reserve_milli = 400;
    ck_ok(make(NULL, false), &err);
    ck_assert_uint_eq(findings.warning_count, 2);
    ck_assert_str_eq(findings.warnings[0].path, "tenant 'a'");
    ck_assert_str_eq(findings.warnings[0].text,
                     "6 CPUs pinned in all, but of 4 CPUs 0.4 are the host's reserve: it gets a "
                     "share of 4 with all others");
    ck_assert_ptr_null(plan->groups[0].cpus);
    ck_assert_str_eq(rows("a", "cpu.weight"), "cpu.weight=400");
    ck_assert_str_eq(rows("a", "cpuset."), "");
    ck_assert_str_eq(plan->groups[1].cpus, "2-3");
    ck_assert_uint_eq(plan->sums.pinned_milli, 2000);
    ck_assert_uint_eq(plan->sums.sold_milli, 5000);
    ck_assert_uint_eq(plan->sums.for_sale_milli, 1600);
    ck_assert_uint_eq(plan->groups[0].entitled_us_per_s, 1280000);

    /* nor does it keep anybody from a change that is no larger promise */
    const struct tenant_change kept = {.name = "a", .overcommit = true, .kept = true};
    ck_ok(tenant_plan_make(&host, &tenants, &kept, &findings, &plan, &err), &err);
    ck_assert_int_eq(make("a", true), -ENOSPC);
    ck_assert_str_eq(err.text, "6 CPUs pinned in all, but of 4 CPUs 0.4 are the host's reserve");
}
END_TEST

START_TEST(who_is_no_longer_pinned_gives_its_cpus_back)
{
    fresh(4);
    hold(define("a", "elastic 1"), 3, 3);
    ck_ok(make("a", false), &err);
    ck_assert_ptr_null(plan->groups[0].cpus);
    ck_assert_str_eq(rows("a", "cpuset."),
                     "cpuset.cpus=0-3; cpuset.cpus.exclusive=; cpuset.cpus.partition=member");
    ck_assert_str_eq(rows_of(&plan->parent, "cpuset."), "cpuset.cpus.exclusive=");
}
END_TEST

START_TEST(who_was_pinned_keeps_off_the_cpus_of_who_is)
{
    fresh(4);
    hold(define("a", "elastic 1"), 0, 3);
    define("b", "pinned 1");
    ck_ok(make("b", false), &err);
    ck_assert_str_eq(rows("a", "cpuset."),
                     "cpuset.cpus=0-2; cpuset.cpus.exclusive=; cpuset.cpus.partition=member");
    ck_assert_str_eq(rows("b", "cpuset.cpus.p"), "cpuset.cpus.partition=root");
}
END_TEST

START_TEST(before_6_7_a_partition_lies_at_the_top)
{
    fresh(4);
    host.nested_partitions = false;
    define("a", "pinned 1");
    define("b", "fixed 1");
    ck_ok(make("a", false), &err);
    ck_assert_str_eq(plan->groups[0].group, "sublet.pinned-a");
    ck_assert_str_eq(plan->groups[1].group, "sublet.tenants/b");
    ck_assert_str_eq(rows("a", "cpuset."), "cpuset.cpus=3; cpuset.cpus.partition=root");
    ck_assert_str_eq(rows_of(&plan->parent, "cpuset."), "");
    ck_assert_str_eq(rows("b", "cpuset."), "");
}
END_TEST

START_TEST(a_path_tells_its_tenant)
{
    char name[TENANT_NAME_MAX + 1];

    ck_assert(tenant_of_path("sublet.tenants/acme", name));
    ck_assert_str_eq(name, "acme");
    ck_assert(tenant_of_path("sublet.tenants/a.b/x/y", name));
    ck_assert_str_eq(name, "a.b");
    ck_assert(tenant_of_path("sublet.pinned-p/x", name));
    ck_assert_str_eq(name, "p");
    ck_assert(!tenant_of_path("sublet.tenants", name));
    ck_assert(!tenant_of_path("sublet.tenants/", name));
    ck_assert(!tenant_of_path("sublet.tenants/A", name));
    ck_assert(!tenant_of_path("system.slice/acme", name));
}
END_TEST

SUITE(plan_suite, a_contract_becomes_weight_cap_and_burst, above_100_cpus_a_cpu_weighs_less,
      memory_io_and_pids_are_written_as_the_kernel_prints_them, two_paths_on_one_disk_are_refused,
      io_without_a_memory_limit_is_warned_of,
      the_parent_weighs_what_is_for_sale_against_its_neighbours,
      what_fits_is_admitted_to_the_last_thousandth, what_does_not_fit_is_refused_with_the_numbers,
      overcommit_scales_what_is_entitled, protected_memory_is_sold_to_nine_tenths,
      the_parent_passes_on_as_much_protection_as_all_below_it_have,
      pinned_tenants_get_the_highest_cpus_and_keep_them,
      a_machine_that_has_lost_cpus_keeps_what_it_can, who_is_no_longer_pinned_gives_its_cpus_back,
      who_was_pinned_keeps_off_the_cpus_of_who_is, before_6_7_a_partition_lies_at_the_top,
      a_path_tells_its_tenant)
