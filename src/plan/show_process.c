/* SPDX-License-Identifier: Apache-2.0 */
/* The slices of the plan about the process. */
#include <inttypes.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/resource.h>

#include "sublet/base/num.h"
#include "sublet/base/words.h"

#include "show.h"

static void show_cap_set(struct show *show, const char *key, uint64_t set, uint32_t last)
{
    show_words(show, key);
    for (uint32_t number = 0; number <= last && number < 64; number++) {
        if ((set & (uint64_t) 1 << number) != 0)
            show_word(show, words_name(&plan_capabilities, number));
    }
    show_words_end(show);
}

static void show_caps(struct show *show, const struct plan_caps *caps)
{
    show_object(show, "capabilities");
    show_cap_set(show, "bounding", caps->bounding, caps->last);
    show_cap_set(show, "effective", caps->effective, caps->last);
    show_cap_set(show, "inheritable", caps->inheritable, caps->last);
    show_cap_set(show, "permitted", caps->permitted, caps->last);
    show_cap_set(show, "ambient", caps->ambient, caps->last);
    show_end(show);
}

static void show_limit(struct show *show, const char *key, uint64_t value)
{
    if (value == (uint64_t) RLIM_INFINITY)
        show_text(show, key, "unlimited");
    else
        show_number(show, key, value);
}

static void show_rlimits(struct show *show, const struct plan_process *process)
{
    if (process->rlimit_count == 0)
        return;
    show_list(show, "rlimits");
    for (size_t i = 0; i < process->rlimit_count; i++) {
        const struct plan_rlimit *limit = &process->rlimits[i];

        show_entry(show);
        show_text(show, "limit", words_name(&plan_rlimits, (uint64_t) limit->resource));
        show_limit(show, "soft", limit->soft);
        show_limit(show, "hard", limit->hard);
        show_entry_end(show);
    }
    show_end(show);
}

static void show_scheduler(struct show *show, const struct plan_process *process)
{
    const struct plan_scheduler *scheduler = process->scheduler;

    if (scheduler != NULL) {
        show_object(show, "scheduler");
        show_number(show, "policy", scheduler->policy);
        show_number(show, "flags", scheduler->flags);
        show_signed(show, "nice", scheduler->nice);
        show_number(show, "priority", scheduler->priority);
        show_number(show, "runtimeNs", scheduler->runtime_ns);
        show_number(show, "deadlineNs", scheduler->deadline_ns);
        show_number(show, "periodNs", scheduler->period_ns);
        show_end(show);
    }
    if (process->has_io_priority)
        show_signed(show, "ioPriority", process->io_priority);
    if (process->has_personality)
        show_number(show, "personality", process->personality);
}

/* ---- seccomp ---- */

static void show_action(struct show *show, const char *key, uint32_t action)
{
    const char *name = words_name(&plan_seccomp_actions, action & SECCOMP_RET_ACTION_FULL);
    uint32_t data = action & SECCOMP_RET_DATA;
    char text[48];

    if (data == 0)
        (void) snprintf(text, sizeof text, "%s", name);
    else
        (void) snprintf(text, sizeof text, "%s:%" PRIu32, name, data);
    show_text(show, key, text);
}

static void show_args(struct show *show, const struct plan_seccomp_rule *rule)
{
    if (rule->arg_count == 0)
        return;
    show_list(show, "args");
    for (size_t i = 0; i < rule->arg_count; i++) {
        const struct plan_seccomp_arg *arg = &rule->args[i];

        show_entry(show);
        show_number(show, "index", arg->index);
        show_text(show, "op", words_name(&plan_seccomp_operators, arg->op));
        show_number(show, "value", arg->value);
        if (arg->op == PLAN_CMP_MASKED_EQ)
            show_number(show, "valueTwo", arg->value_two);
        show_entry_end(show);
    }
    show_end(show);
}

