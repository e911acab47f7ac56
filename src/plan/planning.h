/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the topics of the planner share while a plan is being made. Each topic is one function that
 * reads spec, options and host and fills its slice of the plan; it never stops at a mistake but
 * writes it down as a finding, so that all of them are told at once. What the config alone decides
 * (ranges, overlaps, doubles) is spec_check's, which has the same findings; here are the meanings
 * of words, and what depends on options, host or the rest of the plan. A topic that runs out of
 * memory just returns: plan_make asks the arena at the end.
 */
#ifndef SUBLET_PLAN_PLANNING_H
#define SUBLET_PLAN_PLANNING_H

#include "sublet/base/arena.h"
#include "sublet/base/warn.h"
#include "sublet/plan.h"
#include "sublet/spec.h"

struct planning {
    struct arena *arena;
    const struct options *options;
    const struct spec *spec;
    const struct spec_process *process; /* never NULL: an empty one where the file has none */
    const struct spec_linux *linux_;    /* never NULL */
    const struct host *host;
    struct findings *findings;
    struct plan *plan;
};

/* In the order of plan_make: later topics read the slices of earlier ones. */
void plan_decide_namespaces(struct planning *p);
void plan_decide_tenant(struct planning *p);
void plan_decide_tenant_limits(struct planning *p);
void plan_decide_tenant_exec(struct planning *p);
void plan_decide_ids(struct planning *p);
void plan_decide_root(struct planning *p);
void plan_decide_mounts(struct planning *p);
void plan_decide_added_mounts(struct planning *p);
void plan_decide_devices(struct planning *p);
void plan_decide_process(struct planning *p);
void plan_decide_environment(struct planning *p);
void plan_decide_scheduling(struct planning *p);
void plan_decide_caps(struct planning *p);
void plan_decide_seccomp(struct planning *p);
void plan_decide_cpus(struct planning *p);
void plan_decide_sysctls(struct planning *p);
void plan_decide_cgroup(struct planning *p);
/* As a path of the host; NULL: not below what is mounted. */
const char *plan_callers_group(const struct planning *p);
void plan_decide_resources(struct planning *p);
void plan_decide_place(struct planning *p);
void plan_decide_device_rules(struct planning *p);
void plan_decide_memory_policy(struct planning *p);
void plan_decide_machine(struct planning *p);
void plan_decide_resctrl(struct planning *p);
/* l3CacheSchema and memBwSchema as lines of one write; NULL: none. */
const char *plan_schemata(struct arena *arena, const struct spec_intel_rdt *spec);
void plan_decide_unit(struct planning *p);

/* The part of plan_decide_cgroup that is systemd's. */
void plan_decide_scope(struct planning *p);

/* Where the caller has no rights over the whole hierarchy: -EOPNOTSUPP, with the controller's name,
 * for a row that no group given to him can have. */
struct cg_row;
bool plan_needs_place(const struct planning *p);
int plan_check_place(const struct planning *p, const struct cg_row *row, struct sub_err *err);

/* What plan_decide_resources does, for resources that come from elsewhere: the rows that this host
 * can write. */
struct cg_rows;
void plan_resource_rows(struct planning *p, const struct spec_resources *spec,
                        struct cg_rows *rows);

/* Only the fields that `given` has take the place of those of `saved` (which may be NULL): lists by
 * device, page size or file. rows are what given became: a file they write is no longer what
 * saved->unified says of it. NULL: no memory. */
const struct spec_resources *plan_merge_resources(struct arena *arena,
                                                  const struct spec_resources *saved,
                                                  const struct spec_resources *given,
                                                  const struct cg_rows *rows);

/* Where an error with that path is known already (spec_check finds some of them too), the new one
 * is left out: one mistake, one line. path may be NULL when memory is short. */
void plan_error(struct planning *p, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void plan_warning(struct planning *p, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Value of an annotation, NULL if there is none. */
const char *plan_annotation(const struct planning *p, const char *key);

/* The container shares the host's (or the caller's) namespace of that CLONE_NEW* kind. */
bool plan_shares_host(const struct planning *p, uint64_t kind);
/* The container's root is not the root of the machine: devices cannot be made, mounts are locked.
 */
bool plan_in_user_namespace(const struct planning *p);
/* A container id that the maps know; always true where a user namespace is joined. */
bool plan_uid_is_mapped(const struct planning *p, uint32_t uid);
bool plan_gid_is_mapped(const struct planning *p, uint32_t gid);
/* Where a container id lands on the host; false where nobody here can know. */
bool plan_uid_on_host(const struct planning *p, uint32_t uid, uint32_t *ret_uid);

/* What /proc/PID/uid_map takes, in one write; NULL where it has no room for it. */
const char *plan_map_text(struct planning *p, const struct spec_id_mappings *maps);
bool plan_map_id(const struct spec_id_mappings *maps, uint32_t id, uint32_t *ret_host_id);

/* names ends with NULL. */
bool plan_is_one_of(const char *name, const char *const *names);

/* Whose ids the mount shows. idmaps has room for one more. */
struct mount_request;
void plan_decide_idmap(struct planning *p, size_t index, const struct mount_request *request,
                       struct plan_mount *mount);

/* Checks the target and says how it is to be opened; kind, type and source are decided. */
void plan_decide_target(struct planning *p, struct plan_mount *mount);

/* Names of the config, by kind. */
extern const char *const plan_hook_names[PLAN_HOOK_KINDS];

/* A NULL-terminated copy for exec; NULL when memory is short. */
char *const *plan_strings(struct arena *arena, const struct spec_strings *strings);

#endif
