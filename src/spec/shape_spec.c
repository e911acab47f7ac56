/* SPDX-License-Identifier: Apache-2.0 */
#include "shape.h"

#define AT(member) offsetof(struct spec_root, member)
static const struct json_field root_fields[] = {
    {"path",     JSON_STRING, AT(path),     MUST, NULL},
    {"readonly", JSON_BOOL,   AT(readonly), 0,    NULL},
};
#undef AT
static const struct json_shape root_shape = {
    JSON_FIELDS(root_fields),
    .size = sizeof(struct spec_root),
};

#define AT(member) offsetof(struct spec_mount, member)
static const struct json_field mount_fields[] = {
    {"destination", JSON_STRING,  AT(destination),  MUST, NULL                  },
    {"type",        JSON_TEXT,    AT(type),         0,    NULL                  },
    {"source",      JSON_TEXT,    AT(source),       0,    NULL                  },
    {"options",     JSON_STRINGS, AT(options),      0,    NULL                  },
    {"uidMappings", JSON_LIST,    AT(uid_mappings), 0,    &spec_id_mapping_shape},
    {"gidMappings", JSON_LIST,    AT(gid_mappings), 0,    &spec_id_mapping_shape},
};
#undef AT
static const struct json_shape mount_shape = {
    JSON_FIELDS(mount_fields),
    .size = sizeof(struct spec_mount),
    .list_max = SPEC_MOUNTS_MAX,
};

/* For a file that is an array: json_decode wants an object around it. */
static const struct json_field list_fields[] = {
    {"mounts", JSON_LIST, 0, MUST, &mount_shape},
};
const struct json_shape spec_mounts_shape = {
    JSON_FIELDS(list_fields),
    .size = sizeof(struct spec_mounts),
    .closed = true,
};

#define AT(member) offsetof(struct spec_hook, member)
#define HAS(row)   SPEC_HOOK_##row
static const struct json_field hook_fields[] = {
    {"path",    JSON_STRING,  AT(path),      MUST,         NULL},
    {"args",    JSON_STRINGS, AT(args),      HAS(ARGS),    NULL},
    {"env",     JSON_STRINGS, AT(env),       HAS(ENV),     NULL},
    {"timeout", JSON_I64,     AT(timeout_s), HAS(TIMEOUT), NULL},
};
#undef HAS
#undef AT
static const struct json_shape hook_shape = {
    JSON_FIELDS(hook_fields),
    .size = sizeof(struct spec_hook),
    .has_offset = offsetof(struct spec_hook, has),
    .list_max = 1024,
};

#define AT(member) offsetof(struct spec_hooks, member)
static const struct json_field hooks_fields[] = {
    {"prestart",        JSON_LIST, AT(prestart),         0, &hook_shape},
    {"createRuntime",   JSON_LIST, AT(create_runtime),   0, &hook_shape},
    {"createContainer", JSON_LIST, AT(create_container), 0, &hook_shape},
    {"startContainer",  JSON_LIST, AT(start_container),  0, &hook_shape},
    {"poststart",       JSON_LIST, AT(poststart),        0, &hook_shape},
    {"poststop",        JSON_LIST, AT(poststop),         0, &hook_shape},
};
#undef AT
static const struct json_shape hooks_shape = {
    JSON_FIELDS(hooks_fields),
    .size = sizeof(struct spec_hooks),
};

#define AT(member) offsetof(struct spec, member)
static const struct json_field spec_fields[] = {
    {"ociVersion",  JSON_STRING, AT(oci_version), MUST, NULL               },
    {"process",     JSON_OBJECT, AT(process),     0,    &spec_process_shape},
    {"root",        JSON_OBJECT, AT(root),        0,    &root_shape        },
    {"hostname",    JSON_TEXT,   AT(hostname),    0,    NULL               },
    {"domainname",  JSON_TEXT,   AT(domainname),  0,    NULL               },
    {"mounts",      JSON_LIST,   AT(mounts),      0,    &mount_shape       },
    {"hooks",       JSON_OBJECT, AT(hooks),       0,    &hooks_shape       },
    {"annotations", JSON_PAIRS,  AT(annotations), 0,    NULL               },
    {"linux",       JSON_OBJECT, AT(linux_),      0,    &spec_linux_shape  },
};
#undef AT
const struct json_shape spec_shape = {
    JSON_FIELDS(spec_fields),
    .size = sizeof(struct spec),
};
