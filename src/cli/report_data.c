/* SPDX-License-Identifier: Apache-2.0 */
/* The report for programs: CSV (RFC 4180) and JSON. Both walk the table of sums. */
#include <stdio.h>
#include <string.h>

#include "sublet/base/buf.h"
#include "sublet/base/time.h"
#include "sublet/json.h"

#include "report.h"
#include "say.h"

/* ---- CSV ---- */

static void csv_text(struct buf *buf, const char *text)
{
    OWNED_BUF clean = BUF(4096);

    if (text == NULL || text[0] == '\0')
        return;
    say_escape(&clean, text);
    /* a spreadsheet takes what begins so for a formula */
    bool formula = strchr("=+-@", text[0]) != NULL;

    if (!formula && strpbrk(buf_text(&clean), ",\"") == NULL) {
        buf_puts(buf, buf_text(&clean));
        return;
    }
    buf_puts(buf, formula ? "\"'" : "\"");
    for (const char *at = buf_text(&clean); *at != '\0'; at++) {
        if (*at == '"')
            buf_putc(buf, '"');
        buf_putc(buf, *at);
    }
    buf_putc(buf, '"');
}

static const char *const first_columns[] = {
    "row", "tenant",           "container",         "contract",          "from",
    "to",  "entitled_percent", "memory_mean_bytes", "memory_peak_bytes",
};

static void csv_titles(struct buf *buf)
{
    for (size_t i = 0; i < sizeof first_columns / sizeof *first_columns; i++)
        buf_printf(buf, "%s%s", i == 0 ? "" : ",", first_columns[i]);
    for (int i = 0; i < SUM_COUNT; i++)
        buf_printf(buf, ",%s", report_sum_name((enum summary_sum) i));
    buf_puts(buf, "\r\n");
}

struct csv_row {
    const char *kind, *tenant, *container, *contract;
    uint64_t from_us, to_us, peak_bytes;
    const uint64_t *sums;
};

static void csv_row(struct buf *buf, const struct csv_row *row)
{
    char from[TIME_TEXT], to[TIME_TEXT];
    const uint64_t *sums = row->sums;

    buf_printf(buf, "%s,", row->kind);
    csv_text(buf, row->tenant);
    buf_putc(buf, ',');
    csv_text(buf, row->container);
    buf_putc(buf, ',');
    csv_text(buf, row->contract);
    buf_printf(buf, ",%s,%s,", time_format_us(row->from_us, from), time_format_us(row->to_us, to));
    if (sums[SUM_ENTITLED] > 0)
        buf_printf(buf, "%llu", (unsigned long long) (sums[SUM_USED] * 100 / sums[SUM_ENTITLED]));
    buf_printf(buf, ",%llu,%llu", (unsigned long long) report_mean_bytes(sums),
               (unsigned long long) row->peak_bytes);
    for (int i = 0; i < SUM_COUNT; i++)
        buf_printf(buf, ",%llu", (unsigned long long) report_sum(sums, (enum summary_sum) i));
    buf_puts(buf, "\r\n");
}

/* Rows of the host have but what was used; the empty fields are not 0, they are nobody's. */
static void csv_closing(struct buf *buf, const struct summary_query *query, const char *kind,
                        int64_t us)
{
    char from[TIME_TEXT], to[TIME_TEXT];

    buf_printf(buf, "%s,,,,%s,%s,,,,%lld", kind, time_format_us(query->from_us, from),
               time_format_us(query->to_us, to), (long long) us);
    for (int i = 1; i < SUM_COUNT; i++)
        buf_putc(buf, ',');
    buf_puts(buf, "\r\n");
}

static void csv_steps(struct buf *buf, const struct summary *summary)
{
    const struct summary_query *query = &summary->query;

    for (size_t i = 0; i < summary->step_count; i++) {
        const struct summary_step *step = &summary->steps[i];
        uint64_t to_us = step->from_us + query->step_us;
        const struct csv_row row = {
            .kind = "step",
            .tenant = query->tenant,
            .from_us = step->from_us < query->from_us ? query->from_us : step->from_us,
            .to_us = to_us < query->to_us ? to_us : query->to_us,
            .sums = step->sums,
        };

        csv_row(buf, &row);
    }
}

static void csv_rows(struct buf *buf, const struct summary *summary)
{
    const struct summary_query *query = &summary->query;

    for (size_t i = 0; i < summary->count; i++) {
        const struct summary_row *from = &summary->rows[i];
        const struct csv_row row = {
            .kind = from->container == NULL ? "tenant" : "container",
            .tenant = from->tenant,
            .container = from->container,
            .contract = from->contract,
            .from_us = query->from_us,
            .to_us = query->to_us,
            .peak_bytes = from->memory_peak_bytes,
            .sums = from->sums,
        };

        if (from->shown)
            csv_row(buf, &row);
    }
}

