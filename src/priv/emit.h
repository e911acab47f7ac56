/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program is written backwards, because every jump goes forward and its target must be known.
 * A place is the number of instructions from one to the end of the program; it never moves.
 */
#ifndef SUBLET_PRIV_EMIT_H
#define SUBLET_PRIV_EMIT_H

#include "bpf.h"

struct emitter {
    struct sock_filter *code; /* BPF_MAXINSNS of them, filled from the end */
    size_t size;              /* counts on when the room is used up, for the message */
};

struct target {
    bool is_action; /* a return of that action, wherever one is near enough */
    uint32_t action;
    size_t place;
};

struct target target_action(uint32_t action);
bool target_same(struct target a, struct target b);

/* A comparison of the accumulator; both answers may be any distance away. */
struct target emit_compare(struct emitter *emitter, uint16_t code, uint32_t k, struct target yes,
                           struct target no);

/* An instruction that goes on to `next`. */
struct target emit_plain(struct emitter *emitter, uint16_t code, uint32_t k, struct target next);

#endif
