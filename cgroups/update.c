/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/cgroups/update.h"

#include <errno.h>
#include <string.h>

#include "sublet/base/num.h"

#include "private.h"

enum rank {
    RAISE_SWAP,
    RAISE_MEMORY,
    RAISE_HIGH,
    BURST_ASIDE,
    AS_GIVEN,
    BURST,
    LOWER_HIGH,
    LOWER_MEMORY,
    LOWER_SWAP,
};

/* Files whose lines begin with a key, and what such a line is when nothing is set. */
static const struct {
    const char *file, *unset;
} keyed_files[] = {
    {"io.max",        CG_IO_UNLIMITED                },
    {"io.weight",     "default"                      },
    {"io.bfq.weight", "default"                      },
    {"io.latency",    "target=0"                     },
    {"rdma.max",      "hca_handle=max hca_object=max"},
    {"dmem.max",      "max"                          },
    {"dmem.low",      "0"                            },
    {"dmem.min",      "0"                            },
    {"misc.max",      "max"                          },
};

static const char *unset_of(const char *file)
{
    for (size_t i = 0; i < CG_COUNT_OF(keyed_files); i++)
        if (strcmp(keyed_files[i].file, file) == 0)
            return keyed_files[i].unset;
    return NULL;
}

/* The key of a line: its first word; a lone number in a file of weights is the default's. */
static size_t key_of(const char *line, const char **ret_key)
{
    size_t length = strcspn(line, " \n");

    *ret_key = line;
    if (line[length] == ' ' || strncmp(line, "default", 7) == 0)
        return length;
    *ret_key = "default";
    return strlen("default");
}

static bool same_value(const struct cg_row *a, const struct cg_row *b)
{
    const char *a_key, *b_key;

    if (strcmp(a->file, b->file) != 0)
        return false;
    if (unset_of(a->file) == NULL)
        return true;

    size_t length = key_of(a->text, &a_key);
    return key_of(b->text, &b_key) == length && strncmp(a_key, b_key, length) == 0;
}

/* UINT64_MAX for no limit. Sizes with units come from `unified`, which goes to the kernel as it is.
 */
static bool number_of(const char *text, uint64_t *ret_value)
{
    if (text == NULL)
        return false;
    if (strcmp(text, "max") == 0) {
        *ret_value = UINT64_MAX;
        return true;
    }
    return num_parse_size(text, ret_value) == 0;
}

static enum rank rank_of(const struct cg_row *row, const char *before)
{
    static const struct {
        const char *file;
        enum rank raise, lower;
    } files[] = {
        {"memory.swap.max", RAISE_SWAP,   LOWER_SWAP  },
        {"memory.max",      RAISE_MEMORY, LOWER_MEMORY},
        {"memory.high",     RAISE_HIGH,   LOWER_HIGH  },
    };
    uint64_t old, new;

    if (strcmp(row->file, "cpu.max.burst") == 0)
        return BURST;
    for (size_t i = 0; i < CG_COUNT_OF(files); i++) {
        if (strcmp(files[i].file, row->file) != 0)
            continue;
        if (!number_of(before, &old) || !number_of(row->text, &new))
            return files[i].lower; /* an absent file has no limit yet */
        return new >= old ? files[i].raise : files[i].lower;
    }
    return AS_GIVEN;
}

static const char *line_of(struct arena *arena, const char *text, const char *key, size_t length)
{
    for (const char *line = text; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        const char *found;

        if (key_of(line, &found) == length && strncmp(found, key, length) == 0)
            return arena_strndup(arena, line, size);
        line += size + (line[size] == '\n');
    }
    return NULL;
}

static const char *back_of(struct arena *arena, const struct cg_row *row, const char *before)
{
    const char *unset = unset_of(row->file), *key;

    if (before == NULL)
        return NULL;
    if (unset != NULL) {
        size_t length = key_of(row->text, &key);
        const char *line = line_of(arena, before, key, length);

        return line != NULL ? line : arena_printf(arena, "%.*s %s", (int) length, key, unset);
    }
    /* the weight of an idle group, which is no weight */
    if (strcmp(row->file, "cpu.weight") == 0 && strcmp(before, "0") == 0)
        return NULL;
    /* "root invalid (why)": only the first word can be written */
    if (strcmp(row->file, "cpuset.cpus.partition") == 0)
        return arena_strndup(arena, before, strcspn(before, " "));
    return before[0] == '\0' ? "\n" : before;
}

