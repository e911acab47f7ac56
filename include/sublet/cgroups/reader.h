/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters of a group, again and again: a reader opens the files it is asked for once and keeps
 * them, so that a sample costs one read a file. What this kernel or this group lacks is remembered
 * and not asked for again. The counters survive the removal of groups below, and end with
 * -ENODEV when the group itself is removed.
 */
#ifndef SUBLET_CGROUPS_READER_H
#define SUBLET_CGROUPS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sublet/base/err.h"
#include "sublet/cgroups/counters.h"

enum cg_file {
    CG_FILE_CPU_STAT,
    CG_FILE_CPU_STAT_LOCAL,
    CG_FILE_CPU_MAX,
    CG_FILE_CPU_MAX_BURST,
    CG_FILE_CPU_WEIGHT,
    CG_FILE_CPU_IDLE,
    CG_FILE_CPU_PRESSURE,
    CG_FILE_MEMORY_PRESSURE,
    CG_FILE_IO_PRESSURE,
    CG_FILE_IRQ_PRESSURE,
    CG_FILE_MEMORY_CURRENT,
    CG_FILE_MEMORY_PEAK,
    CG_FILE_MEMORY_MAX,
    CG_FILE_MEMORY_HIGH,
    CG_FILE_MEMORY_LOW,
    CG_FILE_MEMORY_MIN,
    CG_FILE_SWAP_CURRENT,
    CG_FILE_SWAP_PEAK,
    CG_FILE_SWAP_MAX,
    CG_FILE_SWAP_HIGH,
    CG_FILE_ZSWAP_CURRENT,
    CG_FILE_ZSWAP_MAX,
    CG_FILE_MEMORY_EVENTS,
    CG_FILE_MEMORY_EVENTS_LOCAL,
    CG_FILE_SWAP_EVENTS,
    CG_FILE_MEMORY_STAT,
    CG_FILE_IO_STAT,
    CG_FILE_PIDS_CURRENT,
    CG_FILE_PIDS_PEAK,
    CG_FILE_PIDS_MAX,
    CG_FILE_PIDS_EVENTS,
    CG_FILE_PIDS_EVENTS_LOCAL,
    CG_FILE_HUGETLB_CURRENT, /* one file for each page size */
    CG_FILE_HUGETLB_MAX,
    CG_FILE_HUGETLB_RSVD_CURRENT,
    CG_FILE_HUGETLB_RSVD_MAX,
    CG_FILE_HUGETLB_EVENTS,
    CG_FILE_HUGETLB_EVENTS_LOCAL,
    CG_FILE_MISC_CURRENT,
    CG_FILE_MISC_PEAK,
    CG_FILE_MISC_MAX,
    CG_FILE_MISC_EVENTS,
    CG_FILE_MISC_EVENTS_LOCAL,
    CG_FILE_RDMA_CURRENT,
    CG_FILE_RDMA_MAX,
    CG_FILE_GROUP_EVENTS,
    CG_FILE_GROUP_STAT,
    CG_FILE_GROUP_STAT_LOCAL,
    CG_FILES,
};

/* Masks of files: one, or all from a first to a last. */
#define CG_READ(file)             (1ull << CG_FILE_##file)
#define CG_READ_SPAN(first, last) ((CG_READ(last) << 1) - CG_READ(first))

#define CG_READ_CPU               (CG_READ(CPU_STAT) | CG_READ(CPU_STAT_LOCAL))
#define CG_READ_KNOBS             CG_READ_SPAN(CPU_MAX, CPU_IDLE) /* what the CPU contract became */
#define CG_READ_PRESSURE          CG_READ_SPAN(CPU_PRESSURE, IRQ_PRESSURE)
#define CG_READ_MEMORY            CG_READ_SPAN(MEMORY_CURRENT, SWAP_EVENTS) /* all but memory.stat */
#define CG_READ_PIDS              CG_READ_SPAN(PIDS_CURRENT, PIDS_EVENTS_LOCAL)
#define CG_READ_HUGETLB           CG_READ_SPAN(HUGETLB_CURRENT, HUGETLB_EVENTS_LOCAL)
#define CG_READ_MISC              CG_READ_SPAN(MISC_CURRENT, MISC_EVENTS_LOCAL)
#define CG_READ_RDMA              CG_READ_SPAN(RDMA_CURRENT, RDMA_MAX)
#define CG_READ_GROUP             CG_READ_SPAN(GROUP_EVENTS, GROUP_STAT_LOCAL)
#define CG_READ_ALL               CG_READ_SPAN(CPU_STAT, GROUP_STAT_LOCAL)

#define CG_IO_MAX                 256 /* disks in a sample */
#define CG_HUGETLB_MAX            8   /* page sizes */
#define CG_MISC_MAX               16
#define CG_RDMA_MAX               32

/* About 40 kB, of which a sample touches what it fills. One serves any number of readers. */
struct cgroup_sample {
    struct cg_cpu_counters cpu;
    struct cg_pressure cpu_pressure, memory_pressure, io_pressure, irq_pressure;
    struct cg_memory_counters memory;
    struct cg_memory_usage memory_usage;
    struct cg_memory_activity memory_activity;
    struct cg_pids_counters pids;
    struct cg_group_counters group;
    bool io_known; /* there is an io.stat, perhaps an empty one */
    /* disks with counters; -E2BIG above the maximum, so that a sum is never short */
    size_t io_count, hugetlb_count, misc_count, rdma_count;
    struct cg_hugetlb_counters hugetlb[CG_HUGETLB_MAX];
    struct cg_misc_counters misc[CG_MISC_MAX];
    struct cg_rdma_counters rdma[CG_RDMA_MAX];
    struct cg_io_counters io[CG_IO_MAX];
};

/* Everything absent; for memory that is not zeroed. */
void cgroup_sample_clear(struct cgroup_sample *sample);

/* The name as in the group's directory; of hugetlb what follows the page size. */
const char *cg_file_name(enum cg_file file);

/* Pure: adds the text of one file to a sample. name: page size ("2MB") of a hugetlb file, else
 * NULL. -EINVAL: no such text; the sample is then of no use. */
int cgroup_sample_add(struct cgroup_sample *sample, enum cg_file file, const char *name,
                      const char *text);

/* Those files of a group, once: opens, reads, closes. Absent files are fine. -ENODEV: gone. */
int cgroup_sample_read(int dir_fd, uint64_t files, struct cgroup_sample *ret_sample,
                       struct sub_err *err);

struct cgroup_reader;

/* Opens those files (CG_READ_*) of the group, and keeps its directory: a descriptor each. dir_fd
 * stays the caller's. -EMFILE tells to raise RLIMIT_NOFILE. */
int cgroup_reader_open(int dir_fd, uint64_t files, struct cgroup_reader **ret_reader,
                       struct sub_err *err);

/* Fills the sample with those of the reader's files, everything else is absent. -ENODEV without
 * text: the group is gone. */
int cgroup_reader_sample(struct cgroup_reader *reader, uint64_t files,
                         struct cgroup_sample *ret_sample, struct sub_err *err);

/* After a controller was enabled for the group: absent files are looked for again, once. */
void cgroup_reader_look_again(struct cgroup_reader *reader);

void cgroup_reader_free(struct cgroup_reader *reader);
void cgroup_reader_freep(struct cgroup_reader **reader);
#define OWNED_CGROUP_READER __attribute__((cleanup(cgroup_reader_freep))) struct cgroup_reader

#endif
