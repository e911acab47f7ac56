/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of the parent about cache classes. */
#include <errno.h>

#include "sublet/base/fd.h"

#include "start.h"

int step_resctrl_find(struct start *start, struct sub_err *err)
{
    const struct plan_resctrl *resctrl = start->plan->resctrl;

    if (resctrl == NULL)
        return 0;
    SUBLET_TRY(proc_resctrl_open(&start->resctrl_fd, err));
    int missing = proc_resctrl_check(start->resctrl_fd, resctrl, err);
    if (missing < 0)
        return missing;
    start->makes_resctrl = missing > 0;
    return 0;
}

/* What somebody else has made in the meantime is not ours to remove. */
int step_resctrl(struct start *start, struct sub_err *err)
{
    const struct plan_resctrl *resctrl = start->plan->resctrl;
    struct state_record *record = &start->record;

    if (record->resctrl_group != NULL) {
        int rc = proc_resctrl_make(start->resctrl_fd, resctrl, err);

        if (rc == -EEXIST)
            record->resctrl_group = record->resctrl_monitor = NULL;
        if (rc < 0)
            return rc;
    }
    if (record->resctrl_monitor != NULL) {
        int rc = proc_resctrl_monitor(start->resctrl_fd, resctrl, err);

        if (rc == -EEXIST)
            record->resctrl_monitor = NULL;
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Stands before the clone, so it is undone when the process has gone: a group with tasks stays. */
void undo_resctrl(struct start *start)
{
    struct sub_err ignored = {.code = 0};

    if (start->resctrl_fd >= 0)
        (void) proc_resctrl_remove(start->resctrl_fd, start->record.resctrl_group,
                                   start->record.resctrl_monitor, &ignored);
}

int remove_resctrl(const struct state_record *record, struct sub_err *err)
{
    struct sub_err unmounted = {.code = 0};
    int fd = -EBADF;

    if (record->resctrl_group == NULL && record->resctrl_monitor == NULL)
        return 0;
    int rc = proc_resctrl_open(&fd, &unmounted);
    OWNED_FD owned = fd;
    if (rc == -EOPNOTSUPP) /* its groups went with the mount */
        return 0;
    if (rc < 0) {
        *err = unmounted;
        return rc;
    }
    return proc_resctrl_remove(owned, record->resctrl_group, record->resctrl_monitor, err);
}
