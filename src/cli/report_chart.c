/* SPDX-License-Identifier: Apache-2.0 */
/* Charts as SVG within the page. Colours are the page's; nothing depends on colour alone: lines
 * differ in form, and a table of the same numbers stands below. */
#include <stdio.h>
#include <string.h>

#include "sublet/base/buf.h"

#include "period.h"
#include "report.h"
#include "report_html.h"
#include "say.h"

#define WIDTH  720
#define HEIGHT 190
#define LEFT   46
#define RIGHT  8
#define TOP    10
#define BOTTOM 24
#define INNER  (WIDTH - LEFT - RIGHT)
#define DEEP   (HEIGHT - TOP - BOTTOM)

struct chart {
    struct buf *buf;
    const struct summary *summary;
    const struct summary_row *row;
    uint64_t top_milli; /* of a CPU, at the upper edge */
};

void html_text(struct buf *buf, const char *text)
{
    OWNED_BUF clean = BUF(1 << 20);

    say_escape(&clean, text);
    for (const char *at = buf_text(&clean); *at != '\0'; at++) {
        switch (*at) {
        case '&':
            buf_puts(buf, "&amp;");
            break;
        case '<':
            buf_puts(buf, "&lt;");
            break;
        case '>':
            buf_puts(buf, "&gt;");
            break;
        case '"':
            buf_puts(buf, "&quot;");
            break;
        case '\'':
            buf_puts(buf, "&#39;");
            break;
        default:
            buf_putc(buf, *at);
        }
    }
}

/* ---- coordinates, in tenths of a pixel ---- */

static uint64_t step_from(const struct summary *summary, size_t step)
{
    uint64_t from_us = summary->steps[step].from_us;

    return from_us < summary->query.from_us ? summary->query.from_us : from_us;
}

static uint64_t step_to(const struct summary *summary, size_t step)
{
    uint64_t to_us = summary->steps[step].from_us + summary->query.step_us;

    return to_us < summary->query.to_us ? to_us : summary->query.to_us;
}

static uint64_t milli_cpus(const struct chart *chart, size_t step, enum summary_plot plot)
{
    uint64_t long_us = step_to(chart->summary, step) - step_from(chart->summary, step);

    return long_us == 0 ? 0 : chart->row->plots[step][plot] * 1000 / long_us;
}

static unsigned x_of(const struct summary *summary, uint64_t us)
{
    const struct summary_query *query = &summary->query;
    uint64_t long_us = query->to_us - query->from_us;
    uint64_t right = long_us == 0 ? 0 : (us - query->from_us) * (INNER * UINT64_C(10)) / long_us;

    return LEFT * 10 + (unsigned) right;
}

static unsigned y_of(const struct chart *chart, uint64_t milli)
{
    uint64_t high = DEEP * UINT64_C(10);
    uint64_t up = milli >= chart->top_milli ? high : milli * high / chart->top_milli;

    return (TOP + DEEP) * 10 - (unsigned) up;
}

static void put_point(struct buf *buf, const char *before, unsigned x, unsigned y)
{
    buf_printf(buf, "%s%u.%u %u.%u", before, x / 10, x % 10, y / 10, y % 10);
}

/* 1, 2, 2.5 or 5 times a power of ten, and four of them reach over the highest point. */
static uint64_t round_part(uint64_t highest_milli)
{
    static const uint64_t parts[] = {10, 20, 25, 50};
    uint64_t scale = 1;

    for (;; scale *= 10) {
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
            if (parts[i] * scale * 4 >= highest_milli)
                return parts[i] * scale;
        }
    }
}

static void find_top(struct chart *chart)
{
    uint64_t highest = 1;

    for (size_t i = 0; i < chart->summary->step_count; i++) {
        uint64_t used = milli_cpus(chart, i, PLOT_USED);
        uint64_t entitled = milli_cpus(chart, i, PLOT_ENTITLED);

        highest = used > highest ? used : highest;
        highest = entitled > highest ? entitled : highest;
    }
    chart->top_milli = 4 * round_part(highest);
}

