/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last operations of an exec's process, in the stub.
 *
 *   with a pid namespace to enter     sharing it, or where the filter     with a seccomp agent
 *                                     forbids something on the left
 *   privileges, filter                leave (only with a namespace)       leave
 *   close                             session                             session
 *   leave                             READY, go                           privileges, filter
 *   session                           privileges, filter                  READY, go
 *   go                                close                               close
 *   exec                              exec                                exec
 *
 * On the left the process that others can see never has more rights than its program. A filter
 * that is loaded with no_new_privs comes right before the exec, so it forbids nothing of this.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"

#include "exec.h"
#include "script.h"
#include "start.h"

/* A private procfs cannot be made for the pid namespace of somebody else, where an engine without
 * root has only its own user namespace. Then the host's, which is closed before anybody sees it. */
int exec_label_proc(struct start *start, struct sub_err *err)
{
    int fresh = -EBADF;

    if (start->label_fd < 0)
        return 0;
    int rc = child_private_proc(&fresh, err);
    start->exec->host_proc = rc == -EPERM;
    if (rc == -EPERM)
        return 0;
    if (rc < 0)
        return rc;
    sub_close(&start->label_fd);
    start->label_fd = fresh;
    return 0;
}

static void put_leave(const struct start *start, struct script *script)
{
    struct script_op *op =
        script_add(script, SCRIPT_LEAVE, "", "cannot clone into the pid namespace");

    op->args[0] = (uint64_t) start->channel[1];
    op->args[1] = PROC_CHILD;
    op->args[2] = CLONE_PARENT | SIGCHLD;
    /* a fresh process has no signal bound to its parent's end */
    put_call(script, SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, "cannot bind to the runtime");
    /* nor is it the leader of the session that the first process has made */
    put_call(script, SYS_setsid, 0, 0, 0, "cannot make a session");
}

static void put_session(const struct start *start, struct script *script)
{
    if (start->plan->process.terminal)
        put_call(script, SYS_ioctl, 0, TIOCSCTTY, 0, "cannot make the terminal the session's");
}

/* From here on the process outlives the runtime. */
static void put_go(const struct start *start, struct script *script)
{
    put_wait(script, start->channel[1], "cannot wait for the runtime");
    put_call(script, SYS_prctl, PR_SET_PDEATHSIG, 0, 0, "cannot become independent");
}

static void fill_hidden(struct start *start, const struct priv_fds *fds, struct script *script)
{
    const struct plan_process *process = &start->plan->process;

    priv_script(process, &start->filter, fds, script);
    put_close(start, script);
    put_leave(start, script);
    put_session(start, script);
    put_go(start, script);
    priv_script_last(process, &start->filter, fds, script);
}

static void put_ready_go(const struct start *start, struct script *script)
{
    put_ready(script, start->channel[1]);
    put_go(start, script);
}

static void fill_seen(struct start *start, const struct priv_fds *fds, struct script *script)
{
    const struct plan_process *process = &start->plan->process;
    bool agent = start->agent_fd >= 0;

    if ((start->exec->joins & CLONE_NEWPID) != 0)
        put_leave(start, script);
    put_session(start, script);
    if (!agent)
        put_ready_go(start, script);
    priv_script(process, &start->filter, fds, script);
    if (!agent)
        put_close(start, script);
    priv_script_last(process, &start->filter, fds, script);
    if (agent) {
        put_ready_go(start, script);
        put_close(start, script);
    }
}

static int fill(struct start *start, bool hidden, struct script *script, struct sub_err *err)
{
    const struct plan_process *process = &start->plan->process;
    bool agent = start->agent_fd >= 0;
    struct priv_fds fds = {
        .proc = start->label_fd,
        .listener = agent ? start->channel[1] : -EBADF,
        .death_signal = hidden || agent ? SIGKILL : 0,
        .leaves = hidden,
    };

    if (process->apparmor != NULL)
        SUBLET_TRY(priv_apparmor_confined(start->proc_fd, &fds.apparmor_confined, err));
    put_call(script, SYS_prctl, PR_SET_DUMPABLE, 0, 0, "cannot hide from tracers");
    put_memory_policy(start, script);
    if (hidden)
        fill_hidden(start, &fds, script);
    else
        fill_seen(start, &fds, script);
    put_exec(start, script);
    if (arena_failed(start->request->arena))
        return sub_fail(err, ENOMEM, NULL, "out of memory");
    return priv_script_check(script, &start->filter, err);
}

static int make_image(struct start *start, bool hidden, struct sub_err *err)
{
    OWNED_SCRIPT script;

    script_init(&script, start->channel[1]);
    SUBLET_TRY(fill(start, hidden, &script, err));
    return image_of_script(start, &script, err);
}

int exec_image(struct start *start, struct sub_err *err)
{
    bool apart = (start->exec->joins & CLONE_NEWPID) != 0;

    if (apart && start->agent_fd < 0) {
        int rc = make_image(start, true, err);

        start->exec->hidden = rc == 0;
        if (rc != -EINVAL || start->filter.code == NULL)
            return rc;
        sub_err_clear(err);
    }
    if (apart && start->exec->host_proc)
        return sub_fail(err, EPERM, "linux.seccomp",
                        "with this filter or its agent a security label cannot be set without "
                        "root's rights");
    return make_image(start, false, err);
}
