/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "private.h"

#define PIDS_MAX ((int64_t) 4 << 20) /* PID_MAX_LIMIT: the kernel takes no more */

int cg_pids_rows(struct cg_rows *rows, const char *where, int64_t limit, struct sub_err *err)
{
    const char *path = cg_field(rows, where, "limit");

    if (limit < -1)
        return sub_fail(err, ERANGE, path, "%lld: 0 or more tasks are allowed, -1 for no limit",
                        (long long) limit);

    /* above what a kernel can run there is nothing to limit, and EINVAL from pids.max */
    int64_t value = limit > PIDS_MAX ? -1 : limit;
    return cg_rows_put(rows,
                       (struct cg_row){.file = "pids.max",
                                       .text = cg_bytes_text(rows->arena, value),
                                       .path = path,
                                       .controller = CG_PIDS,
                                       .after_clone = limit == 0},
                       err);
}

static int read_optional(int dir_fd, const char *file, uint64_t *value, uint32_t bit,
                         uint32_t *present)
{
    int rc = knob_read_u64(dir_fd, file, value);

    if (rc == 0)
        *present |= bit;
    return rc == -ENOENT ? 0 : rc;
}

int cgroup_read_pids(int dir_fd, struct cg_pids_counters *ret_counters)
{
    static const struct cg_counter table[] = {
        {"max", offsetof(struct cg_pids_counters, refused), CG_HAS_PIDS_REFUSED},
    };
    struct cg_pids_counters counters = {0};
    uint32_t present = 0, events = 0;
    char text[128];

    SUBLET_TRY(read_optional(dir_fd, "pids.current", &counters.current, CG_HAS_PIDS, &present));
    SUBLET_TRY(read_optional(dir_fd, "pids.peak", &counters.peak, CG_HAS_PIDS_PEAK, &present));
    SUBLET_TRY(read_optional(dir_fd, "pids.max", &counters.limit, CG_HAS_PIDS_LIMIT, &present));

    ssize_t n = knob_read(dir_fd, "pids.events", text, sizeof text);
    if (n < 0 && n != -ENOENT)
        return (int) n;
    if (n >= 0)
        SUBLET_TRY(cg_counters_parse(text, table, CG_COUNT_OF(table), &counters, &events));
    counters.present = present | events;
    *ret_counters = counters;
    return 0;
}
