/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor ROOTFS CGROUP_ROOT COMMAND...: the kernel's share of a start, and nothing else. What the
 * default bundle (the one `sublet spec` writes) asks for: a cgroup, six namespaces, seven mounts,
 * six device nodes, the masks, pivot_root, the capability bounding set, exec, wait, rmdir. No
 * config is read, no state kept, no device program loaded. The runtime is compared with this.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(long rc, const char *what)
{
    if (rc < 0)
        err(111, "%s", what);
}

struct fs {
    const char *type, *target;
    unsigned long flags;
    const char *data;
};

static void mount_all(const char *rootfs)
{
    static const struct fs mounts[] = {
        {"proc",    "proc",          0,                                            NULL                                 },
        {"tmpfs",   "dev",           MS_NOSUID | MS_STRICTATIME,                   "mode=755,size=65536k"               },
        {"devpts",  "dev/pts",       MS_NOSUID | MS_NOEXEC,                        "newinstance,ptmxmode=0666,mode=0620"},
        {"tmpfs",   "dev/shm",       MS_NOSUID | MS_NOEXEC | MS_NODEV,             "mode=1777,size=65536k"              },
        {"mqueue",  "dev/mqueue",    MS_NOSUID | MS_NOEXEC | MS_NODEV,             NULL                                 },
        {"sysfs",   "sys",           MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, NULL                                 },
        {"cgroup2", "sys/fs/cgroup", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, NULL                                 },
    };

    must(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "slave");
    must(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL), "bind");
    must(chdir(rootfs), "chdir");
    for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
        if (i > 1 && i < 5)
            must(mkdir(mounts[i].target, 0755), mounts[i].target);
        must(mount(mounts[i].type, mounts[i].target, mounts[i].type, mounts[i].flags,
                   mounts[i].data),
             mounts[i].target);
    }
}

static void make_devices(void)
{
    static const struct {
        const char *path;
        unsigned major, minor;
    } nodes[] = {
        {"dev/null",    1, 3},
        {"dev/zero",    1, 5},
        {"dev/full",    1, 7},
        {"dev/random",  1, 8},
        {"dev/urandom", 1, 9},
        {"dev/tty",     5, 0},
    };
    static const char *const links[][2] = {
        {"/proc/self/fd",   "dev/fd"    },
        {"/proc/self/fd/0", "dev/stdin" },
        {"/proc/self/fd/1", "dev/stdout"},
        {"/proc/self/fd/2", "dev/stderr"},
        {"pts/ptmx",        "dev/ptmx"  },
    };

    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        must(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)),
             nodes[i].path);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        must(symlink(links[i][0], links[i][1]), links[i][1]);
}

static void mask(void)
{
    static const char *const masked[] = {
        "/proc/acpi",          "/proc/asound",     "/proc/kcore",       "/proc/keys",
        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
        "/sys/firmware",       "/proc/scsi",
    };
    static const char *const readonly[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                           "/proc/sysrq-trigger"};

    for (size_t i = 0; i < sizeof masked / sizeof *masked; i++) {
        struct stat st;

        if (stat(masked[i], &st) < 0)
            continue;
        if (S_ISDIR(st.st_mode))
            must(mount("tmpfs", masked[i], "tmpfs", MS_RDONLY, "size=0k"), masked[i]);
        else
            must(mount("/dev/null", masked[i], NULL, MS_BIND, NULL), masked[i]);
    }
    for (size_t i = 0; i < sizeof readonly / sizeof *readonly; i++) {
        if (mount(readonly[i], readonly[i], NULL, MS_BIND | MS_REC, NULL) < 0)
            continue;
        must(mount(NULL, readonly[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), readonly[i]);
    }
    must(mount(NULL, "/", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), "read-only root");
}

static void contain(char **argv)
{
    must(setsid(), "setsid");
    (void) umask(0);
    must(unshare(CLONE_NEWCGROUP), "cgroup namespace");
    must(sethostname("floor", 5), "sethostname");
    mount_all(argv[1]);
    make_devices();
    must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
    must(umount2(".", MNT_DETACH), "umount");
    must(chdir("/"), "chdir");
    mask();
    for (unsigned long cap = 0; cap < 41; cap++) {
        if (cap != 5 && cap != 10 && cap != 29) /* KILL, NET_BIND_SERVICE, AUDIT_WRITE */
            (void) prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
    }
    (void) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    must(syscall(SYS_close_range, 3, ~0u, 0), "close_range");
    execv(argv[3], argv + 3);
    err(111, "%s", argv[3]);
}

int main(int argc, char **argv)
{
    char group[512];
    int status;

    if (argc < 4)
        errx(2, "usage: floor ROOTFS CGROUP_ROOT COMMAND...");
    (void) snprintf(group, sizeof group, "%s/floor-%d", argv[2], (int) getpid());
    must(mkdir(group, 0755), group);

    int fd = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct clone_args args = {
        .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
                 CLONE_INTO_CGROUP,
        .exit_signal = SIGCHLD,
        .cgroup = (uint64_t) fd,
    };
    long pid = syscall(SYS_clone3, &args, sizeof args);
    must(pid, "clone3");
    if (pid == 0)
        contain(argv);
    must(waitpid((pid_t) pid, &status, 0), "waitpid");
    must(rmdir(group), "rmdir");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
