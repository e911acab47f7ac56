/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

static char text[65536];

/* The value of a line "Name:\tvalue" of /proc/self/status; NULL if it is not there. */
static char *status_field(const char *name)
{
    size_t length = strlen(name);
    char *line = read_all("/proc/self/status", text, sizeof text);

    for (; line != NULL && *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
        if (strncmp(line, name, length) != 0 || line[length] != ':')
            continue;
        line += length + 1;
        line += strspn(line, " \t");
        line[strcspn(line, "\n")] = '\0';
        return line;
    }
    return NULL;
}

static void show_four(const char *key, const unsigned ids[4])
{
    json_open(key, '{');
    json_unsigned("real", ids[0]);
    json_unsigned("effective", ids[1]);
    json_unsigned("saved", ids[2]);
    json_unsigned("fs", ids[3]);
    json_close('}');
}

void show_ids(void)
{
    unsigned ids[4];
    gid_t groups[1024];
    int count = getgroups(1024, groups);

    (void) getresuid(&ids[0], &ids[1], &ids[2]);
    ids[3] = (unsigned) setfsuid((uid_t) -1);
    show_four("uid", ids);
    (void) getresgid(&ids[0], &ids[1], &ids[2]);
    ids[3] = (unsigned) setfsgid((gid_t) -1);
    show_four("gid", ids);
    json_open("groups", '[');
    for (int i = 0; i < count; i++)
        json_unsigned(NULL, groups[i]);
    json_close(']');
}

static void show_strings(const char *key, char **list)
{
    json_open(key, '[');
    for (; *list != NULL; list++)
        json_text(NULL, *list);
    json_close(']');
}

void show_process(char **argv, char **envp)
{
    char cwd[4096];
    mode_t mask = umask(0);
    long got = syscall(SYS_getcwd, cwd, sizeof cwd);

    (void) umask(mask);
    json_number("pid", getpid());
    json_number("ppid", getppid());
    json_number("pgid", getpgid(0));
    json_number("sid", getsid(0));
    json_printf("umask", "%04o", (unsigned) mask);
    json_text("cwd", got < 0 ? NULL : cwd);
    show_strings("argv", argv);
    show_strings("env", envp);
}

static void show_set(const char *key, uint64_t low, uint64_t high)
{
    json_printf(key, "%016llx", (unsigned long long) (high << 32 | low));
}

/* By system call: /proc/self/status says the same, but may be missing. */
static void show_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};
    uint64_t bounding = 0, ambient = 0;

    (void) syscall(SYS_capget, &header, data);
    for (unsigned i = 0; i < 64; i++) {
        bounding |= (uint64_t) (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1) << i;
        ambient |= (uint64_t) (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) == 1) << i;
    }
    json_open("capabilities", '{');
    show_set("inheritable", data[0].inheritable, data[1].inheritable);
    show_set("permitted", data[0].permitted, data[1].permitted);
    show_set("effective", data[0].effective, data[1].effective);
    show_set("bounding", bounding, 0);
    show_set("ambient", ambient, 0);
    json_close('}');
}

static void show_label(const char *key, const char *path)
{
    char label[1024];

    if (read_all(path, label, sizeof label) == NULL) {
        json_text(key, NULL);
        return;
    }
    label[strcspn(label, "\n")] = '\0';
    json_text(key, label);
}