/* ---- parts of a chart ---- */

static void put_grid(const struct chart *chart)
{
    struct buf *buf = chart->buf;

    for (unsigned i = 0; i <= 4; i++) {
        uint64_t milli = chart->top_milli / 4 * i;
        unsigned y = y_of(chart, milli);

        buf_printf(buf,
                   "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%u.%u\" y2=\"%u.%u\"/>"
                   "<text x=\"%d\" y=\"%u\" text-anchor=\"end\">%llu.%02llu</text>\n",
                   LEFT, WIDTH - RIGHT, y / 10, y % 10, y / 10, y % 10, LEFT - 6, y / 10 + 4,
                   (unsigned long long) (milli / 1000), (unsigned long long) (milli % 1000 / 10));
    }
}

static void put_times(const struct chart *chart)
{
    const struct summary_query *query = &chart->summary->query;
    static const char *const anchors[] = {"start", "middle", "middle", "middle", "end"};

    for (unsigned i = 0; i <= 4; i++) {
        uint64_t us = query->from_us + (query->to_us - query->from_us) / 4 * i;
        char text[PERIOD_TEXT];
        bool days = query->to_us - query->from_us > UINT64_C(2) * 86400 * 1000000;

        (void) period_moment(us / 1000000 * 1000000, text);
        buf_printf(chart->buf, "<text x=\"%u\" y=\"%d\" text-anchor=\"%s\">%.*s</text>\n",
                   LEFT + INNER / 4 * i, HEIGHT - 6, anchors[i], days ? 5 : 8,
                   text + (days ? 5 : 11));
    }
}

/* Steps, for each value holds from one moment to the next. */
static void put_path(const struct chart *chart, enum summary_plot plot, const char *class,
                     bool closed)
{
    const struct summary *summary = chart->summary;
    const char *move = closed ? "L" : "M";
    unsigned floor = y_of(chart, 0);

    buf_printf(chart->buf, "<path class=\"%s\" d=\"", class);
    if (closed)
        put_point(chart->buf, "M", x_of(summary, summary->query.from_us), floor);
    for (size_t i = 0; i < summary->step_count; i++) {
        unsigned y = y_of(chart, milli_cpus(chart, i, plot));

        put_point(chart->buf, move, x_of(summary, step_from(summary, i)), y);
        put_point(chart->buf, "L", x_of(summary, step_to(summary, i)), y);
        move = "L";
    }
    if (closed) {
        put_point(chart->buf, "L", x_of(summary, summary->query.to_us), floor);
        buf_putc(chart->buf, 'Z');
    }
    buf_puts(chart->buf, "\"/>\n");
}

/* On top of what was used: what was asked for and not given. */
static void put_shortfall(const struct chart *chart)
{
    const struct summary *summary = chart->summary;

    for (size_t i = 0; i < summary->step_count; i++) {
        uint64_t used = milli_cpus(chart, i, PLOT_USED);
        uint64_t shortfall = milli_cpus(chart, i, PLOT_SHORTFALL);
        unsigned x = x_of(summary, step_from(summary, i));
        unsigned x_to = x_of(summary, step_to(summary, i));
        unsigned y = y_of(chart, used + shortfall), y_to = y_of(chart, used);

        if (shortfall > 0 && y_to > y) {
            buf_printf(chart->buf,
                       "<rect class=\"short\" x=\"%u.%u\" y=\"%u.%u\" width=\"%u.%u\" "
                       "height=\"%u.%u\"/>\n",
                       x / 10, x % 10, y / 10, y % 10, (x_to - x) / 10, (x_to - x) % 10,
                       (y_to - y) / 10, (y_to - y) % 10);
        }
    }
}

static void put_gaps(const struct chart *chart)
{
    const struct summary *summary = chart->summary;

    for (size_t i = 0; i < summary->gap_count && i < SUMMARY_GAPS_MAX; i++) {
        unsigned x = x_of(summary, summary->gaps[i].from_us);
        unsigned x_to = x_of(summary, summary->gaps[i].to_us);

        buf_printf(chart->buf,
                   "<rect class=\"gap\" x=\"%u.%u\" y=\"%d\" width=\"%u.%u\" height=\"%d\"/>\n",
                   x / 10, x % 10, TOP, (x_to - x) / 10, (x_to - x) % 10, DEEP);
    }
}

