/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a profile to a program, in four stages:
 *   names.c       libseccomp's tables say which numbers a name has on an architecture;
 *   pieces.c      what the rules say of each number: ranges with one answer;
 *   conditions.c  tests of arguments, for rules that have them;
 *   tree.c        the ranges become a search tree, all architectures one program.
 * The program is our own and not libseccomp's for three reasons. Its time: the kernel checks,
 * translates and evaluates a new filter, 0.4 us an instruction; docker's profile has 1200 of
 * libseccomp and 292 of ours. Its rules: libseccomp 2.5 merges several rules with conditions for
 * one call into a tree that can let through what no rule allows ("a0 >= 2" and "a0 < 1 and a1 <=
 * 3" match a0 = 0, a1 = 9), or never returns. Its gifts: for each call that is allowed under
 * conditions it allows the same call without them inside socketcall(2) and ipc(2), around every
 * filter of address families. Where none of these matters the answers are the same, and a test
 * compares them.
 */
#ifndef SUBLET_PRIV_COMPILE_H
#define SUBLET_PRIV_COMPILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf.h"
#include "names.h"

struct emitter;
struct plan_seccomp;
struct plan_seccomp_rule;
struct sub_err;
struct target;

#define ARCHS_MAX 32

/* One architecture of the profile. */
struct arch {
    struct names names;
    uint32_t audit;        /* what the kernel says; x32 and x86_64 say the same */
    bool wide;             /* arguments have 64 bits */
    uint32_t first, last;  /* the system call numbers that are its own */
    uint32_t private_from; /* numbers from here on do not grow with time */
};

struct archs {
    struct arch items[ARCHS_MAX];
    size_t count;
};

/* All architectures of the profile, the native one first, each once. */
int archs_make(struct arena *arena, const struct plan_seccomp *seccomp, struct archs *ret_archs,
               struct sub_err *err);

/* Numbers from `first` up to the next piece's have the same answer: that of the first rule whose
 * conditions hold, or else the action. */
struct piece {
    uint32_t first;
    uint32_t action;
    const struct plan_seccomp_rule **rules;
    size_t rule_count;
    bool wide;
};

/* One AUDIT_ARCH: the pieces of the one or two archs that share it, ascending from 0. */
struct pieces {
    uint32_t audit;
    struct piece *items;
    size_t count;
};

int pieces_make(struct arena *arena, const struct plan_seccomp *seccomp, const struct archs *archs,
                uint32_t audit, struct pieces *ret_pieces, struct sub_err *err);

/* The tests of a piece that has rules. */
struct target conditions_emit(struct emitter *emitter, const struct piece *piece);

/* One program from all pieces; code in the arena. -E2BIG if the kernel would not take it. */
int tree_emit(struct arena *arena, const struct pieces *groups, size_t count,
              struct bpf *ret_program, struct sub_err *err);

#endif
