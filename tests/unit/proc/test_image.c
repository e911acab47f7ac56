/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/base/script.h"
#include "sublet/proc.h"
#include "sublet/sys.h"

#include "runner.h"

#define REPORT_FD 20

/* What the image did: its standard output, its error record, its status. */
struct result {
    char output[512];
    struct sub_err failure;
    int status;
};

static void run_image(struct script *script, const char *program, const char *home,
                      struct result *ret_result)
{
    struct sub_err err = {0};
    OWNED_BUF blob;
    int image = -EBADF, out[2], report[2];

    buf_init(&blob, SCRIPT_MAX_BYTES);
    ck_assert_int_eq(script_finish(script, &blob), 0);
    ck_ok(proc_image_make(&blob, &image, &err), &err);
    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(report, O_CLOEXEC), 0);

    pid_t pid = fork();
    if (pid == 0) {
        (void) dup2(out[1], 1);
        (void) dup2(report[1], REPORT_FD);
        (void) proc_image_exec(image, program, home);
        _exit(99);
    }
    (void) close(out[1]);
    (void) close(report[1]);
    memset(ret_result, 0, sizeof *ret_result);
    (void) sub_read_all(out[0], ret_result->output, sizeof ret_result->output - 1);
    (void) sub_read_all(report[0], &ret_result->failure, sizeof ret_result->failure);
    (void) waitpid(pid, &ret_result->status, 0);
    (void) close(out[0]);
    (void) close(report[0]);
    (void) close(image);
}

static void put_exec(struct script *script, char *const *argv, char *const *env)
{
    uint64_t argv_at = script_put_strings(script, argv);
    uint64_t env_at = script_put_strings(script, env);
    struct script_op *op = script_add(script, SCRIPT_EXEC, "process.args[0]", "cannot execute");

    op->pointer_mask = 3;
    op->args[0] = argv_at;
    op->args[1] = env_at;
}

START_TEST(calls_are_made_in_order_and_then_the_program_runs)
{
    char *argv[] = {"sh", "-c", "echo $A $HOME $0; umask", "zero", NULL};
    char *env[] = {"", "A=b", NULL};
    OWNED_SCRIPT script;
    struct result result;

    script_init(&script, REPORT_FD);
    const uint64_t mask[SCRIPT_ARGS] = {0027};
    (void) script_call(&script, SYS_umask, mask, 0, "umask");
    uint64_t text = script_put_text(&script, "first\n");
    const uint64_t args[SCRIPT_ARGS] = {1, text, 6};
    (void) script_call(&script, SYS_write, args, 1u << 1, "write");
    put_exec(&script, argv, env);
    run_image(&script, "/bin/sh", "HOME=/there", &result);
    ck_assert_str_eq(result.output, "first\nb /there zero\n0027\n");
    ck_assert_int_eq(result.status, 0);
    ck_assert_int_eq(result.failure.code, 0);
}
END_TEST

START_TEST(a_failing_call_reports_its_text_and_ends_the_script)
{
    char *argv[] = {"true", NULL};
    char *env[] = {"", NULL};
    OWNED_SCRIPT script;
    struct result result;

    script_init(&script, REPORT_FD);
    const uint64_t args[SCRIPT_ARGS] = {12345};
    struct script_op *op = script_add(&script, SCRIPT_CALL, "process.user", "cannot do it");
    op->number = SYS_fchdir;
    memcpy(op->args, args, sizeof args);
    put_exec(&script, argv, env);
    run_image(&script, "/bin/true", NULL, &result);
    ck_assert_int_eq(result.failure.code, EBADF);
    ck_assert_str_eq(result.failure.path, "process.user");
    ck_assert_str_eq(result.failure.text, "cannot do it");
    ck_assert_int_eq(WEXITSTATUS(result.status), 1);
}
END_TEST

