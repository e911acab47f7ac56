/* SPDX-License-Identifier: Apache-2.0 */
#include "shape.h"

#define AT(member) offsetof(struct spec_user, member)
#define HAS(row)   SPEC_USER_##row
static const struct json_field user_fields[] = {
    {"uid",            JSON_U32,  AT(uid),             0,          NULL},
    {"gid",            JSON_U32,  AT(gid),             0,          NULL},
    {"umask",          JSON_U32,  AT(umask),           HAS(UMASK), NULL},
    {"additionalGids", JSON_U32S, AT(additional_gids), 0,          NULL},
};
#undef HAS
#undef AT
static const struct json_shape user_shape = {
    JSON_FIELDS(user_fields),
    .size = sizeof(struct spec_user),
    .has_offset = offsetof(struct spec_user, has),
};

#define AT(member) offsetof(struct spec_console_size, member)
static const struct json_field console_fields[] = {
    {"height", JSON_U64, AT(height_rows),   MUST, NULL},
    {"width",  JSON_U64, AT(width_columns), MUST, NULL},
};
#undef AT
static const struct json_shape console_shape = {
    JSON_FIELDS(console_fields),
    .size = sizeof(struct spec_console_size),
};

#define AT(member) offsetof(struct spec_capabilities, member)
static const struct json_field capability_fields[] = {
    {"bounding",    JSON_STRINGS, AT(bounding),    0, NULL},
    {"effective",   JSON_STRINGS, AT(effective),   0, NULL},
    {"inheritable", JSON_STRINGS, AT(inheritable), 0, NULL},
    {"permitted",   JSON_STRINGS, AT(permitted),   0, NULL},
    {"ambient",     JSON_STRINGS, AT(ambient),     0, NULL},
};
#undef AT
static const struct json_shape capability_shape = {
    JSON_FIELDS(capability_fields),
    .size = sizeof(struct spec_capabilities),
};

#define AT(member) offsetof(struct spec_rlimit, member)
static const struct json_field rlimit_fields[] = {
    {"type", JSON_STRING, AT(type), MUST, NULL},
    {"hard", JSON_U64,    AT(hard), MUST, NULL},
    {"soft", JSON_U64,    AT(soft), MUST, NULL},
};
#undef AT
static const struct json_shape rlimit_shape = {
    JSON_FIELDS(rlimit_fields),
    .size = sizeof(struct spec_rlimit),
    .list_max = 64,
};

#define AT(member) offsetof(struct spec_scheduler, member)
#define HAS(row)   SPEC_SCHEDULER_##row
static const struct json_field scheduler_fields[] = {
    {"policy",   JSON_STRING,  AT(policy),      MUST,          NULL},
    {"nice",     JSON_I32,     AT(nice),        HAS(NICE),     NULL},
    {"priority", JSON_I32,     AT(priority),    HAS(PRIORITY), NULL},
    {"flags",    JSON_STRINGS, AT(flags),       0,             NULL},
    {"runtime",  JSON_U64,     AT(runtime_ns),  HAS(RUNTIME),  NULL},
    {"deadline", JSON_U64,     AT(deadline_ns), HAS(DEADLINE), NULL},
    {"period",   JSON_U64,     AT(period_ns),   HAS(PERIOD),   NULL},
};
#undef HAS
#undef AT
static const struct json_shape scheduler_shape = {
    JSON_FIELDS(scheduler_fields),
    .size = sizeof(struct spec_scheduler),
    .has_offset = offsetof(struct spec_scheduler, has),
};

#define AT(member) offsetof(struct spec_io_priority, member)
#define HAS(row)   SPEC_IO_PRIORITY_##row
static const struct json_field io_fields[] = {
    {"class",    JSON_STRING, AT(class),    MUST,          NULL},
    {"priority", JSON_I32,    AT(priority), HAS(PRIORITY), NULL},
};
#undef HAS
#undef AT
static const struct json_shape io_shape = {
    JSON_FIELDS(io_fields),
    .size = sizeof(struct spec_io_priority),
    .has_offset = offsetof(struct spec_io_priority, has),
};

#define AT(member) offsetof(struct spec_exec_cpu_affinity, member)
static const struct json_field affinity_fields[] = {
    {"initial", JSON_TEXT, AT(initial), 0, NULL},
    {"final",   JSON_TEXT, AT(final),   0, NULL},
};
#undef AT
static const struct json_shape affinity_shape = {
    JSON_FIELDS(affinity_fields),
    .size = sizeof(struct spec_exec_cpu_affinity),
};

#define AT(member) offsetof(struct spec_process, member)
#define HAS(row)   SPEC_PROCESS_##row
static const struct json_field spec_process_fields[] = {
    {"terminal",        JSON_BOOL,    AT(terminal),          0,                  NULL             },
    {"consoleSize",     JSON_OBJECT,  AT(console_size),      0,                  &console_shape   },
    {"user",            JSON_INLINE,  AT(user),              HAS(USER),          &user_shape      },
    {"args",            JSON_STRINGS, AT(args),              MUST,               NULL             },
    {"env",             JSON_STRINGS, AT(env),               HAS(ENV),           NULL             },
    {"cwd",             JSON_STRING,  AT(cwd),               MUST,               NULL             },
    {"capabilities",    JSON_OBJECT,  AT(capabilities),      0,                  &capability_shape},
    {"rlimits",         JSON_LIST,    AT(rlimits),           0,                  &rlimit_shape    },
    {"noNewPrivileges", JSON_BOOL,    AT(no_new_privileges), 0,                  NULL             },
    {"apparmorProfile", JSON_TEXT,    AT(apparmor_profile),  0,                  NULL             },
    {"oomScoreAdj",     JSON_I32,     AT(oom_score_adj),     HAS(OOM_SCORE_ADJ), NULL             },
    {"scheduler",       JSON_OBJECT,  AT(scheduler),         0,                  &scheduler_shape },
    {"selinuxLabel",    JSON_TEXT,    AT(selinux_label),     0,                  NULL             },
    {"ioPriority",      JSON_OBJECT,  AT(io_priority),       0,                  &io_shape        },
    {"execCPUAffinity", JSON_OBJECT,  AT(exec_cpu_affinity), 0,                  &affinity_shape  },
};
#undef HAS
#undef AT
const struct json_shape spec_process_shape = {
    JSON_FIELDS(spec_process_fields),
    .size = sizeof(struct spec_process),
    .has_offset = offsetof(struct spec_process, has),
};
