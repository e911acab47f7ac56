/* SPDX-License-Identifier: Apache-2.0 */
/* Whose doing it is that a tenant stalls at the disk or for memory. The kernel tells how long it
 * stalled, not behind whom: its time is divided over those who used the same devices between the
 * same two records, or who took memory, by how much they did. */
#include <stdlib.h>
#include <string.h>

#include "sublet/base/num.h"

#include "summary.h"

#define STALL_PERCENT   2 /* of the time between two records: less is no stall to speak of */
#define OPERATION_BYTES (16u << 10) /* an operation costs a disk as much as that many bytes */
#define AGGRESSORS_MAX  24
#define GROWN_BYTES_MIN (1u << 20)

struct part {
    struct series *series;
    uint64_t amount;
};

static bool is_stall(const struct span *span, uint64_t stalled_us)
{
    return span->to_us > span->from_us &&
           stalled_us > (span->to_us - span->from_us) * STALL_PERCENT / 100;
}

/* At a disk, but neither at its own limit of it nor for pages that it had to read again for want of
 * memory, which the kernel counts as both. */
static uint64_t io_stalled(const struct span *span)
{
    uint64_t full_us = span->delta[SUM_IO_FULL];
    uint64_t other_us = span->delta[SUM_IO_CAPPED] + span->delta[SUM_MEMORY_FULL];

    return num_above(full_us, other_us);
}

static bool met_own_limit(const struct series *series)
{
    const uint64_t *delta = series->sweep.span.delta;

    return delta[SUM_MEMORY_HIGH] + delta[SUM_MEMORY_MAX] > 0;
}

/* A tenant that met its own memory limit has nobody else to blame, as long as it goes on stalling:
 * who is delayed there meets it seldom. */
static uint64_t memory_stalled(const struct series *series)
{
    bool own = met_own_limit(series) || series->at_own_limit;

    return own ? 0 : series->sweep.span.delta[SUM_MEMORY_FULL];
}

static uint64_t work(const struct ledger_device *device)
{
    return device->rb + device->wb + (device->ro + device->wo) * OPERATION_BYTES;
}

/* On devices the victim used as well; one that got nothing done may have waited for any. */
static uint64_t work_beside(const struct series *series, const struct series *victim)
{
    const struct sweep *sweep = &series->sweep, *other = &victim->sweep;
    uint64_t sum = 0;
    bool any = true;

    for (size_t i = 0; i < other->device_count; i++)
        any = any && work(&other->devices[i]) == 0;
    for (size_t i = 0; i < sweep->device_count; i++) {
        bool shared = any;

        for (size_t k = 0; k < other->device_count && !shared; k++)
            shared = work(&other->devices[k]) > 0 && strcmp(other->names[k], sweep->names[i]) == 0;
        sum += shared ? work(&sweep->devices[i]) : 0;
    }
    return sum;
}

/* Since memory last was enough for all: who took it and sits on it now has taken it all the same.
 */
static uint64_t grown_bytes(const struct series *series)
{
    return num_above(series->memory_bytes, series->calm_bytes);
}

static uint64_t amount_of(const struct series *series, const struct series *victim,
                          enum summary_resource resource)
{
    if (!series->sweep.filled)
        return 0;
    if (resource == SUMMARY_IO)
        return work_beside(series, victim);
    return grown_bytes(series) < GROWN_BYTES_MIN ? 0 : grown_bytes(series);
}

/* Keeps the largest; the sum is of all. */
static uint64_t find_parts(const struct summarizing *s, const struct series *victim,
                           enum summary_resource resource, struct part *parts, size_t *ret_count)
{
    uint64_t sum = 0;
    size_t count = 0;

    for (struct series *series = s->first_series; series != NULL; series = series->next) {
        struct part part = {series, amount_of(series, victim, resource)};
        size_t at;

        if (part.amount == 0)
            continue;
        sum += part.amount;
        if (count < AGGRESSORS_MAX)
            count++;
        else if (parts[count - 1].amount >= part.amount)
            continue;
        for (at = count - 1; at > 0 && parts[at - 1].amount < part.amount; at--)
            parts[at] = parts[at - 1];
        parts[at] = part;
    }
    *ret_count = count;
    return sum;
}

static void divide(struct summarizing *s, struct series *victim, enum summary_resource resource,
                   uint64_t stalled_us)
{
    struct part parts[AGGRESSORS_MAX];
    size_t count;
    uint64_t sum = find_parts(s, victim, resource, parts, &count);
    uint64_t left_us = stalled_us;

    victim->row.fallen_records[resource]++;
    for (size_t i = 0; i < count; i++) {
        uint64_t us = (uint64_t) ((unsigned __int128) stalled_us * parts[i].amount / sum);

        left_us -= us;
        if (parts[i].series != victim && us > 0)
            row_blame(s, &victim->row, parts[i].series->row.tenant, resource, us);
    }
    if (count == 0 && left_us > 0)
        row_blame(s, &victim->row, "host", resource, left_us);
}

static void look(struct summarizing *s, struct series *victim)
{
    const struct summary_query *query = &s->result->query;
    const struct span *span = &victim->sweep.span;
    uint64_t io_us = io_stalled(span), memory_us = memory_stalled(victim);

    if (is_stall(span, io_us))
        divide(s, victim, SUMMARY_IO, span_part(span, io_us, query->from_us, query->to_us));
    if (is_stall(span, memory_us))
        divide(s, victim, SUMMARY_MEMORY, span_part(span, memory_us, query->from_us, query->to_us));
}

/* While nobody stalls for memory, what each has is its own. */
static void settle_memory(const struct summarizing *s)
{
    for (struct series *series = s->first_series; series != NULL; series = series->next) {
        const struct sweep *sweep = &series->sweep;

        if (sweep->filled && is_stall(&sweep->span, memory_stalled(series)))
            return;
    }
    for (struct series *series = s->first_series; series != NULL; series = series->next)
        series->calm_bytes = series->memory_bytes;
}

void sweep_end(struct summarizing *s)
{
    const struct summary_query *query = &s->result->query;

    for (struct series *series = s->first_series; series != NULL; series = series->next) {
        const struct span *span = &series->sweep.span;

        if (series->sweep.filled && series->row.shown && span->to_us > query->from_us &&
            span->from_us < query->to_us)
            look(s, series);
    }
    settle_memory(s);
    for (struct series *series = s->first_series; series != NULL; series = series->next) {
        const struct span *span = &series->sweep.span;

        if (!series->sweep.filled)
            continue;
        series->at_own_limit =
            met_own_limit(series) ||
            (series->at_own_limit && is_stall(span, span->delta[SUM_MEMORY_FULL]));
        series->sweep.filled = false;
    }
}
