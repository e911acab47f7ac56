/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "planning.h"

const char *const plan_hook_names[PLAN_HOOK_KINDS] = {
    [PLAN_HOOK_PRESTART] = "prestart",
    [PLAN_HOOK_CREATE_RUNTIME] = "createRuntime",
    [PLAN_HOOK_CREATE_CONTAINER] = "createContainer",
    [PLAN_HOOK_START_CONTAINER] = "startContainer",
    [PLAN_HOOK_POSTSTART] = "poststart",
    [PLAN_HOOK_POSTSTOP] = "poststop",
};

static char *const *hook_args(struct arena *arena, const struct spec_hook *item)
{
    static const struct spec_strings none;

    if ((item->has & SPEC_HOOK_ARGS) != 0 && item->args.count > 0)
        return plan_strings(arena, &item->args);

    const char *const path[] = {item->path};
    const struct spec_strings only_path = {.items = path, .count = 1};
    return plan_strings(arena, item->path == NULL ? &none : &only_path);
}

/* What runs inside has the container's variables where it names none, and not the runtime's. */
static char *const *hook_env(struct arena *arena, const struct spec *spec, enum plan_hook_kind kind,
                             const struct spec_hook *item)
{
    static const struct spec_strings none;

    if ((item->has & SPEC_HOOK_ENV) != 0)
        return plan_strings(arena, &item->env);
    if (kind != PLAN_HOOK_START_CONTAINER)
        return NULL;
    return plan_strings(arena, spec->process == NULL ? &none : &spec->process->env);
}

static int make_list(struct arena *arena, const struct spec *spec, enum plan_hook_kind kind,
                     const struct spec_hook_list *list, struct plan_hooks *ret_hooks)
{
    struct plan_hook *hooks = arena_array(arena, list->count, sizeof *hooks);

    if (hooks == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < list->count; i++) {
        const struct spec_hook *item = &list->items[i];

        hooks[i] = (struct plan_hook){
            .path = item->path,
            .json = arena_printf(arena, "hooks.%s[%zu]", plan_hook_names[kind], i),
            .args = hook_args(arena, item),
            .env = hook_env(arena, spec, kind, item),
            .timeout_s = (item->has & SPEC_HOOK_TIMEOUT) != 0 ? item->timeout_s : 0,
        };
    }
    *ret_hooks = (struct plan_hooks){.items = hooks, .count = list->count};
    return arena_failed(arena) ? -ENOMEM : 0;
}

int plan_make_hooks(struct arena *arena, const struct spec *spec,
                    struct plan_hooks ret_hooks[PLAN_HOOK_KINDS])
{
    static const struct spec_hooks none;
    const struct spec_hooks *hooks = spec->hooks == NULL ? &none : spec->hooks;
    const struct spec_hook_list *const lists[PLAN_HOOK_KINDS] = {
        [PLAN_HOOK_PRESTART] = &hooks->prestart,
        [PLAN_HOOK_CREATE_RUNTIME] = &hooks->create_runtime,
        [PLAN_HOOK_CREATE_CONTAINER] = &hooks->create_container,
        [PLAN_HOOK_START_CONTAINER] = &hooks->start_container,
        [PLAN_HOOK_POSTSTART] = &hooks->poststart,
        [PLAN_HOOK_POSTSTOP] = &hooks->poststop,
    };
    struct plan_hooks made[PLAN_HOOK_KINDS];

    for (size_t i = 0; i < PLAN_HOOK_KINDS; i++)
        SUBLET_TRY(make_list(arena, spec, (enum plan_hook_kind) i, lists[i], &made[i]));
    for (size_t i = 0; i < PLAN_HOOK_KINDS; i++)
        ret_hooks[i] = made[i];
    return 0;
}
