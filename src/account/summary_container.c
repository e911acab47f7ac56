/* SPDX-License-Identifier: Apache-2.0 */
/* Containers: each begins with nothing and tells what it used when it ends. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/num.h"
#include "sublet/base/time.h"

#include "summary.h"

/* ---- those that run, and those that ended not long ago ---- */

static void unlink_ended(struct summarizing *s, struct container *container)
{
    if (container->newer != NULL)
        container->newer->older = container->older;
    else
        s->newest = container->older;
    if (container->older != NULL)
        container->older->newer = container->newer;
    else
        s->oldest = container->newer;
    container->newer = container->older = NULL;
    s->ended_count--;
}

static void link_ended(struct summarizing *s, struct container *container)
{
    container->older = s->newest;
    container->newer = NULL;
    if (s->newest != NULL)
        s->newest->newer = container;
    else
        s->oldest = container;
    s->newest = container;
    s->ended_count++;
}

static struct container *take_place(struct summarizing *s)
{
    struct container *container = s->unused;

    if (container != NULL) {
        s->unused = container->older;
        return container;
    }
    if (s->ended_count >= ENDED_MAX) {
        container = s->oldest;
        unlink_ended(s, container);
        book_remove(&s->containers, &container->node);
        return container;
    }
    return arena_alloc(&s->arena, sizeof *container);
}

static struct container *meet(struct summarizing *s, const struct ledger_record *record)
{
    char key[KEY_TEXT];

    (void) snprintf(key, sizeof key, "%s\n%s", record->id,
                    record->created == NULL ? "" : record->created);

    struct container *container = (struct container *) book_find(&s->containers, key);
    if (container != NULL || s->containers.count >= RUNNING_MAX)
        return container;
    container = take_place(s);
    if (container == NULL) {
        s->failed = true;
        return NULL;
    }
    *container = (struct container){.since_us = 0};
    memcpy(container->key, key, sizeof key);
    container->node.key = container->key;
    book_add(&s->containers, &container->node);
    return container;
}

/* ---- rows, where they are what was asked for ---- */

static struct container_row *new_row(struct summarizing *s, const char *id)
{
    struct container_row *row = arena_alloc(&s->arena, sizeof *row);
    char *key = arena_strdup(&s->arena, id);

    if (row == NULL || key == NULL) {
        s->failed = true;
        return NULL;
    }
    row->node.key = row->row.container = key;
    book_add(&s->rows, &row->node);
    *s->last_row = row;
    s->last_row = &row->next;
    return row;
}

static struct summary_row *row_of(struct summarizing *s, const struct ledger_record *record)
{
    const struct summary_query *query = &s->result->query;
    const char *tenant = record->tenant == NULL ? "" : record->tenant;

    if (query->by != SUMMARY_CONTAINERS ||
        (query->container != NULL && strcmp(query->container, record->id) != 0) ||
        (query->tenant != NULL && strcmp(query->tenant, tenant) != 0))
        return NULL;

    struct container_row *row = (struct container_row *) book_find(&s->rows, record->id);
    if (row == NULL)
        row = s->rows.count < SUMMARY_CONTAINERS_MAX - 1
                  ? new_row(s, record->id)
                  : (struct container_row *) book_find(&s->rows, SUMMARY_OTHER_CONTAINERS);
    if (row == NULL)
        row = new_row(s, SUMMARY_OTHER_CONTAINERS);
    if (row == NULL)
        return NULL;
    if (tenant[0] != '\0') {
        (void) snprintf(row->tenant, sizeof row->tenant, "%s", tenant);
        row->row.tenant = row->tenant;
    }
    return &row->row;
}

/* ---- records ---- */

static void count(struct summarizing *s, struct summary_row *row, enum summary_sum sum, uint64_t us)
{
    struct span span = {.from_us = us, .to_us = us};

    span.delta[sum] = 1;
    if (row != NULL)
        summary_put_span(s, row, &span);
}

static struct summary_row *tenant_row(struct summarizing *s, const struct ledger_record *record)
{
    struct series *series = record->tenant == NULL ? NULL : series_of(s, record->tenant);

    return series == NULL ? NULL : &series->row;
}

static void take_start(struct summarizing *s, const struct ledger_record *record)
{
    struct container *container = meet(s, record);
    struct summary_row *row = row_of(s, record);

    if (container != NULL && container->since_us > 0)
        return; /* told twice */
    count(s, tenant_row(s, record), SUM_STARTED, record->us);
    count(s, row, SUM_STARTED, record->us);
    if (container != NULL) {
        container->since_us = record->us;
        container->row = row;
    }
    if (row != NULL && record->us < s->result->query.to_us && row->started_us == 0)
        row->started_us = record->us;
}

