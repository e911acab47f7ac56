/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUBLET_ACCOUNT_VIEW_PRIVATE_H
#define SUBLET_ACCOUNT_VIEW_PRIVATE_H

#include <sys/stat.h>

#include "sublet/account/view.h"
#include "sublet/base/arena.h"
#include "sublet/base/warn.h"

#include "machine.h"

struct tenant_contract;
struct view_pulse;

/* One tenant with what it takes to read it. */
struct watched {
    struct account_tenant public;
    struct cgroup_reader *reader; /* what is read often: cpu.stat, cpu.pressure, two more; */
    bool keeps_all;               /* and the rest */
    struct view_pulse *pulse;     /* whether a process is in it; NULL: not known */
    int dir_fd;                   /* for the rest; -EBADF while there is no group */
    bool is_below_parent;         /* its group is one of those that the parent's sums are of */
    bool based;                   /* counters of an earlier moment are there to differ from */
    bool known;                   /* mark of a reload */
    bool slow_based;              /* the same of what is read less often */
    bool waits;                   /* pressure grew, the last time it was read, */
    bool was_skipped;             /* and that was not in the last window */
    bool no_pressure;             /* this kernel does not count it */
    uint8_t quiet;                /* windows without growth, at the end */
    bool rests;                   /* in this window only if all are read */
    bool is_small;                /* used little of the machine, as it was read the last time, */
    uint32_t unread;              /* and that was so many windows ago, not counting this one, */
    uint64_t unread_us;           /* of that length */
    bool is_settled;              /* it was still when everything was read, and is */
    uint64_t looked_us;           /* CPU time used until the last look at its processes */
    bool restored;                /* has the sums of an earlier meter */
    const struct tenant_contract *contract; /* of the last reload; NULL: not known */
    bool suspect;                           /* its files may not say what they should */
    bool is_followed;                       /* who writes to them is told (notices.h) */
    bool has_look;                          /* at what the kernel changes without a notice */
    const struct tenant_group *promise;     /* what they should say; NULL: not known */
    struct account_party party;
};

struct tenant_group;
struct tenant_plan;

struct account_view {
    const char *tenants_dir;
    int cgroup_root_fd;
    struct arena names; /* of the last reload: */
    const struct tenant_plan *plan;
    struct findings findings;
    bool findings_are_new, has_loaded, has_opened, parent_suspect;
    uint64_t folder, files; /* sums over the times of the folder and what is in it */
    struct watched *watched;
    size_t count;
    uint64_t reserve_micro;

    bool begun;
    struct machine machine;
    bool has_events;              /* the next three are open, as far as this host allows */
    int events_fd, folder_fd;     /* epoll; inotify of the folder of groups */
    int folder_watch;             /* -1: none */
    bool groups_changed;          /* in this window groups were made or removed */
    bool has_idle;                /* there were CPUs for everybody */
    struct cgroup_reader *parent; /* cpu.stat of the group that holds those of tenants */
    bool rest_based, was_all;     /* the next three compare; all were read in the last window */
    uint64_t rest_begin_us;       /* what the parent had used before all were read, */
    uint64_t rest_base_us;        /* and when those that are awake had been, */
    uint64_t awake_us;            /* and what those that are awake have since; */
    uint64_t rounding_us;         /* to less than this */
    uint32_t turns, turns_asleep; /* windows between two readings of a small one; 0: no turns */
    uint32_t since_all;           /* windows since all were read */
    uint64_t number;              /* of the window, */
    uint64_t length_us;           /* and its length */
    uint64_t unread_us;           /* used by tenants and in none of their rows yet, */
    uint64_t told_us;             /* and as much of it is in the host's */
    struct ledger_moment moment;  /* of the last sample */
    uint64_t slow_us, window_us;
    int64_t clock_step_us;
    struct account_host_row host;
    struct ledger_total total;
    bool total_restored;
    struct account_party *parties;
    struct account_row *rows;
    struct cgroup_sample sample; /* one for all */
};

/* view.c: a victim's time, on the account of who took it. */
void view_blame(struct account_tenant *tenant, const char *name, uint64_t us);

/* view_tenants.c: which tenants there are; looks again when their folder has changed, closely: or a
 * file in it. */
int view_reload(struct account_view *view, bool closely, struct sub_err *err);
struct watched *view_find(const struct account_view *view, const char *name); /* NULL: none */
void view_forget(struct watched *watched);

/* view_read.c: the counters of one tenant; party is what has been since the last time. */
void view_read(struct account_view *view, struct watched *watched, enum account_depth depth,
               uint64_t since_slow_us);
/* what is read at ACCOUNT_MEMORY, without its CPU time */
void view_read_memory(struct account_view *view, struct watched *watched, uint64_t since_slow_us);

#define QUIET_WINDOWS 16 /* without growth: its processes sleep */

/* view_rest.c: the counters of all, and of those whose processes all sleep as few as will do. */
void view_read_all(struct account_view *view, const struct machine *machine,
                   enum account_depth depth, uint64_t since_slow_us);
void view_rest_seen(struct watched *watched, bool has_grown);
void view_rest_close(struct account_view *view);

/* view_turns.c: where more of them are awake than are read in each window. */
void view_turns_plan(struct account_view *view); /* after each window, for the next one */
bool view_has_turn(const struct account_view *view, const struct watched *watched);
bool view_is_surprised(const struct account_view *view, uint64_t unread_us);
void view_turns_leave(const struct account_view *view, struct watched *watched);

/* view_still.c: which groups have no process and cannot have grown. Begin is before each window. */
void view_still_begin(struct account_view *view);
void view_still_close(struct account_view *view);
void view_still_watch(struct account_view *view, struct watched *watched);
void view_still_forget(struct watched *watched);
bool view_is_empty(const struct watched *watched); /* no process was in it at the last look */
bool view_is_still(const struct account_view *view, const struct watched *watched);
/* It would tell if its first process came or its last one went, and has not. */
bool view_tells_nothing(const struct watched *watched);
/* Around the reading of the counters: before, and with what has come of it. */
void view_still_look(struct watched *watched);
void view_still_seen(struct watched *watched, bool has_grown);

#endif
