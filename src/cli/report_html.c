/* SPDX-License-Identifier: Apache-2.0 */
/* The report for a browser: one file that asks for no other. */
#include "report_html.h"

#include <stdlib.h>
#include <string.h>

#include "sublet/base/buf.h"

#include "period.h"
#include "report.h"

#define CHARTS_MAX 20

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<title>Report of the tenants</title>\n<style>\n"
    ":root { --ink: #1c2026; --soft: #5b6472; --paper: #ffffff; --line: #d9dde3;\n"
    "  --used: #2f6db5; --host: #8a6d3b; --others: #7a8ba0; --idle: #e8ebef;\n"
    "  --short: #b3261e; --entitled: #14181d; --gap: #c9ced6; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    ":root { --ink: #e6e9ed; --soft: #a3adba; --paper: #14171b; --line: #333a43;\n"
    "  --used: #6ea8e8; --host: #cda869; --others: #8797ab; --idle: #262c34;\n"
    "  --short: #ff8078; --entitled: #f2f4f6; --gap: #3d4550; } }\n"
    "body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);\n"
    "  margin: 0 auto; padding: 24px 16px 64px; max-width: 1240px; }\n"
    "h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 36px 0 8px; }\n"
    "h3 { font-size: 15px; margin: 24px 0 4px; } p, li { color: var(--soft); margin: 4px 0; }\n"
    ".scroll { overflow-x: auto; }\n"
    "table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: "
    "tabular-nums; }\n"
    "th, td { text-align: right; padding: 4px 8px; border-bottom: 1px solid var(--line);\n"
    "  white-space: nowrap; }\n"
    "th:first-child, td:first-child, .name { text-align: left; }\n"
    "th { color: var(--soft); font-weight: 600; } tr.sum td { font-weight: 600; }\n"
    "svg { display: block; width: 100%; height: auto; }\n"
    "svg text { fill: var(--soft); font: 11px system-ui, sans-serif; }\n"
    ".grid { stroke: var(--line); stroke-width: 1; }\n"
    ".used { fill: var(--used); } path.used { fill-opacity: .75; }\n"
    ".entitled { fill: none; stroke: var(--entitled); stroke-width: 1.5; stroke-dasharray: 5 3; }\n"
    ".short, .used { shape-rendering: crispEdges; } .short { fill: var(--short); } .host { fill: "
    "var(--host); } .others { fill: var(--others); }\n"
    ".idle { fill: var(--idle); } .gap { fill: var(--gap); fill-opacity: .6; }\n"
    ".key { display: inline-block; width: 12px; height: 12px; margin: 0 4px 0 14px;\n"
    "  vertical-align: -1px; }\n"
    ".key.entitled { height: 0; border-top: 2px dashed var(--entitled); vertical-align: 4px; }\n"
    ".key.used { background: var(--used); } .key.short { background: var(--short); }\n"
    ".key.gap { background: var(--gap); }\n"
    "</style>\n</head>\n<body>\n";

struct page {
    struct buf *buf;
    const struct summary *summary;
    uint64_t unit_us;
};

/* ---- tables ---- */

static void put_amount(const struct page *page, uint64_t us)
{
    buf_puts(page->buf, "<td>");
    report_amount(page->buf, 0, us, page->unit_us);
    buf_puts(page->buf, "</td>");
}

static void put_bytes(const struct page *page, uint64_t bytes)
{
    char text[16];

    buf_printf(page->buf, "<td>%s</td>", report_bytes(bytes, text));
}

static void put_sums(const struct page *page, const uint64_t *sums, uint64_t peak_bytes)
{
    static const enum summary_sum amounts[] = {SUM_ENTITLED, SUM_USED,     SUM_BORROWED,
                                               SUM_UNUSED,   SUM_LENT,     SUM_THROTTLED,
                                               SUM_WAITING,  SUM_SHORTFALL};

    for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++)
        put_amount(page, sums[amounts[i]]);
    put_bytes(page, report_mean_bytes(sums));
    if (peak_bytes == 0)
        buf_puts(page->buf, "<td></td>");
    else
        put_bytes(page, peak_bytes);
    put_bytes(page, sums[SUM_READ_BYTES]);
    put_bytes(page, sums[SUM_WRITTEN_BYTES]);
    buf_printf(page->buf, "<td>%llu</td><td>%llu</td></tr>\n",
               (unsigned long long) sums[SUM_OOM_KILLS], (unsigned long long) sums[SUM_STARTED]);
}

