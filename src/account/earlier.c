/* SPDX-License-Identifier: Apache-2.0 */
#include "earlier.h"

#include <string.h>

#define ROUNDS_BACK 3 /* a tenant that has not been in so many of them is new */

struct resuming {
    struct account_view *view;
    const char *boot;
    const struct ledger_moment *now;
    struct earlier found;
    uint64_t told_us; /* since the newest note of a hole */
    bool compared;    /* both clocks, with those of the newest record */
    unsigned rounds;
};

static void compare_clocks(struct resuming *resuming, const struct ledger_record *record)
{
    const struct ledger_moment then = {record->us, record->mono};

    if (resuming->compared || record->mono == 0)
        return;
    resuming->found.step_us = ledger_clock_step_us(&then, resuming->now);
    resuming->compared = true;
}

static bool begins(const struct ledger_record *note, const char *words)
{
    return note->text != NULL && strncmp(note->text, words, strlen(words)) == 0;
}

/* A meter that ended between its note and its first round has told what lies before the note. */
static void take_note(struct resuming *resuming, const struct ledger_record *note)
{
    if (begins(note, NOTE_STEP))
        compare_clocks(resuming, note);
    if (begins(note, NOTE_UNSEEN) && resuming->told_us == UINT64_MAX)
        resuming->told_us = ledger_since_us(note, resuming->now);
}

/* The newest first. A host record ends a round, in which every tenant is that had a group. */
static int take(void *context, const struct ledger_record *record)
{
    struct resuming *resuming = context;
    bool is_host = strcmp(record->k, LEDGER_HOST) == 0;
    uint64_t gap_us = 0;

    if (strcmp(record->boot, resuming->boot) != 0)
        return 1; /* all that is before it is of that boot or an earlier one */
    if (strcmp(record->k, LEDGER_NOTE) == 0) {
        take_note(resuming, record);
        return 0;
    }
    compare_clocks(resuming, record);
    if (is_host && resuming->rounds++ == ROUNDS_BACK)
        return 1;
    if (!account_view_restore(resuming->view, record, resuming->boot, resuming->now, &gap_us))
        return 0;
    if (is_host)
        resuming->found.cpu_us = record->cpu == NULL ? 0 : record->cpu->use;
    if (gap_us > resuming->found.unseen_us)
        resuming->found.unseen_us = gap_us;
    return !is_host && account_view_fresh(resuming->view) == 0 && resuming->rounds > 0;
}

int earlier_restore(struct account_view *view, const char *ledger_dir, const char *boot,
                    const struct ledger_moment *now, struct earlier *ret_earlier,
                    struct sub_err *err)
{
    static const char *const kinds[] = {LEDGER_SAMPLE, LEDGER_HOST, LEDGER_NOTE, NULL};
    struct resuming resuming = {.view = view, .boot = boot, .now = now, .told_us = UINT64_MAX};

    SUBLET_TRY(ledger_read_back(ledger_dir, kinds, take, &resuming, err));
    if (resuming.found.unseen_us > resuming.told_us)
        resuming.found.unseen_us = resuming.told_us;
    *ret_earlier = resuming.found;
    return 0;
}
