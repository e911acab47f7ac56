/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sublet/account/ledger.h"
#include "sublet/base/buf.h"
#include "sublet/base/fd.h"

#include "runner.h"
#include "scratch.h"

struct seen {
    uint64_t count, notes, heads, seals, last_use, last_seq;
    bool twice; /* a sequence number was */
    char tenants[512];
};

static int see(void *context, const struct ledger_record *record)
{
    struct seen *seen = context;

    seen->count++;
    seen->twice |= record->seq == seen->last_seq;
    seen->last_seq = record->seq;
    seen->notes += strcmp(record->k, LEDGER_NOTE) == 0;
    seen->heads += strcmp(record->k, LEDGER_HEAD) == 0;
    seen->seals += strcmp(record->k, LEDGER_SEAL) == 0;
    if (record->tenant != NULL && strlen(seen->tenants) < sizeof seen->tenants - 64)
        strcat(strcat(seen->tenants, record->tenant), " ");
    if (record->cpu != NULL)
        seen->last_use = record->cpu->use;
    return 0;
}

static struct ledger_stats read_all(const char *path, struct seen *seen)
{
    struct ledger_stats stats;
    struct sub_err err = {0};

    memset(seen, 0, sizeof *seen);
    ck_ok(ledger_read(path, 0, UINT64_MAX, see, seen, &stats, &err), &err);
    return stats;
}

static struct ledger new_ledger(char path[64])
{
    struct sub_err err = {0};
    struct ledger ledger = LEDGER_NONE;

    scratch_make(path);
    ck_ok(ledger_open(path, false, &ledger, &err), &err);
    return ledger;
}

static int append_sample(struct ledger *ledger, const char *tenant, uint64_t use,
                         struct sub_err *err)
{
    struct ledger_cpu cpu = {.use = use};
    struct ledger_record record = {.k = LEDGER_SAMPLE, .tenant = tenant, .cg = 7, .cpu = &cpu};

    return ledger_append(ledger, &record, err);
}

START_TEST(the_sum_is_crc_32c)
{
    ck_assert_uint_eq(ledger_crc("123456789", 9), 0xe3069283u);
    ck_assert_uint_eq(ledger_crc("", 0), 0);
}
END_TEST

START_TEST(what_was_appended_is_read_in_order)
{
    char path[64];
    struct sub_err err = {0};
    struct seen seen;

    OWNED_LEDGER ledger = new_ledger(path);
    ck_ok(append_sample(&ledger, "acme", 11, &err), &err);
    ck_ok(append_sample(&ledger, "globex", UINT64_MAX, &err), &err);

    struct ledger_stats stats = read_all(path, &seen);
    ck_assert_str_eq(seen.tenants, "acme globex ");
    ck_assert_uint_eq(seen.heads, 1);
    ck_assert_uint_eq(seen.last_use, UINT64_MAX);
    ck_assert_uint_eq(stats.records, 3);
    ck_assert_uint_eq(stats.torn, 0);
    ck_assert_uint_eq(stats.missing, 0);
    scratch_remove(path);
}
END_TEST

static bool fill_odd(void *context, size_t index, struct ledger_record *ret_record)
{
    struct ledger_cpu *cpus = context;

    cpus[index].use = index;
    *ret_record = (struct ledger_record){
        .k = LEDGER_SAMPLE, .tenant = index == 1 ? "one" : "three", .cg = 7, .cpu = &cpus[index]};
    return index % 2 == 1;
}

