/* SPDX-License-Identifier: Apache-2.0 */
#include "view_of_files.h"

#define HOUR_US 3600000000ull

START_TEST(what_was_used_before_a_tenant_was_known_is_of_no_window)
{
    define("a", 5 * HOUR_US);
    sample();
    define("b", 10 * HOUR_US);
    use("a", 5 * HOUR_US + 7);
    sample();
    ck_assert_uint_eq(account_view_host(view)->tenants_us, 7);
    ck_assert(!tenant("b")->measured);
    use("b", 10 * HOUR_US + 11);
    sample();
    ck_assert_uint_eq(account_view_host(view)->tenants_us, 11);
    ck_assert_uint_eq(account_view_total(view)->ten, 18);
}
END_TEST

static struct ledger_record record_of(const struct account_tenant *of, struct ledger_cpu *cpu)
{
    *cpu = (struct ledger_cpu){.use = of->cpu.usage_us,
                               .ent = of->sums.entitled_us,
                               .bor = of->sums.borrowed_us,
                               .unu = of->sums.unused_us};
    return (struct ledger_record){.k = LEDGER_SAMPLE,
                                  .boot = "72915d91",
                                  .tenant = of->name,
                                  .cg = of->cgroup_id,
                                  .us = HOUR_US,
                                  .cpu = cpu};
}

static int64_t imbalance(const struct account_tenant *of, uint64_t used_before_us)
{
    return (int64_t) (of->cpu.usage_us - used_before_us + of->sums.unused_us) -
           (int64_t) (of->sums.entitled_us + of->sums.borrowed_us);
}

START_TEST(the_sums_of_a_meter_that_goes_on_close_to_the_microsecond)
{
    struct sub_err err = {.code = 0};
    struct ledger_cpu cpu;

    define("a", 1000);
    ck_ok(view_reload(view, false, &err), &err);
    struct ledger_record record = record_of(tenant("a"), &cpu);
    struct stat st;
    ck_assert(fstatat(view->cgroup_root_fd, "sublet.tenants/a", &st, 0) == 0);
    record.cg = st.st_ino;
    cpu.use = 400;

    uint64_t gap_us = 0;
    ck_assert_uint_eq(account_view_fresh(view), 1);
    ck_assert(!account_view_restore(view, &record, "11111111",
                                    &(struct ledger_moment){.us = HOUR_US + 1000000}, &gap_us));
    ck_assert(account_view_restore(view, &record, "72915d91",
                                   &(struct ledger_moment){.us = HOUR_US + 1000000}, &gap_us));
    ck_assert_uint_eq(gap_us, 1000000);
    ck_assert_uint_eq(account_view_fresh(view), 0);
    cpu.ent = 77; /* an older one counts no more */
    ck_assert(!account_view_restore(view, &record, "72915d91",
                                    &(struct ledger_moment){.us = HOUR_US + 1000000}, &gap_us));
    use("a", 9000); /* between the restore and the first sample */
    sample();
    use("a", 9500);
    sample();
    ck_assert_uint_eq(tenant("a")->cpu.usage_us, 9500);
    ck_assert_int_eq(imbalance(tenant("a"), 400), 0);
}
END_TEST

START_TEST(sums_survive_a_clock_that_was_set_back)
{
    struct sub_err err = {.code = 0};
    struct ledger_cpu cpu;
    struct stat st;

    define("a", 1000);
    ck_ok(view_reload(view, false, &err), &err);
    struct ledger_record record = record_of(tenant("a"), &cpu);
    ck_assert(fstatat(view->cgroup_root_fd, "sublet.tenants/a", &st, 0) == 0);
    record.cg = st.st_ino;
    cpu = (struct ledger_cpu){.use = 900, .ent = 5000, .bor = 100, .unu = 4200};
    uint64_t gap_us = 1;
    ck_assert(account_view_restore(view, &record, "72915d91",
                                   &(struct ledger_moment){.us = HOUR_US - 1}, &gap_us));
    ck_assert_uint_eq(gap_us, 0);
    ck_assert_uint_eq(tenant("a")->sums.entitled_us, 5000);
    ck_assert_uint_eq(tenant("a")->sums.borrowed_us, 200);
    ck_assert_uint_eq(tenant("a")->sums.unused_us, 4200);
}
END_TEST