/* Its own word, the start record, or when it was made: whichever is there. */
static uint64_t began_us(const struct container *container, const struct ledger_record *record)
{
    uint64_t us;

    if (container != NULL && container->since_us > 0 && container->since_us <= record->us)
        return container->since_us;
    if (record->winus > 0 && record->winus < record->us)
        return record->us - record->winus;
    if (record->created != NULL && time_parse_us(record->created, &us) == 0 && us <= record->us)
        return us;
    return record->us;
}

static void add_device_sums(const struct ledger_record *record, uint64_t *sums)
{
    for (size_t i = 0; i < record->io.count; i++) {
        sums[SUM_READ_BYTES] += record->io.items[i].rb;
        sums[SUM_WRITTEN_BYTES] += record->io.items[i].wb;
        sums[SUM_READS] += record->io.items[i].ro;
        sums[SUM_WRITES] += record->io.items[i].wo;
        sums[SUM_IO_COST] += record->io.items[i].cost;
    }
}

/* Of two exits of one container the later counts, by what it has more. */
static void find_used(struct container *container, const struct ledger_record *record,
                      struct span *span)
{
    uint64_t *delta = span->delta;

    vector_of_record(record, delta);
    add_device_sums(record, delta);
    for (size_t i = 0; i < SUM_COUNT && container != NULL; i++) {
        uint64_t told = container->told[i];

        container->told[i] = delta[i];
        delta[i] = num_above(delta[i], told);
    }
    delta[SUM_UNMETERED] = delta[SUM_USED];
}

static void end_row(const struct summary_query *query, struct summary_row *row,
                    const struct ledger_record *record)
{
    if (record->us >= query->to_us)
        return;
    row->ended_us = record->us;
    row->status = (record->has & LEDGER_HAS_STATUS) == 0 ? -1 : record->status;
    if (record->mem != NULL && record->us >= query->from_us &&
        record->mem->peak > row->memory_peak_bytes)
        row->memory_peak_bytes = record->mem->peak;
    if (record->pids != NULL && record->us >= query->from_us &&
        record->pids->peak > row->tasks_peak)
        row->tasks_peak = record->pids->peak;
}

static void count_end(struct summarizing *s, struct summary_row *row,
                      const struct ledger_record *record)
{
    count(s, row, SUM_ENDED, record->us);
    if ((record->has & LEDGER_HAS_STATUS) != 0 && record->status != 0)
        count(s, row, SUM_FAILED, record->us);
}

static void take_exit(struct summarizing *s, const struct ledger_record *record)
{
    struct container *container = meet(s, record);
    struct summary_row *row = row_of(s, record), *tenant = tenant_row(s, record);
    struct span span = {.from_us = began_us(container, record), .to_us = record->us};

    if (container == NULL || !container->ended) {
        count_end(s, tenant, record);
        count_end(s, row, record);
    }
    find_used(container, record, &span);
    if (row != NULL) {
        summary_put_span(s, row, &span);
        end_row(&s->result->query, row, record);
    }
    if (record->outside && tenant != NULL) {
        span.delta[SUM_OUTSIDE] = span.delta[SUM_USED];
        summary_put_span(s, tenant, &span);
    }
    if (container != NULL && !container->ended) {
        container->ended = true;
        link_ended(s, container);
    }
}

int container_take(struct summarizing *s, const struct ledger_record *record)
{
    if (strcmp(record->k, LEDGER_START) == 0)
        take_start(s, record);
    else
        take_exit(s, record);
    return s->failed ? -ENOMEM : 0;
}

/* What ran before another boot does not run. */
void containers_new_boot(struct summarizing *s)
{
    for (size_t i = 0; i < BOOK_HEADS; i++) {
        struct node *node = s->containers.heads[i], *next;

        for (; node != NULL; node = next) {
            struct container *container = (struct container *) node;

            next = node->next;
            if (container->ended)
                continue;
            book_remove(&s->containers, node);
            container->older = s->unused;
            s->unused = container;
        }
    }
}

void containers_end(struct summarizing *s)
{
    for (size_t i = 0; i < BOOK_HEADS; i++) {
        for (struct node *node = s->containers.heads[i]; node != NULL; node = node->next) {
            struct container *container = (struct container *) node;

            if (!container->ended && container->row != NULL &&
                container->since_us < s->result->query.to_us)
                container->row->running = true;
        }
    }
}