void report_csv(struct buf *buf, const struct report *report)
{
    const struct summary *summary = report->summary;
    const struct summary_query *query = &summary->query;
    const struct report_closing closing = report_close(summary);

    csv_titles(buf);
    if (report->by >= REPORT_MINUTE)
        csv_steps(buf, summary);
    else
        csv_rows(buf, summary);
    if (closing.capacity_us == 0)
        return;
    csv_closing(buf, query, "others", (int64_t) closing.others_us);
    csv_closing(buf, query, "host", (int64_t) closing.own_us);
    csv_closing(buf, query, "idle", (int64_t) closing.idle_us);
    csv_closing(buf, query, "stolen", (int64_t) closing.steal_us);
    csv_closing(buf, query, "unmetered", closing.unknown_us);
    csv_closing(buf, query, "capacity", (int64_t) closing.capacity_us);
}

/* ---- JSON ---- */

static void json_moment(struct json_writer *writer, const char *key, uint64_t us)
{
    char text[TIME_TEXT];

    json_write_string(writer, key, time_format_us(us, text));
}

static void json_sums(struct json_writer *writer, const uint64_t *sums)
{
    for (int i = 0; i < SUM_COUNT; i++)
        json_write_u64(writer, report_sum_name((enum summary_sum) i),
                       report_sum(sums, (enum summary_sum) i));
}

static void json_host(struct json_writer *writer, const char *key, const struct summary_host *host)
{
    json_write_object(writer, key);
    json_write_u64(writer, "capacity_us", host->capacity_us);
    json_write_u64(writer, "reserved_us", host->reserved_us);
    json_write_u64(writer, "tenants_us", host->tenants_us);
    json_write_u64(writer, "own_us", host->own_us);
    json_write_u64(writer, "idle_us", host->idle_us);
    json_write_u64(writer, "steal_us", host->steal_us);
    json_write_u64(writer, "metered_wall_us", host->metered_us);
    json_write_u64(writer, "meter_us", host->meter_us);
    json_write_end(writer);
}

static void json_blame(struct json_writer *writer, const struct summary_row *row)
{
    json_write_array(writer, "blame");
    for (size_t i = 0; i < row->blame_count; i++) {
        const struct summary_blame *blame = &row->blame[i];

        json_write_object(writer, NULL);
        json_write_string(writer, "by", blame->by);
        json_write_u64(writer, "cpu_us", blame->us[SUMMARY_CPU]);
        json_write_u64(writer, "cpu_records", blame->records[SUMMARY_CPU]);
        json_write_u64(writer, "io_wall_us", blame->us[SUMMARY_IO]);
        json_write_u64(writer, "io_records", blame->records[SUMMARY_IO]);
        json_write_u64(writer, "memory_wall_us", blame->us[SUMMARY_MEMORY]);
        json_write_u64(writer, "memory_records", blame->records[SUMMARY_MEMORY]);
        json_write_end(writer);
    }
    json_write_end(writer);
}

static void json_container(struct json_writer *writer, const struct summary_row *row)
{
    json_write_string(writer, "container", row->container);
    if (row->started_us > 0)
        json_moment(writer, "started", row->started_us);
    if (row->ended_us > 0)
        json_moment(writer, "ended", row->ended_us);
    if (row->ended_us > 0 && row->status >= 0)
        json_write_i64(writer, "status", row->status);
    json_write_bool(writer, "running", row->running);
}

static void json_row(struct json_writer *writer, const struct summary_row *row)
{
    json_write_object(writer, NULL);
    if (row->tenant != NULL)
        json_write_string(writer, "tenant", row->tenant);
    if (row->container != NULL)
        json_container(writer, row);
    if (row->contract != NULL) {
        json_write_string(writer, "contract", row->contract);
        json_write_u64(writer, "contract_changes", row->contract_changes);
        json_write_u64(writer, "entitled_micro_cpus", row->entitled_micro);
    }
    json_sums(writer, row->sums);
    json_write_u64(writer, "memory_mean_bytes", report_mean_bytes(row->sums));
    json_write_u64(writer, "memory_peak_bytes", row->memory_peak_bytes);
    json_write_u64(writer, "swap_peak_bytes", row->swap_peak_bytes);
    json_write_u64(writer, "tasks_peak", row->tasks_peak);
    if (row->container == NULL)
        json_blame(writer, row);
    json_write_end(writer);
}

