/* SPDX-License-Identifier: Apache-2.0 */
/* What the checks of all sections share. A check adds findings and never stops at the first. */
#ifndef SUBLET_SRC_SPEC_CHECK_H
#define SUBLET_SRC_SPEC_CHECK_H

#include "sublet/base/err.h"
#include "sublet/base/warn.h"
#include "sublet/spec.h"

/* Sections, one file each. */
void check_mounts(const struct spec *spec, struct findings *findings);
void check_id_mappings(const char *path, const struct spec_id_mappings *maps,
                       struct findings *findings);
void check_ids(const struct spec *spec, struct findings *findings);
void check_ids_of_process(const struct spec *spec, struct findings *findings);
void check_linux(const struct spec *spec, struct findings *findings);
void check_devices(const struct spec_devices *devices, struct findings *findings);
void check_memory_policy(const struct spec_memory_policy *policy, struct findings *findings);
void check_intel_rdt(const struct spec_intel_rdt *rdt, struct findings *findings);
void check_net_devices(const struct spec *spec, struct findings *findings);
void check_sysctl(const struct spec *spec, struct findings *findings);
void check_seccomp(const struct spec_seccomp *seccomp, struct findings *findings);
void check_env(const char *path, const struct spec_strings *env, struct findings *findings);

/* A JSON path on the caller's stack: WHERE("mounts[%zu].source", i). */
struct where {
    char text[SUB_ERR_PATH];
};
const char *where_print(struct where *where, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
#define WHERE(...) where_print(&(struct where){{0}}, __VA_ARGS__)

/* Text of the user in messages: cut, so that what is allowed is still said. */
#define QUOTED     "'%.64s'"

/* False, and an error that lists the words, if word is none of them. */
struct vocabulary {
    const char *noun; /* "rlimit" */
    const char *const *words;
    size_t count;
};
#define VOCABULARY(name, table)                          \
    {                                                    \
        (name), (table), sizeof(table) / sizeof *(table) \
    }
bool check_word(const struct vocabulary *vocabulary, const char *word, const char *path,
                struct findings *findings);

bool check_range(int64_t value, int64_t min, int64_t max, const char *path,
                 struct findings *findings);

/* "0-3,7": numbers and rising ranges. */
bool check_cpu_list(const char *list, const char *path, struct findings *findings);

bool has_control_character(const char *text);

/* Sorts names, keeps their place in the list: equal neighbours are duplicates. */
struct named {
    const char *name;
    size_t length, index;
};
bool named_equal(const struct named *left, const struct named *right);
void named_sort(struct named *names, size_t count);

#endif
