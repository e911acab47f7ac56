/* SPDX-License-Identifier: Apache-2.0 */
/* Which tenants there are: those that are defined, and those that have a group nevertheless. */
#include <dirent.h>
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
    view_still_forget(watched);
    sub_close(&watched->dir_fd);
    watched->based = watched->slow_based = false;
    watched->no_pressure = watched->is_settled = watched->is_small = false;
    watched->unread = 0;
    watched->unread_us = 0;
    watched->public.open = watched->public.measured = false;
}

static void copy_text(char *to, size_t size, const char *from)
{
    (void) snprintf(to, size, "%s", from);
}

static int compare_name(const void *name, const void *watched)
{
    return strcmp(name, ((const struct watched *) watched)->public.name);
}

struct watched *view_find(const struct account_view *view, const char *name)
{
    if (view->count == 0)
        return NULL;
    return bsearch(name, view->watched, view->count, sizeof *view->watched, compare_name);
}

/* What to watch. */
struct wanted {
    const char *name, *contract, *group;
    const struct tenant_contract *limits; /* NULL: unknown */
    const struct tenant_group *promise;
    uint64_t entitled_micro;
    bool undefined;
};

static bool is_below_parent(const char *group)
{
    size_t length = strlen(TENANT_PARENT);

    return strncmp(group, TENANT_PARENT "/", length + 1) == 0 &&
           strchr(group + length + 1, '/') == NULL;
}

/* A tenant that is known keeps its counters and sums; what is promised may be new. */
static void take_up(struct account_view *view, const struct wanted *wanted,
                    struct watched *ret_watched)
{
    struct watched *old = view_find(view, wanted->name);
    bool was_known = old != NULL;

    if (was_known) {
        *ret_watched = *old;
        old->known = true;
    } else {
        *ret_watched = (struct watched){.dir_fd = -EBADF, .suspect = true};
    }
    ret_watched->known = false;
    ret_watched->promise = wanted->promise;
    ret_watched->public.group = wanted->group;
    ret_watched->is_below_parent = is_below_parent(wanted->group);
    ret_watched->public.undefined = wanted->undefined;
    ret_watched->contract = wanted->limits;
    if (wanted->undefined && was_known)
        return; /* its last contract stands */
    copy_text(ret_watched->public.name, sizeof ret_watched->public.name, wanted->name);
    copy_text(ret_watched->public.contract, sizeof ret_watched->public.contract, wanted->contract);
    ret_watched->public.entitled_micro = wanted->entitled_micro;
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

static int replace(struct account_view *view, const struct wanted *wanted, size_t count)
{
    struct tables fresh = {.watched = NULL};

    SUBLET_TRY(tables_new(count, &fresh));
    for (size_t i = 0; i < count; i++)
        take_up(view, &wanted[i], &fresh.watched[i]);
    for (size_t i = 0; i < view->count; i++) {
        if (!view->watched[i].known)
            view_forget(&view->watched[i]);
    }
    tables_free(&(struct tables){view->watched, view->parties, view->rows});
    view->watched = fresh.watched;
    view->parties = fresh.parties;
    view->rows = fresh.rows;
    view->count = count;
    return 0;
}

/* ---- groups without a definition that can be read ---- */

static bool has_group(const struct account_view *view, const char *group)
{
    struct stat st;

    return sys_fstatat(view->cgroup_root_fd, group, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(st.st_mode);
}

static bool is_wanted(const struct wanted *wanted, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(wanted[i].name, name) == 0)
            return true;
    }
    return false;
}

static void add_undefined(struct arena *arena, struct wanted *wanted, size_t *count,
                          const char *name, const char *group)
{
    wanted[(*count)++] = (struct wanted){.name = arena_strdup(arena, name),
                                         .contract = "",
                                         .group = arena_strdup(arena, group),
                                         .undefined = true};
}

static int is_tenant_group(const struct dirent *entry)
{
    return entry->d_type == DT_DIR && tenant_name_check(entry->d_name, NULL, NULL) == 0;
}

/* Those that are watched, wherever their group lies, and those found where tenants' groups lie. */
static void add_others(const struct account_view *view, struct arena *arena,
                       struct dirent *const *groups, size_t group_count, struct wanted *wanted,
                       size_t *count)
{
    size_t defined = *count;

    for (size_t i = 0; i < view->count; i++) {
        const struct account_tenant *tenant = &view->watched[i].public;

        if (!is_wanted(wanted, defined, tenant->name) && has_group(view, tenant->group))
            add_undefined(arena, wanted, count, tenant->name, tenant->group);
    }
    for (size_t i = 0; i < group_count; i++) {
        char group[sizeof TENANT_PARENT + sizeof groups[i]->d_name];

        (void) snprintf(group, sizeof group, TENANT_PARENT "/%s", groups[i]->d_name);
        if (!is_wanted(wanted, *count, groups[i]->d_name))
            add_undefined(arena, wanted, count, groups[i]->d_name, group);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct wanted *) a)->name, ((const struct wanted *) b)->name);
}

