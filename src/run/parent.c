/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of the parent from the first effect to the child's release. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched/types.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/base/log.h"
#include "sublet/base/num.h"
#include "sublet/cgroups/update.h"
#include "sublet/sys.h"
#include "sublet/tenant.h"

#include "exec.h"
#include "start.h"

#define IOPRIO_WHO_PROCESS 1

/* What a container is accounted by, limits or not. */
#define ACCOUNTED          (CG_CPU | CG_CPUSET | CG_MEMORY | CG_IO | CG_PIDS)

/* A tenant that was removed since the start made sure of it: its group was made once more with the
 * container's, without any limit, or the container's went with it. */
static int check_tenant(struct start *start, struct sub_err *err)
{
    const struct plan_cgroup *cgroup = &start->plan->cgroup;

    if (cgroup->tenant == NULL || cgroup->tenant_outside ||
        tenant_is_in_force(start->cgroup_root_fd, cgroup->tenant_group, NULL) != 0)
        return 0;
    start->record.cgroup_parents = start->group.made_ancestors; /* for the undoing */
    return sub_fail(err, ENOENT, cgroup->tenant_json, "tenant '%s' was removed meanwhile",
                    cgroup->tenant);
}

int step_cgroup(struct start *start, struct sub_err *err)
{
    const struct plan_cgroup *cgroup = &start->plan->cgroup;

    if (cgroup->manager != PLAN_CGROUPFS || start->cgroup_root_fd < 0)
        return 0;
    SUBLET_TRY(cgroup_make(start->cgroup_root_fd, start->group_path, (uint32_t) cgroup->controllers,
                           cgroup->json, &start->group, err));
    SUBLET_TRY(check_tenant(start, err));
    cgroup_wish(start->cgroup_root_fd, start->group_path, start->group.dir_fd,
                ACCOUNTED & start->cgroup_host.available);
    SUBLET_TRY(
        cgroup_apply(start->group.dir_fd, cgroup->rows, cgroup->row_count, CG_BEFORE_CLONE, err));
    if (cgroup->delegate)
        return cgroup_delegate(start->group.dir_fd, cgroup->delegate_uid, err);
    return 0;
}

void undo_cgroup(struct start *start)
{
    struct sub_err ignored = {.code = 0};

    /* a group that we did not get is not ours to empty: others may live in it */
    if (start->group.dir_fd >= 0 && start->plan->cgroup.manager == PLAN_CGROUPFS)
        (void) destroy_group(start->request->arena, start->cgroup_root_fd, &start->record,
                             &ignored);
}

int step_spawn(struct start *start, struct sub_err *err)
{
    int rc = ns_spawn(&start->plan->ns, &start->joins, start->group.dir_fd, &start->child, err);

    if (rc < 0 && start->group.dir_fd >= 0)
        return cgroup_explain_clone(start->group.dir_fd, -rc, start->plan->cgroup.json, err);
    if (rc < 0)
        return rc;
    if (start->child.pid == 0)
        child_main(start);
    sub_close(&start->channel[1]); /* so that the child's end is the only one */
    return 0;
}

void undo_spawn(struct start *start)
{
    if (start->child.pidfd >= 0)
        kill_child(start->child.pidfd);
}

/* A child that has died is noticed, with its reason, by the next wait; any other failure to reach
 * it would leave both sides waiting for each other. */
int let_child_go_on(struct start *start)
{
    int rc = proc_go(start->channel[0]);

    return rc == -EPIPE ? 0 : rc;
}

int write_oom_score(const struct plan_process *process, pid_t pid, struct sub_err *err)
{
    char path[64], text[NUM_TEXT];

    (void) snprintf(path, sizeof path, "/proc/%d/oom_score_adj", (int) pid);
    (void) num_format_i64(process->oom_score_adj, text);

    OWNED_FD fd = sys_openat(AT_FDCWD, path, O_WRONLY, 0);
    int rc = fd < 0 ? fd : sub_write_all(fd, text, strlen(text));
    if (rc == -EACCES || rc == -EPERM) {
        char now[NUM_TEXT];

        /* lowering it is a privilege; asking for what is already so is none */
        if (sub_read_file_at(AT_FDCWD, path, now, sizeof now) > 0 && strcmp(now, text) == 0)
            return 0;
    }
    if (rc < 0)
        return sub_fail(err, -rc, "process.oomScoreAdj", "the kernel refused %s: %s", text,
                        sub_strerror(-rc));
    return 0;
}

