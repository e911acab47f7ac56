/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/plan/process.h"

#include "compile.h"

#define ENOSYS_ACTION (SECCOMP_RET_ERRNO | ENOSYS)

static bool is_compare(uint16_t code)
{
    return code == OP_EQ || code == OP_GE || code == OP_GT;
}

int pieces_advance(const struct arch *arch, uint32_t number, struct cursor *cursor)
{
    for (;;) {
        const struct sock_filter *insn = &arch->rules.code[cursor->at];

        if (insn->code == OP_GO) {
            cursor->at += 1 + insn->k;
        } else if (insn->code == OP_LOAD && insn->k == offsetof(struct seccomp_data, nr)) {
            *cursor = (struct cursor){.at = cursor->at + 1, .known = true, .value = number};
        } else if (insn->code == OP_LOAD && insn->k == offsetof(struct seccomp_data, arch)) {
            *cursor = (struct cursor){.at = cursor->at + 1, .known = true, .value = arch->audit};
        } else if (!cursor->known || insn->code == OP_LOAD || insn->code == OP_RET) {
            return 0;
        } else if (is_compare(insn->code)) {
            bool yes = bpf_compare(insn->code, cursor->value, insn->k);

            cursor->at += 1u + (yes ? insn->jt : insn->jf);
        } else {
            /* arithmetic on a number: the pieces would not be found by its comparisons alone */
            return -ENOTSUP;
        }
    }
}

static int by_value(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *) a, right = *(const uint32_t *) b;

    return (left > right) - (left < right);
}

/* Every number at which some comparison of the program could change its outcome. */
static size_t find_borders(const struct arch *arch, uint32_t *borders)
{
    size_t count = 0, kept = 0;

    borders[count++] = arch->first;
    borders[count++] = arch->private_from;
    if (arch->zero_is_unknown)
        borders[count++] = 1;
    if (arch->names_any)
        borders[count++] = arch->newest + 1;
    for (size_t i = 0; i < arch->rules.count; i++) {
        const struct sock_filter *insn = &arch->rules.code[i];

        if (is_compare(insn->code)) {
            borders[count++] = insn->k;
            borders[count++] = insn->k + 1; /* 0 behind the highest: a border all the same */
        }
    }
    qsort(borders, count, sizeof *borders, by_value);
    for (size_t i = 0; i < count; i++) {
        bool own = borders[i] >= arch->first && borders[i] <= arch->last;

        if (own && (kept == 0 || borders[kept - 1] != borders[i]))
            borders[kept++] = borders[i];
    }
    return kept;
}

/* True where the default action says no, and a program would be better served by "no such call".
 * A tracer or an agent decides for itself. */
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

static bool is_newer(const struct arch *arch, uint32_t number)
{
    if (number == 0 && arch->zero_is_unknown)
        return true;
    return arch->names_any && number > arch->newest && number < arch->private_from;
}

static int add_piece(const struct plan_seccomp *seccomp, const struct arch *arch, uint32_t first,
                     struct pieces *pieces)
{
    struct cursor cursor = {.at = 0};
    SUBLET_TRY(pieces_advance(arch, first, &cursor));

    const struct sock_filter *insn = &arch->rules.code[cursor.at];
    struct piece piece = {
        .first = first,
        .is_action = insn->code == OP_RET,
        .action = insn->code == OP_RET ? insn->k : 0,
        .entry = cursor.at,
        .arch = arch,
    };
    if (piece.is_action && piece.action == seccomp->default_action && default_refuses(seccomp) &&
        is_newer(arch, first))
        piece.action = ENOSYS_ACTION;

    const struct piece *before = pieces->count > 0 ? &pieces->items[pieces->count - 1] : NULL;
    bool goes_on =
        before != NULL && before->is_action && piece.is_action && before->action == piece.action;
    if (!goes_on)
        pieces->items[pieces->count++] = piece;
    return 0;
}

static int add_arch(struct arena *arena, const struct plan_seccomp *seccomp,
                    const struct arch *arch, struct pieces *pieces)
{
    size_t most = 2 * arch->rules.count + 4;
    uint32_t *borders = arena_array(arena, most, sizeof *borders);
    struct piece *items =
        arena_grow(arena, pieces->items, pieces->count, pieces->count + most, sizeof *items);

    if (borders == NULL || items == NULL)
        return -ENOMEM;
    if (!bpf_valid(&arch->rules))
        return -ENOTSUP;
    pieces->items = items;

    size_t count = find_borders(arch, borders);
    for (size_t i = 0; i < count; i++)
        SUBLET_TRY(add_piece(seccomp, arch, borders[i], pieces));
    return 0;
}

int pieces_make(struct arena *arena, const struct plan_seccomp *seccomp, const struct archs *archs,
                uint32_t audit, struct pieces *ret_pieces, struct sub_err *err)
{
    struct pieces pieces = {.audit = audit};
    int rc = 0;

    /* two that share an audit number: the one that owns the low numbers comes first */
    for (int high = 0; high <= 1; high++) {
        for (size_t i = 0; i < archs->count && rc == 0; i++) {
            const struct arch *arch = &archs->items[i];

            if (arch->audit == audit && (arch->first != 0) == (high == 1))
                rc = add_arch(arena, seccomp, arch, &pieces);
        }
    }
    if (rc == -ENOTSUP)
        return sub_fail(err, ENOTSUP, "linux.seccomp",
                        "libseccomp wrote an instruction that this program does not know");
    if (rc < 0)
        return sub_fail(err, -rc, "linux.seccomp", "out of memory");
    *ret_pieces = pieces;
    return 0;
}
