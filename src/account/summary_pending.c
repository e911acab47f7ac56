/* SPDX-License-Identifier: Apache-2.0 */
/* What the runtime tells of a tenant at the start and the end of a container: how much CPU time its
 * group has used. The meter counts the same time in its windows, so it waits here: a record of the
 * meter covers it, and where none comes it is all that is known. */
#include "sublet/base/num.h"

#include "summary.h"

void series_drop_pending(struct series *series)
{
    series->pending_count = 0;
    series->loose = (struct span){.from_us = 0};
}

void series_settle(struct summarizing *s, struct series *series)
{
    for (size_t i = 0; i < series->pending_count; i++) {
        const struct pending *pending = &series->pending[i];
        const struct span span = {
            .from_us = pending->from_us,
            .to_us = pending->to_us,
            .delta = {[SUM_USED] = pending->used_us,
                      [SUM_UNMETERED] = pending->used_us,
                      [SUM_USER] = pending->user_us,
                      [SUM_SYSTEM] = pending->system_us},
        };

        summary_put_span(s, &series->row, &span);
    }
    if (series->loose.to_us > 0)
        summary_put_span(s, &series->row, &series->loose);
    series_drop_pending(series);
}

/* Two neighbours become one: that costs resolution. */
static void halve(struct series *series)
{
    size_t kept = 0;

    for (size_t i = 0; i + 1 < series->pending_count; i += 2) {
        const struct pending *a = &series->pending[i], *b = a + 1;

        series->pending[kept++] =
            (struct pending){a->from_us, b->to_us, a->used_us + b->used_us, a->user_us + b->user_us,
                             a->system_us + b->system_us};
    }
    series->pending_count = kept;
}

void series_add_pending(struct summarizing *s, struct series *series, uint64_t us,
                        const struct ledger_group *group)
{
    uint64_t from_us = series->us, used_us = series->last[SUM_USED],
             user_us = series->last[SUM_USER], system_us = series->last[SUM_SYSTEM];

    if (series->pending == NULL)
        series->pending = arena_array(&s->arena, PENDING_MAX, sizeof *series->pending);
    if (series->pending == NULL) {
        s->failed = true;
        return;
    }
    for (size_t i = 0; i < series->pending_count; i++) {
        from_us = series->pending[i].to_us;
        used_us += series->pending[i].used_us;
        user_us += series->pending[i].user_us;
        system_us += series->pending[i].system_us;
    }
    if (series->pending_count == PENDING_MAX)
        halve(series);
    series->pending[series->pending_count++] =
        (struct pending){from_us < us ? from_us : us, us, num_above(group->use, used_us),
                         num_above(group->usr, user_us), num_above(group->sys, system_us)};
}