static int set_scheduler(const struct plan_scheduler *scheduler, pid_t pid, struct sub_err *err)
{
    struct sched_attr attr = {
        .size = sizeof attr,
        .sched_policy = scheduler->policy,
        .sched_flags = scheduler->flags,
        .sched_nice = scheduler->nice,
        .sched_priority = scheduler->priority,
        .sched_runtime = scheduler->runtime_ns,
        .sched_deadline = scheduler->deadline_ns,
        .sched_period = scheduler->period_ns,
    };

    int rc = sys_sched_setattr(pid, &attr);
    if (rc < 0)
        return sub_fail(err, -rc, "process.scheduler", "the kernel refused it: %s",
                        sub_strerror(-rc));
    return 0;
}

/* Before the id maps: a child that goes on from there is not dumpable, and its files in /proc are
 * root's from then on. */
int step_attributes(struct start *start, struct sub_err *err)
{
    const struct plan_process *process = &start->plan->process;
    pid_t pid = start->child.pid;

    if (process->has_oom_score_adj && (start->exec == NULL || !exec_hands_score_down()))
        SUBLET_TRY(write_oom_score(process, pid, err));
    if (process->scheduler != NULL)
        SUBLET_TRY(set_scheduler(process->scheduler, pid, err));
    if (start->plan->resctrl != NULL)
        SUBLET_TRY(proc_resctrl_enter(start->resctrl_fd, start->plan->resctrl, pid, err));
    if (process->has_io_priority) {
        int rc = sys_ioprio_set(IOPRIO_WHO_PROCESS, pid, process->io_priority);

        if (rc < 0)
            return sub_fail(err, -rc, "process.ioPriority", "the kernel refused it: %s",
                            sub_strerror(-rc));
    }
    return 0;
}

int step_id_maps(struct start *start, struct sub_err *err)
{
    if (!start->plan->ns.new_user)
        return 0;
    SUBLET_TRY(ns_write_id_maps(&start->plan->ns, start->child.pid, err));
    return let_child_go_on(start);
}

int step_devices(struct start *start, struct sub_err *err)
{
    const struct plan_cgroup *cgroup = &start->plan->cgroup;
    struct cg_device_program program;

    if (start->group.dir_fd < 0 || cgroup->device_rule_count == 0)
        return 0;
    SUBLET_TRY(cg_device_program_make(start->request->arena, "linux.resources.devices",
                                      cgroup->device_rules, cgroup->device_rule_count, &program,
                                      err));
    if (program.count == 0)
        return 0;
    return cgroup_devices_apply(start->group.dir_fd, &program, start->group.created, err);
}

static bool has_parent_hooks(const struct plan *plan)
{
    return plan->hooks[PLAN_HOOK_PRESTART].count > 0 ||
           plan->hooks[PLAN_HOOK_CREATE_RUNTIME].count > 0;
}

bool plan_has_work_behind_mounts(const struct plan *plan)
{
    return has_parent_hooks(plan) || plan_has_child_hooks(plan) || plan->net_devices.count > 0;
}

int no_answer(const struct start *start, struct sub_err *err)
{
    bool limited = start->plan->cgroup.row_count > 0 || start->exec != NULL;
    char reason[128] = "";

    /* of an exec nobody knows whose death it was that the group has counted */
    if (start->group.dir_fd >= 0 && start->exec == NULL)
        cgroup_oom_reason(start->group.dir_fd, reason, sizeof reason);
    if (reason[0] != '\0')
        return sub_fail(err, ECHILD, "linux.resources.memory",
                        "the container's process was killed while it was set up (OOM): %s", reason);
    return sub_fail(err, ECHILD, NULL, "the %s process died while it was set up%s",
                    start->exec != NULL ? "new" : "container's",
                    limited ? " (killed? a memory or pids limit may be too low)" : "");
}

/* The next news of the child; its own failure, or a word about its end. */
static int hear(struct start *start, enum proc_news *ret_news, int *ret_fd, struct sub_err *err)
{
    /* hooks may take as long as their own timeouts let them */
    int limit_ms = plan_has_child_hooks(start->plan) ? -1 : ANSWER_LIMIT_MS;
    int rc = proc_receive(start->channel[0], limit_ms, ret_news, ret_fd, err);

    return rc != 0 ? rc : no_answer(start, err);
}

int step_mounted(struct start *start, struct sub_err *err)
{
    enum proc_news news;

    if (!plan_has_work_behind_mounts(start->plan))
        return 0;
    SUBLET_TRY(hear(start, &news, NULL, err));
    if (news != PROC_MOUNTED)
        return sub_fail(err, EPROTO, NULL, "the child sent %d, expected its mounts", (int) news);
    return 0;
}

