/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "counters.h"

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

#define ROW(member, file, key, kind) CG_FIELD(struct cg_hugetlb_counters, member, file, key, kind)
static const struct cg_field hugetlb_rows[] = {
    ROW(current_bytes, HUGETLB_CURRENT, NULL, LEVEL),
    ROW(limit_bytes, HUGETLB_MAX, NULL, LIMIT),
    ROW(reserved_bytes, HUGETLB_RSVD_CURRENT, NULL, LEVEL),
    ROW(reserved_limit_bytes, HUGETLB_RSVD_MAX, NULL, LIMIT),
    ROW(limit_events, HUGETLB_EVENTS, "max", TOTAL),
    ROW(local_limit_events, HUGETLB_EVENTS_LOCAL, "max", TOTAL),
};
#undef ROW
const struct cg_fields cg_hugetlb_fields = CG_FIELDS(hugetlb_rows);

/* Newer kernels (seen on 6.18) print the number of pages a counter can hold instead of "max" in a
 * group that was never limited: no machine has so many. */
#define NO_LIMIT_BYTES (1ull << 62)

int cg_parse_huge_limit(const struct cg_place *place, const char *text)
{
    const struct cg_field *field = cg_field_of(place->fields, place->file);
    uint64_t value;

    SUBLET_TRY(cg_parse_value(place, text));
    if (cg_field_value(field, place->counters, &value) && value >= NO_LIMIT_BYTES)
        cg_field_set(field, place->counters, UINT64_MAX);
    return 0;
}

static uint64_t page_bytes(const char *size)
{
    uint64_t value = 0;

    if (cg_take_u64(&size, &value) < 0)
        return 0;
    return value << (*size == 'K' ? 10 : *size == 'M' ? 20 : 30);
}

struct cg_hugetlb_counters *cg_hugetlb_entry(struct cgroup_sample *sample, const char *name)
{
    struct cg_hugetlb_counters *entry = sample->hugetlb;

    for (; entry < sample->hugetlb + sample->hugetlb_count; entry++)
        if (strcmp(entry->name, name) == 0)
            return entry;
    if (sample->hugetlb_count == CG_HUGETLB_MAX || !is_page_size(name))
        return NULL;
    *entry = (struct cg_hugetlb_counters){.page_bytes = page_bytes(name)};
    memcpy(entry->name, name, strlen(name));
    sample->hugetlb_count++;
    return entry;
}

bool cg_hugetlb_size_of(const char *file, char *size, size_t room)
{
    static const char prefix[] = "hugetlb.", tail[] = ".current";
    size_t length = strlen(file), cut = sizeof prefix + sizeof tail - 2;

    if (length <= cut || length - cut >= room || strncmp(file, prefix, sizeof prefix - 1) != 0 ||
        strcmp(file + length - (sizeof tail - 1), tail) != 0)
        return false;
    memcpy(size, file + sizeof prefix - 1, length - cut);
    size[length - cut] = '\0';
    return is_page_size(size);
}
