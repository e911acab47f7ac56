/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps of the child, a copy of the single-threaded parent in its new namespaces. It carries out
 * decisions; an allocation here would mean that one was left over.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/sys.h"

#include "start.h"

void child_main(struct start *start)
{
    struct sub_err err = {.code = 0};

    (void) steps_run(CHILD, start, &err);
    proc_tell_error(start->channel[1], &err);
    _exit(1);
}

int child_leave_host(struct start *start, struct sub_err *err)
{
    int rc = sys_prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0);

    /* the id maps of a process that is not dumpable are root's: a parent who is not can write them
     * only before; becoming root hides the process, too */
    if (rc >= 0 && (!start->plan->ns.new_user || start->exec != NULL || geteuid() == 0))
        rc = sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "prctl: %s", sub_strerror(-rc));

    proc_signals_reset();
    (void) umask(0);
    /* our copy of the parent's end would hide its death from us; folders of the host are no
     * business of a process that other ones may soon look at */
    sub_close(&start->channel[0]);
    sub_close(&start->dir_fd);
    sub_close(&start->root_fd);
    sub_close(&start->cgroup_root_fd);
    sub_close(&start->group.dir_fd);
    sys_talk_forget(&start->systemd.talk);
    if (!has_late_agent(start))
        sub_close(&start->agent_fd);
    sub_close(&start->resctrl_fd);
    sub_close(&start->terminal_fd);
    sub_close(&start->pidfd_socket_fd);
    proc_notify_done(&start->notify);

    rc = sys_setsid();
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "setsid: %s", sub_strerror(-rc));
    return 0;
}

/* The parent's word, or a silent end with it. */
static void wait_go(struct start *start)
{
    if (proc_wait_go(start->channel[1]) < 0)
        _exit(1);
}

/* The same, and the image that could not be made before there was a pid. */
static void wait_image(struct start *start)
{
    char byte;

    if (sys_recv_fd(start->channel[1], &byte, 1, &start->image_fd) != 1 || start->image_fd < 0)
        _exit(1);
}

/* systemd makes the group around a process: nothing is done, and no cgroup namespace made, until
 * this one is in it. */
int child_join_scope(struct start *start, struct sub_err *err)
{
    (void) err;
    if (start->plan->cgroup.manager == PLAN_CGROUP_SYSTEMD)
        wait_go(start);
    return 0;
}

int child_become_root(struct start *start, struct sub_err *err)
{
    if (start->plan->ns.new_user)
        wait_go(start);
    return ns_become_root(&start->plan->ns, err);
}

int child_join_keyring(const char *name, struct sub_err *err)
{
    int rc = name == NULL ? 0 : sys_join_session_keyring(name);

    if (rc < 0 && rc != -ENOSYS) /* a kernel without keys has none to protect */
        return sub_fail(err, -rc, NULL, "cannot join a session keyring: %s%s", sub_strerror(-rc),
                        rc == -EDQUOT ? " (kernel.keys.maxkeys; or use --no-new-keyring)" : "");
    return 0;
}

int child_namespaces(struct start *start, struct sub_err *err)
{
    SUBLET_TRY(ns_enter(&start->plan->ns, &start->joins, err));
    SUBLET_TRY(ns_set_names(&start->plan->ns, err));
    return child_join_keyring(start->plan->process.keyring, err);
}

/* Where the parent had no right to clone it. */
static int open_notify_folder(struct start *start, struct sub_err *err)
{
    const char *path = start->notify_path;

    return path == NULL ? 0 : mount_open_notify(start->tree, AT_FDCWD, path, err);
}

int child_mounts(struct start *start, struct sub_err *err)
{
    SUBLET_TRY(open_notify_folder(start, err));
    if (!start->plan->mounts.sources_by_parent)
        SUBLET_TRY(mount_open_sources(start->tree, err));
    SUBLET_TRY(mount_open_group(start->tree, err));
    SUBLET_TRY(mount_attach_root(start->tree, err));
    SUBLET_TRY(mount_all(start->tree, err));
    return mount_devices(start->tree, err);
}

