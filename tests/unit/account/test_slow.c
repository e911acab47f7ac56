/* SPDX-License-Identifier: Apache-2.0 */
/* What is read less often than the CPU time: memory, disks, processes. */
#include <dirent.h>
#include <sys/resource.h>

#include "sublet/account/meter.h"

#include "view_of_files.h"

#define GROUP_FILE(name) "groups/sublet.tenants/a/" name

/* One look at memory and disks after so much reading, and waiting for it. */
static uint64_t look_at_disk(unsigned long long read_bytes, unsigned long long reads,
                             unsigned long long some_us, unsigned long long full_us)
{
    char text[160];

    (void) snprintf(text, sizeof text, "8:0 rbytes=%llu wbytes=7 rios=%llu wios=1\n", read_bytes,
                    reads);
    write_text("groups/sublet.tenants/a/io.stat", text);
    (void) snprintf(text, sizeof text,
                    "some avg10=0.00 avg60=0.00 avg300=0.00 total=%llu\n"
                    "full avg10=0.00 avg60=0.00 avg300=0.00 total=%llu\n",
                    some_us, full_us);
    write_text("groups/sublet.tenants/a/io.pressure", text);
    sample_to(ACCOUNT_ALL);
    return tenant("a")->sums.io_capped_us;
}

START_TEST(a_stall_is_its_own_where_it_did_what_its_limit_of_the_disk_allows)
{
    struct tenant_contract contract = {
        .io = {{.rates = {[CG_IO_RBPS] = 1000000, [CG_IO_RIOPS] = 500}, .found = true, .major = 8}},
        .io_count = 1,
    };

    define("a", 1000);
    sample();
    ck_assert_uint_eq(look_at_disk(0, 0, 0, 0), 0);
    for (size_t i = 0; i < view->count; i++)
        view->watched[i].contract = &contract;
    /* two seconds of waiting: 2,000,000 bytes or 1,000 operations are what it may do */
    ck_assert_uint_eq(look_at_disk(1890000, 940, 2000000, 1900000), 0);
    ck_assert_uint_eq(look_at_disk(3790000, 960, 4000000, 3700000), 1800000);
    ck_assert_uint_eq(look_at_disk(3790000, 1910, 6000000, 4700000), 2800000);
    contract.io[0].minor = 16; /* that is another disk */
    ck_assert_uint_eq(look_at_disk(9790000, 9999, 8000000, 6700000), 2800000);
    contract.io[0] = (struct tenant_io){.rates = {[CG_IO_RBPS] = 1}, .major = 8};
    ck_assert_uint_eq(look_at_disk(9999999, 9999, 9000000, 7700000),
                      2800000); /* and was not found */
}
END_TEST

static size_t open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    ck_assert_ptr_nonnull(folder);
    while (readdir(folder) != NULL)
        count++;
    (void) closedir(folder);
    return count;
}

static void allow_files(rlim_t count)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = count;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void remove_file(const char *name)
{
    char path[160];

    (void) snprintf(path, sizeof path, "%s/%s", top, name);
    ck_assert_int_eq(unlink(path), 0);
}

static void write_rest(unsigned peak, unsigned kills)
{
    char text[64];

    (void) snprintf(text, sizeof text, "%u\n", peak);
    write_text(GROUP_FILE("memory.peak"), text);
    (void) snprintf(text, sizeof text, "low 0\nhigh 0\nmax 0\noom 0\noom_kill %u\n", kills);
    write_text(GROUP_FILE("memory.events"), text);
}

static void expect_rest(unsigned peak, unsigned kills)
{
    const struct cg_memory_counters *memory = &tenant("a")->slow.memory;

    sample_to(ACCOUNT_ALL);
    ck_assert_uint_eq(memory->peak_bytes, peak);
    ck_assert_uint_eq(memory->oom_kills, kills);
}

