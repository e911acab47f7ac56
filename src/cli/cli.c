/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/sys.h"

#include "args.h"
#include "command.h"
#include "say.h"
#include "texts.h"

#define STATUS_USAGE   2
#define STATUS_FAILURE 1

/* A caller may have closed 0, 1 or 2; the next file we opened would take its place, and a message
 * would be written into it. The lowest free number is taken, so the order is right. */
static void fill_standard_fds(void)
{
    struct pollfd fds[3] = {{.fd = 0}, {.fd = 1}, {.fd = 2}};

    if (poll(fds, 3, 0) <= 0)
        return;
    for (int i = 0; i < 3; i++) {
        if ((fds[i].revents & POLLNVAL) != 0)
            (void) open("/dev/null", O_RDWR); /* no O_CLOEXEC: it stands for a standard stream */
    }
}

static int tell_help(const struct args *args, struct sub_err *err)
{
    OWNED_BUF text = BUF(TEXTS_MAX_BYTES);

    if (args->version)
        version_text(&text);
    else
        help_text(&text, args->command);
    return say_result(&text, err);
}

static int carry_out(struct arena *arena, const struct args *args, struct sub_err *err)
{
    struct call call = {.arena = arena, .args = args};

    if (args->help || args->version)
        return tell_help(args, err);
    return args->command->body(&call, err);
}

/* An error that came without words is an errno. */
static int complain(const struct args *args, int rc, struct sub_err *err)
{
    int code = err->code;

    if (code == 0 || err->text[0] == '\0')
        (void) sub_fail(err, -rc, NULL, "%s", sub_strerror(-rc));
    say_error(err);
    if (code == ARGS_USAGE)
        return STATUS_USAGE;
    return args->command == NULL ? STATUS_FAILURE : args->command->failure;
}

int cli_main(int argc, char **argv)
{
    OWNED_ARENA arena;
    struct sub_err err = {0}, log_err = {0};
    struct args args;
    int rc, log_rc;

    arena_init(&arena, ARENA_MAX_BYTES);
    fill_standard_fds();
    /* a caller that ignores it would have the kernel reap our children before we can ask */
    (void) sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    /* the caller may not write long files: that is an error to be told, and no reason to die */
    (void) sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    args_init(&args);
    rc = args_parse(&arena, argc, argv, &args, &err);
    log_rc = say_open(&args, &log_err);
    if (rc >= 0 && log_rc < 0)
        return complain(&args, log_rc, &log_err);
    if (rc >= 0)
        rc = carry_out(&arena, &args, &err);
    return rc < 0 ? complain(&args, rc, &err) : rc;
}
