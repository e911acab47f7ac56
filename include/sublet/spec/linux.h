/* SPDX-License-Identifier: Apache-2.0 */
/* The "linux" object of config.json. See sublet/spec.h. */
#ifndef SUBLET_SPEC_LINUX_H
#define SUBLET_SPEC_LINUX_H

#include "sublet/spec/resources.h"

struct spec_namespace {
    const char *type; /* "mount" "pid" "network" "ipc" "uts" "user" "cgroup" "time" */
    const char *path; /* NULL: a new one */
};

struct spec_namespaces {
    const struct spec_namespace *items;
    size_t count;
};

struct spec_id_mapping {
    uint32_t container_id, host_id, size;
};

struct spec_id_mappings {
    const struct spec_id_mapping *items;
    size_t count;
};

struct spec_time_offset {
    const char *clock; /* "monotonic" "boottime" */
    int64_t secs;
    uint32_t nanosecs;
};

struct spec_time_offsets {
    const struct spec_time_offset *items;
    size_t count;
};

enum spec_device_bits {
    SPEC_DEVICE_MAJOR = 1u << 0,
    SPEC_DEVICE_MINOR = 1u << 1,
    SPEC_DEVICE_FILE_MODE = 1u << 2,
    SPEC_DEVICE_UID = 1u << 3,
    SPEC_DEVICE_GID = 1u << 4,
};

struct spec_device {
    uint64_t has;
    const char *path, *type; /* "c" "b" "u" "p" */
    int64_t major, minor;
    uint32_t file_mode, uid, gid;
};

struct spec_devices {
    const struct spec_device *items;
    size_t count;
};

struct spec_net_device {
    const char *device, *name; /* on the host; in the container, NULL: the same */
};

struct spec_net_devices {
    const struct spec_net_device *items;
    size_t count;
};

struct spec_intel_rdt {
    const char *clos_id, *l3_cache_schema, *mem_bw_schema;
    struct spec_strings schemata;
    bool enable_monitoring;
};

struct spec_memory_policy {
    const char *mode, *nodes; /* "MPOL_INTERLEAVE", "0-1" */
    struct spec_strings flags;
};

enum spec_seccomp_arg_bits { SPEC_SECCOMP_ARG_VALUE_TWO = 1u << 0 };

struct spec_seccomp_arg {
    uint64_t has;
    uint32_t index;
    uint64_t value, value_two;
    const char *op; /* "SCMP_CMP_EQ" */
};

struct spec_seccomp_args {
    const struct spec_seccomp_arg *items;
    size_t count;
};

enum spec_seccomp_rule_bits { SPEC_SECCOMP_RULE_ERRNO_RET = 1u << 0 };

struct spec_seccomp_rule {
    uint64_t has;
    struct spec_strings names;
    const char *action; /* "SCMP_ACT_ALLOW" */
    uint32_t errno_ret;
    struct spec_seccomp_args args;
};

struct spec_seccomp_rules {
    const struct spec_seccomp_rule *items;
    size_t count;
};

enum spec_seccomp_bits {
    SPEC_SECCOMP_DEFAULT_ERRNO_RET = 1u << 0,
    SPEC_SECCOMP_FLAGS = 1u << 1,
};

struct spec_seccomp {
    uint64_t has;
    const char *default_action;
    uint32_t default_errno_ret;
    struct spec_strings architectures, flags;
    const char *listener_path, *listener_metadata;
    struct spec_seccomp_rules syscalls;
};

struct spec_personality {
    const char *domain; /* "LINUX" "LINUX32" */
    struct spec_strings flags;
};

struct spec_linux {
    struct spec_namespaces namespaces;
    struct spec_id_mappings uid_mappings, gid_mappings;
    struct spec_time_offsets time_offsets;
    struct spec_devices devices;
    struct spec_net_devices net_devices;
    const char *cgroups_path;
    const struct spec_resources *resources;
    const struct spec_intel_rdt *intel_rdt;
    const struct spec_memory_policy *memory_policy;
    struct spec_pairs sysctl; /* key in either spelling: "net.ipv4.ip_forward", "net/ipv4/..." */
    const struct spec_seccomp *seccomp;
    const char *rootfs_propagation;
    struct spec_strings masked_paths, readonly_paths;
    const char *mount_label;
    const struct spec_personality *personality;
};

#endif
