/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string.h>

#include "sublet/base/log.h"
#include "sublet/base/words.h"

#include "planning.h"

#ifndef AUDIT_ARCH_LOONGARCH64
#define AUDIT_ARCH_LOONGARCH64 0xc0000102u
#endif

#define EPERM_DATA 1 /* config-linux.md: errnoRet "default value is EPERM" */

static const struct word action_rows[] = {
    {"SCMP_ACT_ALLOW",        SECCOMP_RET_ALLOW       },
    {"SCMP_ACT_ERRNO",        SECCOMP_RET_ERRNO       },
    {"SCMP_ACT_KILL",         SECCOMP_RET_KILL_THREAD },
    {"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS},
    {"SCMP_ACT_KILL_THREAD",  SECCOMP_RET_KILL_THREAD },
    {"SCMP_ACT_LOG",          SECCOMP_RET_LOG         },
    {"SCMP_ACT_NOTIFY",       SECCOMP_RET_USER_NOTIF  },
    {"SCMP_ACT_TRACE",        SECCOMP_RET_TRACE       },
    {"SCMP_ACT_TRAP",         SECCOMP_RET_TRAP        },
};
const struct words plan_seccomp_actions = WORDS(action_rows);

static const struct word operator_rows[] = {
    {"SCMP_CMP_EQ",        PLAN_CMP_EQ       },
    {"SCMP_CMP_GE",        PLAN_CMP_GE       },
    {"SCMP_CMP_GT",        PLAN_CMP_GT       },
    {"SCMP_CMP_LE",        PLAN_CMP_LE       },
    {"SCMP_CMP_LT",        PLAN_CMP_LT       },
    {"SCMP_CMP_MASKED_EQ", PLAN_CMP_MASKED_EQ},
    {"SCMP_CMP_NE",        PLAN_CMP_NE       },
};
const struct words plan_seccomp_operators = WORDS(operator_rows);

static const struct word arch_rows[] = {
    {"SCMP_ARCH_AARCH64",     AUDIT_ARCH_AARCH64    },
    {"SCMP_ARCH_ARM",         AUDIT_ARCH_ARM        },
    {"SCMP_ARCH_LOONGARCH64", AUDIT_ARCH_LOONGARCH64},
    {"SCMP_ARCH_M68K",        AUDIT_ARCH_M68K       },
    {"SCMP_ARCH_MIPS",        AUDIT_ARCH_MIPS       },
    {"SCMP_ARCH_MIPS64",      AUDIT_ARCH_MIPS64     },
    {"SCMP_ARCH_MIPS64N32",   AUDIT_ARCH_MIPS64N32  },
    {"SCMP_ARCH_MIPSEL",      AUDIT_ARCH_MIPSEL     },
    {"SCMP_ARCH_MIPSEL64",    AUDIT_ARCH_MIPSEL64   },
    {"SCMP_ARCH_MIPSEL64N32", AUDIT_ARCH_MIPSEL64N32},
    {"SCMP_ARCH_PARISC",      AUDIT_ARCH_PARISC     },
    {"SCMP_ARCH_PARISC64",    AUDIT_ARCH_PARISC64   },
    {"SCMP_ARCH_PPC",         AUDIT_ARCH_PPC        },
    {"SCMP_ARCH_PPC64",       AUDIT_ARCH_PPC64      },
    {"SCMP_ARCH_PPC64LE",     AUDIT_ARCH_PPC64LE    },
    {"SCMP_ARCH_RISCV64",     AUDIT_ARCH_RISCV64    },
    {"SCMP_ARCH_S390",        AUDIT_ARCH_S390       },
    {"SCMP_ARCH_S390X",       AUDIT_ARCH_S390X      },
    {"SCMP_ARCH_SH",          AUDIT_ARCH_SHEL       },
    {"SCMP_ARCH_SHEB",        AUDIT_ARCH_SH         },
    {"SCMP_ARCH_X32",         PLAN_SECCOMP_ARCH_X32 },
    {"SCMP_ARCH_X86",         AUDIT_ARCH_I386       },
    {"SCMP_ARCH_X86_64",      AUDIT_ARCH_X86_64     },
};
const struct words plan_seccomp_archs = WORDS(arch_rows);

static const struct word flag_rows[] = {
    {"SECCOMP_FILTER_FLAG_LOG",                SECCOMP_FILTER_FLAG_LOG               },
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW",         SECCOMP_FILTER_FLAG_SPEC_ALLOW        },
    {"SECCOMP_FILTER_FLAG_TSYNC",              SECCOMP_FILTER_FLAG_TSYNC             },
    {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
};
const struct words plan_seccomp_flags = WORDS(flag_rows);

/* ---- actions ---- */

/* An action word with its errno, as the kernel returns it. */
struct verdict {
    const char *path;  /* of the object that holds both */
    const char *field; /* of the action */
    const char *action;
    bool has_errno;
    uint32_t errno_value;
};

static bool read_verdict(struct planning *p, const struct verdict *verdict, uint32_t *ret_action)
{
    const char *name = verdict->action == NULL ? "" : verdict->action;
    const struct word *word = words_find(&plan_seccomp_actions, name);

    if (word == NULL) {
        plan_error(p, arena_printf(p->arena, "%s.%s", verdict->path, verdict->field),
                   "unknown action '%s'", name);
        return false;
    }

    uint32_t action = (uint32_t) word->value;
    bool takes_data = action == SECCOMP_RET_ERRNO || action == SECCOMP_RET_TRACE;
    uint32_t data = verdict->has_errno ? verdict->errno_value : EPERM_DATA;

    *ret_action = takes_data ? action | (data & SECCOMP_RET_DATA) : action;
    return true;
}

/* ---- rules ---- */

static void read_arg(struct planning *p, const char *rule, size_t index,
                     const struct spec_seccomp_arg *item, struct plan_seccomp_arg *ret_arg)
{
    const struct word *op = words_find(&plan_seccomp_operators, item->op == NULL ? "" : item->op);

    if (op == NULL)
        plan_error(p, arena_printf(p->arena, "%s.args[%zu].op", rule, index),
                   "unknown operator '%s'", item->op == NULL ? "" : item->op);
    *ret_arg = (struct plan_seccomp_arg){
        .index = item->index,
        .op = op == NULL ? PLAN_CMP_EQ : (enum plan_seccomp_operator) op->value,
        .value = item->value,
        .value_two = item->value_two,
    };
}

static bool compares_one_argument_twice(const struct plan_seccomp_arg *args, size_t count)
{
    uint32_t seen = 0;

    for (size_t i = 0; i < count; i++) {
        uint32_t bit = 1u << (args[i].index & 7);

        if ((seen & bit) != 0)
            return true;
        seen |= bit;
    }
    return false;
}

/* Engines have always read two conditions on one argument as alternatives, since libseccomp takes
 * no two of them in a rule: each becomes a rule of its own. */
static size_t split(const struct plan_seccomp_rule *rule, struct plan_seccomp_rule *ret_rules)
{
    if (!compares_one_argument_twice(rule->args, rule->arg_count)) {
        ret_rules[0] = *rule;
        return 1;
    }
    for (size_t i = 0; i < rule->arg_count; i++) {
        ret_rules[i] = *rule;
        ret_rules[i].args = &rule->args[i];
        ret_rules[i].arg_count = 1;
    }
    return rule->arg_count;
}

/* How many rules were written to ret_rules, which has room for one an argument and one more. */
static size_t read_rule(struct planning *p, size_t index, struct plan_seccomp_rule *ret_rules)
{
    const struct spec_seccomp_rule *item = &p->linux_->seccomp->syscalls.items[index];
    const char *path = arena_printf(p->arena, "linux.seccomp.syscalls[%zu]", index);
    struct plan_seccomp_arg *args = arena_array(p->arena, item->args.count, sizeof *args);
    struct plan_seccomp_rule rule = {.json = path,
                                     .names = item->names.items,
                                     .name_count = item->names.count,
                                     .args = args,
                                     .arg_count = item->args.count};
    const struct verdict verdict = {
        .path = path,
        .field = "action",
        .action = item->action,
        .has_errno = (item->has & SPEC_SECCOMP_RULE_ERRNO_RET) != 0,
        .errno_value = item->errno_ret,
    };

    if (args == NULL)
        return 0;
    for (size_t i = 0; i < item->args.count; i++)
        read_arg(p, path, i, &item->args.items[i], &args[i]);
    if (!read_verdict(p, &verdict, &rule.action))
        return 0;
    return split(&rule, ret_rules);
}

static bool read_rules(struct planning *p, struct plan_seccomp *seccomp)
{
    const struct spec_seccomp_rules *items = &p->linux_->seccomp->syscalls;
    size_t room = 0;

    for (size_t i = 0; i < items->count; i++)
        room += items->items[i].args.count + 1;

    struct plan_seccomp_rule *rules = arena_array(p->arena, room, sizeof *rules);
    if (rules == NULL)
        return false;
    for (size_t i = 0; i < items->count; i++)
        seccomp->rule_count += read_rule(p, i, &rules[seccomp->rule_count]);
    seccomp->rules = rules;
    return true;
}

/* ---- the rest ---- */

static void read_archs(struct planning *p, struct plan_seccomp *seccomp)
{
    const struct spec_strings *items = &p->linux_->seccomp->architectures;
    uint32_t *archs = arena_array(p->arena, items->count, sizeof *archs);

    if (archs == NULL)
        return;
    for (size_t i = 0; i < items->count; i++) {
        const struct word *word = words_find(&plan_seccomp_archs, items->items[i]);

        if (word == NULL)
            plan_error(p, arena_printf(p->arena, "linux.seccomp.architectures[%zu]", i),
                       "unknown architecture '%s'", items->items[i]);
        else
            archs[seccomp->arch_count++] = (uint32_t) word->value;
    }
    seccomp->archs = archs;
}

static bool uses_notify(const struct plan_seccomp *seccomp)
{
    for (size_t i = 0; i < seccomp->rule_count; i++) {
        if (seccomp->rules[i].action == SECCOMP_RET_USER_NOTIF)
            return true;
    }
    return false;
}

static void read_flags(struct planning *p, bool notify, struct plan_seccomp *seccomp)
{
    const struct spec_seccomp *spec = p->linux_->seccomp;

    /* without a word about flags: as runc, no speculation mitigation that nobody asked for */
    if ((spec->has & SPEC_SECCOMP_FLAGS) == 0) {
        seccomp->flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
        return;
    }
    for (size_t i = 0; i < spec->flags.count; i++) {
        const char *name = spec->flags.items[i];
        const struct word *word = words_find(&plan_seccomp_flags, name);
        const char *path = arena_printf(p->arena, "linux.seccomp.flags[%zu]", i);

        if (word == NULL)
            plan_error(p, path, "unknown flag '%s'", name);
        else if (word->value == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV && !notify)
            plan_warning(p, path, "'%s' is left out: no rule has SCMP_ACT_NOTIFY", name);
        else if (word->value == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV &&
                 p->host->kernel < HOST_KERNEL(5, 19))
            plan_error(p, path, "'%s' needs Linux 5.19", name);
        else
            seccomp->flags |= (uint32_t) word->value;
    }
    /* the kernel takes it together with a listener only in another form, and there is one thread */
    if (notify)
        seccomp->flags &= ~(uint32_t) SECCOMP_FILTER_FLAG_TSYNC;
}

static void read_listener(const struct planning *p, bool notify, struct plan_seccomp *seccomp)
{
    const struct spec_seccomp *spec = p->linux_->seccomp;

    if (!notify && spec->listener_path != NULL)
        log_debug("linux.seccomp.listenerPath: ignored, no rule has SCMP_ACT_NOTIFY");
    if (!notify)
        return;
    seccomp->listener_path = spec->listener_path;
    seccomp->listener_metadata = spec->listener_metadata;
}

void plan_decide_seccomp(struct planning *p)
{
    const struct spec_seccomp *spec = p->linux_->seccomp;

    if (spec == NULL)
        return;
    const struct verdict verdict = {
        .path = "linux.seccomp",
        .field = "defaultAction",
        .action = spec->default_action,
        .has_errno = (spec->has & SPEC_SECCOMP_DEFAULT_ERRNO_RET) != 0,
        .errno_value = spec->default_errno_ret,
    };
    struct plan_seccomp *seccomp = arena_alloc(p->arena, sizeof *seccomp);
    /* an unknown default must not make rules look needless */
    uint32_t default_action = UINT32_MAX;

    if (seccomp == NULL)
        return;
    (void) read_verdict(p, &verdict, &default_action);
    seccomp->default_action = default_action;
    read_archs(p, seccomp);
    if (!read_rules(p, seccomp))
        return;
    bool notify = uses_notify(seccomp);
    read_flags(p, notify, seccomp);
    read_listener(p, notify, seccomp);
    p->plan->process.seccomp = seccomp;
}