static void show_seccomp(struct show *show, const struct plan_seccomp *seccomp)
{
    if (seccomp == NULL)
        return;
    show_object(show, "seccomp");
    show_action(show, "defaultAction", seccomp->default_action);
    show_words(show, "architectures");
    for (size_t i = 0; i < seccomp->arch_count; i++)
        show_word(show, words_name(&plan_seccomp_archs, seccomp->archs[i]));
    show_words_end(show);
    show_words(show, "flags");
    for (size_t i = 0; i < plan_seccomp_flags.count; i++) {
        if ((seccomp->flags & plan_seccomp_flags.rows[i].value) != 0)
            show_word(show, plan_seccomp_flags.rows[i].name);
    }
    show_words_end(show);
    show_text(show, "listenerPath", seccomp->listener_path);
    show_text(show, "listenerMetadata", seccomp->listener_metadata);
    show_list(show, "rules");
    for (size_t i = 0; i < seccomp->rule_count; i++) {
        const struct plan_seccomp_rule *rule = &seccomp->rules[i];

        show_entry(show);
        show_action(show, "action", rule->action);
        show_args(show, rule);
        show_words(show, "names");
        for (size_t k = 0; k < rule->name_count; k++)
            show_word(show, rule->names[k]);
        show_words_end(show);
        show_entry_end(show);
    }
    show_end(show);
    show_end(show);
}

/* ---- the process ---- */

static void show_user(struct show *show, const struct plan_process *process)
{
    char number[NUM_TEXT];

    show_number(show, "uid", process->uid);
    show_number(show, "gid", process->gid);
    if (process->keep_groups) {
        show_text(show, "groups", "those of the caller");
    } else {
        show_words(show, "groups");
        for (size_t i = 0; i < process->group_count; i++)
            show_word(show, num_format_u64(process->groups[i], number));
        show_words_end(show);
    }
    show_octal(show, "umask", process->umask);
}

static void show_terminal(struct show *show, const struct plan_process *process, bool console)
{
    show_true(show, "terminal", process->terminal);
    show_true(show, "console", console);
    if (process->rows != 0 || process->columns != 0) {
        show_number(show, "rows", process->rows);
        show_number(show, "columns", process->columns);
    }
    show_text(show, "consoleSocket", process->console_socket);
}

void show_process(struct show *show, const struct plan_process *process, bool console)
{
    show_object(show, "process");
    show_vector(show, "args", process->args);
    show_vector(show, "env", process->env);
    show_true(show, "homeFromPasswd", process->set_home);
    show_text(show, "cwd", process->cwd);
    show_user(show, process);
    show_terminal(show, process, console);
    show_caps(show, &process->caps);
    show_true(show, "noNewPrivileges", process->no_new_privileges);
    show_rlimits(show, process);
    if (process->has_oom_score_adj)
        show_signed(show, "oomScoreAdj", process->oom_score_adj);
    show_text(show, "apparmor", process->apparmor);
    show_text(show, "selinux", process->selinux);
    show_scheduler(show, process);
    show_text(show, "keyring", process->keyring);
    show_number(show, "preservedFds", process->preserve_fds);
    show_text(show, "notifySocket", process->notify_socket);
    show_seccomp(show, process->seccomp);
    show_end(show);
}

/* ---- memory policy ---- */

void show_memory_policy(struct show *show, const struct plan_memory_policy *policy)
{
    uint64_t flags = 0;
    char number[NUM_TEXT];

    if (policy == NULL)
        return;
    for (size_t i = 0; i < plan_memory_flags.count; i++)
        flags |= plan_memory_flags.rows[i].value;

    show_object(show, "memoryPolicy");
    show_text(show, "mode", words_name(&plan_memory_modes, policy->mode & ~flags));
    show_words(show, "flags");
    for (size_t i = 0; i < plan_memory_flags.count; i++) {
        if ((policy->mode & plan_memory_flags.rows[i].value) != 0)
            show_word(show, plan_memory_flags.rows[i].name);
    }
    show_words_end(show);
    show_words(show, "nodes");
    for (size_t node = 0; node < policy->node_words * 64; node++) {
        if ((policy->nodes[node / 64] >> node % 64 & 1) != 0)
            show_word(show, num_format_u64(node, number));
    }
    show_words_end(show);
    show_end(show);
}
