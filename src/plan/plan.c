/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "planning.h"

static bool is_known(const struct findings *findings, const char *path)
{
    size_t count =
        findings->error_count < FINDINGS_MAX ? findings->error_count : (size_t) FINDINGS_MAX;

    for (size_t i = 0; i < count; i++) {
        if (findings->errors[i].path != NULL && strcmp(findings->errors[i].path, path) == 0)
            return true;
    }
    return false;
}

void plan_error(struct planning *p, const char *path, const char *format, ...)
{
    char text[SUB_ERR_TEXT];
    va_list args;

    if (path == NULL || is_known(p->findings, path))
        return;
    va_start(args, format);
    (void) vsnprintf(text, sizeof text, format, args);
    va_end(args);
    findings_error(p->findings, path, "%s", text);
}

void plan_warning(struct planning *p, const char *path, const char *format, ...)
{
    char text[SUB_ERR_TEXT];
    va_list args;

    va_start(args, format);
    (void) vsnprintf(text, sizeof text, format, args);
    va_end(args);
    findings_warning(p->findings, path, "%s", text);
}

bool plan_is_one_of(const char *name, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strcmp(name, *names) == 0)
            return true;
    }
    return false;
}

const char *plan_annotation(const struct planning *p, const char *key)
{
    const struct spec_pairs *annotations = &p->spec->annotations;

    for (size_t i = 0; i < annotations->count; i++) {
        if (strcmp(annotations->items[i].key, key) == 0)
            return annotations->items[i].value;
    }
    return NULL;
}

static void copy_annotations(struct planning *p)
{
    const struct spec_pairs *items = &p->spec->annotations;
    struct plan_pair *pairs = arena_array(p->arena, items->count, sizeof *pairs);

    if (pairs == NULL)
        return;
    for (size_t i = 0; i < items->count; i++)
        pairs[i] = (struct plan_pair){items->items[i].key, items->items[i].value};
    p->plan->annotations = pairs;
    p->plan->annotation_count = items->count;
}

typedef void (*topic)(struct planning *);

static void make_hooks(struct planning *p)
{
    (void) plan_make_hooks(p->arena, p->spec, p->plan->hooks); /* the arena tells of a failure */
}

static const topic start_topics[] = {
    plan_decide_tenant,
    plan_decide_namespaces,
    plan_decide_ids,
    plan_decide_root,
    plan_decide_mounts,
    plan_decide_devices,
    plan_decide_process,
    plan_decide_environment,
    plan_decide_scheduling,
    plan_decide_caps,
    plan_decide_seccomp,
    plan_decide_sysctls,
    plan_decide_cgroup,
    plan_decide_resources,
    plan_decide_place,
    plan_decide_tenant_limits,
    plan_decide_device_rules,
    plan_decide_memory_policy,
    plan_decide_machine,
    plan_decide_unit,
    copy_annotations,
    make_hooks,
    NULL,
};
static const topic exec_topics[] = {
    plan_decide_namespaces,  plan_decide_ids,         plan_decide_process,
    plan_decide_environment, plan_decide_scheduling,  plan_decide_caps,
    plan_decide_seccomp,     plan_decide_cpus,        plan_decide_memory_policy,
    plan_decide_resctrl,     plan_decide_tenant_exec, NULL,
};

static const topic mount_topics[] = {
    plan_decide_namespaces, plan_decide_ids, plan_decide_root, plan_decide_added_mounts, NULL,
};

static int make(const struct planning *given, const topic *topics, const struct plan **ret_plan,
                struct sub_err *err)
{
    static const struct spec_process no_process;
    static const struct spec_linux no_linux;
    const struct spec *spec = given->spec;
    struct planning p = *given;

    p.plan = arena_alloc(p.arena, sizeof *p.plan);
    if (p.plan == NULL)
        return sub_fail(err, ENOMEM, NULL, "no memory for the plan");
    *p.plan = (struct plan){
        .id = p.options->id, .bundle = p.options->bundle, .oci_version = spec->oci_version};
    p.process = spec->process == NULL ? &no_process : spec->process;
    p.linux_ = spec->linux_ == NULL ? &no_linux : spec->linux_;

    for (; *topics != NULL; topics++)
        (*topics)(&p);
    if (arena_failed(p.arena))
        return sub_fail(err, ENOMEM, NULL, "no memory for the plan");
    SUBLET_TRY(findings_result(p.findings, err));
    *ret_plan = p.plan;
    return 0;
}

int plan_make(struct arena *arena, const struct options *options, const struct spec *spec,
              const struct host *host, struct findings *findings, const struct plan **ret_plan,
              struct sub_err *err)
{
    const struct planning p = {
        .arena = arena,
        .options = options,
        .spec = spec,
        .host = host,
        .findings = findings,
    };

    return make(&p, start_topics, ret_plan, err);
}

int plan_make_exec(struct arena *arena, const struct options *options, const struct spec *spec,
                   const struct host *host, struct findings *findings, const struct plan **ret_plan,
                   struct sub_err *err)
{
    const struct planning p = {
        .arena = arena,
        .options = options,
        .spec = spec,
        .host = host,
        .findings = findings,
    };

    return make(&p, exec_topics, ret_plan, err);
}

int plan_make_mounts(struct arena *arena, const struct options *options, const struct spec *spec,
                     const struct host *host, struct findings *findings,
                     const struct plan **ret_plan, struct sub_err *err)
{
    const struct planning p = {
        .arena = arena,
        .options = options,
        .spec = spec,
        .host = host,
        .findings = findings,
    };

    return make(&p, mount_topics, ret_plan, err);
}
