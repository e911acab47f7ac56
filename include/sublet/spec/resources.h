/* SPDX-License-Identifier: Apache-2.0 */
/* List types of the spec, and "linux.resources". See sublet/spec.h. */
#ifndef SUBLET_SPEC_RESOURCES_H
#define SUBLET_SPEC_RESOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spec_strings {
    const char *const *items;
    size_t count;
};

struct spec_u32s {
    const uint32_t *items;
    size_t count;
};

struct spec_pair {
    const char *key, *value;
};

struct spec_pairs {
    const struct spec_pair *items;
    size_t count;
};

enum spec_device_rule_bits {
    SPEC_DEVICE_RULE_MAJOR = 1u << 0,
    SPEC_DEVICE_RULE_MINOR = 1u << 1,
};

struct spec_device_rule {
    uint64_t has;
    bool allow;
    const char *type, *access; /* NULL: "a" and "rwm" */
    int64_t major, minor;      /* -1 or absent: all */
};

struct spec_device_rules {
    const struct spec_device_rule *items;
    size_t count;
};

enum spec_memory_bits {
    SPEC_MEMORY_LIMIT = 1u << 0,
    SPEC_MEMORY_RESERVATION = 1u << 1,
    SPEC_MEMORY_SWAP = 1u << 2,
    SPEC_MEMORY_KERNEL = 1u << 3,
    SPEC_MEMORY_KERNEL_TCP = 1u << 4,
    SPEC_MEMORY_SWAPPINESS = 1u << 5,
    SPEC_MEMORY_DISABLE_OOM_KILLER = 1u << 6,
    SPEC_MEMORY_USE_HIERARCHY = 1u << 7,
    SPEC_MEMORY_CHECK_BEFORE_UPDATE = 1u << 8,
};

/* -1 is unlimited; swap_bytes is memory and swap together. */
struct spec_memory {
    uint64_t has;
    int64_t limit_bytes, reservation_bytes, swap_bytes, kernel_bytes, kernel_tcp_bytes;
    uint64_t swappiness;
    bool disable_oom_killer, use_hierarchy, check_before_update;
};

enum spec_cpu_bits {
    SPEC_CPU_SHARES = 1u << 0,
    SPEC_CPU_QUOTA = 1u << 1,
    SPEC_CPU_BURST = 1u << 2,
    SPEC_CPU_PERIOD = 1u << 3,
    SPEC_CPU_REALTIME_RUNTIME = 1u << 4,
    SPEC_CPU_REALTIME_PERIOD = 1u << 5,
    SPEC_CPU_IDLE = 1u << 6,
};

struct spec_cpu {
    uint64_t has;
    uint64_t shares;
    int64_t quota_us; /* -1 is unlimited */
    uint64_t burst_us, period_us;
    int64_t realtime_runtime_us;
    uint64_t realtime_period_us;
    const char *cpus, *mems; /* "0-3,7" */
    int64_t idle;
};

enum spec_pids_bits { SPEC_PIDS_LIMIT = 1u << 0 };

struct spec_pids {
    uint64_t has;
    int64_t limit; /* -1 is unlimited */
};

enum spec_weight_device_bits {
    SPEC_WEIGHT_DEVICE_WEIGHT = 1u << 0,
    SPEC_WEIGHT_DEVICE_LEAF_WEIGHT = 1u << 1,
};

struct spec_weight_device {
    uint64_t has;
    int64_t major, minor;
    uint32_t weight, leaf_weight;
};

struct spec_weight_devices {
    const struct spec_weight_device *items;
    size_t count;
};

struct spec_throttle_device {
    int64_t major, minor;
    uint64_t rate; /* bytes or operations per second, by the list it stands in */
};

struct spec_throttle_devices {
    const struct spec_throttle_device *items;
    size_t count;
};

enum spec_block_io_bits {
    SPEC_BLOCK_IO_WEIGHT = 1u << 0,
    SPEC_BLOCK_IO_LEAF_WEIGHT = 1u << 1,
};

struct spec_block_io {
    uint64_t has;
    uint32_t weight, leaf_weight;
    struct spec_weight_devices weight_device;
    struct spec_throttle_devices throttle_read_bps, throttle_write_bps, throttle_read_iops,
        throttle_write_iops;
};

struct spec_hugepage_limit {
    const char *page_size; /* "2MB" */
    uint64_t limit_bytes;
};

struct spec_hugepage_limits {
    const struct spec_hugepage_limit *items;
    size_t count;
};

struct spec_interface_priority {
    const char *name;
    uint32_t priority;
};

struct spec_interface_priorities {
    const struct spec_interface_priority *items;
    size_t count;
};

enum spec_network_bits { SPEC_NETWORK_CLASS_ID = 1u << 0 };

struct spec_network {
    uint64_t has;
    uint32_t class_id;
    struct spec_interface_priorities priorities;
};

enum spec_rdma_bits {
    SPEC_RDMA_HCA_HANDLES = 1u << 0,
    SPEC_RDMA_HCA_OBJECTS = 1u << 1,
};

struct spec_rdma_device {
    const char *device;
    uint64_t has;
    uint32_t hca_handles, hca_objects;
};

struct spec_rdma {
    const struct spec_rdma_device *items;
    size_t count;
};

struct spec_resources {
    struct spec_device_rules devices;
    const struct spec_memory *memory;
    const struct spec_cpu *cpu;
    const struct spec_pids *pids;
    const struct spec_block_io *block_io;
    struct spec_hugepage_limits hugepage_limits;
    const struct spec_network *network;
    struct spec_rdma rdma;
    struct spec_pairs unified;
};

#endif
