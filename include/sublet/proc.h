/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes around a start: the channel between the runtime and the child, the image that the
 * child turns into, terminals, hooks, the program to run. It knows how to carry a thing out and
 * how long to wait for it; what is to be run, and when, stands in the plan and in run.
 */
#ifndef SUBLET_PROC_H
#define SUBLET_PROC_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/plan.h"

/* --- descriptors and signals of the runtime itself (fds.c) ----------------------------------- */

/* Opens /dev/null on 0, 1, 2 where they are closed; marks everything from 3 + preserve on
 * O_CLOEXEC; fails if one of the descriptors to preserve is not open. The first listen_fds of them
 * are to be preserved because $LISTEN_FDS says so. */
int proc_fds_init(uint32_t preserve_fds, uint32_t listen_fds, struct sub_err *err);

/* Dispositions back to default and mask emptied, for the child: exec keeps what is ignored. */
void proc_signals_reset(void);

/* Puts the /dev/null below root_fd where stdio is a null device: by a descriptor of the host's the
 * container's root could change its mode and owner for everybody. Where the container's is none
 * that fails, unless it may be missing and is. */
int proc_stdio_null(int root_fd, bool may_be_missing, struct sub_err *err);

/* Gives stdio pipes, sockets and terminals that are not ours to uid, so that the process may
 * reopen them; never touches devices (a host's /dev/null) or files. */
int proc_stdio_chown(uint32_t uid);

/* --- the channel (channel.c) -------------------------------------------------------------------
 *
 *   child                         parent
 *     |  --- CHILD, pid ------->  |        only from exec into a pid namespace: the child has
 *     x                             |        left to another process, which goes on here
 *     |        <-- go ---------     |        id maps are written (user namespace only)
 *     |  --- MOUNTED ------------>  |        only with hooks: prestart, createRuntime run now
 *     |        <-- go ---------     |
 *     |  --- LISTENER, fd ------->  |        only with a seccomp agent; comes from the stub
 *     |  --- READY -------------->  |        all is set up, the program was found
 *     |        <-- go ---------     |        the record says "created": the child may outlive us
 *     x  --- error record ------>            at any point instead; end of file: it died or exec'd
 *
 * A message of the child is one struct sub_err: code 0 makes it news, whose kind is in `line`
 * (CHILD has minus the pid there, as the sender's pid namespace has it);
 * an error with line 0 was written by the stub, whose errno text the receiver appends. */
enum proc_news { PROC_MOUNTED = 1, PROC_READY, PROC_LISTENER, PROC_CHILD };

/* ret_ends[0] is the parent's, [1] the child's, which is numbered from first_fd on. */
int proc_channel_open(int first_fd, int ret_ends[2], struct sub_err *err);
int proc_tell(int fd, enum proc_news news);
void proc_tell_error(int fd, const struct sub_err *failure);
int proc_go(int fd);
int proc_wait_go(int fd); /* -EPIPE when the parent is gone */

/* Waits for one message of the child. 1 with *ret_news (and *ret_fd if it carried one), 0 at the
 * end of the channel, or the child's own failure in err. timeout_ms < 0: for ever. */
int proc_receive(int fd, int timeout_ms, enum proc_news *ret_news, int *ret_fd,
                 struct sub_err *err);

/* Waits for CHILD, 0 if the sender, of pidfd, has ended without it: its own child has the channel
 * as well. The sender is inside the container's reach: the pid has to be checked. */
int proc_receive_child(int fd, int pidfd, int timeout_ms, pid_t *ret_pid, struct sub_err *err);

/* 0 at the end of the channel or of the process of pidfd, or its failure; news are one, too. */
int proc_wait_gone(int fd, int pidfd, int timeout_ms, struct sub_err *err);

/* The same as proc_receive for a FIFO that is known to be readable: 0 at its end, else the failure.
 */
int proc_read_failure(int fd, struct sub_err *err);

