/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "sublet/cgroups/update.h"

#include "rows_check.h"

struct file {
    const char *name, *text;
};

/* A group as a table that ends with {NULL, NULL}. */
static const char *table_text(void *context, const char *file)
{
    for (const struct file *at = context; at->name != NULL; at++)
        if (strcmp(at->name, file) == 0)
            return at->text;
    return NULL;
}

/* "file=text<back": back is what undoes it. */
static const char *changes_text(const struct cg_changes *changes)
{
    static char text[4096];
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < changes->count; i++) {
        const struct cg_change *change = &changes->items[i];

        used +=
            (size_t) snprintf(text + used, sizeof text - used, "%s%s=%s%s%s", i > 0 ? "; " : "",
                              change->row.file, change->row.text, change->back == NULL ? "" : "<",
                              change->back == NULL ? "" : change->back);
    }
    return text;
}

static void add(struct rows_case *c, const char *file, const char *text, uint32_t controller)
{
    struct cg_row row = {.file = file, .text = text, .path = "p", .controller = controller};

    ck_ok(cg_rows_add(&c->rows, &row, &c->err), &c->err);
}

static void ck_changes(struct rows_case *c, const struct file *files, const char *want)
{
    struct cg_present present = {table_text, (void *) files};
    struct cg_changes changes;

    ck_ok(cg_changes_make(&c->rows, &present, &changes, &c->err), &c->err);
    ck_assert_str_eq(changes_text(&changes), want);
}

static const struct file group[] = {
    {"memory.max",            "1000"                                                                           },
    {"memory.swap.max",       "1000"                                                                           },
    {"memory.high",           "max"                                                                            },
    {"cpu.max",               "50000 100000"                                                                   },
    {"cpu.max.burst",         "20000"                                                                          },
    {"cpu.weight",            "0"                                                                              },
    {"pids.max",              "7"                                                                              },
    {"cpuset.cpus",           ""                                                                               },
    {"cpuset.cpus.partition", "root invalid (no CPUs)"                                                         },
    {"io.max",                "8:0 rbps=1 wbps=max riops=max wiops=max\n8:16 rbps=max wbps=2 riops=max wiops=3"},
    {"io.weight",             "default 100\n8:0 300"                                                           },
    {NULL,                    NULL                                                                             },
};

START_TEST(room_is_given_before_it_is_taken)
{
    ROWS_CASE(raise);
    add(&raise, "memory.high", "max", CG_MEMORY);
    add(&raise, "pids.max", "9", CG_PIDS);
    add(&raise, "memory.max", "2000", CG_MEMORY);
    add(&raise, "memory.swap.max", "max", CG_MEMORY);
    ck_changes(&raise, group,
               "memory.swap.max=max<1000; memory.max=2000<1000; memory.high=max<max; pids.max=9<7");

    ROWS_CASE(lower);
    add(&lower, "memory.swap.max", "0", CG_MEMORY);
    add(&lower, "memory.max", "900", CG_MEMORY);
    add(&lower, "memory.high", "800", CG_MEMORY);
    add(&lower, "pids.max", "1", CG_PIDS);
    ck_changes(&lower, group,
               "pids.max=1<7; memory.high=800<max; memory.max=900<1000; memory.swap.max=0<1000");

    /* less memory and more swap: what is pushed out has somewhere to go */
    ROWS_CASE(both);
    add(&both, "memory.max", "500", CG_MEMORY);
    add(&both, "memory.swap.max", "1500", CG_MEMORY);
    ck_changes(&both, group, "memory.swap.max=1500<1000; memory.max=500<1000");
}
END_TEST

START_TEST(sizes_with_units_are_compared_as_numbers)
{
    ROWS_CASE(c);
    add(&c, "pids.max", "9", CG_PIDS);
    add(&c, "memory.max", "1K", CG_MEMORY);
    ck_changes(&c, group, "memory.max=1K<1000; pids.max=9<7");
}
END_TEST

START_TEST(a_burst_is_put_aside_while_the_quota_changes)
{
    ROWS_CASE(c);
    add(&c, "cpu.max.burst", "5000", CG_CPU);
    add(&c, "cpu.max", "10000 100000", CG_CPU);
    ck_changes(&c, group,
               "cpu.max.burst=0<20000; cpu.max=10000 100000<50000 100000; cpu.max.burst=5000<0");

    /* alone it needs no such care, and one that is 0 already neither */
    ROWS_CASE(alone);
    add(&alone, "cpu.max.burst", "5000", CG_CPU);
    ck_changes(&alone, group, "cpu.max.burst=5000<20000");

    static const struct file none[] = {
        {"cpu.max",       "max 100000"},
        {"cpu.max.burst", "0"         },
        {NULL,            NULL        }
    };
    ROWS_CASE(fresh);
    add(&fresh, "cpu.max.burst", "5000", CG_CPU);
    add(&fresh, "cpu.max", "10000 100000", CG_CPU);
    ck_changes(&fresh, none, "cpu.max=10000 100000<max 100000; cpu.max.burst=5000<0");
}
END_TEST

START_TEST(a_file_with_a_line_for_each_disk_is_put_back_by_lines)
{
    ROWS_CASE(c);
    add(&c, "io.max", "8:16 wbps=9", CG_IO);
    add(&c, "io.max", "8:1 wbps=9", CG_IO);
    add(&c, "io.weight", "default 50", CG_IO);
    add(&c, "io.weight", "8:0 70", CG_IO);
    add(&c, "io.weight", "8:1 80", CG_IO);
    ck_changes(&c, group,
               "io.max=8:16 wbps=9<8:16 rbps=max wbps=2 riops=max wiops=3; "
               "io.max=8:1 wbps=9<8:1 rbps=max wbps=max riops=max wiops=max; "
               "io.weight=default 50<default 100; io.weight=8:0 70<8:0 300; "
               "io.weight=8:1 80<8:1 default");
}
END_TEST

START_TEST(of_two_rows_for_one_value_the_later_counts)
{
    ROWS_CASE(c);
    add(&c, "pids.max", "5", CG_PIDS);
    add(&c, "io.max", "8:0 rbps=5", CG_IO);
    add(&c, "io.weight", "300", CG_IO);
    add(&c, "io.weight", "default 400", CG_IO);
    add(&c, "io.max", "8:16 rbps=6", CG_IO);
    add(&c, "pids.max", "6", CG_PIDS);
    ck_changes(&c, group,
               "io.max=8:0 rbps=5<8:0 rbps=1 wbps=max riops=max wiops=max; "
               "io.weight=default 400<default 100; "
               "io.max=8:16 rbps=6<8:16 rbps=max wbps=2 riops=max wiops=3; pids.max=6<7");
}
END_TEST

START_TEST(what_cannot_be_written_is_not_put_back)
{
    ROWS_CASE(c);
    add(&c, "cpu.weight", "100", CG_CPU);
    add(&c, "memory.reclaim", "1M", CG_MEMORY);
    add(&c, "cpuset.cpus", "0", CG_CPUSET);
    add(&c, "cpuset.cpus.partition", "member", CG_CPUSET);
    ck_changes(&c, group,
               "cpu.weight=100; memory.reclaim=1M; cpuset.cpus=0<\n; "
               "cpuset.cpus.partition=member<root");
}
END_TEST

SUITE(update_suite, room_is_given_before_it_is_taken, sizes_with_units_are_compared_as_numbers,
      a_burst_is_put_aside_while_the_quota_changes,
      a_file_with_a_line_for_each_disk_is_put_back_by_lines,
      of_two_rows_for_one_value_the_later_counts, what_cannot_be_written_is_not_put_back)
