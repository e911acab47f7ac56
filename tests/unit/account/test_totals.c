/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sublet/account/totals.h"
#include "sublet/base/fd.h"

#include "runner.h"
#include "scratch.h"

static void append_sample(struct ledger *ledger, const char *tenant, uint64_t cg, uint64_t use)
{
    struct ledger_cpu cpu = {.use = use};
    struct ledger_by by = {"loud", use / 2};
    struct ledger_record record = {.k = LEDGER_SAMPLE, .tenant = tenant, .cg = cg, .cpu = &cpu};
    struct sub_err err = {0};

    record.blame.items = &by;
    record.blame.count = 1;
    ck_ok(ledger_append(ledger, &record, &err), &err);
}

static void append_gap(struct ledger *ledger, uint64_t seconds)
{
    struct ledger_record record = {
        .k = LEDGER_NOTE, .has = LEDGER_HAS_COUNT, .count = seconds, .text = "gap: of a test"};
    struct sub_err err = {0};

    ck_ok(ledger_append(ledger, &record, &err), &err);
}

START_TEST(the_last_sample_of_a_tenant_counts)
{
    char path[64];
    struct sub_err err = {0};
    OWNED_ACCOUNT_TOTALS *totals = NULL;
    OWNED_LEDGER ledger = LEDGER_NONE;

    scratch_make(path);
    ck_ok(ledger_open(path, false, &ledger, &err), &err);
    ck_ok(account_totals_open(path, &totals, &err), &err);
    ck_ok(account_totals_update(totals, &err), &err);
    ck_assert_ptr_null(account_totals_find(totals, "acme", 7));

    append_sample(&ledger, "acme", 7, 10);
    append_sample(&ledger, "acme", 7, 30);
    append_gap(&ledger, 5);
    ck_ok(account_totals_update(totals, &err), &err);
    const struct account_total *total = account_totals_find(totals, "acme", 7);
    ck_assert_ptr_nonnull(total);
    ck_assert_uint_eq(total->cpu.use, 30);
    ck_assert_uint_eq(total->blame_count, 1);
    ck_assert_str_eq(total->blame[0].name, "loud");
    ck_assert_uint_eq(total->blame[0].us, 15);
    ck_assert_uint_eq(account_totals_stats(totals)->records, 4);
    ck_assert_uint_eq(account_totals_stats(totals)->gaps, 1);
    ck_assert_uint_eq(account_totals_stats(totals)->gap_seconds, 5);
    scratch_remove(path);
}
END_TEST

START_TEST(counters_of_another_cgroup_are_not_those_of_this_one)
{
    char path[64];
    struct sub_err err = {0};
    OWNED_ACCOUNT_TOTALS *totals = NULL;
    OWNED_LEDGER ledger = LEDGER_NONE;

    scratch_make(path);
    ck_ok(ledger_open(path, false, &ledger, &err), &err);
    append_sample(&ledger, "acme", 7, 10);
    ck_ok(account_totals_open(path, &totals, &err), &err);
    ck_ok(account_totals_update(totals, &err), &err);
    ck_assert_ptr_nonnull(account_totals_find(totals, "acme", 7));
    ck_assert_ptr_null(account_totals_find(totals, "acme", 8));
    scratch_remove(path);
}
END_TEST

START_TEST(a_ledger_is_followed_over_the_sealing_of_its_files)
{
    char path[64];
    struct sub_err err = {0};
    OWNED_ACCOUNT_TOTALS *totals = NULL;
    OWNED_LEDGER ledger = LEDGER_NONE;

    scratch_make(path);
    ck_ok(ledger_open(path, false, &ledger, &err), &err);
    append_sample(&ledger, "acme", 7, 1);
    ck_ok(account_totals_open(path, &totals, &err), &err);
    ck_ok(account_totals_update(totals, &err), &err);

    append_sample(&ledger, "acme", 7, 2); /* read from a file that has its last name by then */
    ledger.max_bytes = 1;
    append_sample(&ledger, "globex", 9, 3);
    ck_ok(account_totals_update(totals, &err), &err);
    ck_assert_uint_eq(account_totals_find(totals, "acme", 7)->cpu.use, 2);
    ck_assert_uint_eq(account_totals_find(totals, "globex", 9)->cpu.use, 3);
    ck_assert_uint_eq(account_totals_stats(totals)->missing, 0);
    ck_assert_uint_eq(account_totals_stats(totals)->torn, 0);

    /* whoever begins now finds the tenant that only the sealed file tells of */
    OWNED_ACCOUNT_TOTALS *later = NULL;
    ck_ok(account_totals_open(path, &later, &err), &err);
    ck_ok(account_totals_update(later, &err), &err);
    ck_assert_uint_eq(account_totals_find(later, "acme", 7)->cpu.use, 2);
    scratch_remove(path);
}
END_TEST

START_TEST(a_line_counts_when_it_is_whole)
{
    char path[64], file[96], line[LEDGER_LINE_MAX];
    struct sub_err err = {0};
    OWNED_ACCOUNT_TOTALS *totals = NULL;
    OWNED_LEDGER ledger = LEDGER_NONE;

    scratch_make(path);
    ck_ok(ledger_open(path, false, &ledger, &err), &err);
    append_sample(&ledger, "acme", 7, 1);
    (void) snprintf(file, sizeof file, "%s/%s", path, LEDGER_FILE);
    OWNED_FD fd = open(file, O_RDWR | O_CLOEXEC);
    ssize_t size = pread(fd, line, sizeof line, 0);
    ck_assert_int_gt(size, 20);
    ck_assert_int_eq(ftruncate(fd, size - 20), 0);

    ck_ok(account_totals_open(path, &totals, &err), &err);
    ck_ok(account_totals_update(totals, &err), &err);
    ck_assert_ptr_null(account_totals_find(totals, "acme", 7));
    ck_assert_int_eq(pwrite(fd, line + size - 20, 20, size - 20), 20);
    ck_ok(account_totals_update(totals, &err), &err);
    ck_assert_ptr_nonnull(account_totals_find(totals, "acme", 7));
    ck_assert_uint_eq(account_totals_stats(totals)->torn, 0);
    scratch_remove(path);
}
END_TEST

SUITE(totals_suite, the_last_sample_of_a_tenant_counts,
      counters_of_another_cgroup_are_not_those_of_this_one,
      a_ledger_is_followed_over_the_sealing_of_its_files, a_line_counts_when_it_is_whole)
