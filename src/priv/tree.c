/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"

#include "compile.h"

#define NEAR_MAX 255 /* a conditional jump has 8 bits */

/*
 * The program is written backwards, because every jump goes forward and its target must be known.
 * A place is the number of instructions from one to the end of the program; it never moves.
 */
struct emitter {
    struct sock_filter *code; /* BPF_MAXINSNS of them, filled from the end */
    size_t size;              /* counts on when the room is used up, for the message */
};

struct target {
    bool is_action; /* a return of that action, wherever one is near enough */
    uint32_t action;
    size_t place;
};

static struct target at_action(uint32_t action)
{
    return (struct target){.is_action = true, .action = action};
}

static struct target at_place(size_t place)
{
    return (struct target){.place = place};
}

static size_t emit(struct emitter *emitter, struct sock_filter insn)
{
    emitter->size++;
    if (emitter->size <= BPF_MAXINSNS)
        emitter->code[BPF_MAXINSNS - emitter->size] = insn;
    return emitter->size;
}

static const struct sock_filter *at(const struct emitter *emitter, size_t place)
{
    return &emitter->code[BPF_MAXINSNS - place];
}

/* The nearest return of that action no more than `reach` instructions behind the next one. */
static size_t find_return(const struct emitter *emitter, uint32_t action, size_t reach)
{
    for (size_t back = 0; back <= reach && back < emitter->size; back++) {
        size_t place = emitter->size - back;

        if (place <= BPF_MAXINSNS && at(emitter, place)->code == OP_RET &&
            at(emitter, place)->k == action)
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

static struct target emit_compare(struct emitter *emitter, uint16_t code, uint32_t k,
                                  struct target yes, struct target no)
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

    return at_place(emit(emitter, insn));
}

/* An instruction that is followed by `next`. */
static struct target emit_plain(struct emitter *emitter, uint16_t code, uint32_t k,
                                struct target next)
{
    if (next.is_action) {
        if (find_return(emitter, next.action, 0) == 0)
            (void) emit(emitter, (struct sock_filter){.code = OP_RET, .k = next.action});
    } else if (next.place != emitter->size) {
        (void) emit(emitter, (struct sock_filter){.code = OP_GO,
                                                  .k = (uint32_t) (emitter->size - next.place)});
    }
    return at_place(emit(emitter, (struct sock_filter){.code = code, .k = k}));
}

/* --- what depends on arguments: copied from libseccomp's program ------------------------------ */

struct chain {
    struct emitter *emitter;
    const struct piece *piece;
    struct target *targets; /* of the instructions copied so far, by their old index */
    bool *reached;          /* by their old index as well */
    bool failed;
};

/* Where the old program goes on from `index`, past all that the number decides. */
static size_t follow(struct chain *chain, size_t index)
{
    struct cursor cursor = {.at = index};

    if (pieces_advance(chain->piece->arch, chain->piece->first, &cursor) < 0)
        chain->failed = true;
    return cursor.at;
}

static struct target copy_instruction(struct chain *chain, size_t index)
{
    const struct sock_filter *insn = &chain->piece->arch->rules.code[index];

    if (insn->code == OP_RET)
        return at_action(insn->k);
    if (insn->code == OP_LOAD || insn->code == OP_AND)
        return emit_plain(chain->emitter, insn->code, insn->k,
                          chain->targets[follow(chain, index + 1)]);
    return emit_compare(chain->emitter, insn->code, insn->k,
                        chain->targets[follow(chain, index + 1 + insn->jt)],
                        chain->targets[follow(chain, index + 1 + insn->jf)]);
}

static void mark_successors(struct chain *chain, size_t index)
{
    const struct sock_filter *insn = &chain->piece->arch->rules.code[index];

    if (insn->code == OP_RET)
        return;
    if (insn->code == OP_LOAD || insn->code == OP_AND) {
        chain->reached[follow(chain, index + 1)] = true;
        return;
    }
    chain->reached[follow(chain, index + 1 + insn->jt)] = true;
    chain->reached[follow(chain, index + 1 + insn->jf)] = true;
}

/* Jumps go forward only, so one pass up finds what is reached and one pass down copies it. */
static int emit_chain(struct chain *chain, const struct piece *piece, struct target *ret_target)
{
    size_t count = piece->arch->rules.count;

    chain->piece = piece;
    memset(chain->reached, 0, count * sizeof *chain->reached);
    chain->reached[piece->entry] = true;
    for (size_t i = piece->entry; i < count; i++) {
        if (chain->reached[i])
            mark_successors(chain, i);
    }
    for (size_t i = count; i > piece->entry; i--) {
        if (chain->reached[i - 1])
            chain->targets[i - 1] = copy_instruction(chain, i - 1);
    }
    *ret_target = chain->targets[piece->entry];
    return chain->failed ? -ENOTSUP : 0;
}

/* --- the search tree -------------------------------------------------------------------------- */

static bool same_target(struct target a, struct target b)
{
    return a.is_action == b.is_action && a.action == b.action && a.place == b.place;
}

/* Tests of the number that lead to the targets of the pieces. */
static struct target emit_search(struct emitter *emitter, const struct piece *pieces,
                                 const struct target *targets, size_t count)
{
    if (count == 1)
        return targets[0];
    /* one number that differs from its neighbours on both sides */
    if (count == 3 && pieces[2].first - pieces[1].first == 1 && same_target(targets[0], targets[2]))
        return emit_compare(emitter, OP_EQ, pieces[1].first, targets[1], targets[0]);

    size_t half = count / 2;
    struct target high = emit_search(emitter, pieces + half, targets + half, count - half);
    struct target low = emit_search(emitter, pieces, targets, half);

    return emit_compare(emitter, OP_GE, pieces[half].first, high, low);
}

static int emit_group(struct arena *arena, struct emitter *emitter, const struct pieces *group,
                      struct target *ret_target)
{
    size_t longest = 0;
    for (size_t i = 0; i < group->count; i++) {
        if (group->items[i].arch->rules.count > longest)
            longest = group->items[i].arch->rules.count;
    }

    struct target *targets = arena_array(arena, group->count, sizeof *targets);
    struct chain chain = {
        .emitter = emitter,
        .targets = arena_array(arena, longest, sizeof *chain.targets),
        .reached = arena_array(arena, longest, sizeof *chain.reached),
    };
    if (targets == NULL || chain.targets == NULL || chain.reached == NULL)
        return -ENOMEM;

    for (size_t i = 0; i < group->count; i++) {
        const struct piece *piece = &group->items[i];

        targets[i] = at_action(piece->action);
        if (!piece->is_action)
            SUBLET_TRY(emit_chain(&chain, piece, &targets[i]));
    }

    struct target search = emit_search(emitter, group->items, targets, group->count);
    *ret_target = emit_plain(emitter, OP_LOAD, offsetof(struct seccomp_data, nr), search);
    return 0;
}

int tree_emit(struct arena *arena, const struct pieces *groups, size_t count,
              struct bpf *ret_program, struct sub_err *err)
{
    struct emitter emitter = {
        .code = arena_array(arena, BPF_MAXINSNS, sizeof *emitter.code),
    };
    struct target targets[ARCHS_MAX];
    int rc = emitter.code == NULL ? -ENOMEM : 0;

    for (size_t i = count; i > 0 && rc == 0; i--)
        rc = emit_group(arena, &emitter, &groups[i - 1], &targets[i - 1]);
    if (rc < 0)
        return sub_fail(err, -rc, "linux.seccomp", "cannot compile the profile: %s",
                        sub_strerror(-rc));

    /* as libseccomp: another architecture's call kills the thread */
    struct target entry = at_action(SECCOMP_RET_KILL_THREAD);
    for (size_t i = count; i > 0; i--)
        entry = emit_compare(&emitter, OP_EQ, groups[i - 1].audit, targets[i - 1], entry);
    (void) emit_plain(&emitter, OP_LOAD, offsetof(struct seccomp_data, arch), entry);

    if (emitter.size > BPF_MAXINSNS)
        return sub_fail(err, E2BIG, "linux.seccomp",
                        "the profile needs %zu BPF instructions, the kernel takes at most %d",
                        emitter.size, BPF_MAXINSNS);
    *ret_program = (struct bpf){
        .code = emitter.code + BPF_MAXINSNS - emitter.size,
        .count = emitter.size,
    };
    return 0;
}
