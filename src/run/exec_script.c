/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last operations of an exec's process, in the stub.
 *
 *   first choice                 where the filter forbids       with the runtime's own
 *                                something on the left          pid namespace
 *   privileges                   privileges                     session
 *   close                        close                          privileges
 *   filter (the listener goes    leave                          READY, go, close (1)
 *   to the runtime)              session                        filter
 *   leave                        go (1), wait (2)               READY, go, close (2)
 *   session                      filter                         exec
 *   go                           READY, go (2)
 *   exec                         exec                           (1) without an agent, (2) with one
 *
 * Before it leaves nobody inside can see the process. On the left it then has exactly what its
 * program will have. In the middle a container with CAP_SYS_PTRACE may find it without the filter;
 * without noNewPrivileges, CAP_SYS_ADMIN is what loading takes: it has that besides its program's
 * rights until then; an agent's listener is open there for a moment. A filter that is loaded by
 * whoever leaves must let pass what follows, and an agent hears of nothing before the exec; check.c
 * looks.
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

static void put_ready_go(const struct start *start, struct script *script)
{
    put_ready(script, start->channel[1]);
    put_go(start, script);
}

/* What follows of one place where the process can be: before the leave, behind it. */
static void fill_apart(struct start *start, const struct priv_fds *fds, struct script *script)
{
    const struct plan_process *process = &start->plan->process;

    priv_script(process, &start->filter, fds, script);
    put_close(start, script);
    if (start->exec->order == EXEC_FILTER_FIRST)
        priv_script_filter(process, &start->filter, fds, script);
    put_leave(start, script);
    put_session(start, script);
    if (start->exec->order == EXEC_FILTER_FIRST || fds->listener < 0)
        put_go(start, script);
    priv_script_limits(process, fds, script);
    if (start->exec->order == EXEC_FILTER_FIRST)
        return;
    if (fds->listener >= 0) /* or the listener overtakes the news of whose it is */
        put_wait(script, start->channel[1], "cannot wait for the runtime");
    priv_script_filter(process, &start->filter, fds, script);
    if (fds->listener >= 0)
        put_ready_go(start, script);
}

static void fill_shared(struct start *start, const struct priv_fds *fds, struct script *script)
{
    const struct plan_process *process = &start->plan->process;
    bool agent = fds->listener >= 0;

    put_session(start, script);
    if (!agent)
        put_ready_go(start, script);
    priv_script(process, &start->filter, fds, script);
    if (!agent)
        put_close(start, script);
    priv_script_filter(process, &start->filter, fds, script);
    if (agent) {
        put_ready_go(start, script);
        put_close(start, script);
    }
}

static int fill(struct start *start, struct script *script, struct sub_err *err)
{
    const struct plan_process *process = &start->plan->process;
    bool agent = start->agent_fd >= 0;
    bool apart = start->exec->order != EXEC_SHARED;
    struct priv_fds fds = {
        .proc = start->label_fd,
        .listener = agent ? start->channel[1] : -EBADF,
        .death_signal = apart || agent ? SIGKILL : 0,
        .leaves = apart,
        .alone = start->exec->order == EXEC_FILTER_FIRST,
    };

    if (process->apparmor != NULL)
        SUBLET_TRY(priv_apparmor_confined(start->proc_fd, &fds.apparmor_confined, err));
    put_call(script, SYS_prctl, PR_SET_DUMPABLE, 0, 0, "cannot hide from tracers");
    put_memory_policy(start, script);
    if (apart)
        fill_apart(start, &fds, script);
    else
        fill_shared(start, &fds, script);
    put_exec(start, script);
    if (arena_failed(start->request->arena))
        return sub_fail(err, ENOMEM, NULL, "out of memory");
    return priv_script_check(script, &start->filter, err);
}

static int make_image(struct start *start, enum exec_order order, struct sub_err *err)
{
    OWNED_SCRIPT script;

    start->exec->order = order;
    script_init(&script, start->channel[1]);
    SUBLET_TRY(fill(start, &script, err));
    return image_of_script(start, &script, err);
}

int exec_image(struct start *start, struct sub_err *err)
{
    if ((start->exec->joins & CLONE_NEWPID) == 0)
        return make_image(start, EXEC_SHARED, err);

    int rc = make_image(start, EXEC_FILTER_FIRST, err);
    if (rc != -EINVAL || start->filter.code == NULL)
        return rc;
    sub_err_clear(err);
    return make_image(start, EXEC_FILTER_LAST, err);
}