START_TEST(a_tolerated_errno_is_no_failure)
{
    char *argv[] = {"true", NULL};
    char *env[] = {"", NULL};
    OWNED_SCRIPT script;
    struct result result;

    script_init(&script, REPORT_FD);
    const uint64_t args[SCRIPT_ARGS] = {12345};
    struct script_op *op = script_call(&script, SYS_fchdir, args, 0, "x");
    op->tolerated[0] = EBADF;
    put_exec(&script, argv, env);
    run_image(&script, "/bin/true", NULL, &result);
    ck_assert_int_eq(result.failure.code, 0);
    ck_assert_int_eq(result.status, 0);
}
END_TEST

START_TEST(a_later_call_takes_the_result_of_an_earlier_one)
{
    char *argv[] = {"true", NULL};
    char *env[] = {"", NULL};
    OWNED_SCRIPT script;
    struct result result;

    script_init(&script, REPORT_FD);
    uint64_t name = script_put_text(&script, "/nonexistent");
    const uint64_t dup_args[SCRIPT_ARGS] = {1};
    (void) script_call(&script, SYS_dup, dup_args, 0, "dup");
    const uint64_t args[SCRIPT_ARGS] = {0, name, 3};
    struct script_op *op = script_call(&script, SYS_write, args, 1u << 1, "write");
    op->result_mask = 1;
    put_exec(&script, argv, env);
    run_image(&script, "/bin/true", NULL, &result);
    ck_assert_str_eq(result.output, "/no");
}
END_TEST

START_TEST(the_image_is_sealed_and_no_file_of_the_host)
{
    char *argv[] = {"true", NULL};
    char *env[] = {"", NULL};
    OWNED_SCRIPT script;
    struct result result;

    /* the image reads its own /proc/self/exe and prints where it leads */
    script_init(&script, REPORT_FD);
    char room[64] = "";
    uint64_t path = script_put_text(&script, "/proc/self/exe");
    uint64_t text = script_put(&script, room, sizeof room);
    const uint64_t args[SCRIPT_ARGS] = {(uint64_t) AT_FDCWD, path, text, 30};
    (void) script_call(&script, SYS_readlinkat, args, 1u << 1 | 1u << 2, "readlink");
    const uint64_t print[SCRIPT_ARGS] = {1, text, 20};
    (void) script_call(&script, SYS_write, print, 1u << 1, "write");
    uint64_t self = script_put_text(&script, "/proc/self/exe");
    const uint64_t open_args[SCRIPT_ARGS] = {(uint64_t) AT_FDCWD, self, O_WRONLY};
    struct script_op *op = script_call(&script, SYS_openat, open_args, 1u << 1, "opened");
    op->tolerated[0] = 0;
    put_exec(&script, argv, env);
    run_image(&script, "/bin/true", NULL, &result);
    ck_assert_str_eq(result.output, "/memfd:sublet-init (");
    ck_assert_str_eq(result.failure.text, "opened");
    ck_assert(result.failure.code == ETXTBSY || result.failure.code == EPERM);
}
END_TEST

START_TEST(a_program_that_cannot_run_is_an_error_with_its_errno)
{
    char *argv[] = {"x", NULL};
    char *env[] = {"", NULL};
    OWNED_SCRIPT script;
    struct result result;

    script_init(&script, REPORT_FD);
    put_exec(&script, argv, env);
    run_image(&script, "/etc/passwd", NULL, &result);
    ck_assert_int_eq(result.failure.code, EACCES);
    ck_assert_str_eq(result.failure.path, "process.args[0]");
}
END_TEST

SUITE(image_suite, calls_are_made_in_order_and_then_the_program_runs,
      a_failing_call_reports_its_text_and_ends_the_script, a_tolerated_errno_is_no_failure,
      a_later_call_takes_the_result_of_an_earlier_one, the_image_is_sealed_and_no_file_of_the_host,
      a_program_that_cannot_run_is_an_error_with_its_errno)
