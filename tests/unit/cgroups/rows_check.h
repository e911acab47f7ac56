/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as one text, so that a test says the whole outcome: "memory.max=1024 memory.low=max". */
#ifndef TESTS_CGROUPS_ROWS_CHECK_H
#define TESTS_CGROUPS_ROWS_CHECK_H

#include <stdio.h>
#include <string.h>

#include "sublet/cgroups.h"

#include "runner.h"

/* "?": absence is fine; "|": fine if the row before was written; "@": after the clone. */
static inline const char *rows_text(const struct cg_rows *rows)
{
    static char text[4096];
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < rows->count; i++) {
        const struct cg_row *row = &rows->rows[i];
        const char *mark = row->absent == CG_ABSENT_IS_FINE       ? "?"
                           : row->absent == CG_ABSENT_IF_PREVIOUS ? "|"
                                                                  : "";

        used += (size_t) snprintf(text + used, sizeof text - used, "%s%s%s%s=%s", i > 0 ? "; " : "",
                                  row->file, mark, row->after_clone ? "@" : "", row->text);
    }
    return text;
}

struct rows_case {
    struct arena arena;
    struct cg_rows rows;
    struct sub_err err;
};

static inline void rows_case_init(struct rows_case *c)
{
    arena_init(&c->arena, ARENA_MAX_BYTES);
    cg_rows_init(&c->rows, &c->arena);
    sub_err_clear(&c->err);
}

static inline void rows_case_done(struct rows_case *c)
{
    arena_done(&c->arena);
}

#define ROWS_CASE(name)                                                  \
    __attribute__((cleanup(rows_case_done))) struct rows_case name = {}; \
    rows_case_init(&name)

#define ck_rows(c, call, want)                          \
    do {                                                \
        ck_ok(call, &(c).err);                          \
        ck_assert_str_eq(rows_text(&(c).rows), (want)); \
    } while (0)

#endif
