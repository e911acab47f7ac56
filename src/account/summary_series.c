/* SPDX-License-Identifier: Apache-2.0 */
/* Tenants: from one record of a tenant to the next. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/num.h"

#include "summary.h"

static uint64_t grown(uint64_t now, uint64_t before)
{
    return now >= before ? now - before : now; /* it began at 0 again */
}

struct series *series_of(struct summarizing *s, const char *tenant)
{
    struct series *series = (struct series *) book_find(&s->tenants, tenant);

    if (series != NULL)
        return series;
    series = arena_alloc(&s->arena, sizeof *series);
    char *key = arena_strdup(&s->arena, tenant);
    if (series == NULL || key == NULL) {
        s->failed = true;
        return NULL;
    }

    const struct summary_query *query = &s->result->query;
    series->node.key = series->row.tenant = key;
    series->row.shown = query->tenant == NULL || strcmp(query->tenant, tenant) == 0;
    if (query->plots && series->row.shown && s->result->step_count > 0) {
        series->row.plots =
            arena_array(&s->arena, s->result->step_count, sizeof *series->row.plots);
        s->failed = s->failed || series->row.plots == NULL;
    }
    book_add(&s->tenants, &series->node);
    *s->last_series = series;
    s->last_series = &series->next;
    return series;
}

/* ---- the parts of a record ---- */

static struct past_device *find_device(struct series *series, const char *name)
{
    for (size_t i = 0; i < series->device_count; i++) {
        if (strcmp(series->devices[i].name, name) == 0)
            return &series->devices[i];
    }
    return NULL;
}

static struct past_device *meet_device(struct series *series, const char *name)
{
    struct past_device *past = find_device(series, name);

    if (past != NULL || series->device_count == LEDGER_IO_MAX)
        return past;
    past = &series->devices[series->device_count++];
    *past = (struct past_device){.name = ""};
    (void) snprintf(past->name, sizeof past->name, "%s", name);
    return past;
}

/* A device that comes later begins at 0; one that goes takes its counters along. */
static void add_devices(struct series *series, const struct ledger_record *record, uint64_t *delta)
{
    struct sweep *sweep = &series->sweep;

    sweep->device_count = 0;
    for (size_t i = 0; i < record->io.count; i++) {
        const struct ledger_device *now = &record->io.items[i];
        struct past_device *past = meet_device(series, now->d);

        if (past == NULL)
            continue;
        struct ledger_device since = {
            .rb = grown(now->rb, past->counters.rb),
            .wb = grown(now->wb, past->counters.wb),
            .ro = grown(now->ro, past->counters.ro),
            .wo = grown(now->wo, past->counters.wo),
            .cost = grown(now->cost, past->counters.cost),
        };
        past->counters = *now;
        delta[SUM_READ_BYTES] += since.rb;
        delta[SUM_WRITTEN_BYTES] += since.wb;
        delta[SUM_READS] += since.ro;
        delta[SUM_WRITES] += since.wo;
        delta[SUM_IO_COST] += since.cost;
        if (sweep->device_count < LEDGER_IO_MAX) {
            memcpy(sweep->names[sweep->device_count], past->name, sizeof past->name);
            sweep->devices[sweep->device_count++] = since;
        }
    }
}

static uint64_t past_blame(const struct series *series, const char *by)
{
    for (size_t i = 0; i < series->blame_count; i++) {
        if (strcmp(series->blame[i].by, by) == 0)
            return series->blame[i].us;
    }
    return 0;
}

static void add_blame(struct summarizing *s, struct series *series, const struct span *span,
                      const struct ledger_record *record)
{
    const struct summary_query *query = &s->result->query;
    uint64_t fallen =
        span->delta[SUM_CLASS + ACCOUNT_VICTIM] + span->delta[SUM_CLASS + ACCOUNT_HOST_STARVED];

    series->row.fallen_records[SUMMARY_CPU] +=
        span_part(span, fallen, query->from_us, query->to_us) > 0;
    for (size_t i = 0; i < record->blame.count; i++) {
        const struct ledger_by *now = &record->blame.items[i];
        uint64_t us = span_part(span, grown(now->us, past_blame(series, now->by)), query->from_us,
                                query->to_us);

        if (us > 0)
            row_blame(s, &series->row, now->by, SUMMARY_CPU, us);
    }
}