int child_terminal(struct start *start, struct sub_err *err)
{
    const struct plan_process *process = &start->plan->process;
    int master = -EBADF, slave = -EBADF;

    if (!process->terminal) {
        /* what a /dev of the config's own lacks, nobody inside has taken away yet */
        SUBLET_TRY(proc_stdio_null(mount_root_fd(start->tree), true, err));

        int rc = proc_stdio_chown(process->uid);

        if (rc < 0)
            return sub_fail(err, -rc, "process.user.uid", "cannot hand over stdio: %s",
                            sub_strerror(-rc));
        return 0;
    }

    SUBLET_TRY(proc_tty_open(mount_root_fd(start->tree), process, &master, &slave, err));
    OWNED_FD owned_master = master;
    OWNED_FD owned_slave = slave;
    if (start->plan->mounts.console)
        SUBLET_TRY(mount_console(start->tree, slave, err));
    SUBLET_TRY(proc_tty_send(start->console_fd, master, err));
    sub_close(&start->console_fd);
    return proc_tty_adopt(slave, err);
}

/* This process as the runtime's pid namespace calls it; the host's /proc is still in sight. */
static void put_pid(char *state)
{
    char self[32];
    char *place = strstr(state, "\"pid\":0");

    if (place == NULL || sys_readlinkat(AT_FDCWD, "/proc/self", self, sizeof self) <= 0)
        return;
    for (size_t i = 0; self[i] != '\0'; i++) /* at most ten digits: the room that was left */
        place[6 + i] = self[i];
}

int child_hooks(struct start *start, struct sub_err *err)
{
    const struct plan *plan = start->plan;

    if (!plan_has_work_behind_mounts(plan))
        return 0;
    if (start->hook_state != NULL)
        put_pid(start->hook_state);
    int rc = proc_tell(start->channel[1], PROC_MOUNTED);
    if (rc < 0)
        return rc;
    wait_go(start);
    return proc_hooks_run(&plan->hooks[PLAN_HOOK_CREATE_CONTAINER], start->hook_state, plan->bundle,
                          err);
}

int child_sysctls(struct start *start, struct sub_err *err)
{
    const struct plan *plan = start->plan;

    for (size_t i = 0; i < plan->sysctl_count; i++) {
        const struct plan_pair *sysctl = &plan->sysctls[i];
        char path[512];

        if (snprintf(path, sizeof path, "sys/%s", sysctl->key) >= (int) sizeof path)
            return sub_fail(err, ENAMETOOLONG, "linux.sysctl", "'%s' is too long", sysctl->key);

        OWNED_FD fd = sys_open_beneath(start->proc_fd, path, O_WRONLY | O_NOFOLLOW, 0);
        int rc = fd < 0 ? fd : sub_write_all(fd, sysctl->value, strlen(sysctl->value));
        if (rc < 0)
            return sub_fail(err, -rc, "linux.sysctl", "cannot set '%s' to '%s': %s", sysctl->key,
                            sysctl->value, sub_strerror(-rc));
    }
    return 0;
}

/* The stub opens the label's file in a procfs of our own, which shows processes and nothing else:
 * not in the container's, over which anything may be mounted (CVE-2019-16884), and not in the
 * host's, of which nothing may stay open in a process that waits inside the container. */
int child_private_proc(int *ret_fd, struct sub_err *err)
{
    OWNED_FD fs = sys_fsopen("proc");
    int rc = fs < 0 ? fs : sys_fsconfig_string(fs, "subset", "pid");

    if (rc >= 0)
        rc = sys_fsconfig_create(fs);
    OWNED_FD mount = rc < 0 ? rc : sys_fsmount(fs, 0);
    if (mount == -EPERM)
        return mount;
    if (mount < 0)
        return sub_fail(err, -mount, NULL, "cannot make a procfs for the security label: %s",
                        sub_strerror(-mount));
    *ret_fd = sub_take_fd(&mount);
    return 0;
}

