/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls with arguments that change nothing. Each is made by a child, so that a filter that
 * kills is an answer too. The arguments are chosen so that the kernel refuses them before it looks
 * at privileges wherever it can: then EPERM is the filter's.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

#define NOWHERE ((long) 1) /* a pointer nothing is at: EFAULT */
#define NOBODY  0x7ffffffeL

struct call {
    const char *name;
    long number, args[5];
};

static const struct call calls[] = {
    {"getpid",              SYS_getpid,            {0}                              },
    {"unshare",             SYS_unshare,           {0}                              },
    {"unshare-user",        SYS_unshare,           {0x10000000}                     },
    {"clone3",              SYS_clone3,            {0, 0}                           },
    {"setns",               SYS_setns,             {-1, 0}                          },
    {"mount",               SYS_mount,             {NOWHERE, NOWHERE, NOWHERE, 0, 0}},
    {"umount2",             SYS_umount2,           {NOWHERE, 0}                     },
    {"open_tree",           SYS_open_tree,         {-1, NOWHERE, 0}                 },
    {"move_mount",          SYS_move_mount,        {-1, NOWHERE, -1, NOWHERE, 0}    },
    {"fsopen",              SYS_fsopen,            {NOWHERE, 0}                     },
    {"mount_setattr",       SYS_mount_setattr,     {-1, NOWHERE, 0, NOWHERE, 32}    },
    {"pivot_root",          SYS_pivot_root,        {NOWHERE, NOWHERE}               },
    {"chroot",              SYS_chroot,            {NOWHERE}                        },
    {"keyctl",              SYS_keyctl,            {0, -3, 0}                       },
    {"add_key",             SYS_add_key,           {NOWHERE, NOWHERE, 0, 0, 0}      },
    {"request_key",         SYS_request_key,       {NOWHERE, NOWHERE, 0, 0}         },
    {"bpf",                 SYS_bpf,               {-1, 0, 0}                       },
    {"perf_event_open",     SYS_perf_event_open,   {NOWHERE, 0, -1, -1, 0}          },
    {"ptrace",              SYS_ptrace,            {2, NOBODY, 0, 0}                },
    {"process_vm_readv",    SYS_process_vm_readv,  {NOBODY, 0, 0, 0, 0}             },
    {"personality",         SYS_personality,       {0xffffffff}                     },
    {"personality-linux32", SYS_personality,       {8}                              },
    {"openat2",             SYS_openat2,           {-1, NOWHERE, NOWHERE, 24}       },
    {"open_by_handle_at",   SYS_open_by_handle_at, {-1, NOWHERE, 0}                 },
    {"userfaultfd",         SYS_userfaultfd,       {-1}                             },
    {"io_uring_setup",      SYS_io_uring_setup,    {0, NOWHERE}                     },
    {"init_module",         SYS_init_module,       {NOWHERE, 0, NOWHERE}            },
    {"kexec_load",          SYS_kexec_load,        {0, 17, 0, -1}                   },
    {"swapon",              SYS_swapon,            {NOWHERE, -1}                    },
    {"reboot",              SYS_reboot,            {0, 0, 0, 0}                     },
    {"settimeofday",        SYS_settimeofday,      {NOWHERE, NOWHERE}               },
    {"sethostname",         SYS_sethostname,       {NOWHERE, -1}                    },
    {"chmod",               SYS_chmod,             {NOWHERE, 0}                     },
    {"fchmodat2",           452,                   {-1, NOWHERE, 0, 0}              },
    {"newest",              4095,                  {0}                              },
};

/* In the child: the error as a number through the pipe. */
static void make_call(const struct call *call, int to_fd)
{
    const long *a = call->args;
    int error = syscall(call->number, a[0], a[1], a[2], a[3], a[4], 0) < 0 ? errno : 0;
    ssize_t written = write(to_fd, &error, sizeof error);

    _exit(written == (ssize_t) sizeof error ? 0 : 1);
}

static void show_answer(const char *key, int from_fd, pid_t pid)
{
    int error, status = 0;
    ssize_t got = read(from_fd, &error, sizeof error);

    (void) waitpid(pid, &status, 0);
    if (got == (ssize_t) sizeof error)
        json_errno(key, error);
    else if (WIFSIGNALED(status))
        json_printf(key, "SIG%s", sigabbrev_np(WTERMSIG(status)));
    else
        json_printf(key, "exit %d", WEXITSTATUS(status));
}

static void try_one(const char *key, const struct call *call)
{
    int pipe_fds[2];

    if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
        json_errno(key, errno);
        return;
    }
    (void) fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        make_call(call, pipe_fds[1]);
    (void) close(pipe_fds[1]);
    if (pid < 0)
        json_printf(key, "fork %s", strerrorname_np(errno));
    else
        show_answer(key, pipe_fds[0], pid);
    (void) close(pipe_fds[0]);
}

void try_call(const char *name)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (strcmp(calls[i].name, name) == 0) {
            try_one(name, &calls[i]);
            return;
        }
    }
    json_text(name, "unknown to the probe");
}

void try_call_number(const char *number)
{
    const struct call call = {"", atol(number), {0}};

    try_one(number, &call);
}
