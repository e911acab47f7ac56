/* SPDX-License-Identifier: Apache-2.0 */
/* With host_user.c the only file of the room that asks the machine. */
#include "sublet/plan/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sublet/base/arena.h"
#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/cgroups.h"
#include "sublet/cgroups/delegated.h"
#include "sublet/spec.h"
#include "sublet/sys.h"

#define CAPABILITY_MAX       63
#define FILE_TEXT            4096
#define NR_OPEN_DEFAULT      (UINT64_C(1024) * 1024)
#define EXAMPLE_CAPS         (((uint64_t) 1 << (CAP_LAST_CAP + 1)) - 1)

/* Of the first namespaces (PROC_USER_INIT_INO, PROC_PID_INIT_INO of the kernel, since 3.8; uapi
 * since 6.17): one readlink(2) tells what reading a map would, for half of what stat(2) costs. */
#define FIRST_USER_NAMESPACE "user:[4026531837]"
#define FIRST_PID_NAMESPACE  "pid:[4026531836]"
#define NAMESPACE_TEXT       32

void host_example(struct host *ret_host)
{
    *ret_host = (struct host){
        .kernel = HOST_KERNEL(6, 12),
        .cap_last = CAP_LAST_CAP,
        .caps_permitted = EXAMPLE_CAPS,
        .cgroup_mount = "/sys/fs/cgroup",
        .cgroup_controllers =
            CG_CPU | CG_CPUSET | CG_MEMORY | CG_IO | CG_PIDS | CG_HUGETLB | CG_RDMA | CG_MISC,
        .nr_open = NR_OPEN_DEFAULT,
        .pid_namespace_is_initial = true,
    };
}

static int read_kernel(struct host *host, struct sub_err *err)
{
    if (sys_kernel(&host->kernel) < 0)
        return sub_fail(err, EINVAL, NULL, "cannot tell the version of this kernel");
    if (host->kernel < HOST_KERNEL_MIN)
        return sub_fail(err, ENOSYS, NULL, "this is Linux %u.%u, but 5.14 or newer is needed",
                        host->kernel >> 16, host->kernel & 0xffff);
    return 0;
}

static int read_capabilities(struct host *host, struct sub_err *err)
{
    uint32_t last = CAP_LAST_CAP;
    int rc = sys_capget(&host->caps_permitted);

    if (rc < 0)
        return sub_fail(err, -rc, NULL, "cannot read the own capabilities: %s", sub_strerror(-rc));
    while (last < CAPABILITY_MAX && sys_prctl(PR_CAPBSET_READ, last + 1, 0, 0, 0) >= 0)
        last++;
    while (last > 0 && sys_prctl(PR_CAPBSET_READ, last, 0, 0, 0) < 0)
        last--;
    host->cap_last = last;
    return 0;
}

static bool is_namespace(const char *path, const char *name)
{
    char found[NAMESPACE_TEXT];

    /* without a /proc to ask there is no container around us either */
    return sys_readlinkat(AT_FDCWD, path, found, sizeof found) < 0 || strcmp(found, name) == 0;
}

static void read_identity(struct host *host)
{
    host->euid = geteuid();
    host->egid = getegid();
    host->in_user_namespace = !is_namespace("/proc/self/ns/user", FIRST_USER_NAMESPACE);
    host->pid_namespace_is_initial = is_namespace("/proc/self/ns/pid", FIRST_PID_NAMESPACE);
    host->rootless = host->euid != 0 || host->in_user_namespace;
}

static bool asks(const char *label)
{
    return label != NULL && label[0] != '\0';
}

static void read_labels(const struct spec *spec, struct host *host)
{
    const struct spec_process *process = spec->process;
    const struct spec_linux *linux_ = spec->linux_;
    char text[8];

    if (process != NULL && asks(process->apparmor_profile))
        host->apparmor = sub_read_file_at(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", text,
                                          sizeof text) > 0 &&
                         text[0] == 'Y';
    if ((process != NULL && asks(process->selinux_label)) ||
        (linux_ != NULL && asks(linux_->mount_label))) {
        OWNED_FD fd = sys_openat(AT_FDCWD, "/sys/fs/selinux", O_PATH | O_DIRECTORY, 0);

        host->selinux = fd >= 0 && sys_fs_type(fd) == SELINUX_MAGIC;
    }
}

/* The default of fs.nr_open is let through unread: a lower one is so rare that setrlimit(2) may
 * tell of it. */
static void read_nr_open(const struct spec *spec, struct host *host)
{
    char text[NUM_TEXT];
    uint64_t hard = 0;

    for (size_t i = 0; spec->process != NULL && i < spec->process->rlimits.count; i++) {
        const struct spec_rlimit *limit = &spec->process->rlimits.items[i];

        if (strcmp(limit->type, "RLIMIT_NOFILE") == 0 && limit->hard > hard)
            hard = limit->hard;
    }
    if (hard <= NR_OPEN_DEFAULT)
        return;
    if (sub_read_file_at(AT_FDCWD, "/proc/sys/fs/nr_open", text, sizeof text) < 0 ||
        num_parse_u64(text, UINT64_MAX, &host->nr_open) < 0)
        host->nr_open = 0;
}

