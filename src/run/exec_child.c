/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps of an exec's first process. Paths are resolved behind the setns, in the container, by a
 * process that the container cannot see; nothing is allocated here any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"

#include "exec.h"
#include "start.h"

/* All at once: the kernel checks the rights for the others as the user namespace will have them.
 * The pid namespace is for children only, see exec.c. */
int exec_join(struct start *start, struct sub_err *err)
{
    static const struct plan_ns as_joined = {.join_user = true};
    struct exec *exec = start->exec;
    int rc = sys_setns(exec->init_pidfd, (int) exec->joins);

    if (rc == -ESRCH)
        return exec_not_running(exec->request->id, err);
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "container '%s': cannot enter its namespaces: %s",
                        exec->request->id, sub_strerror(-rc));
    sub_close(&exec->init_pidfd);
    sub_close(&exec->socket_fd);
    if ((exec->joins & CLONE_NEWUSER) != 0)
        SUBLET_TRY(ns_become_root(&as_joined, err));
    return child_join_keyring(start->plan->process.keyring, err);
}

int exec_program(struct start *start, struct sub_err *err)
{
    const struct plan_process *process = &start->plan->process;

    SUBLET_TRY(proc_enter_cwd(process, false, err));
    SUBLET_TRY(proc_find_program(process, start->program, err));
    if (process->set_home)
        proc_find_home(process->uid, start->home, sizeof start->home);
    return 0;
}

int exec_terminal(struct start *start, struct sub_err *err)
{
    const struct plan_process *process = &start->plan->process;
    int fresh_master = -EBADF, fresh_slave = -EBADF;

    OWNED_FD root = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
    if (root < 0)
        return sub_fail(err, -root, "/", "cannot open: %s", sub_strerror(-root));
    if (!process->terminal) {
        SUBLET_TRY(proc_stdio_null(root, false, err));

        int rc = proc_stdio_chown(process->uid);
        if (rc < 0)
            return sub_fail(err, -rc, "process.user.uid", "cannot hand over stdio: %s",
                            sub_strerror(-rc));
        return 0;
    }

    SUBLET_TRY(proc_tty_open(root, process, &fresh_master, &fresh_slave, err));
    OWNED_FD master = fresh_master;
    OWNED_FD slave = fresh_slave;
    SUBLET_TRY(proc_tty_send(start->console_fd, master, err));
    sub_close(&start->console_fd);

    /* the session that controls it is made by the script, in the process that stays */
    for (int fd = 0; fd < 3; fd++) {
        int rc = sys_dup_to(slave, fd);

        if (rc < 0)
            return sub_fail(err, -rc, "process.terminal", "cannot become stdio: %s",
                            sub_strerror(-rc));
    }
    return 0;
}
