/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a profile to a program, in three stages:
 *   rules.c   libseccomp decides what the profile means: one plain program an architecture;
 *   pieces.c  that program is evaluated in part: which ranges of system call numbers have one
 *             answer, and which depend on arguments;
 *   tree.c    the ranges become a search tree, all architectures one program.
 * The result answers as libseccomp's own program does, but for numbers newer than the profile
 * (ENOSYS), with a fraction of its instructions: the kernel checks, translates and evaluates them
 * at every start, which is what a filter costs.
 */
#ifndef SUBLET_PRIV_COMPILE_H
#define SUBLET_PRIV_COMPILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf.h"

struct arena;
struct plan_seccomp;
struct sub_err;

#define ARCHS_MAX 32

/* One architecture of the profile. */
struct arch {
    uint32_t token;        /* libseccomp's name for it */
    uint32_t audit;        /* what the kernel says; x32 and x86_64 say the same */
    uint32_t first, last;  /* the system call numbers that are its own */
    bool names_any;        /* newest is known */
    uint32_t newest;       /* highest number that the profile names below private_from */
    uint32_t private_from; /* numbers from here on do not grow with time */
    bool zero_is_unknown;  /* s390 shows any number it does not know as 0 */
    struct bpf rules;      /* libseccomp's program */
};

struct archs {
    struct arch items[ARCHS_MAX];
    size_t count;
};

/* All architectures of the profile, the native one first, each once. */
int rules_archs(const struct plan_seccomp *seccomp, struct archs *ret_archs, struct sub_err *err);

/* Fills names_any, newest and rules. */
int rules_compile(struct arena *arena, const struct plan_seccomp *seccomp, struct arch *arch,
                  struct sub_err *err);

/* The AUDIT_ARCH of this program's own system calls. */
uint32_t rules_native_audit(void);

/* The name of a system call of this machine, or "system call N"; text is room for it. */
const char *rules_call_name(int number, char *text, size_t size);

/* Numbers from `first` up to the next piece's have the same answer: an action, or what the
 * instructions from `entry` on find out. */
struct piece {
    uint32_t first;
    bool is_action;
    uint32_t action;
    size_t entry;
    const struct arch *arch;
};

/* One AUDIT_ARCH: the pieces of the one or two archs that share it, ascending from 0. */
struct pieces {
    uint32_t audit;
    struct piece *items;
    size_t count;
};

int pieces_make(struct arena *arena, const struct plan_seccomp *seccomp, const struct archs *archs,
                uint32_t audit, struct pieces *ret_pieces, struct sub_err *err);

/* Where the evaluation of a program stands, and what it knows of the accumulator. */
struct cursor {
    size_t at;
    bool known;
    uint32_t value;
};

/* Goes on to the next instruction that architecture and number alone do not decide: a return, a
 * load of something else, or a test of what such a load brought. -ENOTSUP for an instruction that
 * nobody foresaw. */
int pieces_advance(const struct arch *arch, uint32_t number, struct cursor *cursor);

/* One program from all pieces; code in the arena. -E2BIG if the kernel would not take it. */
int tree_emit(struct arena *arena, const struct pieces *groups, size_t count,
              struct bpf *ret_program, struct sub_err *err);

#endif