START_TEST(several_are_written_as_one_or_not_at_all)
{
    char path[64], file[128];
    struct sub_err err = {0}, full = {0};
    struct seen seen;
    struct ledger_cpu cpus[5] = {{.use = 0}};
    const struct ledger_source source = {fill_odd, cpus};
    struct rlimit limit;
    struct stat st;

    scratch_make(path);
    (void) snprintf(file, sizeof file, "%s/" LEDGER_FILE, path);
    OWNED_LEDGER ledger = LEDGER_NONE;
    ck_ok(ledger_open(path, false, &ledger, &err), &err);
    ck_assert_int_eq(ledger_append_each(&ledger, &source, 4, 5, &err), 0); /* but the head */
    ck_assert_int_eq(stat(file, &st), 0);
    off_t head = st.st_size;
    ck_assert_int_eq(ledger_append_each(&ledger, &source, 0, 5, &err), 2);
    ck_assert_int_eq(stat(file, &st), 0);

    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    /* there is room for one and a half */
    struct rlimit tight = {(rlim_t) (st.st_size + (st.st_size - head) * 3 / 4), limit.rlim_max};
    (void) signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &tight), 0);
    ck_assert_int_lt(ledger_append_each(&ledger, &source, 0, 5, &full), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_ok(append_sample(&ledger, "two", 3, &err), &err);

    struct ledger_stats stats = read_all(path, &seen);
    ck_assert_str_eq(seen.tenants, "one three two ");
    ck_assert_uint_eq(stats.missing + stats.torn + stats.doubled + seen.notes, 0);
    scratch_remove(path);
}
END_TEST

START_TEST(a_host_without_the_folder_keeps_no_ledger)
{
    struct sub_err err = {0};
    struct seen seen;
    OWNED_LEDGER ledger = LEDGER_NONE;

    ck_assert_int_eq(ledger_open("/nonexistent/ledger", false, &ledger, &err), -ENOENT);
    ck_assert_int_eq(err.code, 0);
    ck_assert_uint_eq(read_all("/nonexistent/ledger", &seen).records, 0);
}
END_TEST

static void spoil(const char *folder, const char *text, size_t cut)
{
    char path[128];
    struct stat st;

    (void) snprintf(path, sizeof path, "%s/" LEDGER_FILE, folder);
    OWNED_FD fd = open(path, O_WRONLY | O_APPEND);
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_int_eq(ftruncate(fd, st.st_size - (off_t) cut), 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
}

START_TEST(a_torn_line_costs_itself_and_nothing_else)
{
    char path[64];
    struct sub_err err = {0};
    struct seen seen;

    OWNED_LEDGER ledger = new_ledger(path);
    ck_ok(append_sample(&ledger, "one", 1, &err), &err);
    ck_ok(append_sample(&ledger, "torn", 2, &err), &err);
    spoil(path, "", 20);

    struct ledger_stats stats = read_all(path, &seen);
    ck_assert_str_eq(seen.tenants, "one ");
    ck_assert_uint_eq(stats.torn, 0); /* it may still be in the writing */

    ck_ok(append_sample(&ledger, "two", 3, &err), &err);
    stats = read_all(path, &seen);
    ck_assert_str_eq(seen.tenants, "one two ");
    ck_assert_uint_eq(seen.notes, 1);
    ck_assert_uint_eq(stats.torn, 1);

    spoil(path, "", 1); /* nothing but its end */
    ck_ok(append_sample(&ledger, "three", 4, &err), &err);
    ck_assert_uint_eq(read_all(path, &seen).missing, 0);
    ck_assert_str_eq(seen.tenants, "one two three ");
    ck_assert(!seen.twice);
    scratch_remove(path);
}
END_TEST

START_TEST(a_line_that_was_changed_is_none)
{
    char path[64];
    struct sub_err err = {0};
    struct seen seen;

    OWNED_LEDGER ledger = new_ledger(path);
    ck_ok(append_sample(&ledger, "one", 1, &err), &err);
    spoil(path,
          "{\"v\":1,\"k\":\"sample\",\"seq\":3,\"t\":\"x\",\"us\":1,\"boot\":\"x\",\"crc\":"
          "\"00000000\"}\n",
          0);
    spoil(path, "not JSON at all\n\n", 0);
    ck_ok(append_sample(&ledger, "two", 2, &err), &err);

    struct ledger_stats stats = read_all(path, &seen);
    ck_assert_str_eq(seen.tenants, "one two ");
    ck_assert_uint_eq(stats.torn, 2);
    scratch_remove(path);
}
END_TEST

START_TEST(a_line_that_does_not_fit_on_the_disk_is_taken_back)
{
    char path[64];
    struct sub_err err = {0}, full = {0};
    struct seen seen;
    struct stat st;
    struct rlimit limit;
    char file[128];

    scratch_make(path);
    (void) snprintf(file, sizeof file, "%s/" LEDGER_FILE, path);
    OWNED_LEDGER ledger = LEDGER_NONE;
    ck_ok(ledger_open(path, false, &ledger, &err), &err);
    ck_ok(append_sample(&ledger, "one", 1, &err), &err);
    ck_assert_int_eq(stat(file, &st), 0);

    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    struct rlimit tight = {(rlim_t) st.st_size + 40, limit.rlim_max};
    (void) signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &tight), 0);
    ck_assert_int_lt(append_sample(&ledger, "two", 2, &full), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);

    ck_assert_uint_eq(read_all(path, &seen).torn, 0);
    ck_ok(append_sample(&ledger, "two", 2, &err), &err);
    struct ledger_stats stats = read_all(path, &seen);
    ck_assert_str_eq(seen.tenants, "one two ");
    ck_assert_uint_eq(stats.torn + stats.missing + seen.notes, 0);
    scratch_remove(path);
}
END_TEST

