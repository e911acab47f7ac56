/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics for Prometheus: printed, written for node_exporter's textfile collector, or served. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/sys.h"
#include "sublet/tenant.h"

#include "command.h"
#include "gather.h"
#include "listen.h"
#include "say.h"
#include "target.h"

static const struct word formats[] = {
    {"prometheus",  LISTEN_PROMETHEUS },
    {"openmetrics", LISTEN_OPENMETRICS},
};
static const struct words format_words = WORDS(formats);

/* clang-format off */
static const struct arg_row table[] = {
    {"format", 0, ARG_WORD, INTO(format), &format_words, NULL,
     "form of the text (default: prometheus)"},
    {"output", 'o', ARG_FILE, INTO(output), NULL, "FILE",
     "write to FILE, all at once, for a reader that looks at any time; node_exporter wants it to "
     "end in .prom"},
    {"listen", 'l', ARG_TEXT, INTO(listen), NULL, "[ADDRESS:]PORT",
     "serve them at http://ADDRESS:PORT/metrics until SIGTERM, in the format that each client asks "
     "for if --format does not say it (default: 127.0.0.1)"},
};
/* clang-format on */
static const struct arg_rows rows = ARG_ROWS(table, "Options");

/* ---- a file ---- */

static int fill_file(int fd, const struct buf *text)
{
    int rc = sub_write_all(fd, buf_text(text), text->length);

    return rc < 0 ? rc : sys_fchmod(fd, 0644); /* its reader is another user */
}

/* What an earlier one left that was killed is in the way of nobody. */
static int put_file(int dir_fd, const char *name, const char *temporary, const struct buf *text)
{
    (void) sys_unlinkat(dir_fd, temporary, 0);
    OWNED_FD fd = sys_openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fd;

    int rc = fill_file(fd, text);
    if (rc == 0)
        rc = sys_renameat(dir_fd, temporary, dir_fd, name);
    if (rc < 0)
        (void) sys_unlinkat(dir_fd, temporary, 0);
    return rc;
}

static int write_file(struct arena *arena, const char *path, const struct buf *text,
                      struct sub_err *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    char *temporary = arena_printf(arena, ".%s.new", name);
    char *folder = slash == NULL   ? arena_strdup(arena, ".")
                   : slash == path ? arena_strdup(arena, "/")
                                   : arena_strndup(arena, path, (size_t) (slash - path));

    if (buf_failed(text) || temporary == NULL || folder == NULL)
        return -ENOMEM;
    if (*name == '\0')
        return sub_fail(err, EISDIR, path, "is the name of a folder");
    OWNED_FD dir = sys_openat(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0);
    if (dir < 0)
        return sub_fail(err, -dir, path, "cannot open its folder: %s", sub_strerror(-dir));

    int rc = put_file(dir, name, temporary, text);
    return rc < 0 ? sub_fail(err, -rc, path, "cannot write: %s", sub_strerror(-rc)) : 0;
}

static int print(const struct call *call, const struct gather *gather, struct sub_err *err)
{
    const struct args *args = call->args;
    OWNED_BUF text = BUF(METRICS_TEXT_MAX);
    struct metrics metrics;

    SUBLET_TRY(gather_metrics(gather, call->arena, &metrics, err));
    metrics_write(&metrics,
                  args->format == LISTEN_OPENMETRICS ? METRICS_OPENMETRICS : METRICS_PROMETHEUS,
                  &text);
    return args->output == NULL ? say_result(&text, err)
                                : write_file(call->arena, args->output, &text, err);
}

static int metrics_body(const struct call *call, struct sub_err *err)
{
    const struct args *args = call->args;
    OWNED_ACCOUNT_TOTALS *totals = NULL;
    struct gather gather = {
        .tenants_dir = args->tenants == NULL ? TENANT_DIR : args->tenants,
        .sample = arena_alloc(call->arena, sizeof *gather.sample),
    };

    if (gather.sample == NULL)
        return -ENOMEM;
    if (args->listen != NULL && args->output != NULL)
        return args_refuse(args, err, "'--listen' and '--output' are different ways out");
    SUBLET_TRY(target_root(call, &gather.state_root, err));
    SUBLET_TRY(
        account_totals_open(args->ledger == NULL ? LEDGER_FOLDER : args->ledger, &totals, err));
    gather.totals = totals;
    return args->listen == NULL ? print(call, &gather, err) : listen_serve(call, &gather, err);
}

const struct command command_metrics = {
    .name = "metrics",
    .summary = "print what tenants and containers use, for Prometheus",
    .usage = "[OPTION...]",
    .rows = {&rows, &rows_help},
    .failure = 1,
    .body = metrics_body,
};
