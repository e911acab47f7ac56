/* SPDX-License-Identifier: Apache-2.0 */
#include "summary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sublet/base/err.h"

#define MEMORY_MAX ((size_t) 1 << 30)

/* ---- books ---- */

static size_t head_of(const char *key)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *key != '\0'; key++)
        hash = (hash ^ (unsigned char) *key) * 16777619u;
    return hash % BOOK_HEADS;
}

struct node *book_find(const struct book *book, const char *key)
{
    struct node *node = book->heads[head_of(key)];

    while (node != NULL && strcmp(node->key, key) != 0)
        node = node->next;
    return node;
}

void book_add(struct book *book, struct node *node)
{
    struct node **head = &book->heads[head_of(node->key)];

    node->next = *head;
    *head = node;
    book->count++;
}

void book_remove(struct book *book, struct node *node)
{
    struct node **place = &book->heads[head_of(node->key)];

    while (*place != NULL && *place != node)
        place = &(*place)->next;
    if (*place == NULL)
        return;
    *place = node->next;
    book->count--;
}

/* ---- rows ---- */

static size_t step_at(const struct summary *summary, uint64_t us)
{
    uint64_t first_us = summary->steps[0].from_us;

    return us <= first_us ? 0 : (size_t) ((us - first_us) / summary->query.step_us);
}

static void put_plots(uint64_t (*plots)[SUMMARY_PLOTS], const uint64_t *part)
{
    (*plots)[PLOT_USED] += part[SUM_USED];
    (*plots)[PLOT_ENTITLED] += part[SUM_ENTITLED];
    (*plots)[PLOT_THROTTLED] += part[SUM_THROTTLED];
    (*plots)[PLOT_SHORTFALL] += part[SUM_SHORTFALL];
}

static void put_steps(struct summarizing *s, struct summary_row *row, const struct span *span)
{
    struct summary *summary = s->result;
    const struct summary_query *query = &summary->query;

    for (size_t i = step_at(summary, span->from_us); i < summary->step_count; i++) {
        struct summary_step *step = &summary->steps[i];
        uint64_t from_us = step->from_us < query->from_us ? query->from_us : step->from_us;
        uint64_t to_us = step->from_us + query->step_us, part[SUM_COUNT] = {0};

        if (from_us > span->to_us)
            return;
        span_add(span, from_us, to_us < query->to_us ? to_us : query->to_us, part);
        for (size_t k = 0; k < SUM_COUNT && row->container == NULL; k++)
            step->sums[k] += part[k];
        if (row->plots != NULL)
            put_plots(&row->plots[i], part);
    }
}

void summary_put_span(struct summarizing *s, struct summary_row *row, const struct span *span)
{
    const struct summary_query *query = &s->result->query;

    if (span->to_us < query->from_us || span->from_us >= query->to_us)
        return;
    span_add(span, query->from_us, query->to_us, row->sums);
    if (s->result->step_count > 0 && row->shown)
        put_steps(s, row, span);
}

void row_blame(struct summarizing *s, struct summary_row *row, const char *by,
               enum summary_resource resource, uint64_t us)
{
    size_t at = 0;

    if (row->blame == NULL)
        row->blame = arena_array(&s->arena, SUMMARY_BLAME_MAX, sizeof *row->blame);
    if (row->blame == NULL) {
        s->failed = true;
        return;
    }
    while (at < row->blame_count && strcmp(row->blame[at].by, by) != 0)
        at++;
    if (at == row->blame_count && at >= SUMMARY_BLAME_MAX - 1 && strcmp(by, SUMMARY_OTHERS) != 0) {
        row_blame(s, row, SUMMARY_OTHERS, resource, us);
        return;
    }
    if (at == row->blame_count) {
        row->blame[at] = (struct summary_blame){.by = arena_strdup(&s->arena, by)};
        if (row->blame[at].by == NULL) {
            s->failed = true;
            return;
        }
        row->blame_count++;
    }
    row->blame[at].us[resource] += us;
    row->blame[at].records[resource]++;
}