static int take_all(struct account_view *view, struct arena *arena, const struct tenant_plan *plan)
{
    struct dirent **groups = NULL;
    int found = scandirat(view->cgroup_root_fd, TENANT_PARENT, &groups, is_tenant_group, NULL);
    size_t group_count = found < 0 ? 0 : (size_t) found, count = plan->count;
    struct wanted *wanted =
        arena_array(arena, plan->count + view->count + group_count + 1, sizeof *wanted);
    int rc = wanted == NULL ? -ENOMEM : 0;

    for (size_t i = 0; rc == 0 && i < plan->count; i++) {
        wanted[i] = (struct wanted){.name = plan->groups[i].tenant->name,
                                    .contract = plan->groups[i].contract,
                                    .group = plan->groups[i].group,
                                    .limits = &plan->groups[i].tenant->contract,
                                    .promise = &plan->groups[i],
                                    .entitled_micro = plan->groups[i].entitled_us_per_s};
    }
    if (rc == 0) {
        add_others(view, arena, groups, group_count, wanted, &count);
        rc = arena_failed(arena) ? -ENOMEM : 0;
    }
    for (size_t i = 0; i < group_count; i++)
        free(groups[i]);
    free(groups);
    if (rc < 0)
        return rc;
    qsort(wanted, count, sizeof *wanted, by_name);
    return replace(view, wanted, count);
}

/* ---- has anything changed ---- */

static int is_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static uint64_t mix(uint64_t sum, uint64_t value)
{
    return (sum ^ value) * UINT64_C(0x100000001b3);
}

static uint64_t mix_stat(uint64_t sum, const struct stat *st)
{
    sum = mix(mix(sum, (uint64_t) st->st_mtim.tv_sec), (uint64_t) st->st_mtim.tv_nsec);
    return mix(mix(sum, (uint64_t) st->st_size), (uint64_t) st->st_ino);
}

/* A file that is written in place leaves the folder's time alone. */
static uint64_t files_sum(const struct account_view *view)
{
    struct dirent **files = NULL;
    int count = scandirat(AT_FDCWD, view->tenants_dir, &files, is_file, alphasort);
    uint64_t sum = 0;
    struct stat st;

    for (int i = 0; i < count; i++) {
        char path[4096];

        (void) snprintf(path, sizeof path, "%s/%s", view->tenants_dir, files[i]->d_name);
        if (sys_fstatat(AT_FDCWD, path, &st, 0) == 0)
            sum = mix_stat(sum, &st);
        free(files[i]);
    }
    free(files);
    return sum;
}

static uint64_t folder_sum(const struct account_view *view)
{
    struct stat st;

    return sys_fstatat(AT_FDCWD, view->tenants_dir, &st, 0) < 0 ? 0 : mix_stat(1, &st);
}

static bool same_errors(const struct findings *one, const struct findings *other)
{
    if (one->error_count != other->error_count)
        return false;
    for (size_t i = 0; i < one->error_count && i < FINDINGS_MAX; i++) {
        if (strcmp(one->errors[i].text, other->errors[i].text) != 0)
            return false;
    }
    return true;
}

int view_reload(struct account_view *view, bool closely, struct sub_err *err)
{
    uint64_t folder = folder_sum(view), files = view->files;
    const struct tenant_plan *plan;
    struct findings findings;
    struct arena names;

    if (closely)
        files = files_sum(view);
    if (view->has_loaded && folder == view->folder && files == view->files)
        return 0;
    arena_init(&names, ARENA_MAX_BYTES);
    findings_init(&findings, &names);

    int rc = tenants_know(&names, view->tenants_dir, &findings, &plan, err);
    if (rc == 0)
        rc = take_all(view, &names, plan);
    if (rc < 0) {
        arena_done(&names);
        return rc;
    }
    view->findings_are_new |= !same_errors(&view->findings, &findings);
    arena_done(&view->names);
    view->names = names;
    view->plan = plan;
    view->findings = findings;
    view->reserve_micro = plan->sums.reserve_milli * 1000;
    view->folder = folder;
    view->files = files_sum(view);
    view->has_loaded = true;
    return 0;
}
