/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics for Prometheus: printed, written for node_exporter's textfile collector, or served. */
#include <errno.h>
#include <fcntl.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/sys.h"
#include "sublet/tenant.h"

#include "command.h"
#include "gather.h"
#include "listen.h"
#include "output.h"
#include "say.h"
#include "target.h"

#define OPTION "--output"

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
    {"compat", 0, ARG_FLAG, INTO(compat), NULL, NULL,
     "tell containers by the names of cAdvisor as well, for dashboards that ask for those"},
};
/* clang-format on */
static const struct arg_rows rows = ARG_ROWS(table, "Options");

static int write_file(const struct output *output, const char *fresh, const struct buf *text,
                      struct sub_err *err)
{
    int rc = buf_failed(text) || fresh == NULL ? -ENOMEM : output_write(output, fresh, true, text);

    if (rc < 0)
        return sub_fail(err, -rc, OPTION, "cannot write '%s': %s", output->name, sub_strerror(-rc));
    return 0;
}

static int print(const struct call *call, const struct gather *gather, struct sub_err *err)
{
    const struct args *args = call->args;
    OWNED_BUF text = BUF(METRICS_TEXT_MAX);
    OWNED_OUTPUT output = OUTPUT_NONE;
    struct metrics metrics;

    if (args->output != NULL)
        SUBLET_TRY(output_open(call->arena, OPTION, args->output, &output, err));
    SUBLET_TRY(gather_metrics(gather, call->arena, &metrics, err));
    metrics_write(&metrics,
                  args->format == LISTEN_OPENMETRICS ? METRICS_OPENMETRICS : METRICS_PROMETHEUS,
                  &text);
    if (args->output == NULL)
        return say_result(&text, err);
    return write_file(&output, arena_printf(call->arena, ".%s.new", output.name), &text, err);
}

/* The host's own is root's: what others may not read of it is left out. */
static const char *ledger_folder(const struct args *args)
{
    if (args->ledger != NULL)
        return args->ledger;
    OWNED_FD fd = sys_openat(AT_FDCWD, LEDGER_FOLDER "/" LEDGER_FILE, O_RDONLY | O_NOFOLLOW, 0);
    return fd == -EACCES ? NULL : LEDGER_FOLDER;
}

static int metrics_body(const struct call *call, struct sub_err *err)
{
    const struct args *args = call->args;
    OWNED_ACCOUNT_TOTALS *totals = NULL;
    struct gather gather = {
        .tenants_dir = args->tenants == NULL ? TENANT_DIR : args->tenants,
        .sample = arena_alloc(call->arena, sizeof *gather.sample),
        .compat = args->compat,
    };

    if (gather.sample == NULL)
        return -ENOMEM;
    if (args->listen != NULL && args->output != NULL)
        return args_refuse(args, err, "'--listen' and '--output' are different ways out");
    SUBLET_TRY(target_root(call, &gather.state_root, err));
    SUBLET_TRY(account_totals_open(ledger_folder(args), &totals, err));
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
