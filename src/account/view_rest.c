/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups in which all processes sleep: on a host with a thousand tenants most of them do, and to
 * read them in each window is most of what a meter costs. What all groups of tenants have used is
 * one number of the group that holds them. As long as that has grown by no more than those that are
 * read have, the others have used nothing; once it has, all are read. Two readings of that group
 * enclose those of the others, so that what somebody uses between two readings is never taken for
 * use of a group that rests: it can hide as much of such use, some microseconds for each group that
 * is awake, until it is more or all are read for the rest of their counters. A meter that had to
 * wait in between cannot tell, and reads all: what is hidden is never more than HIDDEN_US. Sums are
 * not touched by this, for the counters are cumulative. Where too many are awake for this, see
 * view_turns.c.
 */
#include <fcntl.h>

#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/sys.h"
#include "sublet/tenant.h"

#include "view.h"

#define HIDDEN_US       5000 /* of CPU time: as much may be unread, of all that rest together */
#define ROUNDING_US     2    /* of two readings of the parent; one more for each group */
#define CROWD_FOR_A_CPU 64   /* that want to run: somebody may wait for a whole window */
#define PARENT_FILES    CG_READ(CPU_STAT)

void view_rest_close(struct account_view *view)
{
    cgroup_reader_freep(&view->parent);
    view->rest_based = false;
}

static bool open_parent(struct account_view *view)
{
    struct sub_err ignored = {.code = 0};
    OWNED_FD fd = -EBADF;

    if (view->parent != NULL)
        return true;
    fd = sys_openat(view->cgroup_root_fd, TENANT_PARENT, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
    return fd >= 0 && cgroup_reader_open(fd, PARENT_FILES, &view->parent, &ignored) == 0;
}

static bool read_parent(struct account_view *view, uint64_t *ret_usage_us)
{
    struct sub_err ignored = {.code = 0};

    if (!open_parent(view))
        return false;
    if (cgroup_reader_sample(view->parent, PARENT_FILES, &view->sample, &ignored) < 0 ||
        !cg_has(&view->sample.cpu, usage_us)) {
        view_rest_close(view);
        return false;
    }
    *ret_usage_us = view->sample.cpu.usage_us;
    return true;
}

void view_rest_seen(struct watched *watched, bool has_grown)
{
    uint64_t windows = (uint64_t) watched->quiet + watched->unread + 1;

    watched->quiet = has_grown ? 0 : (uint8_t) (windows < QUIET_WINDOWS ? windows : QUIET_WINDOWS);
}

/* What is elsewhere, or tells nobody of its processes, is read in each window. */
static bool may_rest(const struct account_view *view, const struct watched *watched)
{
    return view->begun && watched->based && watched->quiet >= QUIET_WINDOWS && !watched->waits &&
           view_tells_nothing(watched);
}

/* One that wants to run and gets no CPU uses nothing either. Where CPUs are idle, or few want them,
 * it gets one soon. */
static bool is_crowded(const struct account_view *view, const struct machine *machine)
{
    return !view->has_idle && machine->running > (uint64_t) CROWD_FOR_A_CPU * machine->cpus;
}

/* True if a group of the parent was found or lost: the sums do not compare. */
static bool read_one(struct account_view *view, struct watched *watched, enum account_depth depth,
                     uint64_t since_slow_us)
{
    bool was_based = watched->based;
    uint64_t used_us = watched->public.cpu.usage_us;

    view_read(view, watched, depth, since_slow_us);
    if (!watched->is_below_parent)
        return false;
    if (was_based && watched->based)
        view->awake_us += num_above(watched->public.cpu.usage_us, used_us);
    return was_based != watched->based;
}

/* What is known of a group that is not read. Its memory may be taken from it nevertheless. */
static void leave(struct account_view *view, struct watched *watched, enum account_depth depth,
                  uint64_t since_slow_us)
{
    watched->party = (struct account_party){.entitled_micro = watched->public.entitled_micro};
    watched->public.measured = true;
    if (view->turns > 0)
        view_turns_leave(view, watched);
    if (depth > ACCOUNT_CPU)
        view_read_memory(view, watched, since_slow_us);
}

static bool rests(const struct account_view *view, const struct watched *watched)
{
    return view->turns > 0 ? !view_has_turn(view, watched) : may_rest(view, watched);
}

/* At least as much was used as those have that are awake, and a rounding for each; or the two
 * readings of the parent, now and when all were read, are so far apart that it may be too much. */
static bool may_have_run(const struct account_view *view, uint64_t before_us, uint64_t after_us)
{
    return num_above(before_us, view->rest_base_us) >
               view->awake_us + view->rounding_us + ROUNDING_US ||
           num_above(after_us, view->rest_begin_us) > view->awake_us + HIDDEN_US;
}

/* Where they take turns, what those use that are not read is known in sum. */
static bool must_read_all(const struct account_view *view, uint64_t before_us, uint64_t after_us)
{
    if (view->turns > 0)
        return view_is_surprised(view, num_above(after_us, view->rest_base_us + view->awake_us));
    return may_have_run(view, before_us, after_us);
}

static bool begins_with_all(const struct account_view *view, const struct machine *machine,
                            enum account_depth depth)
{
    if (depth == ACCOUNT_ALL || !view->begun || !view->rest_based)
        return true;
    return view->turns == 0 &&
           (view->groups_changed || (is_crowded(view, machine) && !view->was_all));
}

void view_read_all(struct account_view *view, const struct machine *machine,
                   enum account_depth depth, uint64_t since_slow_us)
{
    uint64_t before_us = 0, after_us = 0, awake = 0;
    bool all = begins_with_all(view, machine, depth);

    all = !read_parent(view, &before_us) || all;

    for (size_t i = 0; i < view->count; i++) {
        struct watched *watched = &view->watched[i];

        watched->rests = rests(view, watched);
        if (watched->rests)
            continue;
        awake++;
        if (read_one(view, watched, depth, since_slow_us) && view->turns == 0)
            all = true;
    }
    view->rounding_us = awake > view->rounding_us ? awake : view->rounding_us;
    bool has_both = read_parent(view, &after_us) && before_us > 0;
    all = all || !has_both || must_read_all(view, before_us, after_us);
    if (all) {
        view->rest_based = has_both;
        view->rest_begin_us = before_us;
        view->rest_base_us = after_us;
        view->awake_us = view->rounding_us = 0;
    }
    for (size_t i = 0; i < view->count; i++) {
        struct watched *watched = &view->watched[i];

        if (watched->rests && all)
            view_read(view, watched, depth, since_slow_us);
        else if (watched->rests)
            leave(view, watched, depth, since_slow_us);
    }
    view->was_all = all;
    view->unread_us =
        view->turns > 0 && !all ? num_above(after_us, view->rest_base_us + view->awake_us) : 0;
    view_turns_plan(view);
}
