/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program that a container's first process is while it waits for `start`: it carries out a
 * script (include/sublet/base/script.h) and becomes the container's program. Freestanding, no
 * libc: a few pages of memory and no start-up work. The blob is the second segment of this very
 * file (src/proc/image.c appends it), so nothing has to be passed or mapped.
 *
 * argv[0] is the program found in the container's PATH; argv[1], if there, is "HOME=..." and takes
 * the first slot of the environment, which the script leaves free for it.
 */
#include <asm/unistd.h>
#include <linux/sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sublet/base/err.h"
#include "sublet/base/script.h"

#include "call.h"

#define E_INTR   4
#define E_IO     5
#define E_NOENT  2
#define CWD_ROOM 4096

/* Placeholder of the blob: its own writable segment, which ends the file and is replaced by the
 * real one. Declared without a size, since the compiler would trust the placeholder's. */
__asm__(".section .blob, \"aw\"\n"
        ".globl blob_start\n"
        "blob_start: .zero 64\n"
        ".text\n");
extern char blob_start[];

static struct sub_err report;
static char cwd[CWD_ROOM];
static char helper_stack[4096] __attribute__((aligned(16)));

/* Shared with the listener's helper, which has the same memory but is not bound by the filter. */
static volatile int32_t listener_fd, listener_sent;

static const struct script_head *blob_head(void)
{
    return (const struct script_head *) (void *) blob_start;
}

static char *at(uint64_t offset)
{
    return blob_start + offset;
}

static void copy_text(char *to, size_t size, const char *from)
{
    size_t i = 0;

    for (; i + 1 < size && from[i] != '\0'; i++)
        to[i] = from[i];
    to[i] = '\0';
}

/* The receiver appends the errno's sentence: line 0 of an unnamed file asks for it. */
__attribute__((noreturn)) static void fail(const struct script_op *op, int64_t code)
{
    report.code = (int32_t) code;
    copy_text(report.path, sizeof report.path, at(op->path));
    copy_text(report.text, sizeof report.text, at(op->text));
    (void) call3(__NR_write, blob_head()->error_fd, (int64_t) (uintptr_t) &report, sizeof report);
    call3(__NR_exit_group, 1, 0, 0);
    __builtin_unreachable();
}

static void wait_byte(const struct script_op *op)
{
    char byte;
    int64_t n;

    do {
        n = call3(__NR_read, (int64_t) op->args[0], (int64_t) (uintptr_t) &byte, 1);
    } while (n == -E_INTR);
    if (n == 1)
        return;
    if (n < 0)
        fail(op, -n);
    call3(__NR_exit_group, 1, 0, 0); /* the runtime died: nobody is left to be told */
}

static void check_cwd(const struct script_op *op)
{
    int64_t n = call3(__NR_getcwd, (int64_t) (uintptr_t) cwd, sizeof cwd, 0);

    if (n < 0)
        fail(op, -n);
    if (cwd[0] != '/')
        fail(op, E_NOENT);
}

/* 1, or -errno. Without words of the script's own, a byte goes with it. */
static int32_t send_fd(const struct script_op *op, int32_t fd)
{
    struct {
        uint64_t length;
        int32_t level, type, fd, padding;
    } control = {.length = 20, .level = 1, .type = 1, .fd = fd};
    char byte = 'L';
    bool has_words = op->args[5] > 0;
    uint64_t part[2] = {has_words ? op->args[4] : (uintptr_t) &byte, has_words ? op->args[5] : 1};
    struct {
        uint64_t name, name_length, parts, part_count, control, control_length, flags;
    } message = {0};

    message.parts = (uintptr_t) part;
    message.part_count = 1;
    message.control = (uintptr_t) &control;
    message.control_length = sizeof control;

    while (part[1] > 0) {
        int64_t n =
            call3(__NR_sendmsg, (int64_t) op->args[0], (int64_t) (uintptr_t) &message, 0x4000);

        if (n == 0 || (n < 0 && n != -E_INTR))
            return n == 0 ? -E_IO : (int32_t) n;
        if (n < 0)
            continue;
        part[0] += (uint64_t) n;
        part[1] -= (uint64_t) n;
        message.control = message.control_length = 0; /* it went with the first byte */
    }
    return 1;
}

/* Runs in a thread, which leaves no zombie to a container that never waits for it: waits until the
 * filter is in place, which takes microseconds, and sends its fd. The filtered side makes no system
 * call meanwhile, so a filter that traps sendmsg or write cannot block the start. */
