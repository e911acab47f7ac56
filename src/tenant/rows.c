/* SPDX-License-Identifier: Apache-2.0 */
/* A contract as files and texts, each text as the kernel will print it back. */
#include <errno.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/num.h"

#include "private.h"

#define WEIGHT_PER_CPU 100
#define WEIGHT_MAX     10000
#define ALWAYS         (CG_CPU | CG_MEMORY | CG_IO | CG_PIDS)

/* A hundredth of a CPU has weight 1, on hosts of more than 100 CPUs less. Rounded. */
static uint64_t weight_of(const struct tenant_host *host, uint64_t milli)
{
    uint64_t cpus = cpus_count(host->online);
    uint64_t share = cpus > WEIGHT_MAX / WEIGHT_PER_CPU
                         ? (milli * WEIGHT_MAX + cpus * 500) / (cpus * 1000)
                         : (milli * WEIGHT_PER_CPU + 500) / 1000;

    return share < 1 ? 1 : share > WEIGHT_MAX ? WEIGHT_MAX : share;
}

static int put(struct cg_rows *rows, const char *file, const char *text, bool is_default,
               struct sub_err *err)
{
    const struct cg_row row = {
        .file = file,
        .text = text,
        .path = file,
        .controller = cg_controller_of_file(file),
        /* what a group does anyway needs no file */
        .absent = is_default ? CG_ABSENT_IS_FINE : CG_ABSENT_FAILS,
    };

    return cg_rows_add(rows, &row, err);
}

static const char *number(struct arena *arena, uint64_t value)
{
    return value == TENANT_UNSET ? "max" : arena_printf(arena, "%llu", (unsigned long long) value);
}

static int put_cpu(struct cg_rows *rows, const struct tenant_host *host,
                   const struct tenant_cpu *cpu, struct sub_err *err)
{
    uint64_t cap_milli = tenant_cap_milli(cpu);
    uint64_t quota_us = cap_milli * (PERIOD_US / 1000);
    const char *quota = number(rows->arena, cap_milli == 0 ? TENANT_UNSET : quota_us);

    SUBLET_TRY(
        put(rows, "cpu.weight", number(rows->arena, weight_of(host, cpu->milli)), false, err));
    SUBLET_TRY(
        put(rows, "cpu.max", arena_printf(rows->arena, "%s %d", quota, PERIOD_US), false, err));
    return put(rows, "cpu.max.burst", number(rows->arena, cpu->burst_us), cpu->burst_us == 0, err);
}

/* The kernel counts pages, rounding down. */
static int put_memory(struct cg_rows *rows, const struct tenant_host *host,
                      const struct tenant_contract *contract, struct sub_err *err)
{
    static const struct {
        enum tenant_memory memory;
        const char *file;
    } files[] = {
        {TENANT_SWAP, "memory.swap.max"},
        {TENANT_LOW,  "memory.low"     },
        {TENANT_HIGH, "memory.high"    },
        {TENANT_MAX,  "memory.max"     },
    };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        uint64_t bytes = contract->memory_bytes[files[i].memory];
        bool unset = bytes == TENANT_UNSET;

        if (unset && files[i].memory == TENANT_LOW)
            bytes = 0;
        else if (!unset)
            bytes -= bytes % host->page_bytes;
        SUBLET_TRY(put(rows, files[i].file, number(rows->arena, bytes), unset || bytes == 0, err));
    }
    return 0;
}

static const char *io_text(struct arena *arena, const struct tenant_io *io)
{
    static const char *const keys[CG_IO_KINDS] = {
        [CG_IO_RBPS] = "rbps",
        [CG_IO_WBPS] = "wbps",
        [CG_IO_RIOPS] = "riops",
        [CG_IO_WIOPS] = "wiops",
    };
    const char *text = arena_printf(arena, "%u:%u", io->major, io->minor);

    for (int kind = 0; kind < CG_IO_KINDS; kind++)
        text = arena_printf(arena, "%s %s=%s", text, keys[kind],
                            number(arena, io->rates[kind] == 0 ? TENANT_UNSET : io->rates[kind]));
    return text;
}