/* ---- records ---- */

static void take_note(struct summarizing *s, const struct ledger_record *record)
{
    struct summary *summary = s->result;
    const struct summary_query *query = &summary->query;
    const char *text = record->text == NULL ? "" : record->text;

    if (strncmp(text, "clock step", strlen("clock step")) == 0)
        s->clock_steps++;
    if (record->us < query->from_us || record->us >= query->to_us ||
        (query->tenant != NULL && record->tenant != NULL &&
         strcmp(query->tenant, record->tenant) != 0))
        return;
    if (summary->event_count < SUMMARY_EVENTS_MAX) {
        summary->events[summary->event_count] = (struct summary_event){
            .us = record->us,
            .count = record->count,
            .tenant = record->tenant == NULL ? NULL : arena_strdup(&s->arena, record->tenant),
            .text = arena_strdup(&s->arena, text),
        };
    }
    summary->event_count++;
}

/* Counters of another boot begin at 0, and that boot is after this record. */
static void meet_boot(struct summarizing *s, const struct ledger_record *record)
{
    if (strcmp(s->boot, record->boot) == 0)
        return;
    s->born_us = s->boot[0] == '\0' ? 0 : s->record_us;
    s->host_begun = false;
    containers_new_boot(s);
    (void) snprintf(s->boot, sizeof s->boot, "%s", record->boot);
}

static int take(void *context, const struct ledger_record *record)
{
    struct summarizing *s = context;
    struct summary *summary = s->result;

    meet_boot(s, record);
    if (record->host != NULL && record->host->cpus > 0 && summary->cpus == 0)
        summary->cpus = record->host->cpus;
    if (strcmp(record->k, LEDGER_NOTE) == 0)
        take_note(s, record);
    if (record->id != NULL &&
        (strcmp(record->k, LEDGER_START) == 0 || strcmp(record->k, LEDGER_EXIT) == 0))
        SUBLET_TRY(container_take(s, record));
    if (record->tenant != NULL && strcmp(record->k, LEDGER_NOTE) != 0)
        SUBLET_TRY(series_take(s, record));
    if (strcmp(record->k, LEDGER_HOST) == 0 && record->host != NULL) {
        host_take(s, record);
        sweep_end(s);
        s->born_us = record->us; /* who is not known yet was not there yet */
    }
    if (record->us >= summary->query.from_us && record->us < summary->query.to_us)
        summary->records++;
    if (summary->first_us == 0 || record->us < summary->first_us)
        summary->first_us = record->us;
    if (record->us > summary->last_us)
        summary->last_us = record->us;
    s->record_us = record->us;
    return s->failed ? -ENOMEM : 0;
}

/* ---- the end ---- */

static int by_name(const void *a, const void *b)
{
    const struct summary_row *x = a, *y = b;

    if (x->container != NULL && y->container != NULL)
        return strcmp(x->container, y->container);
    return strcmp(x->tenant, y->tenant);
}

static int by_blame(const void *a, const void *b)
{
    const struct summary_blame *x = a, *y = b;

    for (int i = 0; i < SUMMARY_RESOURCES; i++) {
        if (x->us[i] != y->us[i])
            return x->us[i] < y->us[i] ? 1 : -1;
    }
    return strcmp(x->by, y->by);
}

static bool has_class(const struct summary_row *row, uint32_t classes)
{
    for (unsigned i = 0; i < ACCOUNT_CLASSES; i++) {
        if ((classes & 1u << i) != 0 && row->sums[SUM_CLASS + i] > 0)
            return true;
    }
    return classes == 0;
}

static void add_row(struct summary *summary, const struct summary_row *row)
{
    struct summary_row *added = &summary->rows[summary->count++];

    *added = *row;
    added->shown = (row->container != NULL || row->shown) && has_class(row, summary->query.classes);
    if (row->blame_count > 0)
        qsort(row->blame, row->blame_count, sizeof *row->blame, by_blame);
    for (size_t i = 0; i < SUM_COUNT && added->shown; i++)
        summary->total[i] += row->sums[i];
}

