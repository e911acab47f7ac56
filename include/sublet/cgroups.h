/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup v2 as a library of its own. It knows the hierarchy: where it is mounted, how a group is
 * made, limited, frozen, killed, read and removed. It does not know containers, config.json or
 * tenants: limits come in as its own small structs or as rows {file, text}, and an error names
 * whatever path the caller gave for the value ("where", a JSON path).
 *
 * Paths are relative to the mount; one leading '/' is allowed and means the same. They must be
 * canonical (no "//", ".", ".."). dir_fd is an fd of a group's directory, O_PATH is enough.
 * Deadlines are milliseconds from now. Functions return 0 or positive, else -errno with err set.
 */
#ifndef SUBLET_CGROUPS_H
#define SUBLET_CGROUPS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/cgroups/counters.h"
#include "sublet/cgroups/limits.h"
#include "sublet/cgroups/reader.h"

/* ---- host: the mount ---- */

struct cgroups_host {
    const char *mount_path; /* static text: "/sys/fs/cgroup" or "/sys/fs/cgroup/unified" */
    bool hybrid;            /* the second: v1 hierarchies exist besides */
    uint32_t available;     /* CG_* bits in cgroup.controllers of the mount's root */
    uint32_t bound_to_v1;   /* CG_* bits; valid only if v1_known */
    bool v1_known;          /* cgroups_host_read_v1() has run */
};

/* Finds the mount and opens its root (the caller owns the fd). 5 system calls on a unified host.
 * -ENOENT: no cgroup v2 here. */
int cgroups_mount_open(int *ret_root_fd, struct cgroups_host *ret_host, struct sub_err *err);

/* Fills bound_to_v1 from /proc/cgroups; only of use to explain why a controller is missing. */
int cgroups_host_read_v1(struct cgroups_host *host, struct sub_err *err);
int cgroups_parse_v1(const char *proc_cgroups, uint32_t *ret_bound_to_v1);

/* Pure. -EOPNOTSUPP naming the first row (its path) whose controller this host does not offer in
 * v2: bound to v1, or not in the kernel. Run cgroups_host_read_v1() before if some are missing
 * (needed controllers & ~host->available), else the text cannot tell the two cases apart. */
int cgroups_check_rows(const struct cgroups_host *host, const struct cg_row *rows, size_t count,
                       struct sub_err *err);

const char *cg_controller_name(uint32_t bit);     /* CG_CPU -> "cpu"; NULL if unknown */
uint32_t cg_controller_of_file(const char *file); /* "memory.max" -> CG_MEMORY, else 0 */
uint32_t cg_controllers_parse(const char *text);  /* "cpu io memory" -> bits */

/* ---- group ---- */

struct cgroup {
    int dir_fd;              /* O_PATH; for CLONE_INTO_CGROUP and all calls below */
    bool created;            /* the group itself was made by this call */
    unsigned made_ancestors; /* parents made by this call, counted upwards from the direct one */
};
#define CGROUP_NONE      ((struct cgroup){.dir_fd = -EBADF})
#define CGROUP_DEPTH_MAX 64             /* components of a path given to us */
void cgroup_done(struct cgroup *group); /* closes the fd; the group stays */
#define OWNED_CGROUP __attribute__((cleanup(cgroup_done))) struct cgroup

/* How many components at the end of path do not exist yet (0: all exist): what make is going to
 * create. Written into the state record before the first effect, so that a crash leaks nothing. */
int cgroup_missing(int root_fd, const char *path, struct sub_err *err);

/* Makes the group and its parents, enables the controllers (CG_* bits) for it in every ancestor.
 * An existing group is taken if it is empty. Undoes its own work on failure. where: JSON path of
 * the group's path in errors.
 * -EBUSY: exists with live processes; or an ancestor holds processes and cannot get controllers.
 * -EAGAIN: it or an ancestor is frozen (a process cloned into it would hang).
 * -EOPNOTSUPP: threaded, or a controller is not available below an ancestor. */
int cgroup_make(int root_fd, const char *path, uint32_t controllers, const char *where,
                struct cgroup *ret_group, struct sub_err *err);

/* A group that stays and holds others: made, or taken with whatever lives in the groups below. Both
 * masks are CG_* bits. -EBUSY: an ancestor, or with `below` the group itself, holds processes. */
struct cgroup_controllers {
    uint32_t group, below; /* enabled for the group; for the groups in it */
};
int cgroup_keep(int root_fd, const char *path, const struct cgroup_controllers *controllers,
                const char *where, struct cgroup *ret_group, struct sub_err *err);

/* An existing group, whatever is in it. -ENOENT without text in err: there is none. */
int cgroup_open(int root_fd, const char *path, struct cgroup *ret_group, struct sub_err *err);

/* The nearest group below that gives no controllers to groups of its own, so that a process may
 * be put into it. -ENOENT: there is none. */
int cgroup_open_leaf(int dir_fd, struct cgroup *ret_leaf);

/* Moves a process that could not be cloned into the group; 0 too if it has ended. */
int cgroup_adopt(int dir_fd, pid_t pid, const char *where, struct sub_err *err);

/* What to say when clone3(CLONE_INTO_CGROUP) failed with that errno; returns -error. */
int cgroup_explain_clone(int dir_fd, int error, const char *where, struct sub_err *err);

/* Gives the directory and the files of /sys/kernel/cgroup/delegate to the container's user
 * (config-linux.md, "Cgroup ownership"). Their group stays. */
int cgroup_delegate(int dir_fd, uid_t uid, struct sub_err *err);

/* ---- knobs and rows ---- */

#define KNOB_TEXT_MAX 65536