START_TEST(a_long_file_is_sealed_and_read_before_the_next)
{
    char path[64], tenant[16];
    struct sub_err err = {0};
    struct seen seen;

    OWNED_LEDGER ledger = new_ledger(path);
    ledger.max_bytes = 1500;
    for (int i = 0; i < 20; i++) {
        (void) snprintf(tenant, sizeof tenant, "t%d", i);
        ck_ok(append_sample(&ledger, tenant, 1, &err), &err);
    }

    struct ledger_stats stats = read_all(path, &seen);
    ck_assert_str_eq(seen.tenants,
                     "t0 t1 t2 t3 t4 t5 t6 t7 t8 t9 t10 t11 t12 t13 t14 t15 t16 t17 t18 t19 ");
    ck_assert_uint_ge(stats.files, 3);
    ck_assert_uint_eq(seen.seals, stats.files - 1);
    ck_assert_uint_eq(seen.heads, stats.files);
    ck_assert_uint_eq(stats.torn + stats.missing, 0);
    scratch_remove(path);
}
END_TEST

/* Two writers that know nothing of each other, and files that are sealed under their hands. */
static void write_many(const char *path, const char *tenant, int count)
{
    struct sub_err err = {0};
    struct ledger ledger;

    if (ledger_open(path, false, &ledger, &err) < 0)
        _exit(1);
    ledger.max_bytes = 20000;
    for (int i = 1; i <= count; i++) {
        if (append_sample(&ledger, tenant, (uint64_t) i, &err) < 0)
            _exit(2);
    }
    _exit(0);
}

START_TEST(two_writers_lose_nothing)
{
    char path[64];
    struct seen seen;
    int status;

    scratch_make(path);
    for (int i = 0; i < 2; i++) {
        if (fork() == 0)
            write_many(path, i == 0 ? "a" : "b", 200);
    }
    for (int i = 0; i < 2; i++) {
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }

    struct ledger_stats stats = read_all(path, &seen);
    ck_assert_uint_eq(seen.count - seen.heads - seen.seals, 400);
    ck_assert_uint_eq(stats.torn + stats.missing + seen.notes, 0);
    scratch_remove(path);
}
END_TEST

