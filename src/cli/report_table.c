/* SPDX-License-Identifier: Apache-2.0 */
/* The report to look at: 80 columns, more where the terminal has them. */
#include <stdio.h>
#include <string.h>

#include "sublet/base/buf.h"

#include "period.h"
#include "report.h"
#include "say.h"

#define NAME_MIN   10
#define NAME_MAX   40
#define CELL       10
#define BLAMED_MAX 5

enum cell_kind { CELL_CPU, CELL_SHARE, CELL_BYTES, CELL_COUNT, CELL_MEAN, CELL_PEAK };

/* In the order in which they find room. */
static const struct cell {
    const char *title;
    enum cell_kind kind;
    enum summary_sum sum;
} cells[] = {
    {"ENTITLED",  CELL_CPU,   SUM_ENTITLED     },
    {"USED",      CELL_CPU,   SUM_USED         },
    {"BORROWED",  CELL_CPU,   SUM_BORROWED     },
    {"UNUSED",    CELL_CPU,   SUM_UNUSED       },
    {"THROTTLED", CELL_CPU,   SUM_THROTTLED    },
    {"WAITED",    CELL_CPU,   SUM_WAITING      },
    {"SHORT",     CELL_CPU,   SUM_SHORTFALL    },
    {"OF ENT.",   CELL_SHARE, SUM_ENTITLED     },
    {"LENT",      CELL_CPU,   SUM_LENT         },
    {"MEM MEAN",  CELL_MEAN,  SUM_MEMORY_TIME  },
    {"MEM PEAK",  CELL_PEAK,  SUM_MEMORY_TIME  },
    {"READ",      CELL_BYTES, SUM_READ_BYTES   },
    {"WRITTEN",   CELL_BYTES, SUM_WRITTEN_BYTES},
    {"IO STALL",  CELL_CPU,   SUM_IO_FULL      },
    {"OOM",       CELL_COUNT, SUM_OOM_KILLS    },
    {"STARTED",   CELL_COUNT, SUM_STARTED      },
};
#define CELLS (sizeof cells / sizeof *cells)

/* Containers have no contract of their own. */
static const struct cell container_cells[] = {
    {"USED",      CELL_CPU,   SUM_USED         },
    {"SYSTEM",    CELL_CPU,   SUM_SYSTEM       },
    {"THROTTLED", CELL_CPU,   SUM_THROTTLED    },
    {"STALLED",   CELL_CPU,   SUM_CPU_FULL     },
    {"MEM PEAK",  CELL_PEAK,  SUM_MEMORY_TIME  },
    {"READ",      CELL_BYTES, SUM_READ_BYTES   },
    {"WRITTEN",   CELL_BYTES, SUM_WRITTEN_BYTES},
    {"OOM",       CELL_COUNT, SUM_OOM_KILLS    },
};
#define CONTAINER_CELLS (sizeof container_cells / sizeof *container_cells)

struct drawing {
    struct buf *buf;
    const struct report *report;
    const struct cell *cells;
    size_t columns;
    int name_width;
    uint64_t unit_us;
};

/* ---- columns ---- */

static int clean_width(const char *text)
{
    OWNED_BUF clean = BUF(4096);

    say_escape(&clean, text);
    return (int) clean.length;
}

static const char *name_of(const struct drawing *d, const struct summary_row *row)
{
    return d->report->by == REPORT_CONTAINER ? row->container : row->tenant;
}

static void find_columns(struct drawing *d)
{
    const struct summary *summary = d->report->summary;
    bool containers = d->report->by == REPORT_CONTAINER;
    int wanted = d->report->by >= REPORT_MINUTE ? 20 : NAME_MIN;

    d->cells = containers ? container_cells : cells;
    for (size_t i = 0; i < summary->count && d->report->by < REPORT_MINUTE; i++) {
        int width = summary->rows[i].shown ? clean_width(name_of(d, &summary->rows[i])) : 0;

        wanted = width > wanted ? width : wanted;
    }
    d->name_width = wanted > NAME_MAX ? NAME_MAX : wanted;

    int width = d->report->width < 80 ? 80 : (int) d->report->width;
    size_t room = (size_t) (width - d->name_width - (containers ? 12 : 0)) / CELL;
    size_t all = containers ? CONTAINER_CELLS : CELLS;
    d->columns = room < all ? room : all;
    if (d->columns < 5)
        d->columns = 5;
}