static int put_io(struct cg_rows *rows, const struct tenant_contract *contract, struct sub_err *err)
{
    bool unset = contract->io_weight == TENANT_UNSET;

    SUBLET_TRY(put(rows, "io.weight",
                   arena_printf(rows->arena, "default %s",
                                unset ? "100" : number(rows->arena, contract->io_weight)),
                   unset, err));
    for (size_t i = 0; i < contract->io_count; i++) {
        const struct tenant_io *io = &contract->io[i];

        for (size_t k = 0; io->found && k < i; k++) {
            const struct tenant_io *other = &contract->io[k];

            if (other->found && other->major == io->major && other->minor == io->minor)
                return sub_fail(err, EINVAL, io->path, "lies on the same disk %u:%u as '%s'",
                                io->major, io->minor, other->path);
        }
        if (io->found)
            SUBLET_TRY(put(rows, "io.max", io_text(rows->arena, io), false, err));
    }
    return 0;
}

/*
 * In the order that takes CPUs; giving them back is the way backwards (apply.c). Who is no longer
 * pinned may run on all CPUs that are left: the kernel does not take "none" back once processes
 * live there, nor a list that overlaps with a partition beside it.
 */
static int put_cpuset(struct cg_rows *rows, const struct tenant_host *host,
                      const struct tenant *tenant, const uint64_t *cpus, struct sub_err *err)
{
    bool pinned = tenant->contract.cpu.kind == TENANT_PINNED;
    const char *list = cpus_text(rows->arena, cpus);

    if (!pinned && tenant->held_cpus == NULL)
        return 0;
    SUBLET_TRY(put(rows, "cpuset.cpus", list, !pinned, err));
    if (host->nested_partitions)
        SUBLET_TRY(put(rows, "cpuset.cpus.exclusive", pinned ? list : "", !pinned, err));
    return put(rows, "cpuset.cpus.partition", pinned ? "root" : "member", !pinned, err);
}

static void finish(struct tenant_group *group, const struct cg_rows *rows)
{
    group->rows = rows->rows;
    group->row_count = rows->count;
    group->controllers = rows->controllers;
}

int tenant_rows(struct arena *arena, const struct tenant_host *host, const struct tenant *tenant,
                const uint64_t *cpus, struct tenant_group *group, struct sub_err *err)
{
    const struct tenant_contract *contract = &tenant->contract;
    struct cg_rows rows;

    cg_rows_init(&rows, arena);
    rows.controllers = ALWAYS;
    SUBLET_TRY(put_cpu(&rows, host, &contract->cpu, err));
    SUBLET_TRY(put_memory(&rows, host, contract, err));
    SUBLET_TRY(
        put(&rows, "pids.max", number(arena, contract->pids), contract->pids == TENANT_UNSET, err));
    SUBLET_TRY(put_io(&rows, contract, err));
    SUBLET_TRY(put_cpuset(&rows, host, tenant, cpus, err));
    finish(group, &rows);
    return 0;
}

int tenant_parent_rows(struct arena *arena, const struct tenant_host *host,
                       const struct tenant_parent *wanted, struct tenant_group *parent,
                       struct sub_err *err)
{
    const uint64_t *exclusive = wanted->exclusive;
    struct cg_rows rows;

    cg_rows_init(&rows, arena);
    rows.controllers = ALWAYS;
    SUBLET_TRY(put(&rows, "cpu.weight", number(arena, wanted->weight), false, err));
    SUBLET_TRY(put(&rows, "memory.low", number(arena, wanted->protected_bytes),
                   wanted->protected_bytes == 0, err));
    if (host->nested_partitions) {
        const char *list = cpus_text(arena, exclusive);
        bool none = list != NULL && list[0] == '\0';

        SUBLET_TRY(put(&rows, "cpuset.cpus.exclusive", list, none, err));
        if (none)
            rows.controllers &= ~CG_CPUSET;
    }
    finish(parent, &rows);
    return 0;
}
