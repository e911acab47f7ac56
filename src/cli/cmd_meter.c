/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/account/meter.h"
#include "sublet/base/err.h"
#include "sublet/base/log.h"
#include "sublet/tenant.h"

#include "command.h"
#include "say.h"

#define SECOND_US     UINT64_C(1000000)
#define WINDOW_MIN_US 10000u

/* clang-format off */
static const struct arg_row table[] = {
    {"interval", 0, ARG_DURATION, INTO(interval_us), NULL, "TIME",
     "write the totals of every tenant to the ledger that often (default: 60s)"},
    {"window", 0, ARG_DURATION, INTO(window_us), NULL, "TIME",
     "look at the CPU counters that often, 10ms at the least (default: 1s)"},
};
/* clang-format on */
static const struct arg_rows rows = ARG_ROWS(table, "Options");

static int check(const struct args *args, const struct meter_options *options, struct sub_err *err)
{
    if (options->window_us < WINDOW_MIN_US)
        return args_refuse(args, err, "'--window' must be at least 10ms");
    if (options->interval_us < options->window_us)
        return args_refuse(args, err, "'--interval' must not be shorter than the window");
    return 0;
}

static int meter_body(const struct call *call, struct sub_err *err)
{
    const struct args *args = call->args;
    struct meter_options options = {
        .tenants_dir = args->tenants == NULL ? TENANT_DIR : args->tenants,
        .ledger_dir = args->ledger == NULL ? LEDGER_FOLDER : args->ledger,
        .window_us = args->window_us == ARGS_NONE_U64 ? SECOND_US : args->window_us,
        .interval_us = args->interval_us == ARGS_NONE_U64 ? 60 * SECOND_US : args->interval_us,
        .tell = say_warning,
    };
    struct meter_cost cost;

    options.slow_us = options.interval_us < 10 * SECOND_US ? options.interval_us : 10 * SECOND_US;
    if (options.slow_us < options.window_us)
        options.slow_us = options.window_us;
    SUBLET_TRY(check(args, &options, err));
    SUBLET_TRY(meter_run(&options, &cost, err));
    log_debug("meter: %llu windows, %llu records, %llu of them not written, %llu us of CPU in "
              "%llu us",
              (unsigned long long) cost.windows, (unsigned long long) cost.records,
              (unsigned long long) cost.failed_records, (unsigned long long) cost.cpu_us,
              (unsigned long long) cost.wall_us);
    return 0;
}

const struct command command_meter = {
    .name = "meter",
    .summary = "watch what tenants use and write it to the ledger until it is told to end",
    .usage = "[OPTION...]",
    .rows = {&rows, &rows_help},
    .failure = 1,
    .body = meter_body,
};