struct making {
    struct arena *arena;
    struct cg_changes changes;
    enum rank *ranks;
};

/* Behind all of the same rank: rows of one rank keep their order. */
static void insert(struct making *making, enum rank rank, const struct cg_change *change)
{
    size_t at = making->changes.count++;

    for (; at > 0 && making->ranks[at - 1] > rank; at--) {
        making->changes.items[at] = making->changes.items[at - 1];
        making->ranks[at] = making->ranks[at - 1];
    }
    making->changes.items[at] = *change;
    making->ranks[at] = rank;
}

static bool is_overridden(const struct cg_rows *rows, size_t index)
{
    for (size_t i = index + 1; i < rows->count; i++)
        if (same_value(&rows->rows[index], &rows->rows[i]))
            return true;
    return false;
}

static bool names(const struct cg_rows *rows, const char *file)
{
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows->rows[i].file, file) == 0)
            return true;
    return false;
}

/* Burst and quota both change: neither order would do for all values. */
static void put_burst_aside(struct making *making, struct cg_change *burst)
{
    struct cg_change aside = *burst;

    aside.row.text = "0";
    burst->back = "0";
    insert(making, BURST_ASIDE, &aside);
}

int cg_changes_make(const struct cg_rows *rows, const struct cg_present *present,
                    struct cg_changes *ret_changes, struct sub_err *err)
{
    struct making making = {.arena = rows->arena};
    size_t room = rows->count + 1;

    making.changes.items = arena_array(rows->arena, room, sizeof *making.changes.items);
    making.ranks = arena_array(rows->arena, room, sizeof *making.ranks);
    if (making.changes.items == NULL || making.ranks == NULL)
        return sub_fail(err, ENOMEM, NULL, "out of memory");

    for (size_t i = 0; i < rows->count; i++) {
        const struct cg_row *row = &rows->rows[i];

        if (is_overridden(rows, i))
            continue;
        const char *before = present->text(present->context, row->file);
        struct cg_change change = {.row = *row, .back = back_of(rows->arena, row, before)};
        enum rank rank = rank_of(row, before);

        making.changes.controllers |= row->controller;
        if (rank == BURST && before != NULL && strcmp(before, "0") != 0 && names(rows, "cpu.max"))
            put_burst_aside(&making, &change);
        insert(&making, rank, &change);
    }
    if (arena_failed(rows->arena))
        return sub_fail(err, ENOMEM, NULL, "out of memory");
    *ret_changes = making.changes;
    return 0;
}

const char *cg_reader_text(void *context, const char *file)
{
    const struct cg_reader *reader = context;
    char text[KNOB_TEXT_MAX];

    return knob_read(reader->dir_fd, file, text, sizeof text) < 0
               ? NULL
               : arena_strdup(reader->arena, text);
}

static void put_back(int dir_fd, const struct cg_changes *changes, size_t count,
                     struct sub_err *err)
{
    for (size_t i = count; i > 0; i--) {
        const struct cg_change *change = &changes->items[i - 1];
        bool absent = false;

        if (change->back == NULL)
            continue;
        int rc = knob_put(dir_fd, change->row.file, change->back, &absent);
        if (rc < 0 && !absent) {
            (void) sub_err_wrap(err,
                                "cgroup file '%s' keeps '%.60s', which could not be put back "
                                "to '%.60s' (%s)",
                                change->row.file, change->row.text, change->back,
                                sub_strerror(-rc));
        }
    }
}

int cgroup_change(int dir_fd, const struct cg_changes *changes, struct sub_err *err)
{
    bool previous_written = false;

    for (size_t i = 0; i < changes->count; i++) {
        int rc = cg_row_write(dir_fd, &changes->items[i].row, &previous_written, err);

        if (rc < 0) {
            put_back(dir_fd, changes, i, err);
            return rc;
        }
    }
    return 0;
}

void cgroup_change_back(int dir_fd, const struct cg_changes *changes, struct sub_err *err)
{
    put_back(dir_fd, changes, changes->count, err);
}
