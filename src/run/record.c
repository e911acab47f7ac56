/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that write into the container's folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/base/log.h"
#include "sublet/sys.h"

#include "start.h"

/* A record that names a group is a licence for `delete` to kill in it: not where others live. */
static int check_unused(struct start *start, struct sub_err *err)
{
    const struct plan_cgroup *cgroup = &start->plan->cgroup;
    OWNED_CGROUP group = CGROUP_NONE;
    char text[128];

    int rc = cgroup_open(start->cgroup_root_fd,
                         start->scope_path == NULL ? cgroup->path : start->scope_path, &group, err);
    if (rc == -ENOENT)
        return 0;
    if (rc < 0)
        return rc;
    if (cgroup_populated(group.dir_fd) != 1)
        return 0;
    cgroup_remaining(group.dir_fd, text, sizeof text);
    return sub_fail(err, EBUSY, cgroup->json, "cgroup '/%s' is in use by %s", cgroup->path,
                    text[0] == '\0' ? "processes" : text);
}

static void describe_resctrl(struct start *start)
{
    const struct plan_resctrl *resctrl = start->plan->resctrl;

    if (resctrl == NULL)
        return;
    if (start->makes_resctrl)
        start->record.resctrl_group = resctrl->group;
    if (resctrl->monitor != NULL) {
        start->record.resctrl_monitor =
            arena_printf(start->request->arena, "%s%smon_groups/%s", resctrl->group,
                         resctrl->group[0] == '\0' ? "" : "/", resctrl->monitor);
    }
}

/* What the record says before anything happened. The group's missing parents are counted now,
 * since a crash in the middle of making them must not leave one that nobody knows of. */
static int describe(struct start *start, struct sub_err *err)
{
    const struct plan *plan = start->plan;
    struct state_record *record = &start->record;

    state_time_now(start->created);
    int rc = state_boot_id(start->boot_id);
    if (rc < 0)
        return sub_fail(err, -rc, "/proc/sys/kernel/random/boot_id", "cannot read: %s",
                        sub_strerror(-rc));

    *record = (struct state_record){
        .id = plan->id,
        .oci_version = plan->oci_version,
        .bundle = plan->bundle,
        .rootfs = plan->root.path == NULL ? plan->bundle : plan->root.path,
        .created = start->created,
        .boot_id = start->boot_id,
        .cgroup_manager = cgroup_manager_name(plan->cgroup.manager),
        .start_hooks = plan->hooks[PLAN_HOOK_START_CONTAINER].count > 0 ||
                       plan->hooks[PLAN_HOOK_POSTSTART].count > 0,
        .stop_hooks = plan->hooks[PLAN_HOOK_POSTSTOP].count > 0,
        .keyring = plan->process.keyring != NULL,
        .tenant = plan->cgroup.tenant,
        .tenant_outside = plan->cgroup.tenant_outside,
        .owner_uid = geteuid(),
        .annotations = {(const struct state_pair *) plan->annotations, plan->annotation_count},
    };
    _Static_assert(sizeof(struct state_pair) == sizeof(struct plan_pair), "two names of one shape");

    describe_resctrl(start);
    if (start->cgroup_root_fd < 0)
        return 0;
    record->cgroup_path = start->group_path;
    if (plan->cgroup.manager == PLAN_CGROUP_SYSTEMD) {
        record->systemd_unit = plan->cgroup.unit;
        record->systemd_scope = start->scope_path;
        record->systemd_user = plan->cgroup.user_manager;
        return check_unused(start, err);
    }
    int missing = cgroup_missing(start->cgroup_root_fd, plan->cgroup.path, err);
    if (missing < 0)
        return missing;
    if (missing == 0)
        SUBLET_TRY(check_unused(start, err));
    record->cgroup_kept = missing == 0;
    record->cgroup_parents = missing > 0 ? (uint32_t) missing - 1 : 0;
    return 0;
}

int step_claim(struct start *start, struct sub_err *err)
{
    /* first of all, for of a second container with this ID its being there is the news */
    SUBLET_TRY(state_claim(start->root_fd, start->plan->id, &start->dir_fd, err));
    start->claimed = true;
    SUBLET_TRY(describe(start, err));
    SUBLET_TRY(state_write(start->dir_fd, &start->record, err));
    return state_save(start->dir_fd, STATE_CONFIG, start->request->config_text,
                      start->request->config_size, err);
}

/* A start that failed behind its first hook is a container that ends: poststop hooks are owed. */
static void run_owed_hooks(struct start *start)
{
    struct sub_err failure = {.code = 0};
    OWNED_BUF text = BUF(STATE_MAX_BYTES);

    if (!start->hooks_began)
        return;
    if (state_text(&start->record, RUN_STOPPED, 0, &text) < 0)
        return;
    if (proc_hooks_run(&start->plan->hooks[PLAN_HOOK_POSTSTOP], text.data, start->plan->bundle,
                       &failure) < 0)
        log_debug("%s: %s", failure.path, failure.text);
}

