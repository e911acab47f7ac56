/* SPDX-License-Identifier: Apache-2.0 */
#include "shape.h"

#define AT(member) offsetof(struct spec_device_rule, member)
#define HAS(row)   SPEC_DEVICE_RULE_##row
static const struct json_field device_rule_fields[] = {
    {"allow",  JSON_BOOL, AT(allow),  MUST,       NULL},
    {"type",   JSON_TEXT, AT(type),   0,          NULL},
    {"major",  JSON_I64,  AT(major),  HAS(MAJOR), NULL},
    {"minor",  JSON_I64,  AT(minor),  HAS(MINOR), NULL},
    {"access", JSON_TEXT, AT(access), 0,          NULL},
};
#undef HAS
#undef AT
static const struct json_shape device_rule_shape = {
    JSON_FIELDS(device_rule_fields),
    .size = sizeof(struct spec_device_rule),
    .has_offset = offsetof(struct spec_device_rule, has),
    .list_max = 4096,
};

#define AT(member) offsetof(struct spec_memory, member)
#define HAS(row)   SPEC_MEMORY_##row
static const struct json_field memory_fields[] = {
    {"limit",             JSON_I64,  AT(limit_bytes),         HAS(LIMIT),               NULL},
    {"reservation",       JSON_I64,  AT(reservation_bytes),   HAS(RESERVATION),         NULL},
    {"swap",              JSON_I64,  AT(swap_bytes),          HAS(SWAP),                NULL},
    {"kernel",            JSON_I64,  AT(kernel_bytes),        HAS(KERNEL),              NULL},
    {"kernelTCP",         JSON_I64,  AT(kernel_tcp_bytes),    HAS(KERNEL_TCP),          NULL},
    {"swappiness",        JSON_U64,  AT(swappiness),          HAS(SWAPPINESS),          NULL},
    {"disableOOMKiller",  JSON_BOOL, AT(disable_oom_killer),  HAS(DISABLE_OOM_KILLER),  NULL},
    {"useHierarchy",      JSON_BOOL, AT(use_hierarchy),       HAS(USE_HIERARCHY),       NULL},
    {"checkBeforeUpdate", JSON_BOOL, AT(check_before_update), HAS(CHECK_BEFORE_UPDATE), NULL},
};
#undef HAS
#undef AT
static const struct json_shape memory_shape = {
    JSON_FIELDS(memory_fields),
    .size = sizeof(struct spec_memory),
    .has_offset = offsetof(struct spec_memory, has),
};

#define AT(member) offsetof(struct spec_cpu, member)
#define HAS(row)   SPEC_CPU_##row
static const struct json_field cpu_fields[] = {
    {"shares",          JSON_U64,  AT(shares),              HAS(SHARES),           NULL},
    {"quota",           JSON_I64,  AT(quota_us),            HAS(QUOTA),            NULL},
    {"burst",           JSON_U64,  AT(burst_us),            HAS(BURST),            NULL},
    {"period",          JSON_U64,  AT(period_us),           HAS(PERIOD),           NULL},
    {"realtimeRuntime", JSON_I64,  AT(realtime_runtime_us), HAS(REALTIME_RUNTIME), NULL},
    {"realtimePeriod",  JSON_U64,  AT(realtime_period_us),  HAS(REALTIME_PERIOD),  NULL},
    {"cpus",            JSON_TEXT, AT(cpus),                0,                     NULL},
    {"mems",            JSON_TEXT, AT(mems),                0,                     NULL},
    {"idle",            JSON_I64,  AT(idle),                HAS(IDLE),             NULL},
};
#undef HAS
#undef AT
static const struct json_shape cpu_shape = {
    JSON_FIELDS(cpu_fields),
    .size = sizeof(struct spec_cpu),
    .has_offset = offsetof(struct spec_cpu, has),
};

#define AT(member) offsetof(struct spec_pids, member)
#define HAS(row)   SPEC_PIDS_##row
static const struct json_field pids_fields[] = {
    {"limit", JSON_I64, AT(limit), HAS(LIMIT), NULL},
};
#undef HAS
#undef AT
static const struct json_shape pids_shape = {
    JSON_FIELDS(pids_fields),
    .size = sizeof(struct spec_pids),
    .has_offset = offsetof(struct spec_pids, has),
};

#define AT(member) offsetof(struct spec_weight_device, member)
#define HAS(row)   SPEC_WEIGHT_DEVICE_##row
static const struct json_field disk_fields[] = {
    {"major",      JSON_I64, AT(major),       MUST,             NULL},
    {"minor",      JSON_I64, AT(minor),       MUST,             NULL},
    {"weight",     JSON_U32, AT(weight),      HAS(WEIGHT),      NULL},
    {"leafWeight", JSON_U32, AT(leaf_weight), HAS(LEAF_WEIGHT), NULL},
};
#undef HAS
#undef AT
static const struct json_shape disk_shape = {
    JSON_FIELDS(disk_fields),
    .size = sizeof(struct spec_weight_device),
    .has_offset = offsetof(struct spec_weight_device, has),
    .list_max = 4096,
};

