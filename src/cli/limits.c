/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of `run` without a bundle, as fields of linux.resources. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/num.h"
#include "sublet/spec.h"
#include "sublet/tenant.h"

#include "args.h"
#include "bundleless.h"

#define PERIOD_US      100000u
#define PERIOD_LONG_US 1000000u /* the kernel takes no quota below 1 ms: for less than 0.01 CPU */
#define MILLI_SHORT    10u
#define WEIGHT_PER_CPU 100u
#define WEIGHT_MAX     10000u
#define UNIFIED_MAX    2

struct limiting {
    struct arena *arena;
    struct spec_resources *resources;
    struct spec_pair unified[UNIFIED_MAX];
    size_t unified_count;
};

static void put_unified(struct limiting *l, const char *file, uint64_t value)
{
    l->unified[l->unified_count++] =
        (struct spec_pair){file, arena_printf(l->arena, "%llu", (unsigned long long) value)};
}

/* "1.5" is the cap that engines call --cpus; a contract's words give a weight as well, which counts
 * among the containers of the same tenant. */
static int parse_cpu(const char *text, struct tenant_cpu *ret_cpu, bool *ret_words,
                     struct sub_err *err)
{
    struct sub_err cause = {0};
    uint64_t milli;

    *ret_words = strchr(text, ' ') != NULL;
    if (!*ret_words) {
        if (num_parse_milli(text, ARGS_MILLI_MAX, &milli) < 0 || milli == 0) {
            return sub_fail(err, ARGS_USAGE, "--cpu",
                            "'%.32s' is no number of CPUs: above 0, with at most three decimals, "
                            "or 'fixed N [burst TIME]', 'elastic N [ceiling M] [burst TIME]'",
                            text);
        }
        *ret_cpu = (struct tenant_cpu){.kind = TENANT_FIXED, .milli = (uint32_t) milli};
        return 0;
    }
    if (tenant_cpu_parse(text, "--cpu", ret_cpu, &cause) < 0)
        return sub_fail(err, ARGS_USAGE, "--cpu", "%s", cause.text);
    if (ret_cpu->kind == TENANT_PINNED)
        return sub_fail(err, ARGS_USAGE, "--cpu",
                        "'%.32s': CPUs are pinned for a tenant, not for a container", text);
    return 0;
}

static int make_cpu(struct limiting *l, const char *text, struct sub_err *err)
{
    struct spec_cpu *cpu = arena_alloc(l->arena, sizeof *cpu);
    struct tenant_cpu wanted;
    bool words;

    if (cpu == NULL)
        return -ENOMEM;
    SUBLET_TRY(parse_cpu(text, &wanted, &words, err));

    uint64_t cap = wanted.kind == TENANT_FIXED ? wanted.milli : wanted.ceiling_milli;
    uint64_t weight = (uint64_t) wanted.milli * WEIGHT_PER_CPU / 1000;
    if (cap > 0) {
        cpu->has = SPEC_CPU_QUOTA | SPEC_CPU_PERIOD;
        cpu->period_us = cap < MILLI_SHORT ? PERIOD_LONG_US : PERIOD_US;
        cpu->quota_us = (int64_t) (cap * cpu->period_us / 1000);
    }
    if (wanted.burst_us > 0) {
        cpu->has |= SPEC_CPU_BURST;
        cpu->burst_us = wanted.burst_us;
    }
    if (words)
        put_unified(l, "cpu.weight", weight < 1 ? 1 : weight > WEIGHT_MAX ? WEIGHT_MAX : weight);
    l->resources->cpu = cpu;
    return 0;
}

/* 0 is what engines write into a config for "not set"; a person means something else by it. */
static int make_memory(struct arena *arena, uint64_t limit_bytes, struct spec_resources *resources,
                       struct sub_err *err)
{
    struct spec_memory *memory = arena_alloc(arena, sizeof *memory);

    if (memory == NULL)
        return -ENOMEM;
    if (limit_bytes == 0)
        return sub_fail(err, ARGS_USAGE, "--memory",
                        "0 bytes are no limit to run with; leave the option out for none");
    *memory = (struct spec_memory){.has = SPEC_MEMORY_LIMIT, .limit_bytes = (int64_t) limit_bytes};
    resources->memory = memory;
    return 0;
}

static int make_pids(struct arena *arena, uint64_t limit, struct spec_resources *resources)
{
    struct spec_pids *pids = arena_alloc(arena, sizeof *pids);

    if (pids == NULL)
        return -ENOMEM;
    *pids = (struct spec_pids){.has = SPEC_PIDS_LIMIT, .limit = (int64_t) limit};
    resources->pids = pids;
    return 0;
}

/* One list a kind of rate, as the specification has it. */
static int make_io(struct limiting *l, const struct bundleless *facts)
{
    struct spec_block_io *io = arena_alloc(l->arena, sizeof *io);

    if (io == NULL)
        return -ENOMEM;

    struct spec_throttle_devices *const lists[CG_IO_KINDS] = {
        [CG_IO_RBPS] = &io->throttle_read_bps,
        [CG_IO_WBPS] = &io->throttle_write_bps,
        [CG_IO_RIOPS] = &io->throttle_read_iops,
        [CG_IO_WIOPS] = &io->throttle_write_iops,
    };
    for (size_t kind = 0; kind < CG_IO_KINDS; kind++) {
        struct spec_throttle_device *items = arena_array(l->arena, facts->io_count, sizeof *items);
        size_t count = 0;

        if (items == NULL)
            return -ENOMEM;
        for (size_t i = 0; i < facts->io_count; i++) {
            const struct tenant_io *disk = &facts->io[i];

            if (disk->rates[kind] > 0)
                items[count++] = (struct spec_throttle_device){
                    .major = disk->major, .minor = disk->minor, .rate = disk->rates[kind]};
        }
        *lists[kind] = (struct spec_throttle_devices){items, count};
    }
    l->resources->block_io = io;
    return 0;
}

/* memory.swap of the specification is memory and swap together and needs a memory limit; the
 * kernel's own file says what --swap means. */
int bundleless_limits(struct arena *arena, const struct args *args, const struct bundleless *facts,
                      struct spec_linux *linux_, struct sub_err *err)
{
    struct limiting l = {.arena = arena, .resources = arena_alloc(arena, sizeof *l.resources)};
    struct spec_pair *unified = arena_array(arena, UNIFIED_MAX, sizeof *unified);

    if (l.resources == NULL || unified == NULL)
        return -ENOMEM;
    if (linux_->resources != NULL)
        *l.resources = *linux_->resources;
    if (args->cpu != NULL)
        SUBLET_TRY(make_cpu(&l, args->cpu, err));
    if (args->memory_bytes != ARGS_NONE_U64)
        SUBLET_TRY(make_memory(arena, args->memory_bytes, l.resources, err));
    if (args->swap_bytes != ARGS_NONE_U64)
        put_unified(&l, "memory.swap.max", args->swap_bytes);
    if (args->pids != ARGS_NONE_U64)
        SUBLET_TRY(make_pids(arena, args->pids, l.resources));
    if (facts->io_count > 0)
        SUBLET_TRY(make_io(&l, facts));
    memcpy(unified, l.unified, sizeof l.unified);
    if (l.unified_count > 0)
        l.resources->unified = (struct spec_pairs){unified, l.unified_count};
    linux_->resources = l.resources;
    return arena_failed(arena) ? -ENOMEM : 0;
}
