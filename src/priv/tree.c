/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"

#include "compile.h"
#include "emit.h"

/* Tests of the number that lead to the targets of the pieces. */
static struct target emit_search(struct emitter *emitter, const struct piece *pieces,
                                 const struct target *targets, size_t count)
{
    if (count == 1)
        return targets[0];
    /* one number that differs from its neighbours on both sides */
    if (count == 3 && pieces[2].first - pieces[1].first == 1 && target_same(targets[0], targets[2]))
        return emit_compare(emitter, OP_EQ, pieces[1].first, targets[1], targets[0]);

    size_t half = count / 2;
    struct target high = emit_search(emitter, pieces + half, targets + half, count - half);
    struct target low = emit_search(emitter, pieces, targets, half);

    return emit_compare(emitter, OP_GE, pieces[half].first, high, low);
}

static bool same_rules(const struct piece *a, const struct piece *b)
{
    if (a->wide != b->wide || a->action != b->action || a->rule_count != b->rule_count)
        return false;
    for (size_t i = 0; i < a->rule_count; i++) {
        if (a->rules[i] != b->rules[i])
            return false;
    }
    return true;
}

static struct target emit_piece(struct emitter *emitter, const struct pieces *group, size_t index,
                                const struct target *targets)
{
    const struct piece *piece = &group->items[index];

    if (piece->rule_count == 0)
        return target_action(piece->action);
    /* names that stand in the same rules share their tests */
    for (size_t i = 0; i < index; i++) {
        if (same_rules(&group->items[i], piece))
            return targets[i];
    }
    return conditions_emit(emitter, piece);
}

static int emit_group(struct arena *arena, struct emitter *emitter, const struct pieces *group,
                      struct target *ret_target)
{
    struct target *targets = arena_array(arena, group->count, sizeof *targets);

    if (targets == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < group->count; i++)
        targets[i] = emit_piece(emitter, group, i, targets);

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
    struct target entry = target_action(SECCOMP_RET_KILL_THREAD);
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
