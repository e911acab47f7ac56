/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/path.h"

#include "check.h"

#define ID_RESERVED     UINT32_MAX /* (uid_t) -1: "no change" to the kernel, so it would run as 0 */
#define CONSOLE_MAX     65535      /* struct winsize counts in 16 bits */
#define CAPABILITY_MAX  256        /* names in one set; the kernel has 41 */
#define NICE_MIN        (-20)
#define NICE_MAX        19
#define RT_PRIORITY_MAX 99
#define IO_PRIORITY_MAX 7

static const char *const rlimit_names[] = {
    "RLIMIT_AS",     "RLIMIT_CORE",   "RLIMIT_CPU",        "RLIMIT_DATA",
    "RLIMIT_FSIZE",  "RLIMIT_LOCKS",  "RLIMIT_MEMLOCK",    "RLIMIT_MSGQUEUE",
    "RLIMIT_NICE",   "RLIMIT_NOFILE", "RLIMIT_NPROC",      "RLIMIT_RSS",
    "RLIMIT_RTPRIO", "RLIMIT_RTTIME", "RLIMIT_SIGPENDING", "RLIMIT_STACK",
};
static const struct vocabulary rlimit_words = VOCABULARY("limit", rlimit_names);

static const char *const policy_names[] = {
    "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_IDLE", "SCHED_DEADLINE",
};
static const struct vocabulary policy_words = VOCABULARY("policy", policy_names);

static const char *const scheduler_flag_names[] = {
    "SCHED_FLAG_RESET_ON_FORK",  "SCHED_FLAG_RECLAIM",     "SCHED_FLAG_DL_OVERRUN",
    "SCHED_FLAG_KEEP_POLICY",    "SCHED_FLAG_KEEP_PARAMS", "SCHED_FLAG_UTIL_CLAMP_MIN",
    "SCHED_FLAG_UTIL_CLAMP_MAX",
};
static const struct vocabulary scheduler_flag_words = VOCABULARY("flag", scheduler_flag_names);

static const char *const io_class_names[] = {
    "IOPRIO_CLASS_RT",
    "IOPRIO_CLASS_BE",
    "IOPRIO_CLASS_IDLE",
};
static const struct vocabulary io_class_words = VOCABULARY("class", io_class_names);

static const char *const capability_names[] = {
    "CAP_AUDIT_CONTROL",   "CAP_AUDIT_READ",   "CAP_AUDIT_WRITE",
    "CAP_BLOCK_SUSPEND",   "CAP_BPF",          "CAP_CHECKPOINT_RESTORE",
    "CAP_CHOWN",           "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",          "CAP_FSETID",       "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",       "CAP_KILL",         "CAP_LEASE",
    "CAP_LINUX_IMMUTABLE", "CAP_MAC_ADMIN",    "CAP_MAC_OVERRIDE",
    "CAP_MKNOD",           "CAP_NET_ADMIN",    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",   "CAP_NET_RAW",      "CAP_PERFMON",
    "CAP_SETFCAP",         "CAP_SETGID",       "CAP_SETPCAP",
    "CAP_SETUID",          "CAP_SYSLOG",       "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",        "CAP_SYS_CHROOT",   "CAP_SYS_MODULE",
    "CAP_SYS_NICE",        "CAP_SYS_PACCT",    "CAP_SYS_PTRACE",
    "CAP_SYS_RAWIO",       "CAP_SYS_RESOURCE", "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",  "CAP_WAKE_ALARM",
};

static void warn_doubles(const char *path, struct named *names, size_t count,
                         struct findings *findings)
{
    named_sort(names, count);
    for (size_t i = 1; i < count; i++) {
        if (named_equal(&names[i - 1], &names[i])) {
            findings_warning(findings, WHERE("%s[%zu]", path, names[i].index),
                             "'%.*s' is set already in [%zu], the last one counts",
                             names[i].length > 64 ? 64 : (int) names[i].length, names[i].name,
                             names[i - 1].index);
        }
    }
}

void check_env(const char *path, const struct spec_strings *env, struct findings *findings)
{
    size_t count = 0;

    if (env->count > SPEC_ENV_MAX) {
        findings_error(findings, path, "%zu entries, at most %d are allowed", env->count,
                       SPEC_ENV_MAX);
        return;
    }

    struct named *names = arena_array(findings->arena, env->count, sizeof *names);
    if (names == NULL) {
        findings_error(findings, path, "out of memory");
        return;
    }
    for (size_t i = 0; i < env->count; i++) {
        size_t length = strcspn(env->items[i], "=");

        if (length == 0 || env->items[i][length] == '\0') {
            findings_error(findings, WHERE("%s[%zu]", path, i),
                           QUOTED " is no variable, expected NAME=value", env->items[i]);
        } else {
            names[count++] = (struct named){env->items[i], length, i};
        }
    }
    warn_doubles(path, names, count, findings);
}

