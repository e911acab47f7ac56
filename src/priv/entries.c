/* SPDX-License-Identifier: Apache-2.0 */
#include "entries.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/log.h"
#include "sublet/plan/process.h"

#define ARGS_MAX        6
#define CONDITIONAL_MAX BPF_MAXINSNS /* a rule with conditions needs an instruction at least */

static bool lets_through(uint32_t action)
{
    action &= SECCOMP_RET_ACTION_FULL;
    return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

/* What the planner promises, checked because arrays depend on it; and a bound on the time. */
static int count_names(const struct plan_seccomp *seccomp, size_t *ret_count, struct sub_err *err)
{
    size_t conditional = 0, count = 0;

    for (size_t i = 0; i < seccomp->rule_count; i++) {
        const struct plan_seccomp_rule *rule = &seccomp->rules[i];

        for (size_t j = 0; j < rule->arg_count; j++) {
            if (rule->args[j].index >= ARGS_MAX)
                return sub_fail(err, EINVAL, rule->json, "argument index %u, allowed are 0 to %d",
                                rule->args[j].index, ARGS_MAX - 1);
        }
        count += rule->name_count;
        if (rule->arg_count > 0)
            conditional += rule->name_count;
    }
    /* the time grows with their square: refuse what cannot fit anyway */
    if (conditional > CONDITIONAL_MAX)
        return sub_fail(err, E2BIG, "linux.seccomp.syscalls",
                        "%zu rules with conditions, the kernel takes at most %d instructions",
                        conditional, BPF_MAXINSNS);
    *ret_count = count;
    return 0;
}

static void see_number(const struct arch *arch, int number, struct entries *entries)
{
    if (number < 0 || (uint32_t) number >= arch->private_from)
        return;
    if (!entries->names_any || (uint32_t) number > entries->newest)
        entries->newest = (uint32_t) number;
    entries->names_any = true;
}

static void add_entry(struct entries *entries, int number, const struct plan_seccomp_rule *rule,
                      bool companion)
{
    entries->items[entries->count] = (struct entry){
        .number = (uint32_t) number, .order = entries->count, .rule = rule, .companion = companion};
    entries->count++;
}

/* The rule for the same call made inside socketcall(2) or ipc(2), whose arguments lie in memory
 * that a filter cannot see. A refusal is made without its conditions, a permission not at all. */
static int add_companion(struct arena *arena, struct entries *entries,
                         const struct numbers *numbers, const struct plan_seccomp_rule *rule)
{
    if (rule->arg_count > 0 && lets_through(rule->action))
        return 0;

    struct plan_seccomp_rule *companion = arena_alloc(arena, sizeof *companion);
    struct plan_seccomp_arg *arg = arena_alloc(arena, sizeof *arg);
    if (companion == NULL || arg == NULL)
        return -ENOMEM;
    *arg = (struct plan_seccomp_arg){.op = PLAN_CMP_EQ, .value = numbers->inner};
    *companion = *rule;
    companion->args = arg;
    companion->arg_count = 1;
    add_entry(entries, numbers->carrier, companion, true);
    return 0;
}

static int add_rule(struct arena *arena, const struct plan_seccomp *seccomp,
                    const struct arch *arch, const struct plan_seccomp_rule *rule,
                    struct entries *entries)
{
    for (size_t i = 0; i < rule->name_count; i++) {
        struct numbers numbers;

        names_find(&arch->names, rule->names[i], &numbers);
        if (!numbers.known && arch->names.token == names_native())
            log_debug("%s: unknown system call '%s' is skipped", rule->json, rule->names[i]);
        see_number(arch, numbers.own, entries);
        if (numbers.own >= 0)
            add_entry(entries, numbers.own, rule, false);
        if (numbers.carrier >= 0 && rule->action != seccomp->default_action)
            SUBLET_TRY(add_companion(arena, entries, &numbers, rule));
    }
    return 0;
}

static int by_number(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;

    if (left->number != right->number)
        return left->number < right->number ? -1 : 1;
    return left->order < right->order ? -1 : 1;
}

int entries_make(struct arena *arena, const struct plan_seccomp *seccomp, const struct arch *arch,
                 struct entries *ret_entries, struct sub_err *err)
{
    struct entries entries = {.count = 0};
    size_t names = 0;
    int rc = 0;

    SUBLET_TRY(count_names(seccomp, &names, err));
    entries.items = arena_array(arena, 2 * names, sizeof *entries.items);
    if (entries.items == NULL)
        rc = -ENOMEM;
    for (size_t i = 0; i < seccomp->rule_count && rc == 0; i++)
        rc = add_rule(arena, seccomp, arch, &seccomp->rules[i], &entries);
    if (rc < 0)
        return sub_fail(err, -rc, "linux.seccomp", "out of memory");
    qsort(entries.items, entries.count, sizeof *entries.items, by_number);
    *ret_entries = entries;
    return 0;
}

/* --- one number ------------------------------------------------------------------------------- */

static bool same_args(const struct plan_seccomp_rule *a, const struct plan_seccomp_rule *b)
{
    for (size_t i = 0; i < a->arg_count && a->arg_count == b->arg_count; i++) {
        const struct plan_seccomp_arg *left = &a->args[i], *right = &b->args[i];

        if (left->index != right->index || left->op != right->op || left->value != right->value ||
            left->value_two != right->value_two)
            return false;
    }
    return a->arg_count == b->arg_count;
}

static bool is_plain(const struct entry *entry)
{
    return entry->rule->arg_count == 0;
}

/* The first rule without conditions that does not just repeat the default action; NULL if none.
 * *ret_default tells whether one repeats it. */
static const struct plan_seccomp_rule *find_plain(const struct plan_seccomp *seccomp,
                                                  const struct entry *items, size_t count,
                                                  bool *ret_default)
{
    *ret_default = false;
    for (size_t i = 0; i < count; i++) {
        if (!is_plain(&items[i]))
            continue;
        if (items[i].rule->action != seccomp->default_action)
            return items[i].rule;
        *ret_default = true;
    }
    return NULL;
}

/* Keeps the rule unless one before it says the same. */
static int keep_rule(const struct entry *entry, struct piece *piece, struct sub_err *err)
{
    for (size_t i = 0; i < piece->rule_count; i++) {
        if (!same_args(piece->rules[i], entry->rule))
            continue;
        if (piece->rules[i]->action == entry->rule->action || entry->companion)
            return 0;
        return sub_fail(err, EINVAL, entry->rule->json,
                        "another action than an earlier rule for the same call and conditions");
    }
    piece->rules[piece->rule_count++] = entry->rule;
    return 0;
}

int entries_decide(struct arena *arena, const struct plan_seccomp *seccomp,
                   const struct entry *items, size_t count, struct piece *ret_piece,
                   struct sub_err *err)
{
    bool carrier_is_refused;
    const struct plan_seccomp_rule *plain = find_plain(seccomp, items, count, &carrier_is_refused);
    struct piece piece = {.first = items[0].number, .action = seccomp->default_action};

    if (plain != NULL) {
        piece.action = plain->action;
        *ret_piece = piece;
        return 0;
    }
    piece.rules = arena_array(arena, count, sizeof(struct plan_seccomp_rule *));
    if (piece.rules == NULL)
        return sub_fail(err, ENOMEM, "linux.seccomp", "out of memory");
    for (size_t i = 0; i < count; i++) {
        const struct entry *entry = &items[i];

        if (is_plain(entry) || entry->rule->action == seccomp->default_action)
            continue;
        /* who names socketcall itself means all that is inside */
        if (entry->companion && carrier_is_refused && lets_through(entry->rule->action))
            continue;
        SUBLET_TRY(keep_rule(entry, &piece, err));
    }
    *ret_piece = piece;
    return 0;
}