static bool is_of_period(const struct container_row *row)
{
    return row->row.running || row->row.sums[SUM_STARTED] + row->row.sums[SUM_ENDED] > 0 ||
           row->row.sums[SUM_USED] > 0;
}

static int collect(struct summarizing *s)
{
    struct summary *summary = s->result;
    bool containers = summary->query.by == SUMMARY_CONTAINERS;
    size_t room = containers ? s->rows.count : s->tenants.count;

    summary->rows = arena_array(&s->arena, room == 0 ? 1 : room, sizeof *summary->rows);
    if (summary->rows == NULL)
        return -ENOMEM;
    for (struct container_row *row = s->first_row; row != NULL; row = row->next) {
        if (is_of_period(row))
            add_row(summary, &row->row);
    }
    for (struct series *series = s->first_series; series != NULL; series = series->next) {
        for (size_t i = 0; i < SUM_COUNT && series->touched; i++)
            summary->all[i] += series->row.sums[i];
        if (series->touched && !containers)
            add_row(summary, &series->row);
    }
    qsort(summary->rows, summary->count, sizeof *summary->rows, by_name);
    return 0;
}

static int finish(struct summarizing *s)
{
    for (struct series *series = s->first_series; series != NULL; series = series->next)
        series_settle(s, series);
    containers_end(s);
    host_end(s);
    return s->failed ? -ENOMEM : collect(s);
}

/* ---- the whole ---- */

struct whole {
    struct summary summary; /* first: freed by its address */
    struct summarizing work;
};

static int make_steps(struct summarizing *s, struct sub_err *err)
{
    struct summary *summary = s->result;
    const struct summary_query *query = &summary->query;

    if (query->step_us == 0 || query->to_us <= query->from_us)
        return 0;

    uint64_t first_us = query->from_us / query->step_us * query->step_us;
    uint64_t count = (query->to_us - first_us + query->step_us - 1) / query->step_us;
    if (count > SUMMARY_STEPS_MAX)
        return sub_fail(err, ERANGE, NULL,
                        "the period has %llu steps, more than %d can be told apart",
                        (unsigned long long) count, SUMMARY_STEPS_MAX);
    summary->steps = arena_array(&s->arena, count, sizeof *summary->steps);
    if (summary->steps == NULL)
        return sub_fail(err, ENOMEM, NULL, "%s", sub_strerror(ENOMEM));
    summary->step_count = count;
    for (size_t i = 0; i < count; i++)
        summary->steps[i].from_us = first_us + i * query->step_us;
    return 0;
}

int summary_read(const char *ledger_dir, const struct summary_query *query,
                 struct summary **ret_summary, struct sub_err *err)
{
    struct whole *whole = calloc(1, sizeof *whole);

    if (whole == NULL)
        return sub_fail(err, ENOMEM, NULL, "%s", sub_strerror(ENOMEM));
    OWNED_SUMMARY *summary = &whole->summary;
    struct summarizing *s = &whole->work;

    arena_init(&s->arena, MEMORY_MAX);
    summary->query = *query;
    s->result = summary;
    s->last_series = &s->first_series;
    s->last_row = &s->first_row;
    SUBLET_TRY(make_steps(s, err));

    int rc = ledger_read(ledger_dir, 0, UINT64_MAX, take, s, &summary->ledger, err);
    if (rc == 0)
        rc = finish(s);
    if (rc == -ENOMEM)
        return sub_fail(err, ENOMEM, ledger_dir, "the summary needs too much memory");
    if (rc < 0)
        return rc;
    *ret_summary = summary;
    summary = NULL;
    return 0;
}

void summary_free(struct summary **place)
{
    struct whole *whole = (struct whole *) *place;

    if (whole == NULL)
        return;
    arena_done(&whole->work.arena);
    free(whole);
    *place = NULL;
}