START_TEST(a_killed_writer_loses_no_line_that_was_acknowledged)
{
    char path[64];
    struct seen seen;

    scratch_make(path);
    for (int round = 0; round < 30; round++) {
        int pipe_fds[2], status;
        uint64_t acknowledged = 0;

        ck_assert_int_eq(pipe(pipe_fds), 0);
        pid_t pid = fork();
        if (pid == 0) {
            struct sub_err err = {0};
            struct ledger ledger;

            for (int rc = ledger_open(path, false, &ledger, &err); rc >= 0;) {
                rc = append_sample(&ledger, "k", 1, &err);
                if (write(pipe_fds[1], "x", 1) != 1)
                    break;
            }
            _exit(1);
        }
        (void) close(pipe_fds[1]);
        usleep((useconds_t) (300 + round * 100));
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        for (char byte; read(pipe_fds[0], &byte, 1) == 1;)
            acknowledged++;
        (void) close(pipe_fds[0]);

        struct ledger_stats stats = read_all(path, &seen);
        ck_assert_uint_eq(stats.missing, 0);
        ck_assert_uint_ge(seen.count - seen.heads - seen.notes, acknowledged);
        char file[128];
        (void) snprintf(file, sizeof file, "%s/" LEDGER_FILE, path);
        (void) unlink(file);
    }
    scratch_remove(path);
}
END_TEST