void show_privileges(void)
{
    show_capabilities();
    json_number("securebits", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
    json_number("keep_caps", prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0));
    json_number("dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
    json_number("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));

    char *mode = status_field("Seccomp");
    json_open("seccomp", '{');
    json_number("mode", mode != NULL ? mode[0] - '0' : prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
    char *filters = status_field("Seccomp_filters");
    json_number("filters", filters == NULL ? -1 : atol(filters));
    json_close('}');

    json_open("labels", '{');
    show_label("current", "/proc/self/attr/current");
    show_label("apparmor", "/proc/self/attr/apparmor/current");
    json_close('}');
}

static void show_limit(const char *key, rlim_t value)
{
    if (value == RLIM_INFINITY)
        json_text(key, "unlimited");
    else
        json_unsigned(key, value);
}

void show_limits(void)
{
    static const char *const names[RLIM_NLIMITS] = {
        [RLIMIT_CPU] = "RLIMIT_CPU",           [RLIMIT_FSIZE] = "RLIMIT_FSIZE",
        [RLIMIT_DATA] = "RLIMIT_DATA",         [RLIMIT_STACK] = "RLIMIT_STACK",
        [RLIMIT_CORE] = "RLIMIT_CORE",         [RLIMIT_RSS] = "RLIMIT_RSS",
        [RLIMIT_NPROC] = "RLIMIT_NPROC",       [RLIMIT_NOFILE] = "RLIMIT_NOFILE",
        [RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",   [RLIMIT_AS] = "RLIMIT_AS",
        [RLIMIT_LOCKS] = "RLIMIT_LOCKS",       [RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING",
        [RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE", [RLIMIT_NICE] = "RLIMIT_NICE",
        [RLIMIT_RTPRIO] = "RLIMIT_RTPRIO",     [RLIMIT_RTTIME] = "RLIMIT_RTTIME",
    };

    json_open("rlimits", '{');
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit limit;

        if (names[i] == NULL || getrlimit((__rlimit_resource_t) i, &limit) < 0)
            continue;
        json_open(names[i], '{');
        show_limit("soft", limit.rlim_cur);
        show_limit("hard", limit.rlim_max);
        json_close('}');
    }
    json_close('}');
}

/* struct sched_attr of linux/sched/types.h, which does not go together with sched.h here. */
struct sched_view {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

static void show_scheduler(void)
{
    static const char *const policies[] = {"SCHED_OTHER",   "SCHED_FIFO", "SCHED_RR",
                                           "SCHED_BATCH",   "SCHED_ISO",  "SCHED_IDLE",
                                           "SCHED_DEADLINE"};
    struct sched_view view = {.size = sizeof view};

    if (syscall(SYS_sched_getattr, 0, &view, sizeof view, 0) < 0) {
        json_errno("scheduler", errno);
        return;
    }
    json_open("scheduler", '{');
    json_text("policy", view.policy < 7 ? policies[view.policy] : "unknown");
    json_unsigned("flags", view.flags);
    json_number("nice", view.nice);
    json_unsigned("priority", view.priority);
    json_unsigned("runtime", view.runtime);
    json_unsigned("deadline", view.deadline);
    json_unsigned("period", view.period);
    json_close('}');
}

static void show_io_priority(void)
{
    static const char *const classes[] = {"IOPRIO_CLASS_NONE", "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE",
                                          "IOPRIO_CLASS_IDLE"};
    long value = syscall(SYS_ioprio_get, 1 /* IOPRIO_WHO_PROCESS */, 0);

    if (value < 0) {
        json_errno("io_priority", errno);
        return;
    }
    json_open("io_priority", '{');
    json_text("class", classes[value >> 13 & 3]);
    json_number("priority", value & 0x1fff);
    json_close('}');
}

void show_scheduling(void)
{
    char value[64];
    cpu_set_t cpus;

    show_scheduler();
    show_io_priority();
    json_number("nice", getpriority(PRIO_PROCESS, 0));
    json_open("cpus", '[');
    for (unsigned i = 0; sched_getaffinity(0, sizeof cpus, &cpus) == 0 && i < CPU_SETSIZE; i++) {
        if (CPU_ISSET(i, &cpus))
            json_unsigned(NULL, i);
    }
    json_close(']');
    json_text("oom_score_adj", read_all("/proc/self/oom_score_adj", value, sizeof value) == NULL
                                   ? NULL
                                   : strtok(value, "\n"));
    json_printf("personality", "%08lx", syscall(SYS_personality, 0xffffffffUL));
}

void show_signals(void)
{
    static const char *const fields[] = {"SigBlk", "SigIgn", "SigCgt"};
    int death = 0;

    json_open("signals", '{');
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        json_text(fields[i], status_field(fields[i]));
    (void) prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0);
    json_number("parent_death", death);
    json_close('}');
}