int step_prestart(struct start *start, struct sub_err *err)
{
    const struct plan *plan = start->plan;
    OWNED_BUF text = BUF(STATE_MAX_BYTES);

    if (!plan_has_work_behind_mounts(plan))
        return 0;
    start->hooks_began = has_parent_hooks(plan) || plan_has_child_hooks(plan);
    SUBLET_TRY(state_text(&start->record, RUN_CREATING, start->child.pid, &text));
    SUBLET_TRY(proc_hooks_run(&plan->hooks[PLAN_HOOK_PRESTART], text.data, plan->bundle, err));
    SUBLET_TRY(
        proc_hooks_run(&plan->hooks[PLAN_HOOK_CREATE_RUNTIME], text.data, plan->bundle, err));
    return let_child_go_on(start);
}

int agent_words(struct start *start, enum run_status status, struct buf *buf, struct sub_err *err)
{
    const struct plan_seccomp *seccomp = start->plan->process.seccomp;
    pid_t pid = start->exec == NULL ? start->child.pid : start->record.process.pid;
    struct run_info info = info_of_record(&start->record, status, pid);

    run_agent_json(&info, start->child.pid, seccomp->listener_metadata, buf);
    return buf_failed(buf) ? sub_fail(err, ENOMEM, NULL, "out of memory") : 0;
}

int send_listener(struct start *start, int listener_fd, struct sub_err *err)
{
    OWNED_BUF text = BUF(STATE_MAX_BYTES);

    SUBLET_TRY(agent_words(start, start->exec == NULL ? RUN_CREATING : RUN_RUNNING, &text, err));

    int rc = sys_send_fd(start->agent_fd, text.data, text.length, &listener_fd, 1);
    sub_close(&start->agent_fd); /* one message a connection: its end is the message's end */
    if (rc < 0)
        return sub_fail(err, -rc, "linux.seccomp.listenerPath", "cannot send to the agent: %s",
                        sub_strerror(-rc));
    return 0;
}

int hand_over_stdio(pid_t pid, uint32_t uid, struct sub_err *err)
{
    uint32_t host_uid;
    int rc = ns_host_uid(pid, uid, &host_uid);

    if (rc >= 0)
        rc = proc_stdio_chown(host_uid);
    if (rc < 0 && rc != -ENOENT &&
        rc != -ESRCH) /* an id without a name outside, a child that has ended */
        return sub_fail(err, -rc, "process.user.uid", "cannot hand over stdio: %s",
                        sub_strerror(-rc));
    return 0;
}

int step_ready(struct start *start, struct sub_err *err)
{
    enum proc_news news;
    int fresh = -EBADF;

    SUBLET_TRY(hear(start, &news, &fresh, err));
    if (news == PROC_LISTENER) {
        OWNED_FD listener = fresh;

        SUBLET_TRY(send_listener(start, listener, err));
        SUBLET_TRY(hear(start, &news, NULL, err));
    }
    if (news != PROC_READY)
        return sub_fail(err, EPROTO, NULL, "the child sent %d, expected to be ready", (int) news);
    return 0;
}

/* A child in a user namespace cannot take what an id outside of it owns: pipes of the engine. The
 * child is all it will be, in a joined namespace as well. */
int step_stdio(struct start *start, struct sub_err *err)
{
    const struct plan_process *process = &start->plan->process;
    bool in_other = start->plan->ns.new_user || start->plan->ns.join_user;

    return in_other && !process->terminal ? hand_over_stdio(start->child.pid, process->uid, err)
                                          : 0;
}

int step_late_limits(struct start *start, struct sub_err *err)
{
    const struct plan_cgroup *cgroup = &start->plan->cgroup;

    if (start->group.dir_fd < 0)
        return 0;
    return cgroup_apply(start->group.dir_fd, cgroup->rows, cgroup->row_count, CG_AFTER_CLONE, err);
}

/* Of a child that has ended. */
static int last_words(struct start *start, struct sub_err *err)
{
    enum proc_news news;
    int rc = hear(start, &news, NULL, err);

    return rc < 0 ? rc : no_answer(start, err);
}

int step_release(struct start *start, struct sub_err *err)
{
    bool late = has_late_agent(start);

    if (late) /* the child has it; the agent sees the end of the message when nobody has it */
        sub_close(&start->agent_fd);
    int rc = late ? sys_send_fd(start->channel[0], "G", 1, &start->image_fd, 1)
                  : proc_go(start->channel[0]);

    cg_systemd_close(&start->systemd); /* a foreground run has no more use for it */
    if (rc == -EPIPE)
        return last_words(start, err);
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "cannot release the process: %s", sub_strerror(-rc));
    keep_net_devices(start); /* a process that is gone by now leaves them to be brought back */
    return 0;
}
