/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/log.h"
#include "sublet/plan/process.h"
#include "sublet/sys.h"

#include "compile.h"

/* SCMP_ACT_* and SECCOMP_RET_* are the same numbers, so the plan's actions pass as they are. */

#define X32_BIT          0x40000000u /* __X32_SYSCALL_BIT */
#define ARGS_MAX         6
#define CONDITIONAL_MAX  BPF_MAXINSNS /* a rule with conditions needs an instruction at least */
#define API_LEVEL        6            /* NOTIFY and KILL_PROCESS; the kernel need not be asked */
#define PROGRAM_MAX_SIZE ((off_t) 64 << 20)

/* Numbers that stand apart from those that every release of Linux adds to. */
static const struct {
    uint32_t token, private_from;
} private_numbers[] = {
    {SCMP_ARCH_X32, X32_BIT + 512},
    {SCMP_ARCH_ARM, 0xf0000      },
};

static const enum scmp_compare operators[] = {
    [PLAN_CMP_NE] = SCMP_CMP_NE,
    [PLAN_CMP_LT] = SCMP_CMP_LT,
    [PLAN_CMP_LE] = SCMP_CMP_LE,
    [PLAN_CMP_EQ] = SCMP_CMP_EQ,
    [PLAN_CMP_GE] = SCMP_CMP_GE,
    [PLAN_CMP_GT] = SCMP_CMP_GT,
    [PLAN_CMP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
};

static void filter_release(scmp_filter_ctx *filter)
{
    if (*filter != NULL)
        seccomp_release(*filter);
}
#define OWNED_RULES __attribute__((cleanup(filter_release))) scmp_filter_ctx

static struct arch *add_arch(struct archs *archs, uint32_t token)
{
    for (size_t i = 0; i < archs->count; i++) {
        if (archs->items[i].token == token)
            return &archs->items[i];
    }
    if (archs->count == ARCHS_MAX)
        return NULL;

    struct arch *arch = &archs->items[archs->count++];
    *arch = (struct arch){
        .token = token,
        .audit = token == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : token,
        .last = UINT32_MAX,
        .private_from = UINT32_MAX,
        .zero_is_unknown = token == SCMP_ARCH_S390 || token == SCMP_ARCH_S390X,
    };
    for (size_t i = 0; i < sizeof private_numbers / sizeof *private_numbers; i++) {
        if (private_numbers[i].token == token)
            arch->private_from = private_numbers[i].private_from;
    }
    return arch;
}

int rules_archs(const struct plan_seccomp *seccomp, struct archs *ret_archs, struct sub_err *err)
{
    struct arch *x86_64 = NULL, *x32 = NULL;

    ret_archs->count = 0;
    (void) add_arch(ret_archs, seccomp_arch_native()); /* the table is empty: it has room */
    for (size_t i = 0; i < seccomp->arch_count; i++) {
        if (add_arch(ret_archs, seccomp->archs[i]) == NULL)
            return sub_fail(err, EINVAL, "linux.seccomp.architectures", "more than %d of them",
                            ARCHS_MAX);
    }
    for (size_t i = 0; i < ret_archs->count; i++) {
        if (ret_archs->items[i].token == SCMP_ARCH_X86_64)
            x86_64 = &ret_archs->items[i];
        if (ret_archs->items[i].token == SCMP_ARCH_X32)
            x32 = &ret_archs->items[i];
    }
    if (x86_64 != NULL && x32 != NULL) {
        x86_64->last = X32_BIT - 1;
        x32->first = X32_BIT;
    }
    return 0;
}

static int add_rule(scmp_filter_ctx filter, const struct plan_seccomp_rule *rule, const char *name,
                    int number, struct sub_err *err)
{
    struct scmp_arg_cmp args[ARGS_MAX];

    for (size_t i = 0; i < rule->arg_count; i++) {
        const struct plan_seccomp_arg *arg = &rule->args[i];

        args[i] = (struct scmp_arg_cmp){.arg = arg->index,
                                        .op = operators[arg->op],
                                        .datum_a = arg->value,
                                        .datum_b = arg->value_two};
    }

    int rc = seccomp_rule_add_array(filter, rule->action, number, (unsigned) rule->arg_count, args);
    if (rc == -EEXIST)
        return sub_fail(err, EINVAL, rule->json,
                        "conflicts with an earlier rule for '%s' under the same conditions", name);
    if (rc < 0)
        return sub_fail(err, -rc, rule->json, "libseccomp refuses the rule for '%s': %s", name,
                        sub_strerror(-rc));
    return 0;
}

static void see_number(struct arch *arch, const char *name)
{
    int number = seccomp_syscall_resolve_name_arch(arch->token, name);

    /* negative: unknown here, or one of libseccomp's own for calls inside socketcall(2) */
    if (number < 0 || (uint32_t) number >= arch->private_from)
        return;
    if (!arch->names_any || (uint32_t) number > arch->newest)
        arch->newest = (uint32_t) number;
    arch->names_any = true;
}

static int add_rules(scmp_filter_ctx filter, const struct plan_seccomp *seccomp, struct arch *arch,
                     struct sub_err *err)
{
    bool tell = arch->token == seccomp_arch_native(); /* once, not for every architecture */

    for (size_t i = 0; i < seccomp->rule_count; i++) {
        const struct plan_seccomp_rule *rule = &seccomp->rules[i];

        for (size_t j = 0; j < rule->name_count; j++) {
            int number = seccomp_syscall_resolve_name(rule->names[j]);

            if (number == __NR_SCMP_ERROR) {
                if (tell)
                    log_debug("%s: unknown system call '%s' is skipped", rule->json,
                              rule->names[j]);
                continue;
            }
            see_number(arch, rule->names[j]);
            if (rule->action != seccomp->default_action)
                SUBLET_TRY(add_rule(filter, rule, rule->names[j], number, err));
        }
    }
    return 0;
}

/* What the planner promises, checked because an array depends on it; and a bound on the time. */
static int check_rules(const struct plan_seccomp *seccomp, struct sub_err *err)
{
    size_t conditional = 0;

    for (size_t i = 0; i < seccomp->rule_count; i++) {
        const struct plan_seccomp_rule *rule = &seccomp->rules[i];

        if (rule->arg_count > ARGS_MAX)
            return sub_fail(err, EINVAL, rule->json, "more than %d conditions", ARGS_MAX);
        if (rule->arg_count > 0 && rule->action != seccomp->default_action)
            conditional += rule->name_count;
    }
    /* libseccomp's time grows with their square: refuse what cannot fit anyway */
    if (conditional > CONDITIONAL_MAX)
        return sub_fail(err, E2BIG, "linux.seccomp.syscalls",
                        "%zu rules with conditions, the kernel takes at most %d instructions",
                        conditional, BPF_MAXINSNS);
    return 0;
}

static int export_program(scmp_filter_ctx filter, struct arena *arena, struct bpf *ret_program,
                          struct sub_err *err)
{
    OWNED_FD fd = sys_memfd("seccomp", 0);
    struct stat status = {.st_size = 0};
    int rc = fd < 0 ? fd : seccomp_export_bpf(filter, fd);

    if (rc == 0)
        rc = sys_fstat(fd, &status);
    if (rc == 0 && status.st_size > PROGRAM_MAX_SIZE)
        rc = -E2BIG;
    if (rc < 0)
        return sub_fail(err, -rc, "linux.seccomp", "libseccomp cannot compile the profile: %s",
                        sub_strerror(-rc));

    size_t size = (size_t) status.st_size;
    struct bpf program = {.code = arena_alloc(arena, size), .count = size / sizeof *program.code};
    if (program.code == NULL)
        return sub_fail(err, ENOMEM, "linux.seccomp", "out of memory");

    ssize_t n = pread(fd, program.code, size, 0);
    if (n < 0 || (size_t) n != size)
        return sub_fail(err, EIO, "linux.seccomp", "cannot read the compiled profile");
    *ret_program = program;
    return 0;
}

int rules_compile(struct arena *arena, const struct plan_seccomp *seccomp, struct arch *arch,
                  struct sub_err *err)
{
    SUBLET_TRY(check_rules(seccomp, err));
    (void) seccomp_api_set(API_LEVEL); /* an older library says so when a rule needs more */

    OWNED_RULES filter = seccomp_init(seccomp->default_action);
    if (filter == NULL)
        return sub_fail(err, EINVAL, "linux.seccomp.defaultAction", "libseccomp refuses it");

    if (arch->token != seccomp_arch_native()) {
        int rc = seccomp_arch_add(filter, arch->token);

        if (rc == 0)
            rc = seccomp_arch_remove(filter, SCMP_ARCH_NATIVE);
        if (rc < 0)
            return sub_fail(err, -rc, "linux.seccomp.architectures",
                            "libseccomp does not know architecture %#x", arch->token);
    }
    SUBLET_TRY(add_rules(filter, seccomp, arch, err));
    return export_program(filter, arena, &arch->rules, err);
}

uint32_t rules_native_audit(void)
{
    return seccomp_arch_native(); /* x32 is none that this program is built for */
}

const char *rules_call_name(int number, char *text, size_t size)
{
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);

    if (name == NULL)
        (void) snprintf(text, size, "system call %d", number);
    else
        (void) snprintf(text, size, "%s", name); /* their names are short */
    free(name);
    return text;
}
