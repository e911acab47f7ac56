/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only room that makes mount, namespace, process-identity and in-container path system calls.
 * Thin: one function, one system call, EINTR handled where a retry is right, result or -errno; no
 * messages and no policy, which are the caller's. Path discipline is built in: paths of a
 * container are resolved by sys_open_in and only there, everything else takes (fd, "") forms.
 */
#ifndef SUBLET_SYS_H
#define SUBLET_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct mount_attr;
struct sched_attr;
struct rlimit;
union bpf_attr;

/* --- mounts (mount_api.c) ------------------------------------------------------------------- */
int sys_open_tree(int dir_fd, const char *path, unsigned flags); /* -> fd, O_CLOEXEC */
int sys_mount_setattr(int fd, const char *path, unsigned flags, uint64_t set, uint64_t clear);
/* All of it in one call on the mount fd itself; propagation 0: leave. */
int sys_mount_change(int fd, unsigned flags, uint64_t set, uint64_t clear, uint64_t propagation);
/* MOUNT_ATTR_IDMAP on a detached mount; flags: AT_RECURSIVE. */
int sys_mount_map_ids(int fd, unsigned flags, int user_ns_fd);
int sys_move_mount(int from_fd, int to_fd); /* both by fd, "" */
int sys_fsopen(const char *type);           /* -> fd */
int sys_fspick(int mount_fd);               /* -> fd, of the file system that is mounted there */
int sys_fsconfig_flag(int fs_fd, const char *key);
int sys_fsconfig_string(int fs_fd, const char *key, const char *value);
int sys_fsconfig_create(int fs_fd);
int sys_fsconfig_reconfigure(int fs_fd);
int sys_fsmount(int fs_fd, uint64_t attr); /* -> fd, detached */
/* The kernel's own sentence about the last fsconfig failure, or "" (length, NUL-terminated). */
size_t sys_fs_message(int fs_fd, char *text, size_t size);
int sys_umount(const char *path, int flags);
int sys_pivot_root_here(void); /* pivot_root(".", ".") */
int sys_chroot_here(void);     /* chroot(".") */

/* --- paths (path_api.c) --------------------------------------------------------------------- */
/* Opens path inside root_fd (openat2 RESOLVE_IN_ROOT | extra). flags gets O_CLOEXEC. A concurrent
 * rename (EAGAIN) is retried for at most 10 ms. extra: RESOLVE_* bits. */
int sys_open_in(int root_fd, const char *path, int flags, uint64_t extra);
/* RESOLVE_BENEATH | NO_SYMLINKS | NO_XDEV | NO_MAGICLINKS: for our own folders and for procfs. */
int sys_open_beneath(int dir_fd, const char *path, int flags, mode_t mode);
int sys_openat(int dir_fd, const char *path, int flags, mode_t mode); /* + O_CLOEXEC */
int sys_mkdirat(int dir_fd, const char *name, mode_t mode);
/* Makes what is missing of an absolute path. A component that may not be made is no failure as long
 * as the next ones are there: it may exist. -ENAMETOOLONG from 4 KiB on. */
int sys_make_folders(const char *path, mode_t mode);
int sys_mknodat(int dir_fd, const char *name, mode_t mode, dev_t device);
int sys_symlinkat(const char *target, int dir_fd, const char *name);
int sys_unlinkat(int dir_fd, const char *name, int flags);
int sys_renameat(int old_dir_fd, const char *old_name, int new_dir_fd, const char *new_name);
int sys_fstat(int fd, struct stat *ret_stat);
int sys_fstatat(int dir_fd, const char *name, struct stat *ret_stat, int flags);
ssize_t sys_readlinkat(int dir_fd, const char *name, char *text, size_t size); /* NUL-terminated */
int sys_fchown(int fd, uid_t uid, gid_t gid);                                  /* works on O_PATH */
int sys_fchownat(int dir_fd, const char *name, uid_t uid, gid_t gid);          /* never follows */
int sys_fchdir(int fd);
int sys_chdir(const char *path);
int sys_getcwd(char *text, size_t size); /* raw: "(unreachable)..." is shown as it is */
int64_t sys_fs_type(int fd);             /* f_type of fstatfs */

/* --- contents of files and folders (file_api.c) ---------------------------------------------- */
struct timespec;
int sys_mount_id(int dir_fd, const char *path, uint64_t *ret_id); /* path "" : of dir_fd */
int sys_lock(int fd);                                             /* flock, exclusive, -EAGAIN */
int sys_lock_within(int fd, int limit_ms); /* waits at most that long: -EBUSY */
int sys_unlock(int fd);
ssize_t sys_getdents(int dir_fd, void *entries, size_t size); /* struct linux_dirent64 */
ssize_t sys_copy_data(int from_fd, int to_fd, size_t size);   /* at both file positions */
int sys_fchmod(int fd, mode_t mode);
int sys_set_times(int fd, const struct timespec times[2]);
int sys_set_times_at(int dir_fd, const char *name, const struct timespec times[2]);
ssize_t sys_list_xattrs(int fd, char *names, size_t size);
ssize_t sys_get_xattr(int fd, const char *name, void *value, size_t size);
int sys_set_xattr(int fd, const char *name, const void *value, size_t size);