/* "0::/user.slice/x" is the line of v2. */
static int read_own_cgroup(struct arena *arena, struct host *host, struct sub_err *err)
{
    static const char path[] = "/proc/self/cgroup";
    char text[FILE_TEXT];
    ssize_t n = sub_read_file_at(AT_FDCWD, path, text, sizeof text);

    if (n < 0)
        return sub_fail(err, (int) -n, path, "cannot read: %s", sub_strerror((int) -n));
    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");

        if (strncmp(line, "0::/", 4) == 0)
            host->own_cgroup = arena_strndup(arena, line + 4, length - 4);
        line += length + (line[length] == '\n');
    }
    return 0;
}

/* A cgroup mount without a cgroup namespace: of a container with no group of its own it shows the
 * caller's. */
static bool shows_cgroups_of_host(const struct spec *spec)
{
    const struct spec_linux *linux_ = spec->linux_;

    for (size_t i = 0; linux_ != NULL && i < linux_->namespaces.count; i++) {
        if (strcmp(linux_->namespaces.items[i].type, "cgroup") == 0)
            return false;
    }
    for (size_t i = 0; i < spec->mounts.count; i++) {
        const char *type = spec->mounts.items[i].type;

        if (type != NULL && (strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0))
            return true;
    }
    return false;
}

static int read_cgroups(struct arena *arena, const struct spec *spec, struct host *host,
                        struct sub_err *err)
{
    struct cgroups_host cgroups;
    struct sub_err reason = {.code = 0};
    int fd;
    int rc = cgroups_mount_open(&fd, &cgroups, &reason);

    if (rc == -ENOENT) /* a container without a group may still be started: the planner decides */
        return 0;
    if (rc < 0)
        return sub_fail(err, -rc, reason.path, "%s", reason.text);
    OWNED_FD root_fd = fd;
    host->cgroup_mount = cgroups.mount_path;
    host->cgroup_hybrid = cgroups.hybrid;
    host->cgroup_controllers = cgroups.available;
    if (cgroups.hybrid && spec->linux_ != NULL && spec->linux_->resources != NULL) {
        SUBLET_TRY(cgroups_host_read_v1(&cgroups, err));
        host->cgroup_v1 = cgroups.bound_to_v1;
    }
    if (host->rootless || shows_cgroups_of_host(spec))
        SUBLET_TRY(read_own_cgroup(arena, host, err));
    if (!host->rootless || host->own_cgroup == NULL)
        return 0;
    return cgroup_places(arena, root_fd, host->own_cgroup, &host->places, &host->place_count, err);
}

/* In a container of one id group 5 of a default config does not exist, and groups cannot be set. */
static void read_own_groups(struct arena *arena, struct host *host)
{
    struct host_ranges own;
    char text[FILE_TEXT];

    if (!host->in_user_namespace ||
        sub_read_file_at(AT_FDCWD, "/proc/self/gid_map", text, sizeof text) < 0)
        return; /* then the kernel tells */
    host_parse_map(arena, text, &own);
    host->own_gids = own.items;
    host->own_gid_count = own.count;
    host->setgroups_denied =
        sub_read_file_at(AT_FDCWD, "/proc/self/setgroups", text, sizeof text) > 0 &&
        strcmp(text, "deny") == 0;
}

static int read_user(struct arena *arena, const struct spec *spec, struct host *host,
                     struct sub_err *err)
{
    struct host_user *user;

    if (!host_needs_user(host, spec))
        return 0;
    user = arena_alloc(arena, sizeof *user);
    if (user == NULL)
        return sub_fail(err, ENOMEM, NULL, "out of memory");
    host->user = user;
    return host_read_user(arena, host->euid, user, err);
}

int host_read_for_exec(struct arena *arena, const struct spec *spec, struct host *ret_host,
                       struct sub_err *err)
{
    struct host host = {.kernel = 0};

    SUBLET_TRY(read_kernel(&host, err));
    SUBLET_TRY(read_capabilities(&host, err));
    read_identity(&host);
    read_labels(spec, &host);
    read_nr_open(spec, &host);
    SUBLET_TRY(read_user(arena, spec, &host, err));
    read_own_groups(arena, &host);
    *ret_host = host;
    return 0;
}

int host_read(struct arena *arena, const struct spec *spec, struct host *ret_host,
              struct sub_err *err)
{
    struct host host;

    SUBLET_TRY(host_read_for_exec(arena, spec, &host, err));
    SUBLET_TRY(read_cgroups(arena, spec, &host, err));
    *ret_host = host;
    return 0;
}