START_TEST(a_clock_that_is_set_while_no_meter_runs_entitles_to_nothing)
{
    const struct ledger_moment now = {.us = 5 * HOUR_US, .mono = 3000000};
    struct sub_err err = {.code = 0};
    struct ledger_cpu cpu;
    struct stat st;

    define("a", 1000);
    ck_ok(view_reload(view, false, &err), &err);
    struct ledger_record record = record_of(tenant("a"), &cpu);
    ck_assert(fstatat(view->cgroup_root_fd, "sublet.tenants/a", &st, 0) == 0);
    record.cg = st.st_ino;
    record.mono = 1000000;
    cpu = (struct ledger_cpu){.use = 900, .ent = 5000, .bor = 100, .unu = 4200};
    uint64_t gap_us = 1;
    ck_assert(account_view_restore(view, &record, "72915d91", &now, &gap_us));
    ck_assert_uint_eq(gap_us, 2000000);
    ck_assert_uint_eq(tenant("a")->sums.entitled_us, 5000 + 200000);
}
END_TEST

START_TEST(a_folder_that_cannot_be_read_ends_no_view)
{
    define("a", 1000);
    sample();
    define("b", 1000);
    ck_assert(chmod(view->tenants_dir, 0777) == 0);
    use("a", 1500);
    sample();
    ck_assert_uint_eq(account_view_host(view)->tenants_us, 500);
    ck_assert(chmod(view->tenants_dir, 0755) == 0);
    sample();
    ck_assert(tenant("b")->open);
}
END_TEST

/* In place: the time of the folder stays. */
static void spoil(const char *tenant, const char *text)
{
    char path[128];

    (void) snprintf(path, sizeof path, "tenants/%s.json", tenant);
    write_text(path, text);
}

START_TEST(a_tenant_whose_definition_is_broken_is_accounted_on)
{
    struct sub_err err = {.code = 0};
    const struct findings *findings;

    define("a", 1000);
    define("b", 1000);
    sample();
    ck_assert_ptr_null(account_view_findings(view));
    spoil("a", "{\"cpu\": ");
    use("a", 1700);
    ck_assert_int_eq(account_view_sample(view, ACCOUNT_ALL, &err), 1);
    ck_assert_uint_eq(account_view_host(view)->tenants_us, 700);
    ck_assert(tenant("a")->undefined);
    ck_assert_uint_eq(tenant("a")->entitled_micro, 100000);
    findings = account_view_findings(view);
    ck_assert_ptr_nonnull(findings);
    ck_assert_uint_eq(findings->error_count, 1);
    define("c", 0); /* looks again, with the same file wrong */
    sample();
    ck_assert_ptr_null(account_view_findings(view));

    uint64_t entitled_us = tenant("a")->sums.entitled_us;
    spoil("a", "{\"cpu\": \"fixed 0.2\"}\n");
    ck_assert_int_eq(account_view_sample(view, ACCOUNT_ALL, &err), 1);
    ck_assert(!tenant("a")->undefined);
    ck_assert_uint_eq(tenant("a")->entitled_micro, 200000);
    ck_assert_uint_ge(tenant("a")->sums.entitled_us, entitled_us);
    ck_assert_uint_eq(tenant("a")->sums.windows, 3);
}
END_TEST

START_TEST(a_group_without_a_definition_has_the_contract_of_its_last_record)
{
    struct sub_err err = {.code = 0};
    struct ledger_cpu cpu = {.use = 400, .ent = 10, .unu = 10};
    struct stat st;
    uint64_t gap_us = 0;

    define("a", 1000);
    spoil("a", "");
    ck_ok(view_reload(view, false, &err), &err);
    ck_assert(tenant("a")->undefined);
    ck_assert(fstatat(view->cgroup_root_fd, "sublet.tenants/a", &st, 0) == 0);

    const struct ledger_record record = {.k = LEDGER_SAMPLE,
                                         .boot = "72915d91",
                                         .tenant = "a",
                                         .contract = "fixed 0.1",
                                         .entmicro = 100000,
                                         .cg = st.st_ino,
                                         .us = HOUR_US,
                                         .cpu = &cpu};
    ck_assert(account_view_restore(view, &record, "72915d91",
                                   &(struct ledger_moment){.us = HOUR_US + 10000}, &gap_us));
    ck_assert_str_eq(tenant("a")->contract, "fixed 0.1");
    ck_assert_uint_eq(tenant("a")->sums.entitled_us, 10 + 1000);
}
END_TEST

