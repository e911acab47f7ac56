/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two processes: this one becomes the program that draws (src/programs/top), a child of it reads
 * the counters and makes the screens. What they say to each other, message by message:
 *
 *   child                              program
 *     |  <-- "restore" bytes ----------  |   what makes the terminal what it was
 *     |  <-- "size COLUMNS LINES" -----  |   at first, and when it has changed
 *     |  <-- "key NAME" ---------------  |
 *     |  --- 's' text ---------------->  |   a screen
 *     |  --- 'e' text ---------------->  |   an error: say it and end
 *     |  --- 'q' --------------------->  |   end
 *     |  <-- "bye" --------------------  |   the terminal is in order
 *
 * Whichever of them ends first, the other one puts the terminal in order.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/sys.h"
#include "sublet/sys/confine.h"
#include "sublet/sys/program.h"

#include "command.h"
#include "top.h"

#define SOCKET_FD   3 /* where the program finds it */
#define MESSAGE_MAX 512
#define RESTORE_MAX 256
#define SCREEN_MAX  ((size_t) 120 << 10) /* one message of the socket */
#define COLUMNS_MAX 400u
#define LINES_MAX   150u
#define WORDS_ERROR "e"
#define WORDS_QUIT  "q"

struct side {
    const struct call *call;
    struct top_look look;
    struct top_world *world;
    int fd, tty_fd;
    struct termios termios;
    char restore[RESTORE_MAX];
    size_t restore_size;
    bool sized, said_bye;
    uint64_t due_ms, looks;
};

/* ---- what the child says ---- */

static int say_screen(struct side *side)
{
    OWNED_BUF text = BUF(SCREEN_MAX);

    buf_putc(&text, 's');
    top_screen(&side->look, top_world_rows(side->world), &text);
    if (buf_failed(&text))
        return -ENOMEM;
    return sub_write_quietly(side->fd, buf_text(&text), text.length);
}

static void say_error_of(const struct side *side, int rc, const struct sub_err *err)
{
    char text[sizeof *err];

    (void) snprintf(text, sizeof text, WORDS_ERROR "%s%s%s", err->path,
                    *err->path == '\0' ? "" : ": ",
                    *err->text == '\0' ? sub_strerror(-rc) : err->text);
    (void) sub_write_quietly(side->fd, text, strlen(text));
}

/* ---- what it hears ---- */

static void take_size(struct side *side, char *words)
{
    const char *columns = strsep(&words, " "), *lines = words;
    uint32_t width, height;

    if (lines == NULL || num_parse_u32(columns, UINT16_MAX, &width) < 0 ||
        num_parse_u32(lines, UINT16_MAX, &height) < 0)
        return;
    side->look.columns = width > COLUMNS_MAX ? COLUMNS_MAX : width;
    side->look.lines = height > LINES_MAX ? LINES_MAX : height;
    side->sized = true;
}

/* 0: the other side has ended. */
static int hear(struct side *side)
{
    static const char size[] = "size ", key[] = "key ", restore[] = "restore ";
    char message[MESSAGE_MAX];
    ssize_t n = recv(side->fd, message, sizeof message - 1, 0);

    if (n <= 0)
        return 0;
    message[n] = '\0';
    if (strncmp(message, size, strlen(size)) == 0) {
        take_size(side, message + strlen(size));
    } else if (strncmp(message, key, strlen(key)) == 0) {
        top_key(&side->look, top_world_rows(side->world), message + strlen(key));
    } else if (strncmp(message, restore, strlen(restore)) == 0) {
        side->restore_size = (size_t) n - strlen(restore);
        if (side->restore_size > sizeof side->restore)
            side->restore_size = 0;
        memcpy(side->restore, message + strlen(restore), side->restore_size);
    } else if (strcmp(message, "bye") == 0) {
        side->said_bye = true;
    }
    return 1;
}

/* ---- the child ---- */

static int wait_ms(const struct side *side)
{
    uint64_t now_ms = sys_now_ms();

    return side->look.paused ? -1 : now_ms >= side->due_ms ? 0 : (int) (side->due_ms - now_ms);
}

