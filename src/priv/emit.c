/* SPDX-License-Identifier: Apache-2.0 */
#include "emit.h"

#define NEAR_MAX 255 /* a conditional jump has 8 bits */

struct target target_action(uint32_t action)
{
    return (struct target){.is_action = true, .action = action};
}

bool target_same(struct target a, struct target b)
{
    return a.is_action == b.is_action && a.action == b.action && a.place == b.place;
}

static size_t emit(struct emitter *emitter, struct sock_filter insn)
{
    emitter->size++;
    if (emitter->size <= BPF_MAXINSNS)
        emitter->code[BPF_MAXINSNS - emitter->size] = insn;
    return emitter->size;
}

/* The nearest return of that action no more than `reach` instructions behind the next one. */
static size_t find_return(const struct emitter *emitter, uint32_t action, size_t reach)
{
    for (size_t back = 0; back <= reach && back < emitter->size; back++) {
        size_t place = emitter->size - back;

        if (place > BPF_MAXINSNS)
            continue; /* was only counted */

        const struct sock_filter *insn = &emitter->code[BPF_MAXINSNS - place];
        if (insn->code == OP_RET && insn->k == action)
            return place;
    }
    return 0;
}

/* A place that a conditional jump can reach when `more` instructions may come before it. */
static size_t bring_near(struct emitter *emitter, struct target target, size_t more)
{
    size_t reach = NEAR_MAX - more;

    if (target.is_action) {
        size_t place = find_return(emitter, target.action, reach);

        return place != 0 ? place
                          : emit(emitter, (struct sock_filter){.code = OP_RET, .k = target.action});
    }

    size_t distance = emitter->size - target.place;
    if (distance <= reach)
        return target.place;
    return emit(emitter, (struct sock_filter){.code = OP_GO, .k = (uint32_t) distance});
}

struct target emit_compare(struct emitter *emitter, uint16_t code, uint32_t k, struct target yes,
                           struct target no)
{
    /* bringing the second one near may put one instruction between the first and the jump */
    size_t no_place = bring_near(emitter, no, 1);
    size_t yes_place = bring_near(emitter, yes, 0);
    struct sock_filter insn = {
        .code = code,
        .jt = (uint8_t) (emitter->size - yes_place),
        .jf = (uint8_t) (emitter->size - no_place),
        .k = k,
    };

    return (struct target){.place = emit(emitter, insn)};
}

struct target emit_plain(struct emitter *emitter, uint16_t code, uint32_t k, struct target next)
{
    if (next.is_action) {
        if (find_return(emitter, next.action, 0) == 0)
            (void) emit(emitter, (struct sock_filter){.code = OP_RET, .k = next.action});
    } else if (next.place != emitter->size) {
        uint32_t distance = (uint32_t) (emitter->size - next.place);

        (void) emit(emitter, (struct sock_filter){.code = OP_GO, .k = distance});
    }
    return (struct target){.place = emit(emitter, (struct sock_filter){.code = code, .k = k})};
}