START_TEST(what_is_not_recorded_adds_up_until_it_is)
{
    define("a", 1000);
    sample();
    sample();
    uint64_t once_us = tenant("a")->unrecorded_us;
    sample();
    ck_assert_uint_eq(tenant("a")->unrecorded_us, once_us + account_view_window_us(view));
    for (size_t i = 0; i < account_view_count(view); i++)
        account_view_recorded(view, i);
    ck_assert_uint_eq(tenant("a")->unrecorded_us, 0);
}
END_TEST

START_TEST(more_aggressors_than_room_are_summed_in_the_last_place)
{
    struct account_tenant *victim = calloc(1, sizeof *victim);
    char name[32];

    ck_assert_ptr_nonnull(victim);
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 3 * LEDGER_BLAME_MAX; i++) {
            (void) snprintf(name, sizeof name, "t%u", i);
            view_blame(victim, name, 10);
        }
    }
    ck_assert_uint_eq(victim->blame_count, LEDGER_BLAME_MAX);
    ck_assert_str_eq(victim->blame[0].name, "t0");
    ck_assert_uint_eq(victim->blame[0].us, 20);
    ck_assert_str_eq(victim->blame[LEDGER_BLAME_MAX - 1].name, "others");
    ck_assert_uint_eq(victim->blame[LEDGER_BLAME_MAX - 1].us,
                      20 * (2 * (uint64_t) LEDGER_BLAME_MAX + 1));
    free(victim);
}
END_TEST

static void pressure(unsigned some_us)
{
    char text[160];

    (void) snprintf(text, sizeof text,
                    "some avg10=0.00 avg60=0.00 avg300=0.00 total=%u\n"
                    "full avg10=0.00 avg60=0.00 avg300=0.00 total=%u\n",
                    some_us, some_us / 2);
    write_text("groups/sublet.tenants/a/cpu.pressure", text);
}

START_TEST(who_waits_without_a_cpu_is_found_in_the_second_window_and_then_in_each)
{
    define("a", 1000);
    pressure(10);
    sample();
    for (unsigned i = 0; i < 5; i++) { /* on a machine without an idle CPU */
        view->machine.idle_us = UINT64_MAX / 2;
        sample();
    }
    for (unsigned i = 1; i <= 2; i++) {
        pressure(500 * i);
        view->machine.idle_us = UINT64_MAX / 2;
        sample();
    }
    ck_assert_uint_ge(tenant("a")->cpu_pressure.some.total_us, 500);
    pressure(1100);
    sample();
    ck_assert_uint_eq(tenant("a")->cpu_pressure.some.total_us, 1100);
    ck_assert_uint_eq(tenant("a")->cpu_pressure.full.total_us, 550);
}
END_TEST

START_TEST(who_used_a_cpu_has_its_waiting_read_in_the_same_window)
{
    struct sub_err err = {.code = 0};

    define("a", 1000);
    pressure(10);
    for (int i = 0; i < 4; i++)
        sample();
    pressure(700);
    use("a", 1001);
    sample();
    ck_assert_uint_eq(tenant("a")->cpu_pressure.some.total_us, 700);
    for (int i = 0; i < 4; i++)
        sample();
    pressure(900);
    ck_ok(account_view_sample(view, ACCOUNT_MEMORY, &err), &err);
    ck_assert_uint_eq(tenant("a")->cpu_pressure.some.total_us, 900);
}
END_TEST

Suite *view_suite(void);
Suite *view_suite(void)
{
    const TTest *const tests[] = {
        what_was_used_before_a_tenant_was_known_is_of_no_window,
        the_sums_of_a_meter_that_goes_on_close_to_the_microsecond,
        sums_survive_a_clock_that_was_set_back,
        a_clock_that_is_set_while_no_meter_runs_entitles_to_nothing,
        a_folder_that_cannot_be_read_ends_no_view,
        a_tenant_whose_definition_is_broken_is_accounted_on,
        a_group_without_a_definition_has_the_contract_of_its_last_record,
        what_is_not_recorded_adds_up_until_it_is,
        who_waits_without_a_cpu_is_found_in_the_second_window_and_then_in_each,
        who_used_a_cpu_has_its_waiting_read_in_the_same_window,
        more_aggressors_than_room_are_summed_in_the_last_place,
    };

    return suite_of_files("view", tests, sizeof tests / sizeof *tests);
}