START_TEST(a_range_of_time_is_read_and_no_more)
{
    char path[64];
    struct sub_err err = {0};
    struct seen seen = {0};
    struct ledger_stats stats;
    struct timespec now;

    OWNED_LEDGER ledger = new_ledger(path);
    ck_ok(append_sample(&ledger, "before", 1, &err), &err);
    usleep(2000);
    (void) clock_gettime(CLOCK_REALTIME, &now);
    uint64_t us = (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
    ck_ok(append_sample(&ledger, "after", 1, &err), &err);

    ck_ok(ledger_read(path, us, UINT64_MAX, see, &seen, &stats, &err), &err);
    ck_assert_str_eq(seen.tenants, "after ");
    memset(&seen, 0, sizeof seen);
    ck_ok(ledger_read(path, 0, us, see, &seen, &stats, &err), &err);
    ck_assert_str_eq(seen.tenants, "before ");
    scratch_remove(path);
}
END_TEST

/* ---- order, and going back ---- */

static void set_moment(const char *folder, const char *line)
{
    OWNED_BUF text = BUF(LEDGER_LINE_MAX);

    buf_puts(&text, line);
    buf_printf(&text, ",\"crc\":\"%08x\"}\n", ledger_crc(line, strlen(line)));
    spoil(folder, buf_text(&text), 0);
}

/* Fills the file and has it sealed: the latest moment in it is that. */
static void seal_at(const char *folder, struct ledger *ledger, const char *tenant, const char *t,
                    unsigned long long us)
{
    struct sub_err err = {0};
    char line[512];

    ck_ok(append_sample(ledger, "none", 1, &err), &err);
    (void) snprintf(line, sizeof line,
                    "{\"v\":1,\"k\":\"sample\",\"seq\":3,\"t\":\"%s\",\"us\":%llu,"
                    "\"boot\":\"72915d91\",\"tenant\":\"%s\"",
                    t, us, tenant);
    set_moment(folder, line);
    ledger->max_bytes = 1;
    ck_ok(append_sample(ledger, "none", 1, &err), &err);
    ledger->max_bytes = LEDGER_FILE_MAX;
}

static int see_back(void *context, const struct ledger_record *record)
{
    struct seen *seen = context;

    (void) see(context, record);
    return record->tenant != NULL && strcmp(record->tenant, "stop") == 0 ? (int) seen->count : 0;
}

START_TEST(the_order_of_files_survives_a_clock_that_was_set_back)
{
    static const char *const samples[] = {LEDGER_SAMPLE, NULL};
    char path[64];
    struct sub_err err = {0};
    struct seen seen;

    OWNED_LEDGER ledger = new_ledger(path);
    seal_at(path, &ledger, "one", "2999-11-22T11:00:00.000000Z", 32500000000000000);
    seal_at(path, &ledger, "two", "2998-11-22T11:00:00.000000Z", 32468000000000000);

    struct ledger_stats stats = read_all(path, &seen);
    ck_assert_uint_eq(stats.files, 3);
    ck_assert_str_eq(seen.tenants, "none one none none two none ");

    /* a file is passed over by the latest moment in it */
    memset(&seen, 0, sizeof seen);
    ck_ok(ledger_read(path, 32490000000000000, UINT64_MAX, see, &seen, &stats, &err), &err);
    ck_assert_str_eq(seen.tenants, "one ");
    ck_assert_uint_eq(stats.files, 2);

    memset(&seen, 0, sizeof seen);
    ck_ok(ledger_read_back(path, samples, see_back, &seen, &err), &err);
    ck_assert_str_eq(seen.tenants, "none two none none one none ");
    scratch_remove(path);
}
END_TEST

START_TEST(who_goes_back_reads_no_more_than_is_asked_for)
{
    static const char *const samples[] = {LEDGER_SAMPLE, NULL};
    static const char *const heads[] = {LEDGER_HEAD, NULL};
    char path[64], tenant[16];
    struct sub_err err = {0};
    struct seen seen = {0};

    OWNED_LEDGER ledger = new_ledger(path);
    ck_ok(append_sample(&ledger, "stop", 1, &err), &err);
    for (int i = 0; i < 3000; i++) { /* more than a chunk */
        (void) snprintf(tenant, sizeof tenant, "t%d", i);
        ck_ok(append_sample(&ledger, tenant, 1, &err), &err);
    }
    spoil(path, "{\"v\":1,\"k\":\"sample\",\"se", 0); /* in the writing */
    ck_assert_int_eq(ledger_read_back(path, samples, see_back, &seen, &err), 3001);
    ck_assert_int_eq(strncmp(seen.tenants, "t2999 t2998 t2997 ", 18), 0);

    memset(&seen, 0, sizeof seen);
    ck_ok(ledger_read_back(path, heads, see_back, &seen, &err), &err);
    ck_assert_uint_eq(seen.count, 1);
    ck_assert_uint_eq(seen.heads, 1);
    scratch_remove(path);
}
END_TEST

START_TEST(a_writer_waits_no_longer_for_another_than_it_may)
{
    char path[64], file[128];
    struct sub_err err = {0}, busy = {0};

    OWNED_LEDGER ledger = new_ledger(path);
    ck_ok(append_sample(&ledger, "one", 1, &err), &err);
    (void) snprintf(file, sizeof file, "%s/" LEDGER_FILE, path);
    OWNED_FD other = open(file, O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(flock(other, LOCK_EX), 0);
    ledger.lock_ms = 20;
    ck_assert_int_eq(append_sample(&ledger, "two", 2, &busy), -EBUSY);
    ck_assert_int_eq(flock(other, LOCK_UN), 0);
    ck_ok(append_sample(&ledger, "two", 2, &err), &err);
    scratch_remove(path);
}
END_TEST

SUITE(ledger_suite, the_sum_is_crc_32c, what_was_appended_is_read_in_order,
      several_are_written_as_one_or_not_at_all, a_host_without_the_folder_keeps_no_ledger,
      a_torn_line_costs_itself_and_nothing_else, a_line_that_was_changed_is_none,
      a_line_that_does_not_fit_on_the_disk_is_taken_back,
      a_long_file_is_sealed_and_read_before_the_next, two_writers_lose_nothing,
      a_killed_writer_loses_no_line_that_was_acknowledged, a_range_of_time_is_read_and_no_more,
      the_order_of_files_survives_a_clock_that_was_set_back,
      who_goes_back_reads_no_more_than_is_asked_for,
      a_writer_waits_no_longer_for_another_than_it_may)