START_TEST(the_rest_is_read_by_files_that_are_kept)
{
    define("a", 1000);
    write_rest(4096, 1);
    sample_to(ACCOUNT_ALL);
    write_rest(8192, 2);
    remove_file(GROUP_FILE("memory.peak")); /* nobody opens these again */
    remove_file(GROUP_FILE("memory.events"));
    expect_rest(8192, 2);
}
END_TEST

START_TEST(where_few_files_may_be_open_the_rest_is_opened_for_each_look)
{
    define("a", 1000);
    write_rest(4096, 1);
    size_t before = open_files();
    allow_files(60);
    sample_to(ACCOUNT_ALL);
    expect_rest(4096, 1);
    ck_assert_uint_le(open_files(), before + 5);
    write_rest(8192, 2);
    expect_rest(8192, 2);
}
END_TEST

START_TEST(a_controller_that_comes_later_is_found)
{
    define("a", 1000);
    sample_to(ACCOUNT_ALL);
    ck_assert(!cg_has(&tenant("a")->slow.memory, peak_bytes));
    write_rest(8192, 2);
    write_text(GROUP_FILE("memory.current"), "4096\n");
    write_text(GROUP_FILE("pids.current"), "3\n");
    use("a", 1001); /* somebody ran: processes are counted */
    expect_rest(8192, 2);
    ck_assert_uint_eq(tenant("a")->slow.memory.current_bytes, 4096);
    ck_assert_uint_eq(tenant("a")->slow.pids.current, 3);
}
END_TEST

/* Windows of a second, of which a tick is early or late; each of their lengths is of two of them.
 */
START_TEST(ticks_that_come_early_or_late_move_no_record)
{
    const struct meter_options options = {
        .window_us = 1000000, .interval_us = 60000000, .slow_us = 10000000};
    uint64_t since_record_us = 0, since_slow_us = 0, offset_us = 500000;
    unsigned records = 0, looks = 0;

    srandom(1);
    for (unsigned i = 1; i <= 6000; i++) {
        uint64_t next_us = 490000 + (uint64_t) random() % 20000;
        uint64_t length_us = 1000000 + next_us - offset_us;
        enum account_depth depth = meter_depth(&options, since_record_us, since_slow_us);

        offset_us = next_us;
        since_record_us = depth == ACCOUNT_ALL ? 0 : since_record_us + length_us;
        since_slow_us = depth > ACCOUNT_CPU ? 0 : since_slow_us + length_us;
        records += depth == ACCOUNT_ALL;
        looks += depth > ACCOUNT_CPU;
        ck_assert_msg((depth == ACCOUNT_ALL) == (i % 60 == 0), "window %u", i);
    }
    ck_assert_uint_eq(records, 100);
    ck_assert_uint_eq(looks, 600);
}
END_TEST

START_TEST(an_interval_may_be_one_window_or_no_multiple_of_it)
{
    struct meter_options options = {
        .window_us = 1000000, .interval_us = 1000000, .slow_us = 1000000};

    ck_assert_int_eq(meter_depth(&options, 0, 0), ACCOUNT_ALL);
    options.interval_us = 2600000;
    ck_assert_int_eq(meter_depth(&options, 0, 0), ACCOUNT_MEMORY);
    ck_assert_int_eq(meter_depth(&options, 1000000, 0), ACCOUNT_MEMORY);
    ck_assert_int_eq(meter_depth(&options, 2000000, 0), ACCOUNT_ALL);
}
END_TEST

Suite *slow_suite(void);
Suite *slow_suite(void)
{
    const TTest *const tests[] = {
        a_stall_is_its_own_where_it_did_what_its_limit_of_the_disk_allows,
        the_rest_is_read_by_files_that_are_kept,
        where_few_files_may_be_open_the_rest_is_opened_for_each_look,
        a_controller_that_comes_later_is_found,
        ticks_that_come_early_or_late_move_no_record,
        an_interval_may_be_one_window_or_no_multiple_of_it,
    };

    return suite_of_files("slow", tests, sizeof tests / sizeof *tests);
}
