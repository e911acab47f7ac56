/* SPDX-License-Identifier: Apache-2.0 */
#include "shape.h"

#define AT(member) offsetof(struct spec_seccomp_arg, member)
#define HAS(row)   SPEC_SECCOMP_ARG_##row
static const struct json_field arg_fields[] = {
    {"index",    JSON_U32,    AT(index),     MUST,           NULL},
    {"value",    JSON_U64,    AT(value),     MUST,           NULL},
    {"valueTwo", JSON_U64,    AT(value_two), HAS(VALUE_TWO), NULL},
    {"op",       JSON_STRING, AT(op),        MUST,           NULL},
};
#undef HAS
#undef AT
static const struct json_shape arg_shape = {
    JSON_FIELDS(arg_fields),
    .size = sizeof(struct spec_seccomp_arg),
    .has_offset = offsetof(struct spec_seccomp_arg, has),
    .list_max = 64,
};

#define AT(member) offsetof(struct spec_seccomp_rule, member)
#define HAS(row)   SPEC_SECCOMP_RULE_##row
static const struct json_field rule_fields[] = {
    {"names",    JSON_STRINGS, AT(names),     MUST,           NULL      },
    {"action",   JSON_STRING,  AT(action),    MUST,           NULL      },
    {"errnoRet", JSON_U32,     AT(errno_ret), HAS(ERRNO_RET), NULL      },
    {"args",     JSON_LIST,    AT(args),      0,              &arg_shape},
};
#undef HAS
#undef AT
static const struct json_shape rule_shape = {
    JSON_FIELDS(rule_fields),
    .size = sizeof(struct spec_seccomp_rule),
    .has_offset = offsetof(struct spec_seccomp_rule, has),
    .list_max = SPEC_SECCOMP_RULES_MAX,
};

#define AT(member) offsetof(struct spec_seccomp, member)
#define HAS(row)   SPEC_SECCOMP_##row
static const struct json_field spec_seccomp_fields[] = {
    {"defaultAction",    JSON_STRING,  AT(default_action),    MUST,                   NULL       },
    {"defaultErrnoRet",  JSON_U32,     AT(default_errno_ret), HAS(DEFAULT_ERRNO_RET), NULL       },
    {"architectures",    JSON_STRINGS, AT(architectures),     0,                      NULL       },
    {"flags",            JSON_STRINGS, AT(flags),             HAS(FLAGS),             NULL       },
    {"listenerPath",     JSON_TEXT,    AT(listener_path),     0,                      NULL       },
    {"listenerMetadata", JSON_TEXT,    AT(listener_metadata), 0,                      NULL       },
    {"syscalls",         JSON_LIST,    AT(syscalls),          0,                      &rule_shape},
};
#undef HAS
#undef AT
const struct json_shape spec_seccomp_shape = {
    JSON_FIELDS(spec_seccomp_fields),
    .size = sizeof(struct spec_seccomp),
    .has_offset = offsetof(struct spec_seccomp, has),
};
