/* SPDX-License-Identifier: Apache-2.0 */
/* What `sublet spec` writes: a shell that shares nothing and has three capabilities. */
#include <errno.h>
#include <unistd.h>

#include "sublet/base/arena.h"
#include "sublet/spec.h"

#define LIST(table)                              \
    {                                            \
        (table), sizeof(table) / sizeof *(table) \
    }

static const char *const args[] = {"sh"};
static const char *const env[] = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "TERM=xterm",
};
static const char *const capability_names[] = {
    "CAP_AUDIT_WRITE",
    "CAP_KILL",
    "CAP_NET_BIND_SERVICE",
};
static const struct spec_capabilities capabilities = {
    .bounding = LIST(capability_names),
    .effective = LIST(capability_names),
    .permitted = LIST(capability_names),
};
static const struct spec_rlimit rlimits[] = {
    {"RLIMIT_NOFILE", 1024, 1024},
};
static const struct spec_process process = {
    .has = SPEC_PROCESS_ENV | SPEC_PROCESS_USER,
    .terminal = true,
    .no_new_privileges = true,
    .cwd = "/",
    .args = LIST(args),
    .env = LIST(env),
    .capabilities = &capabilities,
    .rlimits = LIST(rlimits),
};
static const struct spec_root root = {.path = "rootfs", .readonly = true};

static const char *const dev_options[] = {"nosuid", "strictatime", "mode=755", "size=65536k"};
static const char *const pts_options[] = {"nosuid",        "noexec",    "newinstance",
                                          "ptmxmode=0666", "mode=0620", "gid=5"};
/* Group 5 (tty) has no number in a user namespace of one id. */
static const char *const rootless_pts_options[] = {"nosuid", "noexec", "newinstance",
                                                   "ptmxmode=0666", "mode=0620"};
static const char *const shm_options[] = {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"};
static const char *const nothing_options[] = {"nosuid", "noexec", "nodev"};
static const char *const sys_options[] = {"nosuid", "noexec", "nodev", "ro"};
static const char *const cgroup_options[] = {"nosuid", "noexec", "nodev", "relatime", "ro"};
/* Without a network namespace of its own a user may not mount sysfs, but bind the host's. */
static const char *const rootless_sys_options[] = {"rbind", "nosuid", "noexec", "nodev", "ro"};

#define MOUNT(dest, fs, from, words)                                                  \
    {                                                                                 \
        .destination = (dest), .type = (fs), .source = (from), .options = LIST(words) \
    }

static const struct spec_mount mounts[] = {
    {.destination = "/proc", .type = "proc", .source = "proc"},
    MOUNT("/dev", "tmpfs", "tmpfs", dev_options),
    MOUNT("/dev/pts", "devpts", "devpts", pts_options),
    MOUNT("/dev/shm", "tmpfs", "shm", shm_options),
    MOUNT("/dev/mqueue", "mqueue", "mqueue", nothing_options),
    MOUNT("/sys", "sysfs", "sysfs", sys_options),
    MOUNT("/sys/fs/cgroup", "cgroup", "cgroup", cgroup_options),
};
static const struct spec_mount rootless_mounts[] = {
    {.destination = "/proc", .type = "proc", .source = "proc"},
    MOUNT("/dev", "tmpfs", "tmpfs", dev_options),
    MOUNT("/dev/pts", "devpts", "devpts", rootless_pts_options),
    MOUNT("/dev/shm", "tmpfs", "shm", shm_options),
    MOUNT("/dev/mqueue", "mqueue", "mqueue", nothing_options),
    MOUNT("/sys", "none", "/sys", rootless_sys_options),
    MOUNT("/sys/fs/cgroup", "cgroup", "cgroup", cgroup_options),
};

static const struct spec_namespace namespaces[] = {
    {"pid",     NULL},
    {"network", NULL},
    {"ipc",     NULL},
    {"uts",     NULL},
    {"mount",   NULL},
    {"cgroup",  NULL},
};
static const struct spec_namespace rootless_namespaces[] = {
    {"pid",    NULL},
    {"ipc",    NULL},
    {"uts",    NULL},
    {"mount",  NULL},
    {"cgroup", NULL},
    {"user",   NULL},
};

static const char *const masked_paths[] = {
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/sys/firmware",
    "/proc/scsi",
    "/sys/devices/virtual/powercap",
};
static const char *const readonly_paths[] = {
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};
static const struct spec_device_rule deny_all[] = {
    {.allow = false, .access = "rwm"}
};
static const struct spec_resources resources = {.devices = LIST(deny_all)};

static int map_own_id(struct arena *arena, uint32_t id, struct spec_id_mappings *mappings)
{
    struct spec_id_mapping *mapping = arena_alloc(arena, sizeof *mapping);

    if (mapping == NULL)
        return -ENOMEM;
    *mapping = (struct spec_id_mapping){.container_id = 0, .host_id = id, .size = 1};
    *mappings = (struct spec_id_mappings){mapping, 1};
    return 0;
}

int spec_default(struct arena *arena, bool rootless, struct spec **ret_spec)
{
    struct spec *spec = arena_alloc(arena, sizeof *spec);
    struct spec_linux *linux_ = arena_alloc(arena, sizeof *linux_);

    if (spec == NULL || linux_ == NULL)
        return -ENOMEM;
    *linux_ = (struct spec_linux){
        .namespaces = LIST(namespaces),
        .resources = &resources,
        .masked_paths = LIST(masked_paths),
        .readonly_paths = LIST(readonly_paths),
    };
    *spec = (struct spec){
        .oci_version = "1.3.0",
        .root = &root,
        .process = &process,
        .hostname = "sublet",
        .mounts = LIST(mounts),
        .linux_ = linux_,
    };

    if (rootless) {
        linux_->namespaces = (struct spec_namespaces) LIST(rootless_namespaces);
        linux_->resources = NULL;
        spec->mounts = (struct spec_mounts) LIST(rootless_mounts);
        /* the file is for the user who asks for it, as the other runtimes write theirs */
        if (map_own_id(arena, geteuid(), &linux_->uid_mappings) < 0 ||
            map_own_id(arena, getegid(), &linux_->gid_mappings) < 0)
            return -ENOMEM;
    }
    *ret_spec = spec;
    return 0;
}