static void put_closing_row(const struct page *page, const char *name, int64_t us)
{
    buf_printf(page->buf, "<tr><td>%s</td><td></td><td>%s", name, us < 0 ? "-" : "");
    report_amount(page->buf, 0, (uint64_t) (us < 0 ? -us : us), page->unit_us);
    buf_puts(page->buf, "</td><td colspan=\"12\"></td></tr>\n");
}

static void put_table(const struct page *page)
{
    const struct summary *summary = page->summary;
    const struct report_closing closing = report_close(summary);
    struct buf *buf = page->buf;

    buf_printf(buf,
               "<h2>Tenants</h2>\n<p>CPU time in %s; waited is time of the clock.</p>\n"
               "<div class=\"scroll\"><table>\n<tr><th scope=\"col\">tenant</th>",
               page->unit_us > 1000000 ? "hours" : "seconds");
    for (const char *const *title =
             (const char *const[]){"entitled", "used", "borrowed", "unused", "lent", "throttled",
                                   "waited", "short", "memory", "peak", "read", "written",
                                   "OOM kills", "started", NULL};
         *title != NULL; title++)
        buf_printf(buf, "<th scope=\"col\">%s</th>", *title);
    buf_puts(buf, "</tr>\n");
    for (size_t i = 0; i < summary->count; i++) {
        if (!summary->rows[i].shown)
            continue;
        buf_puts(buf, "<tr><td>");
        html_text(buf, summary->rows[i].tenant);
        buf_puts(buf, "</td>");
        put_sums(page, summary->rows[i].sums, summary->rows[i].memory_peak_bytes);
    }
    buf_puts(buf, "<tr class=\"sum\"><td>sum</td>");
    put_sums(page, summary->total, 0);
    put_closing_row(page, "other tenants", (int64_t) closing.others_us);
    put_closing_row(page, "host", (int64_t) closing.own_us);
    put_closing_row(page, "idle", (int64_t) closing.idle_us);
    put_closing_row(page, "stolen", (int64_t) closing.steal_us);
    put_closing_row(page, "unmetered", closing.unknown_us);
    put_closing_row(page, "capacity", (int64_t) closing.capacity_us);
    buf_puts(buf, "</table></div>\n");
}

static bool was_harmed(const struct summary_row *row)
{
    return row->shown && row->blame_count > 0;
}

static void put_blame(const struct page *page)
{
    const struct summary *summary = page->summary;
    struct buf *buf = page->buf;
    bool any = false;

    for (size_t i = 0; i < summary->count; i++)
        any = any || was_harmed(&summary->rows[i]);
    if (!any)
        return;
    buf_puts(buf, "<h2>Who is to blame</h2>\n<p>CPU: what a tenant was entitled to, asked for and "
                  "did not get. Disk and memory: time in which all of it stood still.</p>\n"
                  "<div class=\"scroll\"><table>\n<tr><th scope=\"col\">tenant</th>"
                  "<th scope=\"col\" class=\"name\">because of</th><th scope=\"col\">CPU</th>"
                  "<th scope=\"col\">disk</th><th scope=\"col\">memory</th></tr>\n");
    for (size_t i = 0; i < summary->count; i++) {
        const struct summary_row *row = &summary->rows[i];

        for (size_t k = 0; k < row->blame_count && row->shown; k++) {
            buf_puts(buf, "<tr><td>");
            html_text(buf, row->tenant);
            buf_puts(buf, "</td><td class=\"name\">");
            html_text(buf, row->blame[k].by);
            buf_puts(buf, "</td>");
            for (int r = 0; r < SUMMARY_RESOURCES; r++)
                put_amount(page, row->blame[k].us[r]);
            buf_puts(buf, "</tr>\n");
        }
    }
    buf_puts(buf, "</table></div>\n");
}