static int send_listener(void *argument)
{
    const struct script_op *op = argument;

    while (listener_fd == 0)
        __asm__ volatile("" ::: "memory");
    if (listener_fd > 0) {
        int32_t sent = send_fd(op, listener_fd);

        if (op->args[5] > 0) /* an agent may read to the end of it before it answers anything */
            call3(__NR_close, (int64_t) op->args[0], 0, 0);
        listener_sent = sent;
    }
    call3(__NR_exit, 0, 0, 0);
    return 0;
}

static void clone_sender(const struct script_op *op)
{
    int64_t pid = call_clone(
        CLONE_VM | CLONE_FILES | CLONE_FS | CLONE_SIGHAND | CLONE_THREAD | CLONE_UNTRACED,
        helper_stack + sizeof helper_stack, send_listener, (void *) (uintptr_t) op);
    if (pid < 0)
        fail(op, -pid);
}

/* args: [0] socket, [1] flags, [2] filter program, [3] send it without a helper, [4] words that go
 * with it, [5] how many bytes. */
static void load_with_listener(const struct script_op *op)
{
    bool alone = op->args[3] != 0;

    if (!alone)
        clone_sender(op);
    int64_t fd = call3(__NR_seccomp, 1, (int64_t) op->args[1], (int64_t) op->args[2]);
    listener_fd = fd > 0 ? (int32_t) fd : -1;
    if (fd < 0)
        fail(op, -fd);
    if (alone)
        listener_sent = send_fd(op, listener_fd);
    while (listener_sent == 0)
        __asm__ volatile("" ::: "memory");
    if (listener_sent < 0)
        fail(op, -listener_sent);
    call3(__NR_close, fd, 0, 0);
}

/* Returns the result, which a later call may take (an fd just opened). */
static int64_t run_call(struct script_op *op, int64_t last)
{
    for (uint32_t k = 0; k < SCRIPT_ARGS; k++) {
        if ((op->result_mask >> k & 1) != 0)
            op->args[k] = (uint64_t) last;
    }

    int64_t rc = call6(op->number, op->args);
    if (rc < 0 && rc > -4096 && -rc != op->tolerated[0] && -rc != op->tolerated[1])
        fail(op, -rc);
    return rc;
}

/* How a pid namespace is entered: by being born in it. */
static void leave(const struct script_op *op)
{
    const uint64_t args[SCRIPT_ARGS] = {op->args[2]};
    int64_t pid = call6(__NR_clone, args);

    if (pid < 0)
        fail(op, -pid);
    if (pid == 0)
        return;
    report.code = (int32_t) -pid;
    report.line = (uint32_t) op->args[1];
    (void) call3(__NR_write, (int64_t) op->args[0], (int64_t) (uintptr_t) &report, sizeof report);
    call3(__NR_exit_group, 0, 0, 0);
}

static void run_exec(const struct script_op *op, char **argv)
{
    char **environment = (char **) (uintptr_t) op->args[1];
    int64_t rc;

    if (argv[1] != NULL)
        environment[0] = argv[1];
    else
        environment++;
    rc = call3(__NR_execve, (int64_t) (uintptr_t) argv[0], (int64_t) op->args[0],
               (int64_t) (uintptr_t) environment);
    fail(op, -rc);
}

static void relocate(struct script_op *ops)
{
    const uint32_t *places = (const uint32_t *) (void *) at(blob_head()->relocs);

    for (uint32_t i = 0; i < blob_head()->reloc_count; i++) {
        uint64_t *place = (uint64_t *) (void *) at(places[i]);

        *place += (uintptr_t) blob_start;
    }
    for (uint32_t i = 0; i < blob_head()->op_count; i++) {
        for (uint32_t k = 0; k < SCRIPT_ARGS; k++) {
            if ((ops[i].pointer_mask >> k & 1) != 0)
                ops[i].args[k] += (uintptr_t) blob_start;
        }
    }
}

__attribute__((noreturn, used)) void stub_main(uint64_t *stack);

void stub_main(uint64_t *stack)
{
    char **argv = (char **) (stack + 1);
    struct script_op *ops = (struct script_op *) (void *) at(blob_head()->ops);
    int64_t last = 0;

    relocate(ops);
    for (uint32_t i = 0; i < blob_head()->op_count; i++) {
        switch ((enum script_verb) ops[i].verb) {
        case SCRIPT_CALL:
            last = run_call(&ops[i], last);
            break;
        case SCRIPT_WAIT_BYTE:
            wait_byte(&ops[i]);
            break;
        case SCRIPT_LISTENER:
            load_with_listener(&ops[i]);
            break;
        case SCRIPT_EXEC:
            run_exec(&ops[i], argv);
            break;
        case SCRIPT_CHECK_CWD:
            check_cwd(&ops[i]);
            break;
        case SCRIPT_LEAVE:
            leave(&ops[i]);
            break;
        }
    }
    call3(__NR_exit_group, 1, 0, 0);
    __builtin_unreachable();
}
