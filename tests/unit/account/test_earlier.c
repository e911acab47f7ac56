/* SPDX-License-Identifier: Apache-2.0 */
/* Ledgers whose moments are the test's. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "sublet/base/buf.h"

#include "../../../src/account/earlier.h"
#include "../../../src/account/ledger.h"
#include "../../../src/account/view.h"
#include "runner.h"
#include "scratch.h"

#define SECOND_US 1000000ull
#define HOUR_US   (3600 * SECOND_US)
#define BOOT      "72915d91"

static char top[64];
static struct account_view *view;
static struct earlier found;
static const struct ledger_moment now = {.us = 9 * HOUR_US, .mono = 100 * SECOND_US};

/* That many seconds ago by the clock of the boot, whatever that of the wall said. */
static struct ledger_record record_of(const char *kind, uint64_t seconds_ago)
{
    return (struct ledger_record){.v = LEDGER_VERSION,
                                  .k = kind,
                                  .seq = 1,
                                  .t = "",
                                  .us = now.us - seconds_ago * SECOND_US,
                                  .mono = now.mono - seconds_ago * SECOND_US,
                                  .boot = BOOT};
}

static void put(const struct ledger_record *record)
{
    OWNED_BUF line = BUF(LEDGER_LINE_MAX);
    char path[80];

    (void) snprintf(path, sizeof path, "%s/%s", top, LEDGER_FILE);
    ck_assert_int_eq(ledger_encode(record, &line), 0);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    ck_assert_int_eq(write(fd, line.data, line.length), (ssize_t) line.length);
    (void) close(fd);
}

static struct ledger_record host_of(uint64_t seconds_ago)
{
    static const struct ledger_total total = {.cap = 5, .cpus = 1};
    static const struct ledger_cpu meter = {.use = 77};
    struct ledger_record record = record_of(LEDGER_HOST, seconds_ago);

    record.cpu = &meter;
    record.host = &total;
    return record;
}

static void put_host(uint64_t seconds_ago)
{
    const struct ledger_record record = host_of(seconds_ago);

    put(&record);
}

static void put_note(uint64_t seconds_ago, const char *text)
{
    struct ledger_record record = record_of(LEDGER_NOTE, seconds_ago);

    record.text = text;
    put(&record);
}

static void look(void)
{
    struct sub_err err = {.code = 0};

    ck_ok(earlier_restore(view, top, BOOT, &now, &found, &err), &err);
}

static void begin(void)
{
    scratch_make(top);
    view = calloc(1, sizeof *view);
    ck_assert_ptr_nonnull(view);
    view->tenants_dir = top;
    view->cgroup_root_fd = -EBADF;
    arena_init(&view->names, 0);
}

static void end(void)
{
    account_view_free(&view);
    scratch_remove(top);
}

START_TEST(a_host_without_a_ledger_has_lost_nothing)
{
    look();
    ck_assert_uint_eq(found.unseen_us, 0);
    ck_assert_int_eq(found.step_us, 0);
}
END_TEST

START_TEST(a_hole_begins_with_the_last_record_of_the_host)
{
    put_host(30);
    put_host(10);
    look();
    ck_assert_uint_eq(found.unseen_us, 10 * SECOND_US);
    ck_assert_uint_eq(found.cpu_us, 77);
    ck_assert_uint_eq(account_view_total(view)->cap, 5);
    ck_assert_int_eq(found.step_us, 0);
}
END_TEST

START_TEST(a_hole_that_was_told_is_told_no_second_time)
{
    put_host(30);
    put_note(20, NOTE_UNSEEN);
    put_note(5, NOTE_UNSEEN);
    put_note(2, "drift: cpu.max");
    look();
    ck_assert_uint_eq(found.unseen_us, 5 * SECOND_US);
}
END_TEST

START_TEST(a_hole_before_a_round_is_not_the_one_behind_it)
{
    put_note(50, NOTE_UNSEEN);
    put_host(30);
    look();
    ck_assert_uint_eq(found.unseen_us, 30 * SECOND_US);
}
END_TEST

START_TEST(a_clock_that_was_set_is_told_once)
{
    struct ledger_record record = host_of(30);

    record.us -= HOUR_US;
    put(&record);
    look();
    ck_assert_int_eq(found.step_us, (int64_t) HOUR_US);
    ck_assert_uint_eq(found.unseen_us, 30 * SECOND_US);

    put_note(20, "drift: cpu.max"); /* of the new time, but it tells nothing of it */
    look();
    ck_assert_int_eq(found.step_us, (int64_t) HOUR_US);
    put_note(10, NOTE_STEP "forward");
    look();
    ck_assert_int_eq(found.step_us, 0);
}
END_TEST

START_TEST(a_clock_that_was_set_back_is_told_as_that)
{
    struct ledger_record record = host_of(30);

    record.us += HOUR_US;
    put(&record);
    look();
    ck_assert_int_eq(found.step_us, -(int64_t) HOUR_US);
    ck_assert_uint_eq(found.unseen_us, 30 * SECOND_US);
}
END_TEST

START_TEST(a_record_without_the_clock_of_the_boot_is_as_old_as_the_wall_says)
{
    struct ledger_record record = host_of(30);

    record.mono = 0;
    put(&record);
    look();
    ck_assert_uint_eq(found.unseen_us, 30 * SECOND_US);
    ck_assert_int_eq(found.step_us, 0);
}
END_TEST

START_TEST(another_boot_is_no_hole)
{
    struct ledger_record record = host_of(30);

    record.boot = "11111111";
    put(&record);
    look();
    ck_assert_uint_eq(found.unseen_us, 0);
    ck_assert_uint_eq(found.cpu_us, 0);
    ck_assert_int_eq(found.step_us, 0);
}
END_TEST

Suite *earlier_suite(void);
Suite *earlier_suite(void)
{
    const TTest *const tests[] = {
        a_host_without_a_ledger_has_lost_nothing,
        a_hole_begins_with_the_last_record_of_the_host,
        a_hole_that_was_told_is_told_no_second_time,
        a_hole_before_a_round_is_not_the_one_behind_it,
        a_clock_that_was_set_is_told_once,
        a_clock_that_was_set_back_is_told_as_that,
        a_record_without_the_clock_of_the_boot_is_as_old_as_the_wall_says,
        another_boot_is_no_hole,
    };
    Suite *suite = suite_create("earlier");
    TCase *cases = tcase_create("earlier");

    tcase_add_checked_fixture(cases, begin, end);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(cases, tests[i]);
    suite_add_tcase(suite, cases);
    return suite;
}
