/* SPDX-License-Identifier: Apache-2.0 */
#include "shape.h"

#define AT(member) offsetof(struct spec_namespace, member)
static const struct json_field namespace_fields[] = {
    {"type", JSON_STRING, AT(type), MUST, NULL},
    {"path", JSON_TEXT,   AT(path), 0,    NULL},
};
#undef AT
static const struct json_shape namespace_shape = {
    JSON_FIELDS(namespace_fields),
    .size = sizeof(struct spec_namespace),
    .list_max = 64,
};

#define AT(member) offsetof(struct spec_id_mapping, member)
static const struct json_field spec_id_mapping_fields[] = {
    {"containerID", JSON_U32, AT(container_id), MUST, NULL},
    {"hostID",      JSON_U32, AT(host_id),      MUST, NULL},
    {"size",        JSON_U32, AT(size),         MUST, NULL},
};
#undef AT
const struct json_shape spec_id_mapping_shape = {
    JSON_FIELDS(spec_id_mapping_fields),
    .size = sizeof(struct spec_id_mapping),
    .list_max = SPEC_ID_MAPPINGS_MAX,
};

#define AT(member) offsetof(struct spec_time_offset, member)
static const struct json_field time_offset_fields[] = {
    {"secs",     JSON_I64, AT(secs),     0, NULL},
    {"nanosecs", JSON_U32, AT(nanosecs), 0, NULL},
};
#undef AT
static const struct json_shape time_offset_shape = {
    JSON_FIELDS(time_offset_fields),
    .size = sizeof(struct spec_time_offset),
    .list_max = 64,
};

#define AT(member) offsetof(struct spec_device, member)
#define HAS(row)   SPEC_DEVICE_##row
static const struct json_field device_fields[] = {
    {"path",     JSON_STRING, AT(path),      MUST,           NULL},
    {"type",     JSON_STRING, AT(type),      MUST,           NULL},
    {"major",    JSON_I64,    AT(major),     HAS(MAJOR),     NULL},
    {"minor",    JSON_I64,    AT(minor),     HAS(MINOR),     NULL},
    {"fileMode", JSON_U32,    AT(file_mode), HAS(FILE_MODE), NULL},
    {"uid",      JSON_U32,    AT(uid),       HAS(UID),       NULL},
    {"gid",      JSON_U32,    AT(gid),       HAS(GID),       NULL},
};
#undef HAS
#undef AT
static const struct json_shape device_shape = {
    JSON_FIELDS(device_fields),
    .size = sizeof(struct spec_device),
    .has_offset = offsetof(struct spec_device, has),
    .list_max = 4096,
};

#define AT(member) offsetof(struct spec_net_device, member)
static const struct json_field net_device_fields[] = {
    {"name", JSON_TEXT, AT(name), 0, NULL},
};
#undef AT
static const struct json_shape net_device_shape = {
    JSON_FIELDS(net_device_fields),
    .size = sizeof(struct spec_net_device),
    .list_max = 4096,
};

#define AT(member) offsetof(struct spec_intel_rdt, member)
static const struct json_field intel_rdt_fields[] = {
    {"closID",           JSON_TEXT,    AT(clos_id),           0, NULL},
    {"schemata",         JSON_STRINGS, AT(schemata),          0, NULL},
    {"l3CacheSchema",    JSON_TEXT,    AT(l3_cache_schema),   0, NULL},
    {"memBwSchema",      JSON_TEXT,    AT(mem_bw_schema),     0, NULL},
    {"enableMonitoring", JSON_BOOL,    AT(enable_monitoring), 0, NULL},
};
#undef AT
static const struct json_shape intel_rdt_shape = {
    JSON_FIELDS(intel_rdt_fields),
    .size = sizeof(struct spec_intel_rdt),
};

#define AT(member) offsetof(struct spec_memory_policy, member)
static const struct json_field memory_policy_fields[] = {
    {"mode",  JSON_STRING,  AT(mode),  MUST, NULL},
    {"nodes", JSON_TEXT,    AT(nodes), 0,    NULL},
    {"flags", JSON_STRINGS, AT(flags), 0,    NULL},
};
#undef AT
static const struct json_shape memory_policy_shape = {
    JSON_FIELDS(memory_policy_fields),
    .size = sizeof(struct spec_memory_policy),
};

#define AT(member) offsetof(struct spec_personality, member)
static const struct json_field personality_fields[] = {
    {"domain", JSON_STRING,  AT(domain), MUST, NULL},
    {"flags",  JSON_STRINGS, AT(flags),  0,    NULL},
};
#undef AT
static const struct json_shape personality_shape = {
    JSON_FIELDS(personality_fields),
    .size = sizeof(struct spec_personality),
};

#define AT(member) offsetof(struct spec_linux, member)
static const struct json_field spec_linux_fields[] = {
    {"uidMappings",       JSON_LIST,    AT(uid_mappings),       0, &spec_id_mapping_shape},
    {"gidMappings",       JSON_LIST,    AT(gid_mappings),       0, &spec_id_mapping_shape},
    {"sysctl",            JSON_PAIRS,   AT(sysctl),             0, NULL                  },
    {"resources",         JSON_OBJECT,  AT(resources),          0, &spec_resources_shape },
    {"cgroupsPath",       JSON_TEXT,    AT(cgroups_path),       0, NULL                  },
    {"namespaces",        JSON_LIST,    AT(namespaces),         0, &namespace_shape      },
    {"devices",           JSON_LIST,    AT(devices),            0, &device_shape         },
    {"netDevices",        JSON_MAP,     AT(net_devices),        0, &net_device_shape     },
    {"seccomp",           JSON_OBJECT,  AT(seccomp),            0, &spec_seccomp_shape   },
    {"rootfsPropagation", JSON_TEXT,    AT(rootfs_propagation), 0, NULL                  },
    {"maskedPaths",       JSON_STRINGS, AT(masked_paths),       0, NULL                  },
    {"readonlyPaths",     JSON_STRINGS, AT(readonly_paths),     0, NULL                  },
    {"mountLabel",        JSON_TEXT,    AT(mount_label),        0, NULL                  },
    {"intelRdt",          JSON_OBJECT,  AT(intel_rdt),          0, &intel_rdt_shape      },
    {"memoryPolicy",      JSON_OBJECT,  AT(memory_policy),      0, &memory_policy_shape  },
    {"personality",       JSON_OBJECT,  AT(personality),        0, &personality_shape    },
    {"timeOffsets",       JSON_MAP,     AT(time_offsets),       0, &time_offset_shape    },
};
#undef AT
const struct json_shape spec_linux_shape = {
    JSON_FIELDS(spec_linux_fields),
    .size = sizeof(struct spec_linux),
};