/* Cut where it is longer than the column. */
static void put_name(const struct drawing *d, const char *name, int width)
{
    OWNED_BUF clean = BUF(4096);

    say_escape(&clean, name);
    if ((int) clean.length > width)
        buf_printf(d->buf, "%.*s~", width - 1, buf_text(&clean));
    else
        buf_printf(d->buf, "%-*s", width, buf_text(&clean));
}

static void put_cell(const struct drawing *d, const struct cell *cell, const uint64_t *sums,
                     const struct summary_row *row)
{
    char text[32];
    uint64_t peak = row == NULL ? 0 : row->memory_peak_bytes;

    switch (cell->kind) {
    case CELL_CPU:
        report_amount(d->buf, CELL, sums[cell->sum], d->unit_us);
        return;
    case CELL_SHARE:
        if (sums[SUM_ENTITLED] == 0)
            (void) snprintf(text, sizeof text, "-");
        else
            (void) snprintf(text, sizeof text, "%llu%%",
                            (unsigned long long) (sums[SUM_USED] * 100 / sums[SUM_ENTITLED]));
        break;
    case CELL_BYTES:
        (void) report_bytes(sums[cell->sum], text);
        break;
    case CELL_COUNT:
        (void) snprintf(text, sizeof text, "%llu", (unsigned long long) sums[cell->sum]);
        break;
    case CELL_MEAN:
        (void) report_bytes(report_mean_bytes(sums), text);
        break;
    case CELL_PEAK:
        (void) snprintf(text, sizeof text, "-");
        if (peak > 0)
            (void) report_bytes(peak, text);
        break;
    }
    buf_printf(d->buf, "%*s", CELL, text);
}

static void put_row(const struct drawing *d, const char *name, const uint64_t *sums,
                    const struct summary_row *row)
{
    put_name(d, name, d->name_width);
    if (d->report->by == REPORT_CONTAINER) {
        buf_puts(d->buf, "  ");
        put_name(d, row == NULL || row->tenant == NULL ? "" : row->tenant, 10);
    }
    for (size_t i = 0; i < d->columns; i++)
        put_cell(d, &d->cells[i], sums, row);
    buf_putc(d->buf, '\n');
}

static void put_titles(const struct drawing *d)
{
    static const char *const titles[] = {
        [REPORT_TENANT] = "TENANT", [REPORT_CONTAINER] = "CONTAINER",
        [REPORT_MINUTE] = "FROM",   [REPORT_HOUR] = "FROM",
        [REPORT_DAY] = "FROM",
    };

    buf_printf(d->buf, "%-*s", d->name_width, titles[d->report->by]);
    if (d->report->by == REPORT_CONTAINER)
        buf_printf(d->buf, "  %-10s", "TENANT");
    for (size_t i = 0; i < d->columns; i++)
        buf_printf(d->buf, "%*s", CELL, d->cells[i].title);
    buf_putc(d->buf, '\n');
}

/* ---- what the rows come to ---- */

static void put_closing_row(const struct drawing *d, const char *name, int64_t us)
{
    size_t before = 0;

    while (before < d->columns && d->cells[before].sum != SUM_USED)
        before++;
    buf_printf(d->buf, "%-*s", d->name_width + (d->report->by == REPORT_CONTAINER ? 12 : 0), name);
    buf_printf(d->buf, "%*s", (int) before * CELL - (us < 0), "");
    if (us < 0)
        buf_putc(d->buf, '-');
    report_amount(d->buf, CELL, (uint64_t) (us < 0 ? -us : us), d->unit_us);
    buf_putc(d->buf, '\n');
}