static void remember_blame(struct series *series, const struct ledger_record *record)
{
    series->blame_count = 0;
    for (size_t i = 0; i < record->blame.count && i < LEDGER_BLAME_MAX; i++) {
        struct past_blame *past = &series->blame[series->blame_count++];

        (void) snprintf(past->by, sizeof past->by, "%s", record->blame.items[i].by);
        past->us = record->blame.items[i].us;
    }
}

/* ---- from record to record ---- */

/* Another boot or another cgroup: all counters begin at 0. */
static void begin_anew(struct summarizing *s, struct series *series, uint64_t cg)
{
    series->cg = cg;
    series->begun = s->born_us > 0;
    series->us = s->born_us;
    series->device_count = series->blame_count = 0;
    series->cpu_alone = series->at_own_limit = false;
    series->peak_bytes = series->memory_bytes = series->calm_bytes = 0;
    memset(series->last, 0, sizeof series->last);
}

/* Since the record before; where the clock was set, or back, the meter's own word is better. A
 * meter that has just begun knows nothing of the time before but the counters. */
static void find_span(const struct summarizing *s, const struct series *series,
                      const struct ledger_record *record, struct span *span)
{
    span->from_us = series->us;
    span->to_us = record->us;
    if (series->clock_steps != s->clock_steps || span->from_us > span->to_us)
        span->from_us = num_above(record->us, record->winus);
}

/* A record without windows is not of the meter: what the meter sums is not in it. */
static void find_delta(struct series *series, const struct ledger_record *record, struct span *span)
{
    uint64_t *delta = span->delta, now[SUM_COUNT];

    vector_of_record(record, now);
    for (size_t i = 0; i < SUM_COUNT; i++) {
        if (record->win == NULL && vector_is_meters((enum summary_sum) i))
            continue;
        delta[i] = grown(now[i], series->last[i]);
        series->last[i] = now[i];
    }
    add_devices(series, record, delta);

    /* the meter's windows say how much of what the kernel counted they have seen */
    if (delta[SUM_UNUSED] > delta[SUM_ENTITLED])
        delta[SUM_UNUSED] = delta[SUM_ENTITLED];
    uint64_t seen = delta[SUM_ENTITLED] - delta[SUM_UNUSED] + delta[SUM_BORROWED];
    delta[SUM_UNMETERED] = num_above(delta[SUM_USED], seen);
    if (record->winus > 0) {
        delta[SUM_METERED] = span->to_us - span->from_us;
        delta[SUM_MEMORY_TIME] = record->mem == NULL ? 0 : span->to_us - span->from_us;
    }
}

static void take_memory(const struct summary_query *query, struct series *series,
                        const struct ledger_record *record, const struct span *span)
{
    const struct ledger_memory *mem = record->mem;
    struct summary_row *row = &series->row;

    if (mem == NULL)
        return;
    series->memory_bytes = mem->cur;
    if (record->us >= query->from_us && record->us < query->to_us) {
        row->memory_last_bytes = mem->cur;
        row->swap_last_bytes = mem->swap;
        if (mem->cur > row->memory_peak_bytes)
            row->memory_peak_bytes = mem->cur;
        if (mem->swap > row->swap_peak_bytes)
            row->swap_peak_bytes = mem->swap;
        if (record->pids != NULL && record->pids->cur > row->tasks_peak)
            row->tasks_peak = record->pids->cur;
    }
    /* the kernel's peak is of the whole life: it is of the period if it rose in it */
    if (series->begun && span->from_us >= query->from_us && span->to_us <= query->to_us &&
        mem->peak > series->peak_bytes && mem->peak > row->memory_peak_bytes)
        row->memory_peak_bytes = mem->peak;
    series->peak_bytes = mem->peak;
}

static void take_contract(struct summarizing *s, struct series *series,
                          const struct ledger_record *record)
{
    const struct summary_query *query = &s->result->query;
    struct summary_row *row = &series->row;

    if (record->contract == NULL || record->us >= query->to_us)
        return;
    if (row->contract != NULL && record->us >= query->from_us &&
        strcmp(series->contract, record->contract) != 0)
        row->contract_changes++;
    (void) snprintf(series->contract, sizeof series->contract, "%s", record->contract);
    row->contract = series->contract;
    if (record->entmicro > 0 || strcmp(record->k, LEDGER_SAMPLE) == 0)
        row->entitled_micro = record->entmicro;
}

