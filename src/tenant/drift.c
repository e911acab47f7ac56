/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel's files say, against what they should. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/tenant/repair.h"

#include "private.h"

#define FILE_TEXT 8192

int drift_add(struct tenant_drifts *drifts, const struct tenant_drift *drift)
{
    if (drifts->count == drifts->room) {
        size_t room = drifts->room == 0 ? 16 : 2 * drifts->room;

        drifts->items =
            arena_grow(drifts->arena, drifts->items, drifts->count, room, sizeof *drifts->items);
        drifts->room = room;
    }
    if (drifts->items == NULL)
        return -ENOMEM;
    drifts->items[drifts->count++] = *drift;
    return 0;
}

/* The line of a file with one line a device that begins with the same word as text; "" if none. */
static void keep_line(char *have, const char *text)
{
    size_t key = strcspn(text, " ");
    char *rest = have;

    if (have[0] == '\0')
        return;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (strncmp(line, text, key) != 0 || line[key] != ' ')
            continue;
        memmove(have, line, strlen(line) + 1);
        return;
    }
    have[0] = '\0';
}

static bool has_lines(const char *file)
{
    return strcmp(file, "io.max") == 0 || strcmp(file, "io.weight") == 0;
}

static int compare(struct tenant_drifts *drifts, int dir_fd, const struct tenant_group *group,
                   const struct cg_row *row, struct sub_err *err)
{
    char have[FILE_TEXT];
    ssize_t n = knob_read(dir_fd, row->file, have, sizeof have);

    if (n == -ENOENT && row->absent == CG_ABSENT_IS_FINE)
        return 0;
    if (n < 0 && n != -ENOENT)
        return sub_fail(err, (int) -n, group->group, "cannot read %s: %s", row->file,
                        sub_strerror((int) -n));
    if (n >= 0 && has_lines(row->file))
        keep_line(have, row->text);
    if (n >= 0 && strcmp(have, row->text) == 0)
        return 0;
    return drift_add(drifts, &(struct tenant_drift){
                                 .group = group->group,
                                 .file = row->file,
                                 .want = row->text,
                                 .have = n < 0 ? NULL : arena_strdup(drifts->arena, have),
                             });
}

static bool is_wanted_disk(const struct tenant_group *group, const char *line, size_t key)
{
    for (size_t i = 0; i < group->row_count; i++) {
        const struct cg_row *row = &group->rows[i];

        if (strcmp(row->file, "io.max") == 0 && strncmp(row->text, line, key) == 0 &&
            row->text[key] == ' ')
            return true;
    }
    return false;
}

/* Disks that are limited though the contract does not say so. */
static int compare_other_disks(struct tenant_drifts *drifts, int dir_fd,
                               const struct tenant_group *group)
{
    char have[FILE_TEXT], *rest = have;

    if (group->tenant == NULL || knob_read(dir_fd, "io.max", have, sizeof have) < 0)
        return 0;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        size_t key = strcspn(line, " ");

        if (key == 0 || is_wanted_disk(group, line, key))
            continue;
        SUBLET_TRY(drift_add(
            drifts,
            &(struct tenant_drift){
                .group = group->group,
                .file = "io.max",
                .want = arena_printf(drifts->arena, "%.*s " CG_IO_UNLIMITED, (int) key, line),
                .have = arena_strdup(drifts->arena, line),
            }));
    }
    return 0;
}

int drifts_of_group(struct tenant_drifts *drifts, int dir_fd, const struct tenant_group *group,
                    struct sub_err *err)
{
    for (size_t i = 0; i < group->row_count; i++)
        SUBLET_TRY(compare(drifts, dir_fd, group, &group->rows[i], err));
    return compare_other_disks(drifts, dir_fd, group);
}

/* The parent's weight follows its neighbours, which come and go: a quarter is no drift. */
static bool is_near(const struct tenant_group *group, const struct tenant_drift *drift)
{
    uint64_t want, have;

    if (group->tenant != NULL || strcmp(drift->file, "cpu.weight") != 0 || drift->have == NULL ||
        num_parse_u64(drift->want, UINT32_MAX, &want) < 0 ||
        num_parse_u64(drift->have, UINT32_MAX, &have) < 0)
        return false;
    return have * 4 >= want * 3 && have * 4 <= want * 5;
}

static int find_far(struct tenant_drifts *drifts, int dir_fd, const struct tenant_group *group,
                    struct sub_err *err)
{
    struct tenant_drifts found = {.arena = drifts->arena};

    SUBLET_TRY(drifts_of_group(&found, dir_fd, group, err));
    for (size_t i = 0; i < found.count; i++) {
        if (!is_near(group, &found.items[i]))
            SUBLET_TRY(drift_add(drifts, &found.items[i]));
    }
    return 0;
}

static int find_in_file(struct tenant_drifts *drifts, int dir_fd, const struct tenant_group *group,
                        const char *file, struct sub_err *err)
{
    for (size_t i = 0; i < group->row_count; i++) {
        if (strcmp(group->rows[i].file, file) == 0)
            SUBLET_TRY(compare(drifts, dir_fd, group, &group->rows[i], err));
    }
    return 0;
}

int tenant_group_drifts(struct arena *arena, int root_fd, const struct tenant_group *group,
                        const char *file, struct tenant_drifts *ret_drifts, struct sub_err *err)
{
    struct tenant_drifts drifts = {.arena = arena};
    OWNED_CGROUP cgroup = CGROUP_NONE;
    int rc = cgroup_open(root_fd, group->group, &cgroup, err);

    if (rc < 0 && rc != -ENOENT)
        return rc;
    if (rc == 0)
        SUBLET_TRY(file == NULL ? find_far(&drifts, cgroup.dir_fd, group, err)
                                : find_in_file(&drifts, cgroup.dir_fd, group, file, err));
    *ret_drifts = drifts;
    return 0;
}

static int find_in(int root_fd, const struct tenant_group *group, struct tenant_drifts *drifts,
                   struct sub_err *err)
{
    OWNED_CGROUP cgroup = CGROUP_NONE;
    int rc = cgroup_open(root_fd, group->group, &cgroup, err);

    if (rc == -ENOENT) {
        for (size_t i = 0; i < group->row_count; i++) {
            const struct tenant_drift missing = {
                .group = group->group, .file = group->rows[i].file, .want = group->rows[i].text};

            SUBLET_TRY(drift_add(drifts, &missing));
        }
        return 0;
    }
    SUBLET_TRY(rc);
    return find_far(drifts, cgroup.dir_fd, group, err);
}

int tenant_drifts_find(struct arena *arena, int root_fd, const struct tenant_plan *plan,
                       const char *name, struct tenant_drifts *ret_drifts, struct sub_err *err)
{
    struct tenant_drifts drifts = {.arena = arena};

    SUBLET_TRY(find_in(root_fd, &plan->parent, &drifts, err));
    for (size_t i = 0; i < plan->count; i++) {
        if (name == NULL || strcmp(plan->groups[i].tenant->name, name) == 0)
            SUBLET_TRY(find_in(root_fd, &plan->groups[i], &drifts, err));
    }
    *ret_drifts = drifts;
    return arena_failed(arena) ? -ENOMEM : 0;
}
