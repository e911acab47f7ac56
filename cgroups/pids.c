/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "counters.h"

#define TASKS_MAX ((int64_t) 4 << 20) /* PID_MAX_LIMIT: the kernel takes no more */

int cg_pids_rows(struct cg_rows *rows, const char *where, int64_t limit, struct sub_err *err)
{
    const char *path = cg_field(rows, where, "limit");

    if (limit < -1)
        return sub_fail(err, ERANGE, path, "%lld: 0 or more tasks are allowed, -1 for no limit",
                        (long long) limit);

    /* above what a kernel can run there is nothing to limit, and EINVAL from pids.max */
    int64_t value = limit > TASKS_MAX ? -1 : limit;
    return cg_rows_put(rows,
                       (struct cg_row){.file = "pids.max",
                                       .text = cg_bytes_text(rows->arena, value),
                                       .path = path,
                                       .controller = CG_PIDS,
                                       .after_clone = limit == 0},
                       err);
}

#define ROW(member, file, key, kind) CG_FIELD(struct cg_pids_counters, member, file, key, kind)
static const struct cg_field pids_rows[] = {
    ROW(current, PIDS_CURRENT, NULL, LEVEL),
    ROW(peak, PIDS_PEAK, NULL, PEAK),
    ROW(limit, PIDS_MAX, NULL, LIMIT),
    ROW(refused, PIDS_EVENTS, "max", TOTAL),
    ROW(local_refused, PIDS_EVENTS_LOCAL, "max", TOTAL),
};
#undef ROW
const struct cg_fields cg_pids_fields = CG_FIELDS(pids_rows);
