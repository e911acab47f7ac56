/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/seccomp.h>

#include "sublet/plan/process.h"

#include "compile.h"
#include "emit.h"

/* Which half of an argument lies first */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW_AT  0u
#define HIGH_AT 4u
#else
#define LOW_AT  4u
#define HIGH_AT 0u
#endif

#define ALL_BITS UINT64_MAX

static uint32_t low(uint64_t value)
{
    return (uint32_t) value;
}

static uint32_t high(uint64_t value)
{
    return (uint32_t) (value >> 32);
}

static uint32_t offset_of(const struct plan_seccomp_arg *arg)
{
    return (uint32_t) offsetof(struct seccomp_data, args) + 8 * arg->index;
}

/* Loads a word, masks it and compares. */
struct test {
    uint16_t code;
    uint32_t offset, mask, k;
};

static struct target emit_test(struct emitter *emitter, const struct test *test, struct target yes,
                               struct target no)
{
    struct target next = emit_compare(emitter, test->code, test->k, yes, no);

    if (test->mask != UINT32_MAX)
        next = emit_plain(emitter, OP_AND, test->mask, next);
    return emit_plain(emitter, OP_LOAD, test->offset, next);
}

static struct target emit_equal(struct emitter *emitter, const struct plan_seccomp_arg *arg,
                                bool wide, struct target yes, struct target no)
{
    bool masked = arg->op == PLAN_CMP_MASKED_EQ;
    uint64_t mask = masked ? arg->value : ALL_BITS;
    uint64_t value = masked ? arg->value_two & mask : arg->value;
    const struct test low_half = {OP_EQ, offset_of(arg) + LOW_AT, low(mask), low(value)};
    const struct test high_half = {OP_EQ, offset_of(arg) + HIGH_AT, high(mask), high(value)};

    /* a half without a bit in the mask is equal */
    if (low(mask) != 0)
        yes = emit_test(emitter, &low_half, yes, no);
    if (wide && high(mask) != 0)
        yes = emit_test(emitter, &high_half, yes, no);
    return yes;
}

/* code is OP_GT or OP_GE: only the low halves differ in it. */
static struct target emit_above(struct emitter *emitter, const struct plan_seccomp_arg *arg,
                                uint16_t code, struct target yes, struct target no)
{
    const struct test low_half = {code, offset_of(arg) + LOW_AT, UINT32_MAX, low(arg->value)};

    return emit_test(emitter, &low_half, yes, no);
}

static struct target emit_above_wide(struct emitter *emitter, const struct plan_seccomp_arg *arg,
                                     uint16_t code, struct target yes, struct target no)
{
    struct target same_high = emit_above(emitter, arg, code, yes, no);
    struct target not_above = emit_compare(emitter, OP_EQ, high(arg->value), same_high, no);
    const struct test high_half = {OP_GT, offset_of(arg) + HIGH_AT, UINT32_MAX, high(arg->value)};

    return emit_test(emitter, &high_half, yes, not_above);
}

static struct target emit_condition(struct emitter *emitter, const struct plan_seccomp_arg *arg,
                                    bool wide, struct target yes, struct target no)
{
    uint16_t code = arg->op == PLAN_CMP_GT || arg->op == PLAN_CMP_LE ? OP_GT : OP_GE;

    switch (arg->op) {
    case PLAN_CMP_NE:
        return emit_equal(emitter, arg, wide, no, yes);
    case PLAN_CMP_EQ:
    case PLAN_CMP_MASKED_EQ:
        return emit_equal(emitter, arg, wide, yes, no);
    case PLAN_CMP_LT:
    case PLAN_CMP_LE:
        return (wide ? emit_above_wide : emit_above)(emitter, arg, code, no, yes);
    default:
        return (wide ? emit_above_wide : emit_above)(emitter, arg, code, yes, no);
    }
}

static struct target emit_rule(struct emitter *emitter, const struct plan_seccomp_rule *rule,
                               bool wide, struct target otherwise)
{
    struct target next = target_action(rule->action);

    for (size_t i = rule->arg_count; i > 0; i--)
        next = emit_condition(emitter, &rule->args[i - 1], wide, next, otherwise);
    return next;
}

/* One argument compared with one value */
static bool is_choice(const struct plan_seccomp_rule *rule)
{
    return rule->arg_count == 1 && rule->args[0].op == PLAN_CMP_EQ;
}

static bool same_choice(const struct plan_seccomp_rule *a, const struct plan_seccomp_rule *b)
{
    return is_choice(a) && is_choice(b) && a->args[0].index == b->args[0].index &&
           high(a->args[0].value) == high(b->args[0].value);
}

/* Rules that choose among values of one argument, which is loaded once for all of them. */
static struct target emit_choices(struct emitter *emitter,
                                  const struct plan_seccomp_rule *const *rules, size_t count,
                                  bool wide, struct target otherwise)
{
    const struct plan_seccomp_arg *arg = &rules[0]->args[0];
    const struct test high_half = {OP_EQ, offset_of(arg) + HIGH_AT, UINT32_MAX, high(arg->value)};
    struct target next = otherwise;

    for (size_t i = count; i > 0; i--)
        next = emit_compare(emitter, OP_EQ, low(rules[i - 1]->args[0].value),
                            target_action(rules[i - 1]->action), next);
    next = emit_plain(emitter, OP_LOAD, offset_of(arg) + LOW_AT, next);
    return wide ? emit_test(emitter, &high_half, next, otherwise) : next;
}

struct target conditions_emit(struct emitter *emitter, const struct piece *piece)
{
    const struct plan_seccomp_rule *const *rules = piece->rules;
    struct target next = target_action(piece->action);

    for (size_t end = piece->rule_count; end > 0;) {
        size_t first = end - 1;

        while (first > 0 && same_choice(rules[first - 1], rules[end - 1]))
            first--;
        if (is_choice(rules[first]))
            next = emit_choices(emitter, rules + first, end - first, piece->wide, next);
        else
            next = emit_rule(emitter, rules[first], piece->wide, next);
        end = first;
    }
    return next;
}