#define AT(member) offsetof(struct spec_throttle_device, member)
static const struct json_field rate_fields[] = {
    {"major", JSON_I64, AT(major), MUST, NULL},
    {"minor", JSON_I64, AT(minor), MUST, NULL},
    {"rate",  JSON_U64, AT(rate),  MUST, NULL},
};
#undef AT
static const struct json_shape rate_shape = {
    JSON_FIELDS(rate_fields),
    .size = sizeof(struct spec_throttle_device),
    .list_max = 4096,
};

#define AT(member) offsetof(struct spec_block_io, member)
#define HAS(row)   SPEC_BLOCK_IO_##row
static const struct json_field block_io_fields[] = {
    {"weight",                  JSON_U32,  AT(weight),              HAS(WEIGHT),      NULL       },
    {"leafWeight",              JSON_U32,  AT(leaf_weight),         HAS(LEAF_WEIGHT), NULL       },
    {"weightDevice",            JSON_LIST, AT(weight_device),       0,                &disk_shape},
    {"throttleReadBpsDevice",   JSON_LIST, AT(throttle_read_bps),   0,                &rate_shape},
    {"throttleWriteBpsDevice",  JSON_LIST, AT(throttle_write_bps),  0,                &rate_shape},
    {"throttleReadIOPSDevice",  JSON_LIST, AT(throttle_read_iops),  0,                &rate_shape},
    {"throttleWriteIOPSDevice", JSON_LIST, AT(throttle_write_iops), 0,                &rate_shape},
};
#undef HAS
#undef AT
static const struct json_shape block_io_shape = {
    JSON_FIELDS(block_io_fields),
    .size = sizeof(struct spec_block_io),
    .has_offset = offsetof(struct spec_block_io, has),
};

#define AT(member) offsetof(struct spec_hugepage_limit, member)
static const struct json_field hugepage_limit_fields[] = {
    {"pageSize", JSON_STRING, AT(page_size),   MUST, NULL},
    {"limit",    JSON_U64,    AT(limit_bytes), MUST, NULL},
};
#undef AT
static const struct json_shape hugepage_limit_shape = {
    JSON_FIELDS(hugepage_limit_fields),
    .size = sizeof(struct spec_hugepage_limit),
    .list_max = 64,
};

#define AT(member) offsetof(struct spec_interface_priority, member)
static const struct json_field interface_fields[] = {
    {"name",     JSON_STRING, AT(name),     MUST, NULL},
    {"priority", JSON_U32,    AT(priority), MUST, NULL},
};
#undef AT
static const struct json_shape interface_shape = {
    JSON_FIELDS(interface_fields),
    .size = sizeof(struct spec_interface_priority),
    .list_max = 4096,
};

#define AT(member) offsetof(struct spec_network, member)
#define HAS(row)   SPEC_NETWORK_##row
static const struct json_field network_fields[] = {
    {"classID",    JSON_U32,  AT(class_id),   HAS(CLASS_ID), NULL            },
    {"priorities", JSON_LIST, AT(priorities), 0,             &interface_shape},
};
#undef HAS
#undef AT
static const struct json_shape network_shape = {
    JSON_FIELDS(network_fields),
    .size = sizeof(struct spec_network),
    .has_offset = offsetof(struct spec_network, has),
};

#define AT(member) offsetof(struct spec_rdma_device, member)
#define HAS(row)   SPEC_RDMA_##row
static const struct json_field rdma_device_fields[] = {
    {"hcaHandles", JSON_U32, AT(hca_handles), HAS(HCA_HANDLES), NULL},
    {"hcaObjects", JSON_U32, AT(hca_objects), HAS(HCA_OBJECTS), NULL},
};
#undef HAS
#undef AT
static const struct json_shape rdma_device_shape = {
    JSON_FIELDS(rdma_device_fields),
    .size = sizeof(struct spec_rdma_device),
    .has_offset = offsetof(struct spec_rdma_device, has),
    .list_max = 256,
};

#define AT(member) offsetof(struct spec_resources, member)
static const struct json_field spec_resources_fields[] = {
    {"devices",        JSON_LIST,   AT(devices),         0, &device_rule_shape   },
    {"memory",         JSON_OBJECT, AT(memory),          0, &memory_shape        },
    {"cpu",            JSON_OBJECT, AT(cpu),             0, &cpu_shape           },
    {"pids",           JSON_OBJECT, AT(pids),            0, &pids_shape          },
    {"blockIO",        JSON_OBJECT, AT(block_io),        0, &block_io_shape      },
    {"hugepageLimits", JSON_LIST,   AT(hugepage_limits), 0, &hugepage_limit_shape},
    {"network",        JSON_OBJECT, AT(network),         0, &network_shape       },
    {"rdma",           JSON_MAP,    AT(rdma),            0, &rdma_device_shape   },
    {"unified",        JSON_PAIRS,  AT(unified),         0, NULL                 },
};
#undef AT
const struct json_shape spec_resources_shape = {
    JSON_FIELDS(spec_resources_fields),
    .size = sizeof(struct spec_resources),
};
