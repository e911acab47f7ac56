/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sublet/sys.h"

struct scratch scratch = {.root_fd = -EBADF};

static void die(const char *what, const char *why)
{
    (void) fprintf(stderr, "/%s: %s: %s\n", scratch.base, what, why);
    exit(EXIT_FAILURE);
}

static bool can_measure(void)
{
#ifdef SUBLET_SANITIZED
    return false;
#else
    char text[4096];
    int fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

    (void) close(fd);
    text[n < 0 ? 0 : n] = '\0';
    return strstr(text, "QEMU TCG") == NULL;
#endif
}

void scratch_open(void)
{
    static unsigned number;
    struct sub_err err = {0};

    scratch.usable = false;
    scratch.why_not = "no cgroup v2 on this machine";
    if (cgroups_mount_open(&scratch.root_fd, &scratch.host, &err) < 0)
        return;

    scratch.measures = can_measure();

    char text[256];
    if (knob_read(scratch.root_fd, "cgroup.subtree_control", text, sizeof text) < 0)
        return;
    scratch.enabled = cg_controllers_parse(text);
    (void) snprintf(scratch.base, sizeof scratch.base, "sublet-unit-%d-%u", getpid(), number++);
    scratch.why_not = "no right to make a cgroup";
    scratch.usable = mkdirat(scratch.root_fd, scratch.base, 0755) == 0;
    if (!scratch.usable && errno != EPERM && errno != EACCES && errno != EROFS)
        die("mkdir", sub_strerror(errno)); /* a fault must not look like a skip */
}

void scratch_close(void)
{
    struct sub_err err = {0};
    char text[64];

    if (scratch.usable && cgroup_destroy(scratch.root_fd, scratch.base, 5000, &err) < 0)
        die("left behind", err.text);

    /* what the tests turned on at the root is turned off again, unless others use it by now */
    uint32_t added = scratch.usable ? scratch.host.available & ~scratch.enabled : 0;
    for (uint32_t bit = 1; bit <= added; bit <<= 1) {
        if ((added & bit) == 0)
            continue;
        (void) snprintf(text, sizeof text, "-%s", cg_controller_name(bit));
        (void) raw_write("", "cgroup.subtree_control", text);
    }
    sub_close(&scratch.root_fd);
}

const char *scratch_path(const char *name)
{
    static char paths[8][256];
    static unsigned next;
    char *path = paths[next++ % 8];

    (void) snprintf(path, sizeof paths[0], "/%s/%s", scratch.base, name);
    return path;
}

pid_t sleeper_in(int cgroup_fd)
{
    struct sys_clone args = {.cgroup_fd = cgroup_fd};
    pid_t pid = sys_clone(&args);

    if (pid == 0)
        for (;;)
            (void) pause();
    ck_assert_msg(pid > 0, "clone into the cgroup: %s", sub_strerror(-pid));
    return pid;
}

pid_t spinner_in(int cgroup_fd, unsigned cpu_ms)
{
    struct sys_clone args = {.cgroup_fd = cgroup_fd};
    pid_t pid = sys_clone(&args);

    if (pid == 0) {
        while (clock() < (clock_t) (CLOCKS_PER_SEC / 1000 * cpu_ms))
            continue;
        _exit(0);
    }
    ck_assert_msg(pid > 0, "clone into the cgroup: %s", sub_strerror(-pid));
    return pid;
}

int reap(pid_t pid)
{
    int status = 0;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int raw_write(const char *path, const char *file, const char *text)
{
    char name[512];

    (void) snprintf(name, sizeof name, "%s/%s/%s", scratch.host.mount_path, path, file);
    int fd = open(name, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;

    int rc = write(fd, text, strlen(text)) < 0 ? -errno : 0;
    (void) close(fd);
    return rc;
}

bool raw_exists(const char *path)
{
    struct stat st;

    return fstatat(scratch.root_fd, path + (path[0] == '/'), &st, AT_SYMLINK_NOFOLLOW) == 0;
}
