/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources as files and texts, through the library that knows the files. */
#include <errno.h>
#include <string.h>

#include "sublet/base/log.h"
#include "sublet/cgroups.h"

#include "planning.h"

#define FIELD "linux.resources"

/* The library stops at the first mistake of an object; each object is told for itself. */
static void tell(struct planning *p, int rc, const struct sub_err *err)
{
    if (rc < 0 && rc != -ENOMEM)
        plan_error(p, arena_strdup(p->arena, err->path), "%s", err->text);
}

static void add_cpu(struct planning *p, const struct spec_cpu *cpu, struct cg_rows *rows)
{
    static const struct {
        uint64_t has;
        unsigned set;
    } bits[] = {
        {SPEC_CPU_SHARES, CG_SET_SHARES},
        {SPEC_CPU_QUOTA,  CG_SET_QUOTA },
        {SPEC_CPU_PERIOD, CG_SET_PERIOD},
        {SPEC_CPU_BURST,  CG_SET_BURST },
        {SPEC_CPU_IDLE,   CG_SET_IDLE  },
    };
    struct cg_cpu_limits limits = {
        .shares = cpu->shares,
        .quota_us = cpu->quota_us,
        .period_us = cpu->period_us,
        .burst_us = cpu->burst_us,
        .idle = cpu->idle,
    };
    struct sub_err err = {.code = 0};

    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        if ((cpu->has & bits[i].has) != 0)
            limits.set |= bits[i].set;
    }
    tell(p, cg_cpu_rows(rows, FIELD ".cpu", &limits, &err), &err);
    sub_err_clear(&err);
    tell(p, cg_cpuset_rows(rows, FIELD ".cpu", cpu->cpus, cpu->mems, &err), &err);
}

static void add_memory(struct planning *p, const struct spec_memory *memory, struct cg_rows *rows)
{
    struct cg_memory_limits limits = {
        .limit_bytes = memory->limit_bytes,
        .reservation_bytes = memory->reservation_bytes,
        .swap_bytes = memory->swap_bytes,
    };
    struct sub_err err = {.code = 0};

    if ((memory->has & SPEC_MEMORY_LIMIT) != 0)
        limits.set |= CG_SET_LIMIT;
    if ((memory->has & SPEC_MEMORY_RESERVATION) != 0)
        limits.set |= CG_SET_RESERVATION;
    if ((memory->has & SPEC_MEMORY_SWAP) != 0)
        limits.set |= CG_SET_SWAP;
    tell(p, cg_memory_rows(rows, FIELD ".memory", &limits, &err), &err);
}

static const struct cg_io_rate *io_rates(struct planning *p,
                                         const struct spec_throttle_devices *devices)
{
    struct cg_io_rate *rates = arena_array(p->arena, devices->count, sizeof *rates);

    for (size_t i = 0; rates != NULL && i < devices->count; i++)
        rates[i] = (struct cg_io_rate){.major = devices->items[i].major,
                                       .minor = devices->items[i].minor,
                                       .rate = devices->items[i].rate};
    return rates;
}

static const struct cg_io_device_weight *
io_weights(struct planning *p, const struct spec_weight_devices *devices, size_t *ret_count)
{
    struct cg_io_device_weight *weights = arena_array(p->arena, devices->count, sizeof *weights);
    size_t count = 0;

    for (size_t i = 0; weights != NULL && i < devices->count; i++) {
        /* an entry may have a leafWeight alone, which is v1's; 0 is "not set" */
        if (devices->items[i].weight == 0 || devices->items[i].weight > UINT16_MAX)
            continue;
        weights[count++] =
            (struct cg_io_device_weight){.major = devices->items[i].major,
                                         .minor = devices->items[i].minor,
                                         .weight = (uint16_t) devices->items[i].weight};
    }
    *ret_count = count;
    return weights;
}

static void add_io(struct planning *p, const struct spec_block_io *io, struct cg_rows *rows)
{
    const struct spec_throttle_devices *const lists[CG_IO_KINDS] = {
        [CG_IO_RBPS] = &io->throttle_read_bps,
        [CG_IO_WBPS] = &io->throttle_write_bps,
        [CG_IO_RIOPS] = &io->throttle_read_iops,
        [CG_IO_WIOPS] = &io->throttle_write_iops,
    };
    struct cg_io_limits limits = {
        .weight_set = (io->has & SPEC_BLOCK_IO_WEIGHT) != 0 && io->weight <= UINT16_MAX,
        .weight = (uint16_t) io->weight,
    };
    struct sub_err err = {.code = 0};

    limits.device_weights = io_weights(p, &io->weight_device, &limits.device_weight_count);
    for (size_t kind = 0; kind < CG_IO_KINDS; kind++) {
        limits.rates[kind] = io_rates(p, lists[kind]);
        limits.rate_counts[kind] = lists[kind]->count;
    }
    if (!arena_failed(p->arena))
        tell(p, cg_io_rows(rows, FIELD ".blockIO", &limits, &err), &err);
}

static void add_hugepages(struct planning *p, const struct spec_hugepage_limits *limits,
                          struct cg_rows *rows)
{
    for (size_t i = 0; i < limits->count; i++) {
        const char *where = arena_printf(p->arena, FIELD ".hugepageLimits[%zu]", i);
        struct sub_err err = {.code = 0};

        if (where != NULL) {
            tell(p,
                 cg_hugetlb_rows(rows, where, limits->items[i].page_size,
                                 limits->items[i].limit_bytes, &err),
                 &err);
        }
    }
}