static void put_closing(const struct drawing *d)
{
    const struct report_closing closing = report_close(d->report->summary);

    if (closing.capacity_us == 0)
        return;
    if (closing.others_us > 0)
        put_closing_row(d, d->report->by == REPORT_CONTAINER ? "besides" : "others",
                        (int64_t) closing.others_us);
    put_closing_row(d, "host", (int64_t) closing.own_us);
    put_closing_row(d, "idle", (int64_t) closing.idle_us);
    if (closing.steal_us > 0)
        put_closing_row(d, "stolen", (int64_t) closing.steal_us);
    put_closing_row(d, "unmetered", closing.unknown_us);
    put_closing_row(d, "capacity", (int64_t) closing.capacity_us);
}

static void put_blame(const struct drawing *d, const struct summary_row *row)
{
    uint64_t short_us = row->sums[SUM_SHORTFALL], told_us = 0;
    const char *separator = ": ";

    if (!row->shown || row->blame_count == 0 || row->blame[0].us[SUMMARY_CPU] == 0)
        return;
    for (size_t i = 0; i < row->blame_count; i++)
        told_us += row->blame[i].us[SUMMARY_CPU];
    short_us = short_us > told_us ? short_us : told_us;
    put_name(d, row->tenant, clean_width(row->tenant));
    buf_puts(d->buf, " fell short by ");
    report_amount(d->buf, 0, short_us, d->unit_us);
    for (size_t i = 0; i < row->blame_count && i < BLAMED_MAX; i++) {
        uint64_t us = row->blame[i].us[SUMMARY_CPU];

        if (us == 0)
            break;
        buf_puts(d->buf, separator);
        say_escape(d->buf, row->blame[i].by);
        buf_putc(d->buf, ' ');
        report_amount(d->buf, 0, us, d->unit_us);
        buf_printf(d->buf, " (%llu%%)", (unsigned long long) (us * 100 / short_us));
        separator = ", ";
    }
    buf_putc(d->buf, '\n');
}

static void tell_caveat(void *context, const char *text)
{
    struct buf *buf = context;

    say_escape(buf, text);
    buf_putc(buf, '\n');
}

static void put_head(const struct drawing *d)
{
    const struct summary *summary = d->report->summary;
    const struct summary_query *query = &summary->query;
    char from[PERIOD_TEXT], to[PERIOD_TEXT], length[PERIOD_TEXT], metered[PERIOD_TEXT];

    buf_printf(d->buf, "%s to %s: %s, %s of it metered", period_moment(query->from_us, from),
               period_moment(query->to_us, to),
               period_length(query->to_us - query->from_us, length),
               period_length(summary->host.metered_us, metered));
    if (summary->cpus > 0)
        buf_printf(d->buf, "; %llu CPUs", (unsigned long long) summary->cpus);
    buf_printf(d->buf, "\nCPU time in %s\n\n", d->unit_us > 1000000 ? "hours" : "seconds");
}

static uint64_t largest(const struct summary *summary)
{
    uint64_t us = summary->capacity_us;

    return summary->all[SUM_USED] > us ? summary->all[SUM_USED] : us;
}

void report_table(struct buf *buf, const struct report *report)
{
    const struct summary *summary = report->summary;
    struct drawing d = {.buf = buf, .report = report, .unit_us = report_unit(largest(summary))};
    char from[PERIOD_TEXT];

    find_columns(&d);
    put_head(&d);
    put_titles(&d);
    if (report->by >= REPORT_MINUTE) {
        for (size_t i = 0; i < summary->step_count; i++)
            put_row(&d, period_moment(summary->steps[i].from_us, from), summary->steps[i].sums,
                    NULL);
    } else {
        for (size_t i = 0; i < summary->count; i++) {
            if (summary->rows[i].shown)
                put_row(&d, name_of(&d, &summary->rows[i]), summary->rows[i].sums,
                        &summary->rows[i]);
        }
    }
    put_row(&d, "sum", summary->total, NULL);
    put_closing(&d);
    buf_putc(buf, '\n');
    for (size_t i = 0; i < summary->count && report->by == REPORT_TENANT; i++)
        put_blame(&d, &summary->rows[i]);
    report_caveats(summary, tell_caveat, buf);
}