void undo_claim(struct start *start)
{
    struct sub_err ignored = {.code = 0};

    run_owed_hooks(start);
    if (start->claimed)
        (void) state_remove(start->root_fd, start->plan->id, start->dir_fd, &ignored);
}

static int make_fifo(struct start *start, const char *name, int *ret_fd, struct sub_err *err)
{
    int rc = sys_mknodat(start->dir_fd, name, S_IFIFO | 0600, 0);

    /* open for both directions: then a read waits for a writer instead of finding an end, and a
     * writer that finds no reader (ENXIO) knows that the process is gone */
    int fd = rc < 0 ? rc : sys_openat(start->dir_fd, name, O_RDWR | O_NOFOLLOW, 0);
    if (fd < 0)
        return sub_fail(err, -fd, name, "cannot make the FIFO: %s", sub_strerror(-fd));
    *ret_fd = fd;
    return 0;
}

int step_fifos(struct start *start, struct sub_err *err)
{
    if (!start->waits)
        return 0;
    SUBLET_TRY(make_fifo(start, STATE_FIFO, &start->fifo_fd, err));
    return make_fifo(start, STATE_ANSWER, &start->answer_fd, err);
}

/* `start` makes the socket of a container that waits for it. */
int step_notify(struct start *start, struct sub_err *err)
{
    const struct run_request *request = start->request;
    const char *listener = start->plan->process.notify_socket;

    if (listener == NULL)
        return 0;

    int rc = sys_mkdirat(start->dir_fd, STATE_NOTIFY, 0755);
    OWNED_FD folder =
        rc < 0 ? rc
               : sys_openat(start->dir_fd, STATE_NOTIFY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (folder < 0)
        return sub_fail(err, -folder, STATE_NOTIFY, "cannot make the folder: %s",
                        sub_strerror(-folder));
    if (!start->waits) {
        SUBLET_TRY(proc_notify_open(&start->notify, folder, STATE_NOTIFY_SOCKET, listener, err));
        start->notify.adds_main_pid = request->detach;
    }
    start->notify_path = arena_printf(request->arena, "%s/%s/%s", request->state_root,
                                      start->plan->id, STATE_NOTIFY);
    if (start->notify_path == NULL)
        return sub_fail(err, ENOMEM, NULL, "out of memory");
    return mount_open_notify(start->tree, start->dir_fd, STATE_NOTIFY, err);
}

/* While the child is at work: the final record, still under its other name. */
int step_record(struct start *start, struct sub_err *err)
{
    int rc = state_identify(start->child.pid, start->child.pidfd, &start->record.process);

    if (rc < 0)
        return 0; /* it has died already, and "ready" tells why */
    start->record.complete = true;
    return state_prepare(start->dir_fd, &start->record, err);
}

int step_publish(struct start *start, struct sub_err *err)
{
    if (start->pidfd_socket_fd >= 0)
        SUBLET_TRY(proc_pidfd_send(start->pidfd_socket_fd, "standard", start->child.pidfd, err));
    SUBLET_TRY(write_pid_file(start->request->pid_file, start->child.pid, err));
    return state_publish(start->dir_fd, err);
}

bool plan_has_child_hooks(const struct plan *plan)
{
    return plan->hooks[PLAN_HOOK_CREATE_CONTAINER].count > 0 ||
           plan->hooks[PLAN_HOOK_START_CONTAINER].count > 0;
}

/* The state that hooks of the child read, written before the clone. The pid is known only after
 * it: blanks behind the number, which JSON permits, leave room for the child to put it in. */
int step_hook_state(struct start *start, struct sub_err *err)
{
    static const char mark[] = "\"pid\":0", room[] = "          ";
    OWNED_BUF text = BUF(STATE_MAX_BYTES);
    OWNED_BUF padded = BUF(STATE_MAX_BYTES);

    if (!plan_has_child_hooks(start->plan))
        return 0;

    SUBLET_TRY(state_text(&start->record, RUN_CREATING, 0, &text));

    const char *place = strstr(buf_text(&text), mark);
    if (place != NULL) {
        size_t head = (size_t) (place - text.data) + sizeof mark - 1;

        buf_add(&padded, text.data, head);
        buf_puts(&padded, room);
        buf_puts(&padded, text.data + head);
    }
    if (buf_failed(&padded) || padded.data == NULL)
        return sub_fail(err, ENOMEM, NULL, "cannot write the state for hooks");
    start->hook_state = sub_take(&padded.data);
    return 0;
}