/* --- the image (image.c) ----------------------------------------------------------------------
 * The stub with the script as its second segment, in a sealed memfd: nothing a container could
 * reach through /proc/PID/exe is a file of the host. */
int proc_image_make(const struct buf *blob, int *ret_fd, struct sub_err *err);

/* Becomes the image. home may be NULL. Returns only on failure, -errno. */
int proc_image_exec(int image_fd, const char *program, const char *home);

/* --- the program (program.c), in the child, with "/" being the container's ------------------- */
#define PROC_PATH_MAX 4096

/* Finds args[0] along PATH of env, or as it is if it has a slash. Result in ret_path. */
int proc_find_program(const struct plan_process *process, char ret_path[PROC_PATH_MAX],
                      struct sub_err *err);

/* "HOME=DIR" for uid from the container's /etc/passwd; "HOME=/" if it does not say. */
void proc_find_home(uint32_t uid, char *ret_home, size_t size);

/* Enters the working folder, made where it is missing if make says so, and checks that it lies
 * inside the root. */
int proc_enter_cwd(const struct plan_process *process, bool make, struct sub_err *err);

/* --- terminals (tty.c) ------------------------------------------------------------------------ */

/* A pseudo-terminal of the container's own devpts, found below root_fd; the slave sized and owned
 * as the process wants it. */
int proc_tty_open(int root_fd, const struct plan_process *process, int *ret_master, int *ret_slave,
                  struct sub_err *err);

/* Sends the master to whoever listens on the console socket, in the way engines expect it. */
int proc_tty_send(int socket_fd, int master_fd, struct sub_err *err);

/* Makes the slave the controlling terminal and stdio of this session. */
int proc_tty_adopt(int slave_fd, struct sub_err *err);

/* The other end of proc_tty_send: a runtime that is the console itself. */
int proc_tty_receive(int socket_fd, int *ret_master, struct sub_err *err);

/* --- a process in the foreground (watch.c) ------------------------------------------------------
 * What the caller of `run` and of `exec` sees of the process until its end: its terminal, relayed
 * to the caller's stdio; the caller's signals, job control and window size; its exit status. */

/* Blocks everything that a caller may send and gives it out as a signalfd: before the clone, for
 * the process may end, or be told to, before anybody looks. ret_before is to be restored. */
int proc_watch_signals(sigset_t *ret_before, int *ret_fd);

/* One more descriptor that is served meanwhile. act may change fd and events; fd < 0: not now. */
struct proc_source {
    int fd;
    short events;
    void (*act)(struct proc_source *source, short revents);
};

struct proc_watched {
    pid_t pid; /* our own child, leader of its session; the watch reaps it */
    int pidfd;
    int master_fd; /* its terminal, which the watch closes; -EBADF: it has the caller's stdio */
    int signal_fd;
    struct proc_source *source; /* NULL: none */
};

/* Until the process has ended and all that it wrote to its terminal is written out. *ret_status as
 * shells know it (128+n for a signal). The caller's terminal is given back as it was. */
int proc_watch(const struct proc_watched *watched, int *ret_status, struct sub_err *err);

/* --- a program of the host (capture.c) ---------------------------------------------------------
 * Found along the caller's PATH, with nothing on standard input; killed after limit_ms. The caller
 * gives buffers with their maximum. */
struct proc_captured {
    struct buf out, errors;
    int status; /* as shells know it */
};
int proc_capture(char *const *args, int limit_ms, struct proc_captured *captured,
                 struct sub_err *err);

/* --- cache and memory bandwidth (resctrl.c) ----------------------------------------------------
 * fs_fd is the root of a resctrl file system. */

/* -EOPNOTSUPP where none is mounted. */
int proc_resctrl_open(int *ret_fs_fd, struct sub_err *err);

/* 1 if the group is to be made, 0 if it is there and has what is asked for. */
int proc_resctrl_check(int fs_fd, const struct plan_resctrl *resctrl, struct sub_err *err);

