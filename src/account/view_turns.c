/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many groups that are awake, each with little to do. To read them all in each window would cost
 * more of a CPU than what is seen is worth. Those that use most of the machine are few, whatever
 * their number: 1 % each is a hundred at most, and they are read in each window. The others take
 * turns, and those whose processes sleep have one more seldom. A row is of all the time since the
 * group was read before; the host's row has what all of them used, for the group above them is read
 * in each window. Where that grows by more than it should, somebody small has begun to use more,
 * and all are read to find who. Each record is of counters that were read for it.
 */
#include "view.h"

#define IN_A_WINDOW        64 /* small groups that are awake */
#define ASLEEP_IN_A_WINDOW 32
#define AWAKE_AGAIN        48 /* so few need no turns any more */
#define SURPRISE_PERCENT   2  /* of the capacity: more than so much unread in one window */

static uint32_t turns_of(size_t count, size_t in_a_window)
{
    return count == 0 ? 1 : (uint32_t) ((count + in_a_window - 1) / in_a_window);
}

void view_turns_plan(struct account_view *view)
{
    size_t awake = 0, asleep = 0;

    for (size_t i = 0; i < view->count; i++) {
        const struct watched *watched = &view->watched[i];

        if (!watched->is_small || view_is_still(view, watched))
            continue;
        asleep += watched->quiet >= QUIET_WINDOWS;
        awake += watched->quiet < QUIET_WINDOWS;
    }
    view->since_all = view->was_all ? 0 : view->since_all + 1;
    if (awake <= (view->turns > 0 ? AWAKE_AGAIN : IN_A_WINDOW)) {
        view->rest_based = view->rest_based && view->turns == 0; /* all are read after the last */
        view->turns = 0;
        return;
    }
    view->turns = turns_of(awake, IN_A_WINDOW);
    view->turns_asleep = turns_of(asleep, ASLEEP_IN_A_WINDOW);
}

bool view_has_turn(const struct account_view *view, const struct watched *watched)
{
    uint64_t slot = (uint64_t) (watched - view->watched) + view->number;

    if (!watched->based || !watched->is_small || !watched->is_below_parent ||
        view_is_still(view, watched))
        return true;
    return slot % (watched->quiet < QUIET_WINDOWS ? view->turns : view->turns_asleep) == 0;
}

/* Not again before all have had their turns twice: what is left of it is found in turn. */
bool view_is_surprised(const struct account_view *view, uint64_t unread_us)
{
    uint64_t capacity_us = view->length_us * view->machine.cpus;

    return view->since_all >= 2 * view->turns &&
           unread_us * 100 > view->unread_us * 100 + capacity_us * SURPRISE_PERCENT;
}

void view_turns_leave(const struct account_view *view, struct watched *watched)
{
    watched->party.unread = true;
    watched->public.measured = false;
    watched->unread++;
    watched->unread_us += view->length_us;
}
