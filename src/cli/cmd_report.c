/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/base/num.h"

#include "command.h"
#include "period.h"
#include "report.h"
#include "say.h"

#define SECOND_US UINT64_C(1000000)
#define DAY_US    (86400 * SECOND_US)
#define PLOTS_MAX 180

static const struct word kinds[] = {
    {"tenant",    REPORT_TENANT   },
    {"container", REPORT_CONTAINER},
    {"minute",    REPORT_MINUTE   },
    {"hour",      REPORT_HOUR     },
    {"day",       REPORT_DAY      },
};
static const struct word formats[] = {
    {"table", REPORT_TABLE},
    {"csv",   REPORT_CSV  },
    {"json",  REPORT_JSON },
    {"html",  REPORT_HTML },
};
static const struct word classes[] = {
    {"idle",         1u << ACCOUNT_IDLE        },
    {"within",       1u << ACCOUNT_WITHIN      },
    {"borrowing",    1u << ACCOUNT_BORROWING   },
    {"at-cap",       1u << ACCOUNT_AT_CAP      },
    {"squeezed",     1u << ACCOUNT_SQUEEZED    },
    {"victim",       1u << ACCOUNT_VICTIM      },
    {"host-starved", 1u << ACCOUNT_HOST_STARVED},
};
static const struct words kind_words = WORDS(kinds);
static const struct words format_words = WORDS(formats);
static const struct words class_words = WORDS(classes);

/* clang-format off */
static const struct arg_row period_table[] = {
    {"from", 0, ARG_TEXT, INTO(asked.from), NULL, "TIME",
     "begin of the period: '2026-11-22T10:00Z', '2026-11-22', '-2h', '-7d', 'today', 'yesterday'"},
    {"to", 0, ARG_TEXT, INTO(asked.to), NULL, "TIME", "end of the period (default: now)"},
};
static const struct arg_row table[] = {
    {"by", 0, ARG_WORD, INTO(asked.by), &kind_words, NULL, "what the rows are (default: tenant)"},
    {"tenant", 0, ARG_TEXT, INTO(tenant), NULL, "NAME", "rows of this tenant alone"},
    {"container", 0, ARG_TEXT, INTO(asked.container), NULL, "ID", "rows of this container alone"},
    {"class", 0, ARG_WORD, INTO(asked.classes), &class_words, NULL,
     "tenants that were so in one window at least"},
    {"format", 'f', ARG_WORD, INTO(asked.format), &format_words, NULL,
     "form of the report (default: table)"},
};
/* clang-format on */
const struct arg_rows rows_period = ARG_ROWS(period_table, "Period");
static const struct arg_rows rows = ARG_ROWS(table, "Options");

/* A terminal's own width; else what the caller says; else what fits everywhere. */
static unsigned terminal_width(void)
{
    struct winsize size;
    const char *columns = secure_getenv("COLUMNS");
    uint32_t width;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return columns != NULL && num_parse_u32(columns, 1000, &width) == 0 ? width : 80;
}

static int check(const struct args *args, struct sub_err *err)
{
    const struct args_report *options = &args->asked;

    if (options->by >= REPORT_MINUTE && options->classes != 0)
        return args_refuse(args, err, "'--class' chooses tenants: it goes with '--by tenant'");
    if (options->by == REPORT_CONTAINER && options->classes != 0)
        return args_refuse(args, err,
                           "containers have no class: '--class' goes with '--by tenant'");
    if (options->container != NULL && options->by != REPORT_CONTAINER)
        return args_refuse(args, err, "'--container' goes with '--by container'");
    if (options->format == REPORT_HTML && options->by != REPORT_TENANT)
        return args_refuse(args, err, "'--format html' goes with '--by tenant'");
    return 0;
}

/* A round length, so that there are charts to see and not more points than pixels. */
static uint64_t plot_step(uint64_t length_us)
{
    static const uint64_t steps_s[] = {1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600, 21600, 86400};
    size_t i = 0;

    while (i + 1 < sizeof steps_s / sizeof *steps_s &&
           length_us / (steps_s[i] * SECOND_US) > PLOTS_MAX)
        i++;
    uint64_t step_us = steps_s[i] * SECOND_US;
    while (length_us / step_us > PLOTS_MAX)
        step_us *= 2;
    return step_us;
}

static void choose_steps(const struct args_report *options, struct summary_query *query)
{
    static const uint64_t seconds[] = {
        [REPORT_MINUTE] = 60, [REPORT_HOUR] = 3600, [REPORT_DAY] = 86400};

    if (options->format == REPORT_HTML) {
        query->step_us = plot_step(query->to_us - query->from_us);
        query->plots = true;
    } else if (options->by >= REPORT_MINUTE) {
        query->step_us = seconds[options->by] * SECOND_US;
    }
}

static int report_body(const struct call *call, struct sub_err *err)
{
    static void (*const writers[])(struct buf * buf, const struct report *report) = {
        [REPORT_TABLE] = report_table,
        [REPORT_CSV] = report_csv,
        [REPORT_JSON] = report_json,
        [REPORT_HTML] = report_html,
    };
    const struct args *args = call->args;
    const struct args_report *options = &args->asked;
    struct summary_query query = {
        .tenant = args->tenant,
        .container = options->container,
        .classes = options->classes,
        .by = options->by == REPORT_CONTAINER ? SUMMARY_CONTAINERS : SUMMARY_TENANTS,
    };
    OWNED_BUF text = BUF(REPORT_TEXT_MAX);
    OWNED_SUMMARY *summary = NULL;

    SUBLET_TRY(check(args, err));
    SUBLET_TRY(period_read(args, DAY_US, &query.from_us, &query.to_us, err));
    choose_steps(options, &query);
    SUBLET_TRY(
        summary_read(args->ledger == NULL ? LEDGER_FOLDER : args->ledger, &query, &summary, err));

    const struct report report = {summary, options->by, terminal_width()};
    writers[options->format](&text, &report);
    return say_result(&text, err);
}

const struct command command_report = {
    .name = "report",
    .summary = "print what tenants used, borrowed and waited for in a period",
    .usage = "[OPTION...]",
    .rows = {&rows_period, &rows, &rows_help},
    .failure = 1,
    .body = report_body,
};
