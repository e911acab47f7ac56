/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/num.h"
#include "sublet/base/path.h"

#include "private.h"

#define UNIFIED_TEXT_MAX 4096 /* one write to a knob: the kernel takes less than a page */

void cg_rows_init(struct cg_rows *rows, struct arena *arena)
{
    *rows = (struct cg_rows){.arena = arena};
}

static bool is_file_name(const char *file)
{
    for (const char *c = file; *c != '\0'; c++)
        if ((unsigned char) *c <= ' ' || *c == 0x7f)
            return false;
    return path_is_component(file) && strlen(file) <= CGROUP_NAME_MAX;
}

int cg_rows_add(struct cg_rows *rows, const struct cg_row *row, struct sub_err *err)
{
    if (arena_failed(rows->arena) || row->file == NULL || row->text == NULL)
        return sub_fail(err, ENOMEM, row->path, "out of memory");
    if (!is_file_name(row->file))
        return sub_fail(err, EINVAL, row->path, "'%.80s' is not the name of a cgroup file",
                        row->file);
    if (rows->count == CG_ROWS_MAX)
        return sub_fail(err, E2BIG, row->path, "more than %d cgroup values", CG_ROWS_MAX);
    if (rows->count == rows->room) {
        size_t room = rows->room == 0 ? 16 : 2 * rows->room;
        struct cg_row *grown =
            arena_grow(rows->arena, rows->rows, rows->count, room, sizeof *grown);

        if (grown == NULL)
            return sub_fail(err, ENOMEM, row->path, "out of memory");
        rows->rows = grown;
        rows->room = room;
    }
    rows->rows[rows->count++] = *row;
    rows->controllers |= row->controller;
    return 0;
}

int cg_rows_put(struct cg_rows *rows, struct cg_row row, struct sub_err *err)
{
    return cg_rows_add(rows, &row, err);
}

char *cg_field(const struct cg_rows *rows, const char *where, const char *field)
{
    return arena_printf(rows->arena, "%s.%s", where, field);
}

const char *cg_bytes_text(struct arena *arena, int64_t bytes)
{
    return bytes < 0 ? "max" : arena_printf(arena, "%lld", (long long) bytes);
}

/* Files of the core that limit something; the others move, kill, stop or regroup processes. */
static bool is_core_limit(const char *file)
{
    static const char *const limits[] = {"cgroup.max.depth", "cgroup.max.descendants",
                                         "cgroup.pressure"};

    for (size_t i = 0; i < CG_COUNT_OF(limits); i++)
        if (strcmp(file, limits[i]) == 0)
            return true;
    return false;
}

/* One write a line: io.max and rdma.max take one device at a time. */
int cg_unified_rows(struct cg_rows *rows, const char *where, const char *file, const char *text,
                    struct sub_err *err)
{
    if (!is_file_name(file) || strchr(file, '.') == NULL)
        return sub_fail(err, EINVAL, where,
                        "'%.80s' is not the name of a cgroup file, as 'memory.high'", file);
    if (strncmp(file, "cgroup.", 7) == 0 && !is_core_limit(file))
        return sub_fail(err, EINVAL, where, "'%.80s' is not a limit", file);

    for (const char *line = text;;) {
        size_t length = strcspn(line, "\n");
        const char *next = line + length + (line[length] == '\n');

        if (length >= UNIFIED_TEXT_MAX)
            return sub_fail(err, EINVAL, where, "a value of %zu bytes, at most %d are allowed",
                            length, UNIFIED_TEXT_MAX - 1);
        SUBLET_TRY(cg_rows_put(rows,
                               (struct cg_row){.file = arena_strdup(rows->arena, file),
                                               .text = arena_strndup(rows->arena, line, length),
                                               .path = where,
                                               .controller = cg_controller_of_file(file)},
                               err));
        if (*next == '\0')
            return 0;
        line = next;
    }
}
