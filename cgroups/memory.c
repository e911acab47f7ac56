/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "private.h"

#define MEMORY_STAT_TEXT 8192

static bool is_set(const struct cg_memory_limits *limits, unsigned bit)
{
    return (limits->set & bit) != 0;
}

static int check_bytes(const char *path, int64_t bytes, struct sub_err *err)
{
    if (bytes >= -1)
        return 0;
    return sub_fail(err, ERANGE, path, "%lld: 0 or more bytes are allowed, -1 for no limit",
                    (long long) bytes);
}

/*
 * v1, and with it the specification, limits memory and swap together; v2 limits swap alone. A
 * container without memory limit has none on swap either, unless it is said.
 */
static int add_swap(struct cg_rows *rows, const char *where, const struct cg_memory_limits *limits,
                    struct sub_err *err)
{
    const char *path = cg_field(rows, where, "swap");
    int64_t limit = is_set(limits, CG_SET_LIMIT) ? limits->limit_bytes : 0;
    int64_t total = is_set(limits, CG_SET_SWAP) ? limits->swap_bytes : 0;
    int64_t swap = -1;

    SUBLET_TRY(check_bytes(path, total, err));
    if (total == 0 && limit != -1)
        return 0;
    if (total > 0 && limit == -1) {
        return sub_fail(err, EINVAL, path,
                        "%lld: memory and swap together cannot be limited while memory.limit is "
                        "-1",
                        (long long) total);
    }
    if (total > 0 && limit == 0)
        return sub_fail(err, EINVAL, path,
                        "%lld: memory and swap together need a memory.limit to subtract",
                        (long long) total);
    if (total > 0 && total < limit)
        return sub_fail(err, ERANGE, path,
                        "%lld: memory and swap together, at least the limit of %lld bytes",
                        (long long) total, (long long) limit);
    if (total > 0)
        swap = total - limit;

    return cg_rows_put(rows,
                       (struct cg_row){.file = "memory.swap.max",
                                       .text = cg_bytes_text(rows->arena, swap),
                                       .path = path,
                                       .controller = CG_MEMORY,
                                       /* a kernel that cannot swap keeps both promises */
                                       .absent = swap <= 0 ? CG_ABSENT_IS_FINE : CG_ABSENT_FAILS},
                       err);
}

static int add_bytes(struct cg_rows *rows, const char *path, const char *file, int64_t bytes,
                     struct sub_err *err)
{
    SUBLET_TRY(check_bytes(path, bytes, err));
    return cg_rows_put(rows,
                       (struct cg_row){.file = file,
                                       .text = cg_bytes_text(rows->arena, bytes),
                                       .path = path,
                                       .controller = CG_MEMORY},
                       err);
}

int cg_memory_rows(struct cg_rows *rows, const char *where, const struct cg_memory_limits *limits,
                   struct sub_err *err)
{
    const struct {
        unsigned bit;
        const char *field, *file;
        int64_t bytes;
    } files[] = {
        {CG_SET_LIMIT,       "limit",       "memory.max",  limits->limit_bytes      },
        {CG_SET_RESERVATION, "reservation", "memory.low",  limits->reservation_bytes},
        {CG_SET_HIGH,        "high",        "memory.high", limits->high_bytes       },
        {CG_SET_MIN,         "min",         "memory.min",  limits->min_bytes        },
    };

    SUBLET_TRY(add_swap(rows, where, limits, err));
    for (size_t i = 0; i < CG_COUNT_OF(files); i++) {
        bool unset = files[i].bit == CG_SET_LIMIT && files[i].bytes == 0; /* Go's zero value */

        if (is_set(limits, files[i].bit) && !unset)
            SUBLET_TRY(add_bytes(rows, cg_field(rows, where, files[i].field), files[i].file,
                                 files[i].bytes, err));
    }
    if (!is_set(limits, CG_SET_OOM_GROUP))
        return 0;
    return cg_rows_put(rows,
                       (struct cg_row){.file = "memory.oom.group",
                                       .text = limits->oom_group ? "1" : "0",
                                       .path = cg_field(rows, where, "oomGroup"),
                                       .controller = CG_MEMORY},
                       err);
}

#define AT(member) offsetof(struct cg_memory_counters, member)
static const struct cg_counter memory_stat[] = {
    {"anon",                    AT(anon_bytes),          0},
    {"file",                    AT(file_bytes),          0},
    {"kernel",                  AT(kernel_bytes),        0},
    {"slab",                    AT(slab_bytes),          0},
    {"sock",                    AT(sock_bytes),          0},
    {"shmem",                   AT(shmem_bytes),         0},
    {"inactive_file",           AT(inactive_file_bytes), 0},
    {"file_dirty",              AT(file_dirty_bytes),    0},
    {"zswap",                   AT(zswap_bytes),         0},
    {"pgfault",                 AT(faults),              0},
    {"pgmajfault",              AT(major_faults),        0},
    {"workingset_refault_anon", AT(refaults_anon),       0},
    {"workingset_refault_file", AT(refaults_file),       0},
};
static const struct cg_counter memory_events[] = {
    {"low",            AT(low_events),      0},
    {"high",           AT(high_events),     0},
    {"max",            AT(max_events),      0},
    {"oom",            AT(oom_events),      0},
    {"oom_kill",       AT(oom_kills),       0},
    {"oom_group_kill", AT(oom_group_kills), 0},
};
#undef AT

int cg_parse_memory_stat(const char *text, struct cg_memory_counters *counters)
{
    uint32_t present;

    SUBLET_TRY(cg_counters_parse(text, memory_stat, CG_COUNT_OF(memory_stat), counters, &present));
    counters->present |= CG_HAS_MEMORY_STAT;
    return 0;
}

int cg_parse_memory_events(const char *text, struct cg_memory_counters *counters)
{
    uint32_t present;

    SUBLET_TRY(
        cg_counters_parse(text, memory_events, CG_COUNT_OF(memory_events), counters, &present));
    counters->present |= CG_HAS_MEMORY_EVENTS;
    return 0;
}

int cgroup_read_memory(int dir_fd, struct cg_memory_counters *ret_counters)
{
    struct cg_memory_counters counters = {0};
    const struct {
        const char *file;
        uint64_t *value;
        unsigned bit;
    } values[] = {
        {"memory.current",      &counters.current_bytes,   CG_HAS_CURRENT  },
        {"memory.peak",         &counters.peak_bytes,      CG_HAS_PEAK     },
        {"memory.swap.current", &counters.swap_bytes,      CG_HAS_SWAP     },
        {"memory.swap.peak",    &counters.swap_peak_bytes, CG_HAS_SWAP_PEAK},
    };
    char text[MEMORY_STAT_TEXT];

    for (size_t i = 0; i < CG_COUNT_OF(values); i++) {
        int rc = knob_read_u64(dir_fd, values[i].file, values[i].value);

        if (rc < 0 && rc != -ENOENT)
            return rc;
        if (rc == 0)
            counters.present |= values[i].bit;
    }

    ssize_t n = knob_read(dir_fd, "memory.stat", text, sizeof text);
    if (n < 0 && n != -ENOENT)
        return (int) n;
    if (n >= 0)
        SUBLET_TRY(cg_parse_memory_stat(text, &counters));
    n = knob_read(dir_fd, "memory.events", text, sizeof text);
    if (n < 0 && n != -ENOENT)
        return (int) n;
    if (n >= 0)
        SUBLET_TRY(cg_parse_memory_events(text, &counters));
    *ret_counters = counters;
    return 0;
}
