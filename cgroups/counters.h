/* SPDX-License-Identifier: Apache-2.0 */
/* How texts of the kernel become counters: what the controllers' files share. */
#ifndef CGROUPS_COUNTERS_PRIVATE_H
#define CGROUPS_COUNTERS_PRIVATE_H

#include "sublet/cgroups/reader.h"

#include "private.h"

/* Where the text of a file goes. */
struct cg_place {
    enum cg_file file;
    const struct cg_fields *fields;
    void *counters;               /* the struct of the fields */
    struct cgroup_sample *sample; /* for files whose structs are many */
};

/* -EINVAL: not a text of that form. A NUL or a newline ends it. */
typedef int cg_parse(const struct cg_place *place, const char *text);

cg_parse cg_parse_value;       /* counter.c: "123" or, of a limit, "max" */
cg_parse cg_parse_flat;        /* "key 123" lines; unknown keys are ignored */
cg_parse cg_parse_pressure;    /* pressure.c */
cg_parse cg_parse_cpu_max;     /* cpu.c */
cg_parse cg_parse_memory_stat; /* memory.c: two structs */
cg_parse cg_parse_io_stat;     /* io_stat.c: a struct a disk */
cg_parse cg_parse_huge_limit;  /* hugetlb.c */
cg_parse cg_parse_misc;        /* misc.c: a struct a resource */
cg_parse cg_parse_rdma;        /* rdma.c: a struct a device */

int cg_parse_flat_into(const struct cg_place *places, size_t count, const char *text);

/* Strict numbers at *at, which moves behind them. -EINVAL. */
int cg_take_u64(const char **at, uint64_t *ret_value);
int cg_take_limit(const char **at, uint64_t *ret_value); /* or "max": UINT64_MAX */
int cg_take_centi(const char **at, uint64_t *ret_value); /* "12.34" -> 1234 */

void cg_field_set(const struct cg_field *field, void *counters, uint64_t value);
const struct cg_field *cg_field_of(const struct cg_fields *fields, enum cg_file file);

/* One row of a table of fields. The search for keys is fastest in the order of the file. */
#define CG_FIELD(type, member, from, text, what)                                                  \
    {                                                                                             \
        .name = #member, .key = (text), .file = CG_FILE_##from, .offset = offsetof(type, member), \
        .kind = CG_##what                                                                         \
    }
#define CG_FIELDS(table)            \
    {                               \
        (table), CG_COUNT_OF(table) \
    }

/* hugetlb.c: the entry of that page size, made if there is none; NULL: no page size, or too many.
 */
struct cg_hugetlb_counters *cg_hugetlb_entry(struct cgroup_sample *sample, const char *name);
/* "hugetlb.2MB.current" -> "2MB"; false for any other name. */
bool cg_hugetlb_size_of(const char *file, char *size, size_t room);

#endif
