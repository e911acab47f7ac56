/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner.h"

static const struct {
    long number;
    const char *name;
} names[] = {
    {SYS_prctl,       "prctl"      },
    {SYS_capset,      "capset"     },
    {SYS_prlimit64,   "prlimit64"  },
    {SYS_umask,       "umask"      },
    {SYS_setgroups,   "setgroups"  },
    {SYS_setresgid,   "setresgid"  },
    {SYS_setresuid,   "setresuid"  },
    {SYS_seccomp,     "seccomp"    },
    {SYS_openat2,     "openat2"    },
    {SYS_write,       "write"      },
    {SYS_personality, "personality"},
};

static const char *name_of(long number)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].number == number)
            return names[i].name;
    }
    return "?";
}

static size_t show_args(const struct script_op *op, char *text, size_t room)
{
    size_t used = 0, count = SCRIPT_ARGS;

    while (count > 0 && op->args[count - 1] == 0)
        count--;
    for (size_t i = 0; i < count; i++) {
        if ((op->pointer_mask >> i & 1) != 0)
            used += (size_t) snprintf(text + used, room - used, " *");
        else if ((op->result_mask >> i & 1) != 0)
            used += (size_t) snprintf(text + used, room - used, " $");
        else
            used += (size_t) snprintf(text + used, room - used, " %lld", (long long) op->args[i]);
    }
    return used;
}

void script_text(const struct script *script, char text[SCRIPT_TEXT])
{
    const struct script_op *ops = (const void *) buf_text(&script->ops);
    size_t count = script->ops.length / sizeof *ops, used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const char *path = script->data.data + ops[i].path - sizeof(struct script_head);

        used +=
            (size_t) snprintf(text + used, SCRIPT_TEXT - used, "%s",
                              ops[i].verb == SCRIPT_LISTENER ? "listener" : name_of(ops[i].number));
        used += show_args(&ops[i], text + used, SCRIPT_TEXT - used);
        used += (size_t) snprintf(text + used, SCRIPT_TEXT - used, " | %s\n", path);
    }
}

/* --- the child ---------------------------------------------------------------------------------
 */

static void note_failure(const char *blob, const struct script_op *op, int code,
                         struct sub_err *failure)
{
    memset(failure, 0, sizeof *failure);
    failure->code = code;
    snprintf(failure->path, sizeof failure->path, "%s", blob + op->path);
    snprintf(failure->text, sizeof failure->text, "%s", blob + op->text);
}

static void relocate(char *blob)
{
    struct script_head *head = (void *) blob;
    struct script_op *ops = (void *) (blob + head->ops);
    const uint32_t *places = (const void *) (blob + head->relocs);

    for (uint32_t i = 0; i < head->reloc_count; i++)
        *(uint64_t *) (void *) (blob + places[i]) += (uintptr_t) blob;
    for (uint32_t i = 0; i < head->op_count; i++) {
        for (unsigned k = 0; k < SCRIPT_ARGS; k++) {
            if ((ops[i].pointer_mask >> k & 1) != 0)
                ops[i].args[k] += (uintptr_t) blob;
        }
    }
}

/* As the stub does it (src/stub/stub.c), for the one verb that priv uses here. */
static bool run_blob(char *blob, struct sub_err *failure)
{
    const struct script_head *head = (void *) blob;
    struct script_op *ops = (void *) (blob + head->ops);
    long last = -1;

    relocate(blob);
    for (uint32_t i = 0; i < head->op_count; i++) {
        uint64_t *a = ops[i].args;

        for (unsigned k = 0; k < SCRIPT_ARGS; k++) {
            if ((ops[i].result_mask >> k & 1) != 0)
                a[k] = (uint64_t) last;
        }
        last = syscall(ops[i].number, a[0], a[1], a[2], a[3], a[4], a[5]);
        if (last < 0) {
            note_failure(blob, &ops[i], errno, failure);
            return false;
        }
    }
    return true;
}