static void json_steps(struct json_writer *writer, const struct summary *summary)
{
    json_write_array(writer, "steps");
    for (size_t i = 0; i < summary->step_count; i++) {
        json_write_object(writer, NULL);
        json_moment(writer, "from", summary->steps[i].from_us);
        json_sums(writer, summary->steps[i].sums);
        json_host(writer, "host", &summary->steps[i].host);
        json_write_end(writer);
    }
    json_write_end(writer);
}

static void json_closing(struct json_writer *writer, const struct summary *summary)
{
    const struct report_closing closing = report_close(summary);

    json_write_object(writer, "closing");
    json_write_u64(writer, "rows_us", closing.shown_us);
    json_write_u64(writer, "others_us", closing.others_us);
    json_write_u64(writer, "host_us", closing.own_us);
    json_write_u64(writer, "idle_us", closing.idle_us);
    json_write_u64(writer, "stolen_us", closing.steal_us);
    json_write_i64(writer, "unmetered_us", closing.unknown_us);
    json_write_u64(writer, "capacity_us", closing.capacity_us);
    json_write_end(writer);
}

static void json_gaps(struct json_writer *writer, const struct summary *summary)
{
    static const char *const kinds[] = {
        [GAP_BEFORE] = "before the first record",
        [GAP_METER] = "no meter",
        [GAP_AFTER] = "after the last record",
    };

    json_write_u64(writer, "gap_wall_us", summary->gap_us);
    json_write_u64(writer, "gap_count", summary->gap_count);
    json_write_array(writer, "gaps");
    for (size_t i = 0; i < summary->gap_count && i < SUMMARY_GAPS_MAX; i++) {
        json_write_object(writer, NULL);
        json_moment(writer, "from", summary->gaps[i].from_us);
        json_moment(writer, "to", summary->gaps[i].to_us);
        json_write_string(writer, "reason", kinds[summary->gaps[i].kind]);
        json_write_end(writer);
    }
    json_write_end(writer);
}

static void json_events(struct json_writer *writer, const struct summary *summary)
{
    json_write_u64(writer, "note_count", summary->event_count);
    json_write_array(writer, "notes");
    for (size_t i = 0; i < summary->event_count && i < SUMMARY_EVENTS_MAX; i++) {
        const struct summary_event *event = &summary->events[i];

        json_write_object(writer, NULL);
        json_moment(writer, "time", event->us);
        if (event->tenant != NULL)
            json_write_string(writer, "tenant", event->tenant);
        json_write_string(writer, "text", event->text == NULL ? "" : event->text);
        json_write_u64(writer, "count", event->count);
        json_write_end(writer);
    }
    json_write_end(writer);
}

static void json_ledger(struct json_writer *writer, const struct summary *summary)
{
    json_write_object(writer, "ledger");
    json_write_u64(writer, "files", summary->ledger.files);
    json_write_u64(writer, "records", summary->ledger.records);
    json_write_u64(writer, "torn", summary->ledger.torn);
    json_write_u64(writer, "unfinished", summary->ledger.unfinished);
    json_write_u64(writer, "missing", summary->ledger.missing);
    json_write_u64(writer, "doubled", summary->ledger.doubled);
    json_write_u64(writer, "newer", summary->ledger.newer);
    if (summary->first_us > 0) {
        json_moment(writer, "first", summary->first_us);
        json_moment(writer, "last", summary->last_us);
    }
    json_write_end(writer);
}

void report_json(struct buf *buf, const struct report *report)
{
    const struct summary *summary = report->summary;
    struct json_writer writer;

    json_writer_init(&writer, buf, 2);
    json_write_object(&writer, NULL);
    json_moment(&writer, "from", summary->query.from_us);
    json_moment(&writer, "to", summary->query.to_us);
    json_write_u64(&writer, "wall_us", summary->query.to_us - summary->query.from_us);
    json_write_u64(&writer, "cpus", summary->cpus);
    if (report->by >= REPORT_MINUTE) {
        json_steps(&writer, summary);
    } else {
        json_write_array(&writer, "rows");
        for (size_t i = 0; i < summary->count; i++) {
            if (summary->rows[i].shown)
                json_row(&writer, &summary->rows[i]);
        }
        json_write_end(&writer);
    }
    json_write_object(&writer, "sum");
    json_sums(&writer, summary->total);
    json_write_end(&writer);
    json_host(&writer, "host", &summary->host);
    json_closing(&writer, summary);
    json_gaps(&writer, summary);
    json_events(&writer, summary);
    json_ledger(&writer, summary);
    json_write_end(&writer);
    buf_putc(buf, '\n');
}
