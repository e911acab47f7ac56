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

int plan_make(struct arena *arena, const struct options *options, const struct spec *spec,
              const struct host *host, struct findings *findings, const struct plan **ret_plan,
              struct sub_err *err)
{
    static const struct spec_process no_process;
    static const struct spec_linux no_linux;
    static void (*const topics[])(struct planning *) = {
        plan_decide_namespaces,  plan_decide_ids,          plan_decide_root,
        plan_decide_mounts,      plan_decide_devices,      plan_decide_process,
        plan_decide_environment, plan_decide_scheduling,   plan_decide_caps,
        plan_decide_seccomp,     plan_decide_sysctls,      plan_decide_cgroup,
        plan_decide_resources,   plan_decide_device_rules, copy_annotations,
    };
    struct plan *plan = arena_alloc(arena, sizeof *plan);

    if (plan == NULL)
        return sub_fail(err, ENOMEM, NULL, "no memory for the plan");
    *plan = (struct plan){
        .id = options->id, .bundle = options->bundle, .oci_version = spec->oci_version};

    struct planning p = {
        .arena = arena,
        .options = options,
        .spec = spec,
        .process = spec->process == NULL ? &no_process : spec->process,
        .linux_ = spec->linux_ == NULL ? &no_linux : spec->linux_,
        .host = host,
        .findings = findings,
        .plan = plan,
    };
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        topics[i](&p);
    int rc = plan_make_hooks(arena, spec, plan->hooks);

    if (rc < 0 || arena_failed(arena))
        return sub_fail(err, ENOMEM, NULL, "no memory for the plan");
    SUBLET_TRY(findings_result(findings, err));
    *ret_plan = plan;
    return 0;
}