static void add_rdma(struct planning *p, const struct spec_rdma *rdma, struct cg_rows *rows)
{
    for (size_t i = 0; i < rdma->count; i++) {
        const struct spec_rdma_device *item = &rdma->items[i];
        const char *where = arena_printf(p->arena, FIELD ".rdma['%.48s']", item->device);
        const struct cg_rdma_limits limits = {
            .handles_set = (item->has & SPEC_RDMA_HCA_HANDLES) != 0,
            .objects_set = (item->has & SPEC_RDMA_HCA_OBJECTS) != 0,
            .handles = item->hca_handles,
            .objects = item->hca_objects,
        };
        struct sub_err err = {.code = 0};

        if (where != NULL)
            tell(p, cg_rdma_rows(rows, where, item->device, &limits, &err), &err);
    }
}

/* Last, so that a file named here wins over what the other fields became. */
static void add_unified(struct planning *p, const struct spec_pairs *unified, struct cg_rows *rows)
{
    for (size_t i = 0; i < unified->count; i++) {
        const struct spec_pair *item = &unified->items[i];
        const char *where = arena_printf(p->arena, FIELD ".unified['%.64s']", item->key);
        struct sub_err err = {.code = 0};

        if (where != NULL)
            tell(p, cg_unified_rows(rows, where, item->key, item->value, &err), &err);
    }
}

/* What a group has anyway: where the controller is missing, nothing is missed. */
static bool is_default(const struct cg_row *row)
{
    static const struct {
        const char *file, *text;
    } defaults[] = {
        {"cpu.weight",    "100"},
        {"cpu.idle",      "0"  },
        {"cpu.max.burst", "0"  },
        {"memory.low",    "0"  },
        {"memory.min",    "0"  },
    };

    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        if (strcmp(row->file, defaults[i].file) == 0 && strcmp(row->text, defaults[i].text) == 0)
            return true;
    }
    return strncmp(row->text, "max", 3) == 0 && (row->text[3] == '\0' || row->text[3] == ' ');
}

/* Refuses what this host cannot limit, once for each controller. */
static void keep_possible(struct planning *p, struct cg_rows *rows)
{
    const struct host *host = p->host;
    const struct cgroups_host offered = {
        .mount_path = host->cgroup_mount,
        .hybrid = host->cgroup_hybrid,
        .available = (uint32_t) host->cgroup_controllers,
        .bound_to_v1 = (uint32_t) host->cgroup_v1,
        .v1_known = host->cgroup_v1 != 0,
    };
    bool placed = p->spec != NULL && plan_needs_place(p); /* an update finds its group made */
    uint32_t told = 0;
    size_t kept = 0;

    rows->controllers = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct cg_row *row = &rows->rows[i];
        struct sub_err err = {.code = 0};
        int rc = cgroups_check_rows(&offered, row, 1, &err);

        if (rc == 0 && placed)
            rc = plan_check_place(p, row, &err);
        if (rc == 0) {
            rows->controllers |= row->controller;
            rows->rows[kept++] = *row;
        } else if (is_default(row)) {
            log_debug("%s: left out, %s is so without the controller", row->path, row->file);
        } else if ((told & row->controller) == 0) {
            told |= row->controller;
            tell(p, rc, &err);
        }
    }
    rows->count = kept;
}

void plan_resource_rows(struct planning *p, const struct spec_resources *spec, struct cg_rows *rows)
{
    struct sub_err err = {.code = 0};

    if (spec->memory != NULL)
        add_memory(p, spec->memory, rows);
    if (spec->cpu != NULL)
        add_cpu(p, spec->cpu, rows);
    if (spec->pids != NULL && (spec->pids->has & SPEC_PIDS_LIMIT) != 0)
        tell(p, cg_pids_rows(rows, FIELD ".pids", spec->pids->limit, &err), &err);
    if (spec->block_io != NULL)
        add_io(p, spec->block_io, rows);
    add_hugepages(p, &spec->hugepage_limits, rows);
    add_rdma(p, &spec->rdma, rows);
    add_unified(p, &spec->unified, rows);

    if (p->options->cgroup_manager != OPTION_DISABLED && p->host->cgroup_mount != NULL)
        keep_possible(p, rows);
}

void plan_decide_resources(struct planning *p)
{
    static const struct spec_resources none;
    struct plan_cgroup *cgroup = &p->plan->cgroup;
    struct cg_rows rows;

    cg_rows_init(&rows, p->arena);
    plan_resource_rows(p, p->linux_->resources == NULL ? &none : p->linux_->resources, &rows);
    bool disabled = p->options->cgroup_manager == OPTION_DISABLED;
    if (disabled || p->host->cgroup_mount == NULL) {
        for (size_t i = 0; i < rows.count; i++) {
            if (!is_default(&rows.rows[i]))
                plan_error(p, rows.rows[i].path, "needs a cgroup, but %s",
                           disabled ? "the manager is 'disabled'" : "no cgroup v2 is mounted");
        }
        return;
    }
    cgroup->rows = rows.rows;
    cgroup->row_count = rows.count;
    cgroup->controllers = rows.controllers;
}
