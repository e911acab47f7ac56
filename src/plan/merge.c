/* SPDX-License-Identifier: Apache-2.0 */
/* Resources as they are after an update. */
#include <stddef.h>
#include <string.h>

#include "sublet/cgroups.h"

#include "planning.h"

#define UNIFIED_PATH "linux.resources.unified"

/* A number of an object with presence bits. zero_unset: 0 stands for "not set" (Go's zero value).
 */
struct number {
    uint64_t bit;
    size_t offset, size;
    bool zero_unset;
};

#define NUMBER(type, name, member, unset)                                                         \
    {                                                                                             \
        SPEC_##name, offsetof(struct type, member), sizeof(((struct type *) NULL)->member), unset \
    }
static const struct number memory_numbers[] = {
    NUMBER(spec_memory, MEMORY_LIMIT, limit_bytes, true),
    NUMBER(spec_memory, MEMORY_RESERVATION, reservation_bytes, false),
    NUMBER(spec_memory, MEMORY_SWAP, swap_bytes, true),
    NUMBER(spec_memory, MEMORY_KERNEL, kernel_bytes, true),
    NUMBER(spec_memory, MEMORY_KERNEL_TCP, kernel_tcp_bytes, true),
    NUMBER(spec_memory, MEMORY_SWAPPINESS, swappiness, false),
    NUMBER(spec_memory, MEMORY_DISABLE_OOM_KILLER, disable_oom_killer, false),
    NUMBER(spec_memory, MEMORY_USE_HIERARCHY, use_hierarchy, false),
    NUMBER(spec_memory, MEMORY_CHECK_BEFORE_UPDATE, check_before_update, false),
};
static const struct number cpu_numbers[] = {
    NUMBER(spec_cpu, CPU_SHARES, shares, true),
    NUMBER(spec_cpu, CPU_QUOTA, quota_us, true),
    NUMBER(spec_cpu, CPU_BURST, burst_us, false),
    NUMBER(spec_cpu, CPU_PERIOD, period_us, true),
    NUMBER(spec_cpu, CPU_REALTIME_RUNTIME, realtime_runtime_us, true),
    NUMBER(spec_cpu, CPU_REALTIME_PERIOD, realtime_period_us, true),
    NUMBER(spec_cpu, CPU_IDLE, idle, false),
};
static const struct number pids_numbers[] = {
    NUMBER(spec_pids, PIDS_LIMIT, limit, false),
};
static const struct number block_io_numbers[] = {
    NUMBER(spec_block_io, BLOCK_IO_WEIGHT, weight, true),
    NUMBER(spec_block_io, BLOCK_IO_LEAF_WEIGHT, leaf_weight, true),
};
static const struct number rdma_numbers[] = {
    NUMBER(spec_rdma_device, RDMA_HCA_HANDLES, hca_handles, false),
    NUMBER(spec_rdma_device, RDMA_HCA_OBJECTS, hca_objects, false),
};
#undef NUMBER
#define COUNT(table) (sizeof(table) / sizeof *(table))