static void tell_more(void)
{
    struct rlimit files;
    int signal = -1;

    prctl(PR_GET_PDEATHSIG, &signal);
    getrlimit(RLIMIT_NOFILE, &files);
    printf("Dumpable:\t%d\nDeathSignal:\t%d\nFiles:\t%llu %llu\nPersonality:\t%#x\n",
           prctl(PR_GET_DUMPABLE), signal, (unsigned long long) files.rlim_cur,
           (unsigned long long) files.rlim_max, (unsigned) personality(0xffffffff));
}

static void look(bool then_exec)
{
    char text[8192];

    if (then_exec) {
        execl("/bin/cat", "cat", "/proc/self/status", NULL);
        _exit(127);
    }
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, text, sizeof text - 1);
    text[n < 0 ? 0 : n] = '\0';
    fputs(text, stdout);
    tell_more();
    fflush(stdout);
    _exit(0);
}

static void read_all(int fd, char *text, size_t size)
{
    size_t used = 0;
    ssize_t n;

    while (used < size - 1 && (n = read(fd, text + used, size - 1 - used)) > 0)
        used += (size_t) n;
    text[used] = '\0';
}

void carry_out(const struct plan_process *process, const struct priv_filter *filter,
               const struct priv_fds *fds, bool then_exec, struct outcome *ret_outcome)
{
    OWNED_SCRIPT script;
    OWNED_BUF blob;
    int out[2], errors[2], status;

    script_init(&script, -1);
    buf_init(&blob, SCRIPT_MAX_BYTES);
    priv_script(process, filter, fds, &script);
    priv_script_filter(process, filter, fds, &script);
    ck_assert_int_eq(script_finish(&script, &blob), 0);
    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(errors, O_CLOEXEC), 0);

    pid_t pid = fork();
    if (pid == 0) {
        struct sub_err failure;

        dup2(out[1], STDOUT_FILENO);
        if (!run_blob(blob.data, &failure)) {
            (void) !write(errors[1], &failure, sizeof failure);
            _exit(1);
        }
        look(then_exec);
    }
    close(out[1]);
    close(errors[1]);
    memset(ret_outcome, 0, sizeof *ret_outcome);
    read_all(out[0], ret_outcome->status, sizeof ret_outcome->status);
    ssize_t n = read(errors[0], &ret_outcome->failure, sizeof ret_outcome->failure);
    ck_assert(n == 0 || n == sizeof ret_outcome->failure);
    close(out[0]);
    close(errors[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == (n == 0 ? 0 : 1), "status %#x",
                  status);
}

const char *line_of(const struct outcome *outcome, const char *name)
{
    static char value[256];
    char key[64];

    snprintf(key, sizeof key, "%s:\t", name);
    const char *at = strstr(outcome->status, key);
    ck_assert_msg(at != NULL, "no %s in '%s' (%s: %s: %d)", name, outcome->status,
                  outcome->failure.path, outcome->failure.text, outcome->failure.code);
    at += strlen(key);
    snprintf(value, sizeof value, "%.*s", (int) strcspn(at, "\n"), at);
    return value;
}

uint64_t mask_of(const struct outcome *outcome, const char *name)
{
    unsigned long long mask = 0;

    ck_assert_int_eq(sscanf(line_of(outcome, name), "%llx", &mask), 1);
    return mask;
}

struct plan_caps own_caps(void)
{
    struct outcome self = {.status = ""};
    struct plan_caps caps;
    char last[16];

    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    read_all(fd, self.status, sizeof self.status);
    close(fd);
    caps.bounding = mask_of(&self, "CapBnd");
    caps.permitted = mask_of(&self, "CapPrm");
    caps.effective = mask_of(&self, "CapEff");
    caps.inheritable = caps.ambient = 0;
    fd = open("/proc/sys/kernel/cap_last_cap", O_RDONLY | O_CLOEXEC);
    read_all(fd, last, sizeof last);
    close(fd);
    caps.last = (uint32_t) atoi(last);
    return caps;
}
