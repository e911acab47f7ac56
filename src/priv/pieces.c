/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/plan/process.h"

#include "compile.h"
#include "entries.h"

#define ENOSYS_ACTION (SECCOMP_RET_ERRNO | ENOSYS)

/* pieces_make's own: one architecture being added. */
struct making {
    struct arena *arena;
    const struct plan_seccomp *seccomp;
    const struct arch *arch;
    const struct entries *entries;
    struct pieces *pieces;
};

/* True where the default action says no, and a program would be better served by "no such call".
 * A tracer decides for itself. */
static bool default_refuses(const struct plan_seccomp *seccomp)
{
    switch (seccomp->default_action & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ERRNO:
    case SECCOMP_RET_TRAP:
    case SECCOMP_RET_KILL_THREAD:
    case SECCOMP_RET_KILL_PROCESS:
        return true;
    default:
        return false;
    }
}

static void add_piece(struct pieces *pieces, struct piece piece)
{
    const struct piece *before = pieces->count > 0 ? &pieces->items[pieces->count - 1] : NULL;
    bool goes_on = before != NULL && before->rule_count == 0 && piece.rule_count == 0 &&
                   before->action == piece.action;

    if (!goes_on)
        pieces->items[pieces->count++] = piece;
}

/* Numbers that no rule names, from first to last. */
static void add_gap(struct making *making, uint32_t first, uint32_t last)
{
    const struct entries *entries = making->entries;
    uint32_t private_from = making->arch->private_from;
    struct piece old = {.first = first, .action = making->seccomp->default_action};
    struct piece new = {.first = first, .action = ENOSYS_ACTION};

    /* a gap above the newest number begins right behind it: gaps lie between named numbers */
    if (entries->names_any && default_refuses(making->seccomp) && first > entries->newest &&
        first < private_from) {
        add_piece(making->pieces, new);
        if (last < private_from)
            return;
        old.first = private_from;
    }
    add_piece(making->pieces, old);
}

static int add_numbers(struct making *making, struct sub_err *err)
{
    const struct entries *entries = making->entries;
    uint64_t next = making->arch->first;

    for (size_t i = 0; i < entries->count;) {
        uint32_t number = entries->items[i].number;
        size_t count = 1;
        struct piece piece;

        while (i + count < entries->count && entries->items[i + count].number == number)
            count++;
        SUBLET_TRY(
            entries_decide(making->arena, making->seccomp, &entries->items[i], count, &piece, err));
        piece.wide = making->arch->wide;
        if (number > next)
            add_gap(making, (uint32_t) next, number - 1);
        add_piece(making->pieces, piece);
        next = (uint64_t) number + 1;
        i += count;
    }
    if (next <= making->arch->last)
        add_gap(making, (uint32_t) next, making->arch->last);
    return 0;
}

static int add_arch(struct arena *arena, const struct plan_seccomp *seccomp,
                    const struct arch *arch, struct pieces *pieces, struct sub_err *err)
{
    struct entries entries;
    struct making making = {arena, seccomp, arch, &entries, pieces};

    SUBLET_TRY(entries_make(arena, seccomp, arch, &entries, err));

    /* a gap before each entry and behind the last, each split in two at most */
    size_t most = pieces->count + 3 * entries.count + 4;
    pieces->items = arena_grow(arena, pieces->items, pieces->count, most, sizeof *pieces->items);
    if (pieces->items == NULL)
        return sub_fail(err, ENOMEM, "linux.seccomp", "out of memory");
    return add_numbers(&making, err);
}

/* The numbers of an architecture that shares the audit number and is not in the profile: as for
 * any other, the thread is killed. A tracer makes the number -1 to have a call skipped. */
static int add_foreign(struct arena *arena, const struct plan_seccomp *seccomp, uint32_t first,
                       struct pieces *pieces, struct sub_err *err)
{
    struct piece *items =
        arena_grow(arena, pieces->items, pieces->count, pieces->count + 2, sizeof *items);

    if (items == NULL)
        return sub_fail(err, ENOMEM, "linux.seccomp", "out of memory");
    pieces->items = items;
    add_piece(pieces, (struct piece){.first = first, .action = SECCOMP_RET_KILL_THREAD});
    if (first != 0)
        add_piece(pieces, (struct piece){.first = UINT32_MAX, .action = seccomp->default_action});
    return 0;
}

int pieces_make(struct arena *arena, const struct plan_seccomp *seccomp, const struct archs *archs,
                uint32_t audit, struct pieces *ret_pieces, struct sub_err *err)
{
    struct pieces pieces = {.audit = audit};
    const struct arch *low = NULL, *high = NULL;

    for (size_t i = 0; i < archs->count; i++) {
        if (archs->items[i].audit != audit)
            continue;
        if (archs->items[i].first == 0)
            low = &archs->items[i];
        else
            high = &archs->items[i];
    }
    if (low != NULL)
        SUBLET_TRY(add_arch(arena, seccomp, low, &pieces, err));
    else
        SUBLET_TRY(add_foreign(arena, seccomp, 0, &pieces, err));
    if (high != NULL)
        SUBLET_TRY(add_arch(arena, seccomp, high, &pieces, err));
    else if (low != NULL && low->last != UINT32_MAX)
        SUBLET_TRY(add_foreign(arena, seccomp, low->last + 1, &pieces, err));
    *ret_pieces = pieces;
    return 0;
}
