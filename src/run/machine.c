/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of the parent about cache classes and network devices. */
#include <errno.h>
#include <stdio.h>

#include "sublet/base/fd.h"
#include "sublet/base/log.h"

#include "exec.h"
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

int exec_resctrl_find(struct start *start, struct sub_err *err)
{
    return start->plan->resctrl == NULL ? 0 : proc_resctrl_open(&start->resctrl_fd, err);
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

/* ---- network devices ---- */

#define DEVICES_LIMIT_MS 30000 /* a registered callback of some driver may take its time */

static const char *const no_environment[] = {NULL};
static const struct sys_program mover = {
    .name = "netdevices", .needs = "libmnl", .environment = no_environment};

static int ask(struct start *start, const char *json, const char *request, struct sub_err *err)
{
    struct answer answer;
    int rc = sys_talk_ask(&start->net_devices, request, DEVICES_LIMIT_MS, &answer, err);

    if (rc < 0)
        sub_err_at(err, "%s", json);
    return rc;
}

/* The program lives on until the release: should we be killed before, it brings them back. */
int step_net_devices(struct start *start, struct sub_err *err)
{
    static const char field[] = "linux.netDevices";
    const struct plan_net_devices *devices = &start->plan->net_devices;
    char request[128];

    if (devices->count == 0)
        return 0;
    int rc = sys_talk_open(&mover, &start->net_devices, err);
    if (rc < 0) {
        sub_err_at(err, "%s", field);
        return rc;
    }
    (void) snprintf(request, sizeof request, "open %d", (int) start->child.pid);
    SUBLET_TRY(ask(start, field, request, err));
    for (size_t i = 0; i < devices->count; i++) {
        const struct plan_net_device *device = &devices->items[i];

        (void) snprintf(request, sizeof request, "move %s %s", device->name, device->wanted);
        SUBLET_TRY(ask(start, device->json, request, err));
    }
    return 0;
}

/* Not by a request: an answer that is still under way would be taken for its own. */
void undo_devices(struct start *start)
{
    sys_talk_end(&start->net_devices, DEVICES_LIMIT_MS);
}

void keep_net_devices(struct start *start)
{
    struct sub_err failure = {.code = 0};

    /* a program that has gone has moved them, and cannot move them back any more */
    if (start->net_devices.pidfd >= 0 && ask(start, "linux.netDevices", "keep", &failure) < 0)
        log_debug("%s: %s", failure.path, failure.text);
    sys_talk_close(&start->net_devices);
}
