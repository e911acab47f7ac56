/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <unistd.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/cgroups/reader.h"
#include "sublet/run.h"

#include "command.h"
#include "say.h"
#include "target.h"
#include "usage.h"

#define INTERVAL_US    5000000
#define LINE_MAX_BYTES ((size_t) 1 << 20)

static const struct arg_row table[] = {
    {"interval", 0, ARG_DURATION, INTO(interval_us), NULL, "DURATION",
     "time between two lines of counters (default: 5s)"                                                 },
    {"stats",    0, ARG_FLAG,     INTO(stats),       NULL, NULL,       "print the counters once and end"},
};
static const struct arg_rows rows = ARG_ROWS(table, "Options");

/* Each line leaves at once, whole. */
static int tell_stats(void *id, const struct cgroup_sample *sample, struct sub_err *err)
{
    OWNED_BUF line = BUF(LINE_MAX_BYTES);

    event_stats(&line, id, sample);
    return say_result(&line, err);
}

static int tell_oom(void *id, struct sub_err *err)
{
    OWNED_BUF line = BUF(LINE_MAX_BYTES);

    event_oom(&line, id);
    return say_result(&line, err);
}

static int tell_once(const struct run_target *target, struct sub_err *err)
{
    struct cgroup_sample *sample = arena_alloc(target->arena, sizeof *sample);
    struct run_stats stats;
    OWNED_BUF line = BUF(LINE_MAX_BYTES);

    if (sample == NULL)
        return -ENOMEM;
    SUBLET_TRY(run_stats(target, sample, &stats, err));
    if (stats.info.status == RUN_STOPPED || stats.info.status == RUN_CREATING)
        return sub_fail(err, ESRCH, NULL, "container '%s': container not running: no such process",
                        target->id);
    if (!stats.counted)
        return sub_fail(err, EINVAL, NULL, "container '%s' has no cgroup that counts", target->id);
    event_stats(&line, target->id, sample);
    return say_result(&line, err);
}

static int events_body(const struct call *call, struct sub_err *err)
{
    const struct args *args = call->args;
    struct run_target target;

    if (args->stats && args->interval_us != ARGS_NONE_U64)
        return args_refuse(args, err, "option '--interval' goes without '--stats'");
    SUBLET_TRY(target_make(call, &target, err));
    if (args->stats)
        return tell_once(&target, err);

    const struct run_watch watch = {
        .interval_us = args->interval_us == ARGS_NONE_U64 ? INTERVAL_US : args->interval_us,
        .reader_fd = STDOUT_FILENO,
        .context = (void *) target.id,
        .sampled = tell_stats,
        .oom_killed = tell_oom,
    };
    return run_watch(&target, &watch, err);
}

const struct command command_events = {
    .name = "events",
    .summary = "print counters and OOM kills of a container, as JSON lines, until it ends",
    .usage = "[OPTION...] ID",
    .rows = {&rows, &rows_help},
    .operands_min = 1,
    .operands_max = 1,
    .operand = OPERAND_ID,
    .failure = 1,
    .body = events_body,
};
