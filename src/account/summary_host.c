/* SPDX-License-Identifier: Apache-2.0 */
/* The host: its own totals, and of which times nothing is known. */
#include <string.h>

#include "sublet/base/num.h"

#include "summary.h"

#define GAP_US UINT64_C(1500000) /* a shorter one is a meter that ended and began */

struct host_span {
    struct span time;
    struct ledger_total total;
    uint64_t meter_us;
};

static void put_part(const struct host_span *span, uint64_t from_us, uint64_t to_us,
                     struct summary_host *host)
{
    const struct ledger_total *total = &span->total;
    const struct span *time = &span->time;

    host->tenants_us += span_part(time, total->ten, from_us, to_us);
    host->own_us += span_part(time, total->own, from_us, to_us);
    host->idle_us += span_part(time, total->idle, from_us, to_us);
    host->steal_us += span_part(time, total->steal, from_us, to_us);
    host->reserved_us += span_part(time, total->res, from_us, to_us);
    host->capacity_us += span_part(time, total->cap, from_us, to_us);
    host->meter_us += span_part(time, span->meter_us, from_us, to_us);
    host->metered_us += span_part(time, time->to_us - time->from_us, from_us, to_us);
}

static void add_gap(struct summary *summary, uint64_t from_us, uint64_t to_us,
                    enum summary_gap_kind kind)
{
    if (from_us < summary->query.from_us)
        from_us = summary->query.from_us;
    if (to_us > summary->query.to_us)
        to_us = summary->query.to_us;
    if (to_us <= from_us || to_us - from_us < GAP_US)
        return;
    if (summary->gap_count < SUMMARY_GAPS_MAX)
        summary->gaps[summary->gap_count] = (struct summary_gap){from_us, to_us, kind};
    summary->gap_count++;
    summary->gap_us += to_us - from_us;
}

static void put_span(struct summarizing *s, const struct host_span *span)
{
    struct summary *summary = s->result;
    const struct summary_query *query = &summary->query;

    put_part(span, query->from_us, query->to_us, &summary->host);
    for (size_t i = 0; i < summary->step_count; i++) {
        struct summary_step *step = &summary->steps[i];
        uint64_t from_us = step->from_us < query->from_us ? query->from_us : step->from_us;
        uint64_t to_us = step->from_us + query->step_us;

        if (to_us > span->time.from_us && from_us < span->time.to_us)
            put_part(span, from_us, to_us < query->to_us ? to_us : query->to_us, &step->host);
    }
    if (s->covered_us > 0)
        add_gap(summary, s->covered_us, span->time.from_us, GAP_METER);
    else
        add_gap(summary, query->from_us, span->time.from_us, GAP_BEFORE);
    if (span->time.to_us > s->covered_us)
        s->covered_us = span->time.to_us;
}

/* A meter that begins counts from 0; it measures by a clock that nobody sets. */
void host_take(struct summarizing *s, const struct ledger_record *record)
{
    const struct ledger_total *now = record->host;
    bool goes_on = s->host_begun && now->cap >= s->host.cap && now->ten >= s->host.ten &&
                   now->idle >= s->host.idle;
    struct ledger_total before = goes_on ? s->host : (struct ledger_total){.cap = 0};
    uint64_t meter_us = record->cpu == NULL ? 0 : record->cpu->use;
    struct host_span span = {
        .time = {.to_us = record->us},
        .total = { now->cap - before.cap, now->res - before.res, now->ten - before.ten,
                 now->own - before.own, now->idle - before.idle, now->steal - before.steal,
                 now->cpus},
        .meter_us = meter_us >= s->meter_us && goes_on ? meter_us - s->meter_us : meter_us,
    };

    s->host = *now;
    s->meter_us = meter_us;
    s->host_begun = true;
    if (record->us < s->result->query.to_us || s->result->cpus == 0)
        s->result->cpus = now->cpus;
    if (now->cpus == 0 || span.total.cap == 0)
        return;

    uint64_t long_us = span.total.cap / now->cpus;
    span.time.from_us = num_above(record->us, long_us);
    put_span(s, &span);
}

void host_end(struct summarizing *s)
{
    struct summary *summary = s->result;

    if (s->covered_us > 0)
        add_gap(summary, s->covered_us, summary->query.to_us, GAP_AFTER);
    else
        add_gap(summary, summary->query.from_us, summary->query.to_us, GAP_METER);
    summary->capacity_us = summary->cpus * (summary->query.to_us - summary->query.from_us);
}