static void put_description(const struct chart *chart, size_t number)
{
    const uint64_t *sums = chart->row->sums;
    struct buf *buf = chart->buf;

    buf_printf(buf, "<title id=\"t%zu\">CPU of ", number);
    html_text(buf, chart->row->tenant);
    buf_printf(buf, " over time</title>\n<desc id=\"d%zu\">Used ", number);
    report_amount(buf, 0, sums[SUM_USED], 1000000);
    buf_puts(buf, " seconds of CPU time, entitled to ");
    report_amount(buf, 0, sums[SUM_ENTITLED], 1000000);
    buf_puts(buf, ", fell short by ");
    report_amount(buf, 0, sums[SUM_SHORTFALL], 1000000);
    buf_puts(buf, ". The table below has the sums.</desc>\n");
}

void chart_tenant(struct buf *buf, const struct summary *summary, const struct summary_row *row,
                  size_t number)
{
    struct chart chart = {.buf = buf, .summary = summary, .row = row};

    if (row->plots == NULL || summary->step_count == 0)
        return;
    find_top(&chart);
    buf_printf(buf, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"t%zu d%zu\">\n",
               WIDTH, HEIGHT, number, number);
    put_description(&chart, number);
    put_gaps(&chart);
    put_grid(&chart);
    put_path(&chart, PLOT_USED, "used", true);
    put_shortfall(&chart);
    put_path(&chart, PLOT_ENTITLED, "entitled", false);
    put_times(&chart);
    buf_puts(buf, "</svg>\n");
}

/* ---- the capacity ---- */

struct bar {
    const char *name, *class;
    uint64_t us;
};

void chart_capacity(struct buf *buf, const struct summary *summary)
{
    const struct report_closing closing = report_close(summary);
    const struct bar bars[] = {
        {"tenants",       "used",   closing.shown_us                                          },
        {"other tenants", "others", closing.others_us                                         },
        {"host",          "host",   closing.own_us                                            },
        {"idle",          "idle",   closing.idle_us                                           },
        {"stolen",        "short",  closing.steal_us                                          },
        {"unmetered",     "gap",    closing.unknown_us < 0 ? 0 : (uint64_t) closing.unknown_us},
    };
    uint64_t capacity_us = closing.capacity_us;
    unsigned x = 0;

    if (capacity_us == 0)
        return;
    buf_printf(buf,
               "<svg viewBox=\"0 0 %d 40\" role=\"img\" aria-labelledby=\"tc dc\">\n"
               "<title id=\"tc\">Where the CPU time went</title>\n<desc id=\"dc\">",
               WIDTH);
    for (size_t i = 0; i < sizeof bars / sizeof *bars; i++)
        buf_printf(buf, "%s %llu %%%s", bars[i].name,
                   (unsigned long long) (bars[i].us * 100 / capacity_us),
                   i + 1 < sizeof bars / sizeof *bars ? ", " : ".");
    buf_puts(buf, "</desc>\n");
    for (size_t i = 0; i < sizeof bars / sizeof *bars; i++) {
        unsigned width = (unsigned) (bars[i].us * (WIDTH * UINT64_C(10)) / capacity_us);

        if (width == 0)
            continue;
        buf_printf(buf, "<rect class=\"%s\" x=\"%u.%u\" y=\"0\" width=\"%u.%u\" height=\"22\"/>\n",
                   bars[i].class, x / 10, x % 10, width / 10, width % 10);
        if (width > 700)
            buf_printf(buf, "<text x=\"%u\" y=\"36\">%s %llu%%</text>\n", x / 10, bars[i].name,
                       (unsigned long long) (bars[i].us * 100 / capacity_us));
        x += width;
    }
    buf_puts(buf, "</svg>\n");
}