static int place_private_proc(struct start *start, struct sub_err *err)
{
    int fresh = -EBADF;
    int rc = child_private_proc(&fresh, err);
    OWNED_FD mount = fresh;

    if (rc == 0)
        rc = sys_dup_to(mount, start->label_fd);
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "cannot make a procfs for the security label: %s",
                        sub_strerror(-rc));
    return 0;
}

int child_pivot(struct start *start, struct sub_err *err)
{
    if (start->label_fd >= 0)
        SUBLET_TRY(place_private_proc(start, err));
    SUBLET_TRY(mount_pivot(start->tree, err));
    return mount_seal(start->tree, err);
}

int child_program(struct start *start, struct sub_err *err)
{
    const struct plan_process *process = &start->plan->process;

    SUBLET_TRY(proc_enter_cwd(process, true, err));
    SUBLET_TRY(proc_find_program(process, start->program, err));
    if (process->set_home)
        proc_find_home(process->uid, start->home, sizeof start->home);
    return 0;
}

static int wait_start(struct start *start, struct sub_err *err)
{
    char byte;

    /* whoever starts the container hears of failures from here on */
    if (dup3(start->answer_fd, start->channel[1], O_CLOEXEC) < 0)
        return sub_fail(err, errno, NULL, "cannot switch to the answer FIFO: %s",
                        sub_strerror(errno));
    sub_close(&start->answer_fd);
    if (sub_read_all(start->fifo_fd, &byte, 1) != 1)
        _exit(1);
    return 0;
}

/* Hooks of startContainer read another status than those before: shorter by a letter, and a blank
 * behind it. */
static void put_created(char *state)
{
    static const char before[] = "\"creating\"", now[] = "\"created\" ";
    char *place = strstr(state, "\"status\":\"creating\"");

    if (place != NULL)
        memcpy(strstr(place, before), now, sizeof now - 1);
}

/* Only where startContainer hooks exist is it this program that reports and waits for `start`;
 * otherwise the stub does, in a few pages of memory. */
int child_wait(struct start *start, struct sub_err *err)
{
    const struct plan_hooks *hooks = &start->plan->hooks[PLAN_HOOK_START_CONTAINER];

    /* From here on it is the end of the channel that tells of the runtime's death: all that is
     * left is short, or a read from there. With the signal still armed, a runtime that says "go"
     * and exits would kill the container. */
    int rc = sys_prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
    if (rc < 0)
        return rc;
    if (hooks->count == 0)
        return 0;

    put_created(start->hook_state);
    SUBLET_TRY(proc_tell(start->channel[1], PROC_READY));
    if (has_late_agent(start))
        wait_image(start);
    else
        wait_go(start);
    if (start->waits)
        SUBLET_TRY(wait_start(start, err));
    return proc_hooks_run(hooks, start->hook_state, NULL, err);
}

/* The image is not dumpable from its first instruction on: a process whose real and effective ids
 * differ at exec never is. Between an exec and a prctl, a neighbour in a shared pid namespace could
 * trace it while it has every capability (CVE-2016-9962). The script sets the group ids anyway; a
 * user namespace that maps only one of them has nothing but that prctl. */
static void hide_from_tracers(void)
{
    const gid_t keep = (gid_t) -1;

    (void) sys_setresgid(keep, 1, keep);
}

int child_become_init(struct start *start, struct sub_err *err)
{
    /* what the script needs survives the exec; all the rest is O_CLOEXEC */
    const int kept[] = {start->channel[1], start->fifo_fd, start->answer_fd, start->label_fd,
                        start->agent_fd};

    hide_from_tracers();

    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        if (kept[i] >= 0 && sys_dup_to(kept[i], kept[i]) < 0)
            return sub_fail(err, EBADF, NULL, "cannot keep descriptor %d", kept[i]);
    }

    int rc = proc_image_exec(start->image_fd, start->program,
                             start->home[0] == '\0' ? NULL : start->home);
    return sub_fail(err, -rc, NULL, "cannot become the init image: %s", sub_strerror(-rc));
}