static void check_args(const struct spec_strings *args, struct findings *findings)
{
    if (args->count == 0) {
        findings_error(findings, "process.args", "empty, expected the program to run");
    } else if (args->items[0][0] == '\0') {
        findings_error(findings, "process.args[0]", "empty, expected the program to run");
    }
}

static void check_id(uint32_t id, const char *path, struct findings *findings)
{
    if (id == ID_RESERVED) {
        findings_error(findings, path, "%u is reserved by the kernel, expected 0 to %u", id,
                       ID_RESERVED - 1);
    }
}

static void check_user(const struct spec_user *user, struct findings *findings)
{
    check_id(user->uid, "process.user.uid", findings);
    check_id(user->gid, "process.user.gid", findings);
    if (user->additional_gids.count > SPEC_GROUPS_MAX) {
        findings_error(findings, "process.user.additionalGids",
                       "%zu groups, at most %d are allowed", user->additional_gids.count,
                       SPEC_GROUPS_MAX);
    }
    for (size_t i = 0; i < user->additional_gids.count && i < SPEC_GROUPS_MAX; i++) {
        check_id(user->additional_gids.items[i], WHERE("process.user.additionalGids[%zu]", i),
                 findings);
    }
    if ((user->has & SPEC_USER_UMASK) != 0 && user->umask > 0777) {
        findings_error(findings, "process.user.umask", "0%o is out of range, expected 0 to 0777",
                       user->umask);
    }
}

static void check_console(const struct spec_process *process, struct findings *findings)
{
    const struct spec_console_size *size = process->console_size;

    if (size == NULL)
        return;
    if (!process->terminal) {
        findings_warning(findings, "process.consoleSize", "ignored without process.terminal");
    } else if (size->height_rows > CONSOLE_MAX || size->width_columns > CONSOLE_MAX) {
        findings_error(findings, "process.consoleSize",
                       "%llu x %llu is out of range, expected at most %d",
                       (unsigned long long) size->height_rows,
                       (unsigned long long) size->width_columns, CONSOLE_MAX);
    }
}

static bool is_capability(const char *name)
{
    for (size_t i = 0; i < sizeof capability_names / sizeof *capability_names; i++) {
        if (strcmp(capability_names[i], name) == 0)
            return true;
    }
    return false;
}

static bool holds(const struct spec_strings *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->items[i], name) == 0)
            return true;
    }
    return false;
}

struct capability_set {
    const char *name;
    const struct spec_strings *names;
};

/* The kernel would refuse what is in one set and not in the one that bounds it (capabilities(7)).
 */
static void check_within(const struct capability_set *set, const struct capability_set *bound,
                         struct findings *findings)
{
    for (size_t i = 0; i < set->names->count; i++) {
        const char *name = set->names->items[i];

        if (is_capability(name) && !holds(bound->names, name)) {
            findings_error(findings, WHERE("process.capabilities.%s[%zu]", set->name, i),
                           "%s is not in %s", name, bound->name);
        }
    }
}

static bool check_names(const struct capability_set *set, struct findings *findings)
{
    if (set->names->count > CAPABILITY_MAX) {
        findings_error(findings, WHERE("process.capabilities.%s", set->name),
                       "%zu names, at most %d are allowed", set->names->count, CAPABILITY_MAX);
        return false;
    }
    for (size_t i = 0; i < set->names->count; i++) {
        if (!is_capability(set->names->items[i])) {
            findings_warning(findings, WHERE("process.capabilities.%s[%zu]", set->name, i),
                             "unknown capability " QUOTED " ignored, names look like CAP_NET_RAW",
                             set->names->items[i]);
        }
    }
    return true;
}

static void check_capabilities(const struct spec_capabilities *caps, struct findings *findings)
{
    if (caps == NULL)
        return;

    enum { BOUNDING, EFFECTIVE, PERMITTED, INHERITABLE, AMBIENT };
    const struct capability_set sets[] = {
        [BOUNDING] = {"bounding",    &caps->bounding   },
        [EFFECTIVE] = {"effective",   &caps->effective  },
        [PERMITTED] = {"permitted",   &caps->permitted  },
        [INHERITABLE] = {"inheritable", &caps->inheritable},
        [AMBIENT] = {"ambient",     &caps->ambient    },
    };

    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        if (!check_names(&sets[i], findings))
            return;
    }
    check_within(&sets[EFFECTIVE], &sets[PERMITTED], findings);
    check_within(&sets[PERMITTED], &sets[BOUNDING], findings);
    check_within(&sets[INHERITABLE], &sets[BOUNDING], findings);
    check_within(&sets[AMBIENT], &sets[PERMITTED], findings);
    /* ambient ones that are not inheritable cannot be raised: the planner warns, as config.md
     * wants it, for buildah and others send them */
}

