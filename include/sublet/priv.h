/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The privileges of the container's process: its limits, ids, capabilities, LSM label and system
 * call filter. This room turns slices of the plan into a BPF program and into operations of the
 * script that the stub carries out; it executes none of them, and it does not know what else
 * stands in the script. libseccomp is seen here and nowhere else.
 */
#ifndef SUBLET_PRIV_H
#define SUBLET_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct plan_process;
struct plan_seccomp;
struct script;
struct seccomp_data;
struct sock_filter;
struct sub_err;

/* --- the filter (before the clone) ---------------------------------------------------------- */

struct priv_filter {
    struct sock_filter *code; /* heap; NULL: no filter */
    size_t count;             /* at most BPF_MAXINSNS (4096) */
    uint32_t flags;           /* SECCOMP_FILTER_FLAG_* of the plan */
    bool notify;              /* some action is NOTIFY: a listener must be made and sent */
    bool from_cache;
};

void priv_filter_done(struct priv_filter *filter);
#define OWNED_FILTER __attribute__((cleanup(priv_filter_done))) struct priv_filter

/* Compiles the profile, or finds it in the cache. Of the rules for one call the first without
 * conditions decides, else the first whose conditions hold, else the default action. Names that
 * libseccomp does not know are skipped and told at debug level; rules with the default action say
 * nothing, but their names count as known. Where the default action refuses (ERRNO, KILL, TRAP),
 * calls newer than all that the profile names answer ENOSYS, so that programs fall back to older
 * ones instead of failing. The archs of the plan are libseccomp's tokens (AUDIT_ARCH_* but for
 * x32).
 * cache_dir_fd: a folder of ours (0700), or negative for no cache. Whatever is wrong with a cached
 * file is cured by compiling again. */
int priv_filter_compile(const struct plan_seccomp *seccomp, int cache_dir_fd,
                        struct priv_filter *ret_filter, struct sub_err *err);

/* What the kernel would answer (SECCOMP_RET_* with its data), computed here. */
uint32_t priv_filter_run(const struct priv_filter *filter, const struct seccomp_data *call);

/* --- labels (before the clone) -------------------------------------------------------------- */

/* True if AppArmor confines the caller: then a process with no_new_privs can only stack profiles.
 * proc_fd: the root of a procfs of our own. Ask it only where the plan has an AppArmor profile. */
int priv_apparmor_confined(int proc_fd, bool *ret_confined, struct sub_err *err);

/* --- the script ----------------------------------------------------------------------------- */

struct priv_fds {
    /* Root folder of a verified procfs that shows the pid namespace of the process. Needed where
     * the plan has a label, else negative. A file below attr/ cannot be opened beforehand: since
     * Linux 5.13 its writer must have the very address space of its opener, and the stub has one
     * of its own. So the script opens it, by openat2 without links, and writes to the result
     * (result_mask). */
    int proc;
    int listener; /* socket over which SCRIPT_LISTENER sends its fd; negative: none */
    bool apparmor_confined;
    /* Armed again behind setresuid, which clears it; 0: none. */
    int death_signal;
    /* The script has a SCRIPT_LEAVE behind priv_script, and for that moment the user has one
     * process more than RLIMIT_NPROC may allow: priv_script_limits follows then. The filter waits
     * for priv_script_filter, before the leave or behind it. */
    bool leaves;
    /* SCRIPT_LISTENER sends by itself: its helper would be born in the other pid namespace. The
     * filter then must let everything pass unasked until the exec, as no agent has it before. */
    bool alone;
};

/* Appends, in this order: umask, personality, labels, limits, the bounding set, groups and ids,
 * the filter (only without no_new_privileges: loading then needs CAP_SYS_ADMIN, so it comes right
 * before the last capability is dropped), capabilities, ambient ones, no_new_privs. The process
 * must be uid 0 of its user namespace with a full set; afterwards it is exactly as planned and not
 * dumpable until the next exec. PR_SET_KEEPCAPS stays on until that exec, which clears it.
 * Memory that runs out is reported by script_finish.
 *
 * With fds->leaves no filter: it has all of the above, and CAP_SYS_ADMIN besides what is planned if
 * a filter is to be loaded without no_new_privileges. */
void priv_script(const struct plan_process *process, const struct priv_filter *filter,
                 const struct priv_fds *fds, struct script *script);

/* Appends the filter where priv_script did not: with no_new_privileges it is the last operation
 * before SCRIPT_EXEC, or before what can be checked to pass it. Without, the planned capabilities
 * follow. filter may be NULL.
 *
 * SCRIPT_LISTENER's arguments: [0] the socket, [1] the flags with NEW_LISTENER in them, [2] a
 * pointer to struct sock_fprog, [3] fds->alone. */
void priv_script_filter(const struct plan_process *process, const struct priv_filter *filter,
                        const struct priv_fds *fds, struct script *script);

/* Afterwards: the listener goes to the agent itself, who is told these words, and not to the
 * runtime with a byte. */
void priv_script_tell(struct script *script, const struct buf *words);

/* Appends the limits that priv_script left for later. */
void priv_script_limits(const struct plan_process *process, const struct priv_fds *fds,
                        struct script *script);

/* Runs the filter over everything that the finished script does once it is loaded, over the exec
 * and over what the stub needs to report a failure. Refuses with -EINVAL and "the profile denies
 * execve, the container could not start". filter may be NULL. */
int priv_script_check(const struct script *script, const struct priv_filter *filter,
                      struct sub_err *err);

#endif
