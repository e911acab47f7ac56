/* SPDX-License-Identifier: Apache-2.0 */
#include "drift.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/err.h"
#include "sublet/base/num.h"
#include "sublet/tenant/repair.h"

#include "view.h"

#define AT_A_TIME 64 /* tenants put right in one go; the others in the next */
#define NOTE_TEXT 512
#define ROUNDINGS 8
#define SILENT    "cpu.max" /* what the kernel itself changes */

void drift_suspect(struct account_view *view, const char *tenant)
{
    struct watched *watched = tenant == NULL ? NULL : view_find(view, tenant);

    if (watched != NULL)
        watched->suspect = true;
    for (size_t i = 0; i < view->count && tenant == NULL; i++)
        view->watched[i].suspect = true;
}

static void take_look(struct watched *watched)
{
    if (watched->is_followed)
        watched->has_look = true;
    else
        watched->suspect = true;
}

/* The one behind the last is the parent of all. */
static void take_turn(struct drift *drift, struct account_view *view, size_t turn)
{
    for (size_t i = 0; i < turn && i <= view->count; i++) {
        if (drift->next > view->count)
            drift->next = 0;
        if (drift->next == view->count)
            view->parent_suspect = true;
        else
            take_look(&view->watched[drift->next]);
        drift->next++;
    }
}

/* ---- who differs ---- */

static bool differs(struct arena *arena, const struct account_view *view,
                    const struct tenant_group *group, const char *file)
{
    struct sub_err ignored = {.code = 0};
    struct tenant_drifts drifts = {.count = 0};

    return tenant_group_drifts(arena, view->cgroup_root_fd, group, file, &drifts, &ignored) == 0 &&
           drifts.count > 0;
}

/* Those that do not differ are suspected no longer. */
static size_t find_all(struct arena *arena, struct account_view *view, const char *names[AT_A_TIME])
{
    size_t count = 0;

    if (view->plan != NULL && view->parent_suspect) {
        view->parent_suspect = differs(arena, view, &view->plan->parent, NULL);
        if (view->parent_suspect)
            names[count++] = "";
    }
    for (size_t i = 0; i < view->count && count < AT_A_TIME; i++) {
        struct watched *watched = &view->watched[i];
        const char *file = watched->suspect ? NULL : SILENT;

        if (!watched->suspect && !watched->has_look)
            continue;
        watched->has_look = false;
        watched->suspect = watched->promise != NULL && differs(arena, view, watched->promise, file);
        if (watched->suspect)
            names[count++] = watched->public.name;
    }
    return count;
}

/* ---- what is told ---- */

/* "50000 100000"; false for a cap that is none. */
static bool read_cap(const char *text, uint64_t *ret_quota_us, uint64_t *ret_period_us)
{
    char copy[64], *rest = copy;

    (void) snprintf(copy, sizeof copy, "%s", text == NULL ? "" : text);
    const char *quota = strsep(&rest, " ");
    return rest != NULL && num_parse_u64(quota, UINT32_MAX, ret_quota_us) == 0 &&
           num_parse_u64(rest, UINT32_MAX, ret_period_us) == 0;
}

/* The same share of a longer period, each time rounded. */
static bool is_scaled(const struct tenant_drift *drift)
{
    uint64_t want, have, want_period, have_period;

    if (strcmp(drift->file, "cpu.max") != 0 || !read_cap(drift->want, &want, &want_period) ||
        !read_cap(drift->have, &have, &have_period) || have_period <= want_period)
        return false;
    uint64_t one = have * want_period, other = want * have_period;
    return (one > other ? one - other : other - one) <= ROUNDINGS * (want + want_period);
}

static void tell_done(const struct drift *drift, const struct tenant_drift *done)
{
    char path[NOTE_TEXT], text[NOTE_TEXT], name[TENANT_NAME_MAX + 1];
    const char *by = is_scaled(done) ? " (the kernel found the period too short)" : "";
    bool is_tenant = tenant_of_path(done->group, name);

    (void) snprintf(path, sizeof path, "%s/%s", done->group, done->file);
    if (done->have == NULL)
        (void) snprintf(text, sizeof text, "drift: there was no %s, put right: '%s'", done->file,
                        done->want);
    else
        (void) snprintf(text, sizeof text, "drift: %s was '%.160s'%s, put right: '%.160s'",
                        done->file, done->have, by, done->want);
    drift->tell(drift->context, is_tenant ? name : NULL, path, text);
}

/* The same failure is told once. */
static void tell_failure(struct drift *drift, const char *path, const char *what)
{
    char text[sizeof drift->failure];

    (void) snprintf(text, sizeof text, "drift: cannot be put right: %s", what);
    if (strcmp(drift->failure, text) == 0)
        return;
    memcpy(drift->failure, text, sizeof text);
    drift->tell(drift->context, NULL, path, text);
}

static void repair(struct drift *drift, struct arena *arena, struct account_view *view,
                   const struct tenant_repair *asked)
{
    struct tenant_repair repair = *asked;
    struct sub_err err = {.code = 0};
    int rc = tenants_repair(arena, drift->tenants_dir, &repair, &err);

    if (rc == -EAGAIN || rc == -ENOENT)
        return; /* a command that changes contracts is at work, or has just removed them all */
    drift->not_before_us = view->moment.mono + drift->pause_us;
    if (rc < 0) {
        tell_failure(drift, err.path, err.text);
        return;
    }
    for (size_t i = 0; i < repair.done.count; i++)
        tell_done(drift, &repair.done.items[i]);
    for (size_t i = 0; i < repair.failed.error_count && i < FINDINGS_MAX; i++)
        tell_failure(drift, repair.failed.errors[i].path, repair.failed.errors[i].text);
    view->folder = 0; /* what was compared with may be older than what was written */
}

void drift_look(struct drift *drift, struct account_view *view, size_t turn)
{
    const char *names[AT_A_TIME];
    struct tenant_repair asked = {.names = names};
    struct arena arena;

    take_turn(drift, view, turn);
    if (view->moment.mono < drift->not_before_us)
        return;
    arena_init(&arena, ARENA_MAX_BYTES);
    asked.count = find_all(&arena, view, names);
    if (asked.count > 0)
        repair(drift, &arena, view, &asked);
    arena_done(&arena);
}
