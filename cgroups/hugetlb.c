/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "private.h"

/* "64KB", "2MB", "1GB": digits and a unit, and so never another file's name. */
static bool is_page_size(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    const char *unit = text + digits;

    return digits >= 1 && digits <= 4 && text[0] != '0' &&
           (strcmp(unit, "KB") == 0 || strcmp(unit, "MB") == 0 || strcmp(unit, "GB") == 0);
}

/*
 * The specification wants the limit on reservations where the kernel counts them, else on faults.
 * Both are written: a fault without reservation is then bounded as well.
 */
int cg_hugetlb_rows(struct cg_rows *rows, const char *where, const char *page_size,
                    uint64_t limit_bytes, struct sub_err *err)
{
    if (!is_page_size(page_size))
        return sub_fail(err, EINVAL, cg_field(rows, where, "pageSize"),
                        "'%.40s' is not a page size as '64KB', '2MB' or '1GB'", page_size);

    /* the kernel counts in pages of int64: more is the same as no limit */
    const char *text =
        cg_bytes_text(rows->arena, limit_bytes > INT64_MAX ? -1 : (int64_t) limit_bytes);
    const char *path = cg_field(rows, where, "limit");
    SUBLET_TRY(cg_rows_put(
        rows,
        (struct cg_row){.file = arena_printf(rows->arena, "hugetlb.%s.rsvd.max", page_size),
                        .text = text,
                        .path = path,
                        .controller = CG_HUGETLB,
                        .absent = CG_ABSENT_IS_FINE},
        err));
    return cg_rows_put(
        rows,
        (struct cg_row){.file = arena_printf(rows->arena, "hugetlb.%s.max", page_size),
                        .text = text,
                        .path = path,
                        .controller = CG_HUGETLB},
        err);
}
