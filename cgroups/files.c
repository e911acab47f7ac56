/* SPDX-License-Identifier: Apache-2.0 */
/* Every file with counters: its name, its form, and the struct its numbers go to. */
#include "files.h"

#include <errno.h>
#include <stdio.h>

/* counters: the struct in the sample, or the list of those that are many */
#define ROW(file, text, parser, member, table)                              \
    [CG_FILE_##file] = {.name = (text),                                     \
                        .parse = cg_parse_##parser,                         \
                        .counters = offsetof(struct cgroup_sample, member), \
                        .fields = (table)}
static const struct {
    const char *name;
    cg_parse *parse;
    size_t counters;
    const struct cg_fields *fields;
} files[CG_FILES] = {
    ROW(CPU_STAT, "cpu.stat", flat, cpu, &cg_cpu_fields),
    ROW(CPU_STAT_LOCAL, "cpu.stat.local", flat, cpu, &cg_cpu_fields),
    ROW(CPU_MAX, "cpu.max", cpu_max, cpu, &cg_cpu_fields),
    ROW(CPU_MAX_BURST, "cpu.max.burst", value, cpu, &cg_cpu_fields),
    ROW(CPU_WEIGHT, "cpu.weight", value, cpu, &cg_cpu_fields),
    ROW(CPU_IDLE, "cpu.idle", value, cpu, &cg_cpu_fields),
    ROW(CPU_PRESSURE, "cpu.pressure", pressure, cpu_pressure, NULL),
    ROW(MEMORY_PRESSURE, "memory.pressure", pressure, memory_pressure, NULL),
    ROW(IO_PRESSURE, "io.pressure", pressure, io_pressure, NULL),
    ROW(IRQ_PRESSURE, "irq.pressure", pressure, irq_pressure, NULL),
    ROW(MEMORY_CURRENT, "memory.current", value, memory, &cg_memory_fields),
    ROW(MEMORY_PEAK, "memory.peak", value, memory, &cg_memory_fields),
    ROW(MEMORY_MAX, "memory.max", value, memory, &cg_memory_fields),
    ROW(MEMORY_HIGH, "memory.high", value, memory, &cg_memory_fields),
    ROW(MEMORY_LOW, "memory.low", value, memory, &cg_memory_fields),
    ROW(MEMORY_MIN, "memory.min", value, memory, &cg_memory_fields),
    ROW(SWAP_CURRENT, "memory.swap.current", value, memory, &cg_memory_fields),
    ROW(SWAP_PEAK, "memory.swap.peak", value, memory, &cg_memory_fields),
    ROW(SWAP_MAX, "memory.swap.max", value, memory, &cg_memory_fields),
    ROW(SWAP_HIGH, "memory.swap.high", value, memory, &cg_memory_fields),
    ROW(ZSWAP_CURRENT, "memory.zswap.current", value, memory, &cg_memory_fields),
    ROW(ZSWAP_MAX, "memory.zswap.max", value, memory, &cg_memory_fields),
    ROW(MEMORY_EVENTS, "memory.events", flat, memory, &cg_memory_fields),
    ROW(MEMORY_EVENTS_LOCAL, "memory.events.local", flat, memory, &cg_memory_fields),
    ROW(SWAP_EVENTS, "memory.swap.events", flat, memory, &cg_memory_fields),
    ROW(MEMORY_STAT, "memory.stat", memory_stat, memory_usage, NULL),
    ROW(IO_STAT, "io.stat", io_stat, io, NULL),
    ROW(PIDS_CURRENT, "pids.current", value, pids, &cg_pids_fields),
    ROW(PIDS_PEAK, "pids.peak", value, pids, &cg_pids_fields),
    ROW(PIDS_MAX, "pids.max", value, pids, &cg_pids_fields),
    ROW(PIDS_EVENTS, "pids.events", flat, pids, &cg_pids_fields),
    ROW(PIDS_EVENTS_LOCAL, "pids.events.local", flat, pids, &cg_pids_fields),
    ROW(HUGETLB_CURRENT, "current", value, hugetlb, &cg_hugetlb_fields),
    ROW(HUGETLB_MAX, "max", huge_limit, hugetlb, &cg_hugetlb_fields),
    ROW(HUGETLB_RSVD_CURRENT, "rsvd.current", value, hugetlb, &cg_hugetlb_fields),
    ROW(HUGETLB_RSVD_MAX, "rsvd.max", huge_limit, hugetlb, &cg_hugetlb_fields),
    ROW(HUGETLB_EVENTS, "events", flat, hugetlb, &cg_hugetlb_fields),
    ROW(HUGETLB_EVENTS_LOCAL, "events.local", flat, hugetlb, &cg_hugetlb_fields),
    ROW(MISC_CURRENT, "misc.current", misc, misc, NULL),
    ROW(MISC_PEAK, "misc.peak", misc, misc, NULL),
    ROW(MISC_MAX, "misc.max", misc, misc, NULL),
    ROW(MISC_EVENTS, "misc.events", misc, misc, NULL),
    ROW(MISC_EVENTS_LOCAL, "misc.events.local", misc, misc, NULL),
    ROW(RDMA_CURRENT, "rdma.current", rdma, rdma, NULL),
    ROW(RDMA_MAX, "rdma.max", rdma, rdma, NULL),
    ROW(GROUP_EVENTS, "cgroup.events", flat, group, &cg_group_fields),
    ROW(GROUP_STAT, "cgroup.stat", flat, group, &cg_group_fields),
    ROW(GROUP_STAT_LOCAL, "cgroup.stat.local", flat, group, &cg_group_fields),
};
#undef ROW

const char *cg_file_name(enum cg_file file)
{
    return files[file].name;
}

void cgroup_sample_clear(struct cgroup_sample *sample)
{
    sample->cpu.present = 0;
    sample->cpu_pressure.present = 0;
    sample->memory_pressure.present = 0;
    sample->io_pressure.present = 0;
    sample->irq_pressure.present = 0;
    sample->memory.present = 0;
    sample->memory_usage.present = 0;
    sample->memory_activity.present = 0;
    sample->pids.present = 0;
    sample->group.present = 0;
    sample->io_known = false;
    sample->io_count = 0;
    sample->hugetlb_count = 0;
    sample->misc_count = 0;
    sample->rdma_count = 0;
}

int cgroup_sample_add(struct cgroup_sample *sample, enum cg_file file, const char *name,
                      const char *text)
{
    struct cg_place place = {
        .file = file,
        .fields = files[file].fields,
        .counters = (char *) sample + files[file].counters,
        .sample = sample,
    };

    if (cg_file_is_huge(file)) {
        place.counters = name == NULL ? NULL : cg_hugetlb_entry(sample, name);
        if (place.counters == NULL)
            return -EINVAL;
    }
    return files[file].parse(&place, text);
}

bool cg_file_is_huge(enum cg_file file)
{
    return file >= CG_FILE_HUGETLB_CURRENT && file <= CG_FILE_HUGETLB_EVENTS_LOCAL;
}

const char *cg_file_path(enum cg_file file, const char *size, char text[CG_FILE_TEXT])
{
    if (!cg_file_is_huge(file))
        return files[file].name;
    (void) snprintf(text, CG_FILE_TEXT, "hugetlb.%s.%s", size, files[file].name);
    return text;
}