static void check_rlimits(const struct spec_rlimits *limits, struct findings *findings)
{
    for (size_t i = 0; i < limits->count; i++) {
        const struct spec_rlimit *limit = &limits->items[i];

        (void) check_word(&rlimit_words, limit->type, WHERE("process.rlimits[%zu].type", i),
                          findings);
        if (limit->soft > limit->hard) {
            findings_error(findings, WHERE("process.rlimits[%zu].soft", i),
                           "%llu is above the hard limit %llu", (unsigned long long) limit->soft,
                           (unsigned long long) limit->hard);
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(limits->items[k].type, limit->type) == 0) {
                findings_error(findings, WHERE("process.rlimits[%zu].type", i),
                               "'%.64s' is set already in process.rlimits[%zu]", limit->type, k);
                break;
            }
        }
    }
}

static void check_deadline(const struct spec_scheduler *scheduler, struct findings *findings)
{
    const uint64_t bits = SPEC_SCHEDULER_RUNTIME | SPEC_SCHEDULER_DEADLINE | SPEC_SCHEDULER_PERIOD;
    uint64_t period_ns = scheduler->period_ns;

    if (strcmp(scheduler->policy, "SCHED_DEADLINE") != 0) {
        if ((scheduler->has & bits) != 0 &&
            (scheduler->runtime_ns | scheduler->deadline_ns | scheduler->period_ns) != 0) {
            findings_error(findings, "process.scheduler",
                           "runtime, deadline and period are for SCHED_DEADLINE only");
        }
        return;
    }
    if (period_ns == 0)
        period_ns = scheduler->deadline_ns; /* as sched_setattr(2) takes it */
    if (scheduler->runtime_ns == 0 || scheduler->runtime_ns > scheduler->deadline_ns ||
        scheduler->deadline_ns > period_ns) {
        findings_error(findings, "process.scheduler",
                       "SCHED_DEADLINE needs 0 < runtime <= deadline <= period");
    }
}

static void check_scheduler(const struct spec_scheduler *scheduler, struct findings *findings)
{
    if (scheduler == NULL)
        return;

    bool known = check_word(&policy_words, scheduler->policy, "process.scheduler.policy", findings);
    bool real_time =
        strcmp(scheduler->policy, "SCHED_FIFO") == 0 || strcmp(scheduler->policy, "SCHED_RR") == 0;

    (void) check_range(scheduler->nice, NICE_MIN, NICE_MAX, "process.scheduler.nice", findings);
    if (known && real_time) {
        (void) check_range(scheduler->priority, 1, RT_PRIORITY_MAX, "process.scheduler.priority",
                           findings);
    } else if (known && scheduler->priority != 0) {
        findings_error(findings, "process.scheduler.priority",
                       "%d is for SCHED_FIFO and SCHED_RR only", scheduler->priority);
    }
    for (size_t i = 0; i < scheduler->flags.count; i++) {
        (void) check_word(&scheduler_flag_words, scheduler->flags.items[i],
                          WHERE("process.scheduler.flags[%zu]", i), findings);
    }
    if (known)
        check_deadline(scheduler, findings);
}

static void check_io_priority(const struct spec_io_priority *priority, struct findings *findings)
{
    if (priority == NULL)
        return;
    (void) check_word(&io_class_words, priority->class, "process.ioPriority.class", findings);
    (void) check_range(priority->priority, 0, IO_PRIORITY_MAX, "process.ioPriority.priority",
                       findings);
}

static void check_affinity(const struct spec_exec_cpu_affinity *affinity, struct findings *findings)
{
    if (affinity == NULL)
        return;
    if (affinity->initial != NULL)
        (void) check_cpu_list(affinity->initial, "process.execCPUAffinity.initial", findings);
    if (affinity->final != NULL)
        (void) check_cpu_list(affinity->final, "process.execCPUAffinity.final", findings);
}

int spec_check_process(const struct spec_process *process, struct findings *findings)
{
    check_args(&process->args, findings);
    if (!path_is_absolute(process->cwd)) {
        findings_error(findings, "process.cwd",
                       QUOTED " is not absolute, expected a path that starts with '/'",
                       process->cwd);
    }
    check_env("process.env", &process->env, findings);
    check_user(&process->user, findings);
    check_console(process, findings);
    check_capabilities(process->capabilities, findings);
    check_rlimits(&process->rlimits, findings);
    if ((process->has & SPEC_PROCESS_OOM_SCORE_ADJ) != 0)
        (void) check_range(process->oom_score_adj, -1000, 1000, "process.oomScoreAdj", findings);
    check_scheduler(process->scheduler, findings);
    check_io_priority(process->io_priority, findings);
    check_affinity(process->exec_cpu_affinity, findings);
    return findings->error_count > 0 ? -EINVAL : 0;
}
