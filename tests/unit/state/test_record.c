/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sublet/base/arena.h"
#include "sublet/base/fd.h"
#include "sublet/state.h"
#include "sublet/sys.h"

#include "runner.h"
#include "scratch.h"

static const struct state_pair annotations[] = {
    {"a",          "1"         },
    {"quote\"key", "line\nfeed"},
};

static struct state_record example(void)
{
    return (struct state_record){
        .id = "c1",
        .oci_version = "1.0.2",
        .bundle = "/b",
        .rootfs = "/b/rootfs",
        .created = "2026-01-02T03:04:05.000000006Z",
        .boot_id = "boot",
        .complete = true,
        .process = {.pid = 77, .pidfs_inode = UINT64_MAX, .start_ticks = 0},
        .cgroup_path = "x/y",
        .cgroup_parents = 1,
        .cgroup_manager = "cgroupfs",
        .stop_hooks = true,
        .owner_uid = 1000,
        .annotations = {annotations,         2                       },
    };
}

START_TEST(a_record_comes_back_as_it_was)
{
    char path[64];
    struct sub_err err = {0};
    struct state_record record = example(), back;
    OWNED_ARENA arena;

    arena_init(&arena, 1 << 20);
    scratch_make(path);
    OWNED_FD dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_ok(state_write(dir, &record, &err), &err);
    ck_ok(state_read(&arena, dir, &back, &err), &err);
    ck_assert_str_eq(back.id, "c1");
    ck_assert_str_eq(back.cgroup_path, "x/y");
    ck_assert_int_eq(back.process.pid, 77);
    ck_assert(back.process.pidfs_inode == UINT64_MAX);
    ck_assert(back.complete && back.stop_hooks && !back.start_hooks && !back.cgroup_kept);
    ck_assert_uint_eq(back.annotations.count, 2);
    ck_assert_str_eq(back.annotations.items[1].key, "quote\"key");
    ck_assert_str_eq(back.annotations.items[1].value, "line\nfeed");
    scratch_remove(path);
}
END_TEST

START_TEST(a_damaged_record_is_corrupt_at_every_length)
{
    char path[64], text[4096];
    struct state_record record = example(), back;
    OWNED_ARENA arena;

    arena_init(&arena, 16 << 20);
    scratch_make(path);
    OWNED_FD dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct sub_err first = {0};
    ck_ok(state_write(dir, &record, &first), &first);

    ssize_t whole = sub_read_file_at(dir, STATE_FILE, text, sizeof text);
    ck_assert_int_gt(whole, 100);
    for (ssize_t n = 0; n < whole; n += 7) {
        struct sub_err err = {0};

        ck_ok(state_save(dir, STATE_FILE, text, (size_t) n, &err), &err);
        ck_assert_int_eq(state_read(&arena, dir, &back, &err), -EINVAL);
        ck_assert_ptr_nonnull(strstr(err.text, "corrupt state"));
    }
    scratch_remove(path);
}
END_TEST

START_TEST(a_record_that_names_pid_1_or_no_identity_is_refused)
{
    static const struct state_process bad[] = {
        {1,  5, 0},
        {-1, 5, 0},
        {50, 0, 0},
        {0,  0, 0}
    };
    char path[64];
    OWNED_ARENA arena;

    arena_init(&arena, 1 << 20);
    scratch_make(path);
    OWNED_FD dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sub_err err = {0};
        struct state_record record = example(), back;

        record.process = bad[i];
        ck_ok(state_write(dir, &record, &err), &err);
        ck_assert_int_eq(state_read(&arena, dir, &back, &err), -EINVAL);
    }
    scratch_remove(path);
}
END_TEST

static pid_t sleeper(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        (void) pause();
        _exit(0);
    }
    return pid;
}

START_TEST(a_live_process_is_known_and_a_stranger_is_not)
{
    struct state_record record = example();
    pid_t pid = sleeper(), other = sleeper();
    OWNED_FD pidfd = sys_pidfd_open(pid);

    ck_assert_int_eq(state_boot_id((char[64]){0}), 0);
    char boot[64];
    ck_assert_int_eq(state_boot_id(boot), 0);
    record.boot_id = boot;
    ck_assert_int_eq(state_identify(pid, pidfd, &record.process), 0);

    OWNED_FD found = state_process_open(&record);
    ck_assert_int_ge(found, 0);

    struct state_record stranger = record;
    stranger.process.pid = other; /* the number was used again */
    ck_assert_int_eq(state_process_open(&stranger), -ESRCH);

    struct state_record reboot = record;
    reboot.boot_id = "another";
    ck_assert_int_eq(state_process_open(&reboot), -ESRCH);

    (void) kill(pid, SIGKILL);
    (void) kill(other, SIGKILL);
    int status;
    ck_assert_int_eq(waitid(P_PID, (id_t) pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
    ck_assert_int_eq(state_process_open(&record), -ESRCH); /* a zombie has stopped */
    (void) waitpid(pid, &status, 0);
    (void) waitpid(other, &status, 0);
    ck_assert_int_eq(state_process_open(&record), -ESRCH);
}
END_TEST

START_TEST(time_is_rfc_3339_and_agrees_with_the_clock)
{
    char text[STATE_TIME_TEXT], want[STATE_TIME_TEXT];
    time_t before = time(NULL);
    struct tm tm;

    state_time_now(text);
    ck_assert_uint_eq(strlen(text), 30);
    ck_assert_int_eq(text[29], 'Z');
    for (time_t at = before; at <= time(NULL); at++) {
        (void) gmtime_r(&at, &tm);
        (void) strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%S", &tm);
        if (strncmp(text, want, 19) == 0)
            return;
    }
    ck_abort_msg("%s", text);
}
END_TEST

SUITE(record_suite, a_record_comes_back_as_it_was, a_damaged_record_is_corrupt_at_every_length,
      a_record_that_names_pid_1_or_no_identity_is_refused,
      a_live_process_is_known_and_a_stranger_is_not, time_is_rfc_3339_and_agrees_with_the_clock)