/* ---- charts ---- */

static int by_weight(const void *a, const void *b)
{
    const struct summary_row *x = *(const struct summary_row *const *) a,
                             *y = *(const struct summary_row *const *) b;
    uint64_t of_x = x->sums[SUM_USED] + x->sums[SUM_SHORTFALL],
             of_y = y->sums[SUM_USED] + y->sums[SUM_SHORTFALL];

    if (of_x != of_y)
        return of_x < of_y ? 1 : -1;
    return strcmp(x->tenant, y->tenant);
}

static void put_legend(struct buf *buf)
{
    buf_puts(buf, "<p><span class=\"key used\"></span>used"
                  "<span class=\"key entitled\"></span>entitled"
                  "<span class=\"key short\"></span>asked for, entitled, not given"
                  "<span class=\"key gap\"></span>not metered</p>\n");
}

static void put_charts(const struct page *page)
{
    const struct summary *summary = page->summary;
    const struct summary_row **rows = calloc(summary->count + 1, sizeof(void *));
    struct buf *buf = page->buf;
    size_t count = 0;

    if (rows == NULL) {
        buf->failed = true;
        return;
    }
    for (size_t i = 0; i < summary->count; i++) {
        if (summary->rows[i].shown)
            rows[count++] = &summary->rows[i];
    }
    qsort((void *) rows, count, sizeof(void *), by_weight);
    buf_puts(buf, "<h2>CPUs over time</h2>\n");
    put_legend(buf);
    for (size_t i = 0; i < count && i < CHARTS_MAX; i++) {
        buf_puts(buf, "<h3>");
        html_text(buf, rows[i]->tenant);
        if (rows[i]->contract != NULL) {
            buf_puts(buf, ": ");
            html_text(buf, rows[i]->contract);
        }
        buf_puts(buf, "</h3>\n");
        chart_tenant(buf, summary, rows[i], i);
    }
    if (count > CHARTS_MAX)
        buf_printf(buf, "<p>%zu more tenants are in the table alone.</p>\n", count - CHARTS_MAX);
    free((void *) rows);
}

/* ---- the page ---- */

static void tell_caveat(void *context, const char *text)
{
    struct buf *buf = context;

    buf_puts(buf, "<li>");
    html_text(buf, text);
    buf_puts(buf, "</li>\n");
}

static void put_caveats(const struct page *page)
{
    struct buf *buf = page->buf;

    buf_puts(buf, "<h2>What to know of these figures</h2>\n<ul>\n");
    report_caveats(page->summary, tell_caveat, buf);
    for (const char *const *limit = report_limits; *limit != NULL; limit++)
        tell_caveat(buf, *limit);
    buf_puts(buf, "</ul>\n");
}

void report_html(struct buf *buf, const struct report *report)
{
    const struct summary *summary = report->summary;
    const struct summary_query *query = &summary->query;
    char from[PERIOD_TEXT], to[PERIOD_TEXT], length[PERIOD_TEXT], metered[PERIOD_TEXT];
    const struct page page = {buf, summary, report_unit(summary->capacity_us)};

    buf_puts(buf, head);
    buf_printf(
        buf, "<h1>Report of the tenants</h1>\n<p>%s to %s: %s, %s of it metered; %llu CPUs</p>\n",
        period_moment(query->from_us, from), period_moment(query->to_us, to),
        period_length(query->to_us - query->from_us, length),
        period_length(summary->host.metered_us, metered), (unsigned long long) summary->cpus);
    buf_puts(buf, "<h2>Where the CPU time went</h2>\n");
    chart_capacity(buf, summary);
    put_charts(&page);
    put_table(&page);
    put_blame(&page);
    put_caveats(&page);
    buf_puts(buf, "</body>\n</html>\n");
}