/* One open, one write. Error: path = file (or where if given), text has file, value and the
 * kernel's errno. file is one plain component. */
int knob_write(int dir_fd, const char *file, const char *text, struct sub_err *err);
/* Length of the text (last newline removed), or -errno without err: absence is often a fact. */
ssize_t knob_read(int dir_fd, const char *file, char *text, size_t size);
int knob_read_u64(int dir_fd, const char *file, uint64_t *ret_value); /* "max" -> UINT64_MAX */

enum cg_phase {
    CG_BEFORE_CLONE, /* all rows but those of the next phase */
    CG_AFTER_CLONE,  /* what would refuse the clone itself (pids.max 0); before exec */
};
/* Writes the rows of that phase in order; stops at the first refusal (path = row's path). */
int cgroup_apply(int dir_fd, const struct cg_row *rows, size_t count, enum cg_phase phase,
                 struct sub_err *err);

/* ---- processes ---- */

int cgroup_kill(int dir_fd, struct sub_err *err); /* 0 too if it is gone */
int cgroup_populated(int dir_fd);                 /* 1, 0 (or gone), -errno */
int cgroup_wait_empty(int dir_fd, int deadline_ms, struct sub_err *err); /* -ETIMEDOUT */
/* Both, for a group that is to be removed: it loses all limits that would delay the end. */
int cgroup_end(int dir_fd, int deadline_ms, struct sub_err *err);
/* Every process of the group and the groups below, in no order; arena memory. */
int cgroup_pids(struct arena *arena, int dir_fd, pid_t **ret_pids, size_t *ret_count,
                struct sub_err *err);
/* "pids 12, 15 and 3 more"; "" if none. Fits any size > 0. */
void cgroup_remaining(int dir_fd, char *text, size_t size);

/* Whether the kernel has killed processes of the group for want of memory, and whose limit it was:
 * "the memory limit of 8388608 bytes is too low". "" if not; fits any size > 0. */
void cgroup_oom_reason(int dir_fd, char *text, size_t size);

int cgroup_freeze(int dir_fd, int deadline_ms, struct sub_err *err); /* thawed again on failure */
int cgroup_thaw(int dir_fd, int deadline_ms, struct sub_err *err);   /* -EBUSY: ancestor frozen */
int cgroup_is_frozen(int dir_fd);                                    /* 1, 0, -errno */
int cgroup_wait_thawed(int dir_fd); /* as long as it takes; -ENODEV, -ENOENT: the group is gone */

/* Who froze it: CGROUP_FROZEN_* bits. text gets the path (without leading slash) of the nearest
 * frozen group above, "" if there is none. */
#define CGROUP_FROZEN_HERE  1
#define CGROUP_FROZEN_ABOVE 2
int cgroup_freezers(int root_fd, const char *path, char *text, size_t size, struct sub_err *err);

/* ---- removal ---- */

/* Kills what lives in the group, waits, removes it with everything below. Needs only the path; 0
 * if it is already gone. One system call if it is empty. -EBUSY after the deadline, text "cgroup
 * busy: pids ...": may be called again. */
int cgroup_destroy(int root_fd, const char *path, int deadline_ms, struct sub_err *err);
/* The same without killing: -EBUSY at once if processes live in it. */
int cgroup_remove(int root_fd, const char *path, int deadline_ms, struct sub_err *err);
/* Removes count parents of path from the direct one upwards, stops silently at the first that is
 * not empty. For the parents cgroup_make() made. */
int cgroup_remove_ancestors(int root_fd, const char *path, unsigned count, struct sub_err *err);

/* ---- devices: one BPF program ---- */

#define CG_DEVICE_MKNOD     1u
#define CG_DEVICE_READ      2u
#define CG_DEVICE_WRITE     4u
#define CG_DEVICE_ALL       7u
#define CG_DEVICE_RULES_MAX 4096

struct cg_device_rule {
    bool allow;
    char type;            /* 'a', 'b' or 'c' */
    int64_t major, minor; /* -1: any */
    uint32_t access;      /* CG_DEVICE_* bits, not 0 */
};

/* Rules in order; for each access bit the last rule that matches device and bit decides; if none
 * does it is allowed, as in a fresh v1 group, so a list that means to deny begins with a rule
 * {deny, 'a', -1, -1, ALL}. */
struct cg_device_program {
    const uint64_t *code; /* struct bpf_insn, 8 bytes each; arena memory */
    size_t count;         /* 0: everything is allowed, no program is needed */
};

/* "rwm" -> bits; -EINVAL for any other letter, a letter twice, or an empty text. */
int cg_device_access(const char *text);

/* Pure. Range errors name "<where>[i].major" and the like. */
int cg_device_program_make(struct arena *arena, const char *where,
                           const struct cg_device_rule *rules, size_t count,
                           struct cg_device_program *ret_program, struct sub_err *err);
/* The semantics in plain C, for plan output and tests. type 'b' or 'c', access as above. */
bool cg_device_allows(const struct cg_device_rule *rules, size_t count, char type, uint32_t major,
                      uint32_t minor, uint32_t access);
/* Loads and attaches: 2 bpf calls if fresh (the group was made by us just now), else looks for an
 * older program of ours first and replaces it atomically. */
int cgroup_devices_apply(int dir_fd, const struct cg_device_program *program, bool fresh,
                         struct sub_err *err);
/* The same for a group that lives. *ret_old_fd is the program it had, -ENOENT if none, for
 * cgroup_devices_restore() to put back. */
int cgroup_devices_replace(int dir_fd, const struct cg_device_program *program, int *ret_old_fd,
                           struct sub_err *err);
int cgroup_devices_restore(int dir_fd, int old_fd, struct sub_err *err);

#endif