/* --- namespaces (ns_api.c) ------------------------------------------------------------------ */
struct sys_clone {
    uint64_t flags; /* CLONE_NEW*, CLONE_PARENT ... (CLONE_PIDFD is always added) */
    int cgroup_fd;  /* -1, or the group to be born in */
    int *ret_pidfd; /* may be NULL */
};
pid_t sys_clone(const struct sys_clone *args); /* fork-like: 0 in the child; SIGCHLD */
int sys_setns(int fd, int kinds);
int sys_unshare(int flags);
int sys_ns_kind(int fd); /* CLONE_NEW* of a namespace file */
/* The process that is number pid in a pid namespace, by its number in ours; -ENOTTY before 6.11. */
pid_t sys_pid_from_ns(int pid_ns_fd, pid_t pid);
int sys_sethostname(const char *name);
int sys_setdomainname(const char *name);
int sys_join_session_keyring(const char *name);

/* --- processes (proc_api.c) ----------------------------------------------------------------- */
int sys_pidfd_open(pid_t pid);
int sys_pidfd_signal(int pidfd, int signal);
int sys_kill_group(pid_t leader, int signal); /* a process group, by a child not yet reaped */
/* waitid on a pidfd. status as waitpid gives it; 0 when done, -EAGAIN with WNOHANG and alive. */
int sys_pidfd_wait(int pidfd, int options, int *ret_status);
/* Every child that has ended, whoever it was. */
void sys_reap_all(void);
int sys_prctl(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
int sys_capget(uint64_t *ret_permitted); /* of the calling thread; bit n: capability n */
int sys_close_range(unsigned first, unsigned last, unsigned flags);
int sys_dup_to(int fd, int target); /* dup3 without O_CLOEXEC, same number allowed */
int sys_execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags);
int sys_memfd(const char *name, unsigned flags); /* + MFD_CLOEXEC */
int sys_seal(int fd, int seals);
int sys_setsid(void);
int sys_setresuid(uid_t real, uid_t effective, uid_t saved); /* (uid_t) -1 leaves one as it is */
int sys_setresgid(gid_t real, gid_t effective, gid_t saved);
/* chdir with other file system ids, which also puts root's file capabilities aside. */
int sys_chdir_as(const char *path, uid_t uid, gid_t gid);
int sys_setrlimit(int resource, const struct rlimit *limit);
int sys_getrlimit(int resource, struct rlimit *ret_limit);
int sys_sched_setattr(pid_t pid, const void *attr);
int sys_ioprio_set(int which, int who, int value);
int sys_sched_setaffinity(pid_t pid, const uint64_t *mask, size_t word_count);
int sys_tty_peer(int master_fd); /* TIOCGPTPEER -> slave fd */
int sys_tty_set_size(int fd, uint16_t rows, uint16_t columns);
int sys_tty_make_controlling(int fd);
/* Waits until one of fds has events; -ETIMEDOUT after timeout_ms (<0: for ever). */
struct pollfd;
int sys_poll(struct pollfd *fds, size_t count, int timeout_ms);
uint64_t sys_now_ms(void); /* CLOCK_MONOTONIC */
/* Holds those signals back for the rest of our life; the descriptor tells of them. 0 at the end. */
int sys_signals_open(const int *signals);

/* --- sockets (socket_api.c) ----------------------------------------------------------------- */
int sys_unix_connect(const char *path); /* stream; any length of path (through its folder) */
/* Datagrams: a socket of our own as dir_fd/name, that tells who sends (-> fd, nonblocking), and one
 * connected to a path or, with '@', to an abstract name. */
int sys_datagram_bind(int dir_fd, const char *name);
int sys_datagram_connect(const char *address);
/* The first datagram that waits, with the pid of its sender (0: not in our pid namespace); it goes
 * on waiting until it is dropped. -EMSGSIZE if it is longer. Descriptors that go with it are never
 * taken: to close a file may block, where its file system is the sender's own. */
ssize_t sys_datagram_peek(int socket_fd, void *data, size_t size, pid_t *ret_pid);
void sys_datagram_drop(int socket_fd);
int sys_send_fd(int socket_fd, const void *data, size_t size, const int *fds, size_t fd_count);
ssize_t sys_recv_fd(int socket_fd, void *data, size_t size,
                    int *ret_fd); /* ret_fd -EBADF if none */
int sys_loopback_up(void);        /* of the network namespace the caller is in */
/* Listens at a numeric address, IPv4 or IPv6 (-> fd, nonblocking). port 0: the kernel chooses. */
int sys_tcp_listen(const char *address, uint16_t port, uint16_t *ret_port);

/* --- the kernel (kernel.c) ------------------------------------------------------------------ */
int sys_kernel(uint32_t *ret_kernel); /* 6.1 -> 6 << 16 | 1 */

/* --- BPF (bpf.c) ---------------------------------------------------------------------------- */
/* attr: a whole, zeroed union. Kernels 6.17 to 7.1 write past a short one in BPF_PROG_QUERY. */
int sys_bpf(int command, union bpf_attr *attr);

#endif