static bool is_zero(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

static void merge_numbers(const struct number *numbers, size_t count, void *into, uint64_t *has,
                          const void *given, uint64_t given_has)
{
    for (size_t i = 0; i < count; i++) {
        const char *value = (const char *) given + numbers[i].offset;

        if ((given_has & numbers[i].bit) == 0 ||
            (numbers[i].zero_unset && is_zero(value, numbers[i].size)))
            continue;
        memcpy((char *) into + numbers[i].offset, value, numbers[i].size);
        *has |= numbers[i].bit;
    }
}

/* A copy of one of the small objects to change. */
static void *copy_of(struct arena *arena, const void *saved, size_t size)
{
    void *copy = arena_alloc(arena, size);

    if (copy != NULL && saved != NULL)
        memcpy(copy, saved, size);
    return copy;
}

struct list {
    const void *items;
    size_t count, size; /* size of one item */
    bool (*same)(const void *a, const void *b);
};
#define LIST(member, are_same) \
    ((struct list){(member).items, (member).count, sizeof *(member).items, are_same})

static bool same_disk_weight(const void *a, const void *b)
{
    const struct spec_weight_device *one = a, *other = b;

    return one->major == other->major && one->minor == other->minor;
}

static bool same_disk_rate(const void *a, const void *b)
{
    const struct spec_throttle_device *one = a, *other = b;

    return one->major == other->major && one->minor == other->minor;
}

static bool same_page_size(const void *a, const void *b)
{
    const struct spec_hugepage_limit *one = a, *other = b;

    return strcmp(one->page_size, other->page_size) == 0;
}

static bool same_rdma(const void *a, const void *b)
{
    const struct spec_rdma_device *one = a, *other = b;

    return strcmp(one->device, other->device) == 0;
}

static bool same_file(const void *a, const void *b)
{
    const struct spec_pair *one = a, *other = b;

    return strcmp(one->key, other->key) == 0;
}

/* The saved items with the given ones in the place of those about the same thing, or behind them.
 */
static void *merge_lists(struct arena *arena, struct list saved, struct list given,
                         size_t *ret_count)
{
    char *items = arena_array(arena, saved.count + given.count, given.size);
    size_t count = saved.count;

    if (items == NULL)
        return NULL;
    if (count > 0)
        memcpy(items, saved.items, count * given.size);
    for (size_t i = 0; i < given.count; i++) {
        const char *item = (const char *) given.items + i * given.size;
        size_t at = 0;

        while (at < count && !given.same(items + at * given.size, item))
            at++;
        memcpy(items + at * given.size, item, given.size);
        count += at == count;
    }
    *ret_count = count;
    return items;
}

static const struct spec_block_io *merge_block_io(struct arena *arena,
                                                  const struct spec_block_io *saved,
                                                  const struct spec_block_io *given)
{
    static const struct spec_block_io none;
    struct spec_block_io *io = copy_of(arena, saved, sizeof *io);

    if (io == NULL)
        return NULL;
    if (saved == NULL)
        saved = &none;
    merge_numbers(block_io_numbers, COUNT(block_io_numbers), io, &io->has, given, given->has);
    io->weight_device.items =
        merge_lists(arena, LIST(saved->weight_device, same_disk_weight),
                    LIST(given->weight_device, same_disk_weight), &io->weight_device.count);
    io->throttle_read_bps.items =
        merge_lists(arena, LIST(saved->throttle_read_bps, same_disk_rate),
                    LIST(given->throttle_read_bps, same_disk_rate), &io->throttle_read_bps.count);
    io->throttle_write_bps.items =
        merge_lists(arena, LIST(saved->throttle_write_bps, same_disk_rate),
                    LIST(given->throttle_write_bps, same_disk_rate), &io->throttle_write_bps.count);
    io->throttle_read_iops.items =
        merge_lists(arena, LIST(saved->throttle_read_iops, same_disk_rate),
                    LIST(given->throttle_read_iops, same_disk_rate), &io->throttle_read_iops.count);
    io->throttle_write_iops.items = merge_lists(
        arena, LIST(saved->throttle_write_iops, same_disk_rate),
        LIST(given->throttle_write_iops, same_disk_rate), &io->throttle_write_iops.count);
    return io;
}

/* A device has two numbers; the one that is not given stays. */
static void merge_rdma(struct arena *arena, const struct spec_rdma *saved,
                       const struct spec_rdma *given, struct spec_rdma *into)
{
    struct spec_rdma_device *items = arena_array(arena, given->count, sizeof *items);

    for (size_t i = 0; items != NULL && i < given->count; i++) {
        items[i].device = given->items[i].device;
        for (size_t k = 0; k < saved->count; k++)
            if (same_rdma(&saved->items[k], &items[i]))
                items[i] = saved->items[k];
        merge_numbers(rdma_numbers, COUNT(rdma_numbers), &items[i], &items[i].has, &given->items[i],
                      given->items[i].has);
    }
    const struct spec_rdma fresh = {items, items == NULL ? 0 : given->count};
    into->items = merge_lists(arena, LIST(*saved, same_rdma), LIST(fresh, same_rdma), &into->count);
}

static bool is_rewritten(const struct cg_rows *rows, const char *file)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct cg_row *row = &rows->rows[i];

        /* in io.max and its like a line is one device's: the others stay */
        if (strcmp(row->file, file) == 0 && row->controller != CG_IO &&
            row->controller != CG_RDMA &&
            strncmp(row->path, UNIFIED_PATH, strlen(UNIFIED_PATH)) != 0)
            return true;
    }
    return false;
}