static void meet_group(struct summarizing *s, struct series *series,
                       const struct ledger_record *record, uint64_t cg)
{
    if (strcmp(series->boot, record->boot) == 0 && series->cg == cg)
        return;
    series_settle(s, series);
    (void) snprintf(series->boot, sizeof series->boot, "%s", record->boot);
    begin_anew(s, series, cg);
}

/* A start tells of CPU time alone: of the rest it is not known what was before. */
static void meet_others(struct series *series, const struct ledger_record *record)
{
    uint64_t now[SUM_COUNT];

    if (!series->cpu_alone)
        return;
    vector_of_record(record, now);
    for (size_t i = 0; i < SUM_COUNT; i++) {
        if (i != SUM_USED && i != SUM_USER && i != SUM_SYSTEM &&
            !vector_is_meters((enum summary_sum) i))
            series->last[i] = now[i];
    }
    for (size_t i = 0; i < record->io.count; i++) {
        struct past_device *past = meet_device(series, record->io.items[i].d);

        if (past != NULL)
            past->counters = record->io.items[i];
    }
    series->cpu_alone = false;
}

static void take_sample(struct summarizing *s, struct series *series,
                        const struct ledger_record *record)
{
    struct span span = {.from_us = 0};

    meet_group(s, series, record, record->cg);
    find_span(s, series, record, &span);
    meet_others(series, record);
    find_delta(series, record, &span);
    take_memory(&s->result->query, series, record, &span);
    if (series->begun) {
        summary_put_span(s, &series->row, &span);
        add_blame(s, series, &span, record);
        series->sweep.span = span;
        series->sweep.filled = true;
        series_drop_pending(series); /* the meter has counted it as well */
    } else {
        series_settle(s, series);
    }
    remember_blame(series, record);
    series->us = record->us;
    series->clock_steps = s->clock_steps;
    series->begun = true;
}

/* All counters of the group, by `tenant set` and `tenant remove`. The meter differs from its own
 * last record, so what is remembered stays as it is. */
static void take_totals(struct summarizing *s, struct series *series,
                        const struct ledger_record *record)
{
    const struct ledger_group group = {
        .cg = record->cg,
        .use = record->cpu->use,
        .usr = record->cpu->usr,
        .sys = record->cpu->sys,
    };
    struct span span = {.from_us = series->us, .to_us = record->us};
    struct series after = *series;

    meet_others(&after, record);
    find_delta(&after, record, &span);
    if (!series->begun) {
        *series = after;
        series->begun = true;
        series->us = record->us;
        return;
    }
    series_add_pending(s, series, record->us, &group);
    span.delta[SUM_USED] = span.delta[SUM_USER] = span.delta[SUM_SYSTEM] = 0;
    span.delta[SUM_UNMETERED] = 0;
    series->loose = span;
}

static void take_group(struct summarizing *s, struct series *series,
                       const struct ledger_record *record)
{
    meet_group(s, series, record, record->group->cg);
    if (series->begun) {
        series_add_pending(s, series, record->us, record->group);
        return;
    }
    series->last[SUM_USED] = record->group->use;
    series->last[SUM_USER] = record->group->usr;
    series->last[SUM_SYSTEM] = record->group->sys;
    series->us = record->us;
    series->begun = series->cpu_alone = true;
}

int series_take(struct summarizing *s, const struct ledger_record *record)
{
    const struct summary_query *query = &s->result->query;
    struct series *series = series_of(s, record->tenant);

    if (series == NULL)
        return -ENOMEM;

    uint64_t before_us = series->begun ? series->us : record->us;
    take_contract(s, series, record);
    if (record->group != NULL) {
        take_group(s, series, record);
    } else if (record->id == NULL && record->cpu != NULL) {
        if (record->win != NULL) {
            take_sample(s, series, record);
        } else {
            meet_group(s, series, record, record->cg);
            take_totals(s, series, record);
        }
    }
    series->touched = series->touched || (record->us >= query->from_us && before_us < query->to_us);
    return 0;
}