/* The group with its schemata; the monitoring group. -EEXIST: somebody else has just made it. What
 * is made before a failure is proc_resctrl_remove's. */
int proc_resctrl_make(int fs_fd, const struct plan_resctrl *resctrl, struct sub_err *err);
int proc_resctrl_monitor(int fs_fd, const struct plan_resctrl *resctrl, struct sub_err *err);
int proc_resctrl_enter(int fs_fd, const struct plan_resctrl *resctrl, pid_t pid,
                       struct sub_err *err);

/* New lines for a group that is there: all of them, or none with the kernel's reason.
 * *ret_before: the lines it had, which put it back by the same call. */
int proc_resctrl_change(struct arena *arena, int fs_fd, const char *group, const char *lines,
                        const char **ret_before, struct sub_err *err);

/* Removes a monitoring group and a group (either may be NULL) by their paths. A group that has
 * tasks by now is not removed: another container has come to share it. */
int proc_resctrl_remove(int fs_fd, const char *group, const char *monitor, struct sub_err *err);

/* --- sd_notify (notify.c) -----------------------------------------------------------------------
 * What the container's process tells over a socket of its own goes to whoever listens on the
 * caller's $NOTIFY_SOCKET: READY, STATUS, RELOADING, STOPPING, ERRNO, BUSERROR, MAINPID (as a pid
 * of the host), WATCHDOG, EXTEND_TIMEOUT_USEC, BARRIER. All else is dropped. */
#define PROC_NOTIFY_BYTES 4096 /* systemd takes no more */

struct proc_notify {
    struct proc_source source; /* first: for proc_watch */
    int socket_fd;             /* the container's end of it is in its folder */
    int host_fd;               /* negative: nobody listens, what comes is dropped */
    pid_t pid;                 /* the container's first process */
    int pid_ns_fd;
    bool adds_main_pid; /* the caller is about to go: READY names the process to look after */
    bool ready;         /* READY has been handed on */
    char text[PROC_NOTIFY_BYTES + 64]; /* what waits until the host's socket has room */
    size_t length;
    int barrier_fd, passed_fd; /* ends of a pipe: ours, and the one for the listener */
};
#define PROC_NOTIFY_NONE                        \
    ((struct proc_notify){.socket_fd = -EBADF,  \
                          .host_fd = -EBADF,    \
                          .pid_ns_fd = -EBADF,  \
                          .barrier_fd = -EBADF, \
                          .passed_fd = -EBADF,  \
                          .source = {.fd = -EBADF}})

/* Makes the socket name in the folder, in the place of an older one. */
int proc_notify_open(struct proc_notify *notify, int folder_fd, const char *name,
                     const char *host_address, struct sub_err *err);
/* The container's first process, as soon as there is one. */
void proc_notify_of(struct proc_notify *notify, pid_t pid);
/* Hands on until READY was among it, the process has ended, or nobody listens. */
int proc_notify_wait(struct proc_notify *notify, int pidfd, struct sub_err *err);
void proc_notify_done(struct proc_notify *notify);

/* A pidfd for whoever listens behind --pidfd-socket. kind: "standard" for a container's first
 * process, "setns" for one of exec, as receivers know them from runc. */
int proc_pidfd_send(int socket_fd, const char *kind, int pidfd, struct sub_err *err);

/* --- hooks (hook.c) ----------------------------------------------------------------------------
 */

/* Runs one hook with state_json on its standard input, kills its process group at the deadline.
 * Fails with the status and the end of what it wrote. folder: working folder, NULL: as it is. */
int proc_hook_run(const struct plan_hook *hook, const char *state_json, const char *folder,
                  struct sub_err *err);
int proc_hooks_run(const struct plan_hooks *hooks, const char *state_json, const char *folder,
                   struct sub_err *err);

#endif
