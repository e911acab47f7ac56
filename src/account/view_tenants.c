/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/sys.h"
#include "sublet/tenant.h"

#include "view.h"

void view_forget(struct watched *watched)
{
    cgroup_reader_freep(&watched->reader);
    sub_close(&watched->dir_fd);
    watched->based = watched->public.open = watched->public.measured = false;
}

static void copy_text(char *to, size_t size, const char *from)
{
    (void) snprintf(to, size, "%s", from);
}

struct watched *view_find(struct account_view *view, const char *name)
{
    for (size_t i = 0; i < view->count; i++) {
        if (strcmp(view->watched[i].public.name, name) == 0)
            return &view->watched[i];
    }
    return NULL;
}

/* A tenant that is known keeps its counters and sums; what is promised may be new. */
static void take_up(struct account_view *view, const struct tenant_group *group,
                    struct watched *ret_watched)
{
    struct watched *old = view_find(view, group->tenant->name);

    if (old == NULL) {
        *ret_watched = (struct watched){.dir_fd = -EBADF};
    } else {
        *ret_watched = *old;
        old->known = true;
    }
    ret_watched->known = false;
    copy_text(ret_watched->public.name, sizeof ret_watched->public.name, group->tenant->name);
    copy_text(ret_watched->public.contract, sizeof ret_watched->public.contract, group->contract);
    ret_watched->public.entitled_micro = group->entitled_us_per_s;
    ret_watched->public.group = group->group;
}

struct tables {
    struct watched *watched;
    struct account_party *parties;
    struct account_row *rows;
};

static void tables_free(struct tables *tables)
{
    free(tables->watched);
    free(tables->parties);
    free(tables->rows);
}

static int tables_new(size_t count, struct tables *ret_tables)
{
    size_t room = count == 0 ? 1 : count;
    struct tables tables = {
        .watched = calloc(room, sizeof *tables.watched),
        .parties = calloc(room, sizeof *tables.parties),
        .rows = calloc(room, sizeof *tables.rows),
    };

    if (tables.watched == NULL || tables.parties == NULL || tables.rows == NULL) {
        tables_free(&tables);
        return -ENOMEM;
    }
    *ret_tables = tables;
    return 0;
}

static int replace(struct account_view *view, const struct tenant_plan *plan)
{
    struct tables fresh = {.watched = NULL};

    SUBLET_TRY(tables_new(plan->count, &fresh));
    for (size_t i = 0; i < plan->count; i++)
        take_up(view, &plan->groups[i], &fresh.watched[i]);
    for (size_t i = 0; i < view->count; i++) {
        if (!view->watched[i].known)
            view_forget(&view->watched[i]);
    }
    tables_free(&(struct tables){view->watched, view->parties, view->rows});
    view->watched = fresh.watched;
    view->parties = fresh.parties;
    view->rows = fresh.rows;
    view->count = plan->count;
    view->reserve_micro = plan->sums.reserve_milli * 1000;
    return 0;
}

static bool is_unchanged(const struct account_view *view, struct timespec *ret_changed)
{
    struct stat st;

    if (sys_fstatat(AT_FDCWD, view->tenants_dir, &st, 0) < 0)
        st.st_mtim = (struct timespec){0};
    *ret_changed = st.st_mtim;
    return view->has_loaded && st.st_mtim.tv_sec == view->loaded.tv_sec &&
           st.st_mtim.tv_nsec == view->loaded.tv_nsec;
}

int view_reload(struct account_view *view, struct sub_err *err)
{
    const struct tenant_plan *plan;
    struct findings findings;
    struct timespec changed;
    struct arena names;

    if (is_unchanged(view, &changed))
        return 0;
    arena_init(&names, ARENA_MAX_BYTES);
    findings_init(&findings, &names); /* a file that is wrong is its operator's to be told of */

    int rc = tenants_know(&names, view->tenants_dir, &findings, &plan, err);
    if (rc == 0)
        rc = replace(view, plan);
    if (rc < 0) {
        arena_done(&names);
        return rc;
    }
    arena_done(&view->names);
    view->names = names;
    view->loaded = changed;
    view->has_loaded = true;
    return 0;
}