static int look_again(struct side *side, struct sub_err *err)
{
    if (side->look.paused || sys_now_ms() < side->due_ms)
        return 0;
    SUBLET_TRY(top_world_look(side->world, err));
    side->due_ms = sys_now_ms() + side->look.interval_us / 1000;
    side->looks++;
    return 0;
}

/* Each screen stays for its time; the first look has no rates. */
static bool is_enough(const struct side *side)
{
    return side->look.iterations > 0 && side->looks > side->look.iterations;
}

static int say_quit(const struct side *side)
{
    (void) sub_write_quietly(side->fd, WORDS_QUIT, strlen(WORDS_QUIT));
    return 0;
}

static int show(struct side *side, struct sub_err *err)
{
    struct pollfd wait = {.fd = side->fd, .events = POLLIN};

    for (;;) {
        SUBLET_TRY(look_again(side, err));
        if (side->sized && say_screen(side) < 0)
            return 0;
        int rc = sys_poll(&wait, 1, wait_ms(side));
        if (rc == -ETIMEDOUT && is_enough(side))
            return say_quit(side);
        if (rc == -ETIMEDOUT)
            continue;
        if (rc < 0)
            return sub_fail(err, -rc, NULL, "poll: %s", sub_strerror(-rc));
        if (hear(side) == 0)
            return 0;
        if (side->look.quit)
            return say_quit(side);
    }
}

static void hear_the_rest(struct side *side)
{
    while (hear(side) != 0)
        continue;
}

/* The program was killed, or crashed. */
static void restore_terminal(const struct side *side)
{
    if (side->said_bye || side->restore_size == 0)
        return;
    (void) tcsetattr(side->tty_fd, TCSANOW, &side->termios);
    (void) sub_write_all(side->tty_fd, side->restore, side->restore_size);
}

static int gather_and_show(struct side *side, struct sub_err *err)
{
    int rc = sys_confine(SYS_MAY_READ);

    if (rc < 0)
        return sub_fail(err, -rc, NULL, "cannot give up privileges: %s", sub_strerror(-rc));
    SUBLET_TRY(top_world_open(side->call, &side->world, err));
    if (side->look.any && top_world_has_no_tenants(side->world))
        side->look.containers = true;
    return show(side, err);
}

__attribute__((noreturn)) static void be_child(struct side *side)
{
    struct sub_err err = {.code = 0};

    (void) sys_setsid(); /* what a terminal sends is for the program */
    int rc = gather_and_show(side, &err);
    if (rc < 0)
        say_error_of(side, rc, &err);
    hear_the_rest(side);
    restore_terminal(side);
    top_world_free(&side->world);
    _exit(rc < 0);
}

/* ---- the program ---- */

int top_interactive(const struct call *call, const struct top_look *look, struct sub_err *err)
{
    static const char *const environment[] = {"TERM", "TERMINFO", "NO_COLOR", NULL};
    static const struct sys_program program = {"top", "libncurses6", environment};
    static char name[] = "top";
    char *const argv[] = {name, NULL};
    struct side side = {.call = call, .look = *look};
    int ends[2];

    OWNED_FD there = sys_program_open(&program, err); /* before there is a child */
    SUBLET_TRY(there);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return sub_fail(err, errno, NULL, "cannot make a socket pair: %s", sub_strerror(errno));
    OWNED_FD ours = ends[0];
    OWNED_FD its = ends[1];
    side.fd = ours;
    side.tty_fd = STDOUT_FILENO;
    if (tcgetattr(side.tty_fd, &side.termios) < 0)
        return sub_fail(err, errno, "stdout", "is no terminal that can be used: %s",
                        sub_strerror(errno));

    pid_t pid = sys_clone(&(struct sys_clone){.cgroup_fd = -1});
    if (pid == 0) {
        sub_close(&its);
        be_child(&side);
    }
    if (pid < 0)
        return sub_fail(err, -(int) pid, NULL, "cannot start a process: %s",
                        sub_strerror(-(int) pid));
    int rc = sys_dup_to(its, SOCKET_FD);
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "cannot hand over a descriptor: %s", sub_strerror(-rc));
    return sys_program_exec(&program, argv, err);
}