static void merge_unified(struct arena *arena, const struct spec_pairs *saved,
                          const struct spec_pairs *given, const struct cg_rows *rows,
                          struct spec_pairs *into)
{
    struct spec_pair *kept = arena_array(arena, saved->count, sizeof *kept);
    struct spec_pairs still = {kept, 0};

    for (size_t i = 0; kept != NULL && i < saved->count; i++)
        if (!is_rewritten(rows, saved->items[i].key))
            kept[still.count++] = saved->items[i];
    into->items = merge_lists(arena, LIST(still, same_file), LIST(*given, same_file), &into->count);
}

static const struct spec_cpu *merge_cpu(struct arena *arena, const struct spec_cpu *saved,
                                        const struct spec_cpu *given)
{
    struct spec_cpu *cpu = copy_of(arena, saved, sizeof *cpu);

    if (cpu == NULL)
        return NULL;
    merge_numbers(cpu_numbers, COUNT(cpu_numbers), cpu, &cpu->has, given, given->has);
    if (given->cpus != NULL)
        cpu->cpus = given->cpus;
    if (given->mems != NULL)
        cpu->mems = given->mems;
    return cpu;
}

static void merge_objects(struct arena *arena, const struct spec_resources *given,
                          struct spec_resources *merged)
{
    if (given->memory != NULL) {
        struct spec_memory *memory = copy_of(arena, merged->memory, sizeof *memory);

        if (memory != NULL)
            merge_numbers(memory_numbers, COUNT(memory_numbers), memory, &memory->has,
                          given->memory, given->memory->has);
        merged->memory = memory;
    }
    if (given->cpu != NULL)
        merged->cpu = merge_cpu(arena, merged->cpu, given->cpu);
    if (given->pids != NULL) {
        struct spec_pids *pids = copy_of(arena, merged->pids, sizeof *pids);

        if (pids != NULL)
            merge_numbers(pids_numbers, COUNT(pids_numbers), pids, &pids->has, given->pids,
                          given->pids->has);
        merged->pids = pids;
    }
    if (given->block_io != NULL)
        merged->block_io = merge_block_io(arena, merged->block_io, given->block_io);
    if (given->network != NULL)
        merged->network = given->network;
}

const struct spec_resources *plan_merge_resources(struct arena *arena,
                                                  const struct spec_resources *saved,
                                                  const struct spec_resources *given,
                                                  const struct cg_rows *rows)
{
    static const struct spec_resources none;
    struct spec_resources *merged = copy_of(arena, saved, sizeof *merged);

    if (merged == NULL)
        return NULL;
    if (saved == NULL)
        saved = &none;
    merge_objects(arena, given, merged);
    if (given->devices.count > 0)
        merged->devices = given->devices;
    merged->hugepage_limits.items =
        merge_lists(arena, LIST(saved->hugepage_limits, same_page_size),
                    LIST(given->hugepage_limits, same_page_size), &merged->hugepage_limits.count);
    merge_rdma(arena, &saved->rdma, &given->rdma, &merged->rdma);
    merge_unified(arena, &saved->unified, &given->unified, rows, &merged->unified);
    return arena_failed(arena) ? NULL : merged;
}
