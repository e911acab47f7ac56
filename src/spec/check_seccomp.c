/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sublet/base/path.h"

#include "check.h"

#define ARG_INDEX_MAX 5
#define ERRNO_MAX     4095  /* MAX_ERRNO of the kernel */
#define TRACE_MAX     65535 /* SECCOMP_RET_DATA */

static const char *const action_names[] = {
    "SCMP_ACT_KILL",  "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
    "SCMP_ACT_TRAP",  "SCMP_ACT_ERRNO",        "SCMP_ACT_TRACE",
    "SCMP_ACT_ALLOW", "SCMP_ACT_LOG",          "SCMP_ACT_NOTIFY",
};
static const struct vocabulary action_words = VOCABULARY("action", action_names);

static const char *const arch_names[] = {
    "SCMP_ARCH_X86_64",   "SCMP_ARCH_X86",         "SCMP_ARCH_X32",       "SCMP_ARCH_AARCH64",
    "SCMP_ARCH_ARM",      "SCMP_ARCH_RISCV64",     "SCMP_ARCH_S390X",     "SCMP_ARCH_S390",
    "SCMP_ARCH_PPC64LE",  "SCMP_ARCH_PPC64",       "SCMP_ARCH_PPC",       "SCMP_ARCH_LOONGARCH64",
    "SCMP_ARCH_MIPS",     "SCMP_ARCH_MIPS64",      "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL",
    "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PARISC",    "SCMP_ARCH_PARISC64",
    "SCMP_ARCH_M68K",     "SCMP_ARCH_SH",          "SCMP_ARCH_SHEB",
};
static const struct vocabulary arch_words = VOCABULARY("architecture", arch_names);

static const char *const op_names[] = {
    "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE",        "SCMP_CMP_EQ",
    "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ",
};
static const struct vocabulary op_words = VOCABULARY("operator", op_names);

static const char *const flag_names[] = {
    "SECCOMP_FILTER_FLAG_TSYNC",
    "SECCOMP_FILTER_FLAG_LOG",
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
};
static const struct vocabulary flag_words = VOCABULARY("flag", flag_names);

static bool is_notify(const char *action)
{
    return strcmp(action, "SCMP_ACT_NOTIFY") == 0;
}

static void check_errno(const char *action, uint32_t number, const char *path,
                        struct findings *findings)
{
    if (strcmp(action, "SCMP_ACT_ERRNO") == 0) {
        (void) check_range(number, 0, ERRNO_MAX, path, findings);
    } else if (strcmp(action, "SCMP_ACT_TRACE") == 0) {
        (void) check_range(number, 0, TRACE_MAX, path, findings);
    } else {
        findings_error(findings, path,
                       QUOTED " returns no errno, expected SCMP_ACT_ERRNO or SCMP_ACT_TRACE",
                       action);
    }
}

static void check_args(size_t rule, const struct spec_seccomp_args *args, struct findings *findings)
{
    for (size_t i = 0; i < args->count; i++) {
        const struct spec_seccomp_arg *arg = &args->items[i];

        if (arg->index > ARG_INDEX_MAX) {
            findings_error(findings, WHERE("linux.seccomp.syscalls[%zu].args[%zu].index", rule, i),
                           "%u is out of range, expected 0 to %d", arg->index, ARG_INDEX_MAX);
        }
        (void) check_word(&op_words, arg->op,
                          WHERE("linux.seccomp.syscalls[%zu].args[%zu].op", rule, i), findings);
    }
}

static void check_rule(size_t i, const struct spec_seccomp_rule *rule, struct findings *findings)
{
    bool known = check_word(&action_words, rule->action,
                            WHERE("linux.seccomp.syscalls[%zu].action", i), findings);

    if (rule->names.count == 0) {
        findings_error(findings, WHERE("linux.seccomp.syscalls[%zu].names", i),
                       "empty, expected at least one system call");
    }
    for (size_t k = 0; k < rule->names.count; k++) {
        if (rule->names.items[k][0] == '\0') {
            findings_error(findings, WHERE("linux.seccomp.syscalls[%zu].names[%zu]", i, k),
                           "empty, expected the name of a system call");
        }
    }
    if (known && (rule->has & SPEC_SECCOMP_RULE_ERRNO_RET) != 0) {
        check_errno(rule->action, rule->errno_ret, WHERE("linux.seccomp.syscalls[%zu].errnoRet", i),
                    findings);
    }
    check_args(i, &rule->args, findings);
}

/* The place of the first rule that notifies; the count of the rules if none does. */
static size_t first_notify(const struct spec_seccomp_rules *rules)
{
    size_t i = 0;

    while (i < rules->count && !is_notify(rules->items[i].action))
        i++;
    return i;
}

static void check_listener(const struct spec_seccomp *seccomp, struct findings *findings)
{
    const char *path = seccomp->listener_path;
    size_t notify = first_notify(&seccomp->syscalls);
    bool used = notify < seccomp->syscalls.count;

    if (path == NULL && seccomp->listener_metadata != NULL) {
        findings_error(findings, "linux.seccomp.listenerMetadata",
                       "needs linux.seccomp.listenerPath");
    }
    /* config-linux.md: ignored where nothing notifies */
    if (used && path != NULL && !path_is_absolute(path)) {
        findings_error(findings, "linux.seccomp.listenerPath",
                       QUOTED " is not absolute, expected a path that starts with '/'", path);
    }
    /* the runtime itself would wait for an answer to its own calls */
    if (is_notify(seccomp->default_action)) {
        findings_error(findings, "linux.seccomp.defaultAction",
                       "SCMP_ACT_NOTIFY is for single system calls only");
    }
    if (used && path == NULL) {
        findings_error(findings, WHERE("linux.seccomp.syscalls[%zu].action", notify),
                       "SCMP_ACT_NOTIFY needs linux.seccomp.listenerPath");
    }
}

void check_seccomp(const struct spec_seccomp *seccomp, struct findings *findings)
{
    if (seccomp == NULL)
        return;

    bool known =
        check_word(&action_words, seccomp->default_action, "linux.seccomp.defaultAction", findings);
    if (known && (seccomp->has & SPEC_SECCOMP_DEFAULT_ERRNO_RET) != 0) {
        check_errno(seccomp->default_action, seccomp->default_errno_ret,
                    "linux.seccomp.defaultErrnoRet", findings);
    }
    for (size_t i = 0; i < seccomp->architectures.count; i++) {
        (void) check_word(&arch_words, seccomp->architectures.items[i],
                          WHERE("linux.seccomp.architectures[%zu]", i), findings);
    }
    for (size_t i = 0; i < seccomp->flags.count; i++) {
        (void) check_word(&flag_words, seccomp->flags.items[i],
                          WHERE("linux.seccomp.flags[%zu]", i), findings);
    }
    for (size_t i = 0; i < seccomp->syscalls.count; i++)
        check_rule(i, &seccomp->syscalls.items[i], findings);
    check_listener(seccomp, findings);
}
