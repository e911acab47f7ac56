/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events in the form of `runc events`, which go-runc and others parse: counters of v2 under the
 * names that v1 had, times of the CPU in nanoseconds. What the kernel does not tell is left out,
 * which their parsers take for 0.
 */
#include "sublet/base/buf.h"
#include "sublet/cgroups/reader.h"
#include "sublet/json.h"

#include "usage.h"

#define NS_PER_US 1000

#define WRITE(writer, key, counters, member, factor)                       \
    do {                                                                   \
        if (cg_has((counters), member))                                    \
            json_write_u64((writer), (key), (counters)->member *(factor)); \
    } while (0)

static void write_pressure_line(struct json_writer *writer, const char *key,
                                const struct cg_pressure_line *line)
{
    json_write_object(writer, key);
    json_write_centi(writer, "avg10", line->avg10_centipercent);
    json_write_centi(writer, "avg60", line->avg60_centipercent);
    json_write_centi(writer, "avg300", line->avg300_centipercent);
    json_write_u64(writer, "total", line->total_us);
    json_write_end(writer);
}

static void write_pressure(struct json_writer *writer, const struct cg_pressure *pressure)
{
    if (pressure->present == 0)
        return;
    json_write_object(writer, "psi");
    if (cg_has(pressure, some.total_us))
        write_pressure_line(writer, "some", &pressure->some);
    if (cg_has(pressure, full.total_us))
        write_pressure_line(writer, "full", &pressure->full);
    json_write_end(writer);
}

static void write_cpu(struct json_writer *writer, const struct cgroup_sample *sample)
{
    const struct cg_cpu_counters *cpu = &sample->cpu;

    json_write_object(writer, "cpu");
    json_write_object(writer, "usage");
    WRITE(writer, "total", cpu, usage_us, NS_PER_US);
    WRITE(writer, "kernel", cpu, system_us, NS_PER_US);
    WRITE(writer, "user", cpu, user_us, NS_PER_US);
    json_write_end(writer);
    json_write_object(writer, "throttling");
    WRITE(writer, "periods", cpu, periods, 1);
    WRITE(writer, "throttledPeriods", cpu, throttled_periods, 1);
    WRITE(writer, "throttledTime", cpu, throttled_us, NS_PER_US);
    json_write_end(writer);
    write_pressure(writer, &sample->cpu_pressure);
    json_write_end(writer);
}

/* All keys of memory.stat that this version knows, by the kernel's names. */
static void write_raw(struct json_writer *writer, const struct cg_fields *fields,
                      const void *counters)
{
    for (size_t i = 0; i < fields->count; i++) {
        uint64_t value;

        if (cg_field_value(&fields->rows[i], counters, &value))
            json_write_u64(writer, fields->rows[i].key, value);
    }
}

static uint64_t sum(uint64_t a, uint64_t b)
{
    return a == UINT64_MAX || b == UINT64_MAX ? UINT64_MAX : a + b;
}

/* As with v1, what is called swap there is memory and swap together. */
static void write_swap(struct json_writer *writer, const struct cg_memory_counters *memory)
{
    json_write_object(writer, "swap");
    if (cg_has(memory, swap_bytes) && cg_has(memory, current_bytes))
        json_write_u64(writer, "usage", sum(memory->swap_bytes, memory->current_bytes));
    if (cg_has(memory, swap_limit_bytes) && cg_has(memory, limit_bytes))
        json_write_u64(writer, "limit", sum(memory->swap_limit_bytes, memory->limit_bytes));
    WRITE(writer, "failcnt", memory, swap_limit_events, 1);
    json_write_end(writer);
}

static void write_memory(struct json_writer *writer, const struct cgroup_sample *sample)
{
    const struct cg_memory_counters *memory = &sample->memory;

    json_write_object(writer, "memory");
    WRITE(writer, "cache", &sample->memory_usage, file_bytes, 1);
    json_write_object(writer, "usage");
    WRITE(writer, "limit", memory, limit_bytes, 1);
    WRITE(writer, "usage", memory, current_bytes, 1);
    WRITE(writer, "max", memory, peak_bytes, 1);
    WRITE(writer, "failcnt", memory, limit_events, 1);
    json_write_end(writer);
    write_swap(writer, memory);
    if (sample->memory_usage.present != 0) {
        json_write_object(writer, "raw");
        write_raw(writer, &cg_memory_usage_fields, &sample->memory_usage);
        write_raw(writer, &cg_memory_activity_fields, &sample->memory_activity);
        json_write_end(writer);
    }
    write_pressure(writer, &sample->memory_pressure);
    json_write_end(writer);
}

static void write_pids(struct json_writer *writer, const struct cg_pids_counters *pids)
{
    json_write_object(writer, "pids");
    WRITE(writer, "current", pids, current, 1);
    if (cg_has(pids, limit) && pids->limit != UINT64_MAX)
        json_write_u64(writer, "limit", pids->limit); /* 0, or none: no limit */
    json_write_end(writer);
}

static void write_entry(struct json_writer *writer, const struct cg_io_counters *io,
                        const char *operation, uint64_t value)
{
    json_write_object(writer, NULL);
    json_write_u64(writer, "major", io->major);
    json_write_u64(writer, "minor", io->minor);
    json_write_string(writer, "op", operation);
    json_write_u64(writer, "value", value);
    json_write_end(writer);
}

static void write_entries(struct json_writer *writer, const struct cgroup_sample *sample)
{
    json_write_array(writer, "ioServiceBytesRecursive");
    for (size_t i = 0; i < sample->io_count; i++) {
        write_entry(writer, &sample->io[i], "Read", sample->io[i].read_bytes);
        write_entry(writer, &sample->io[i], "Write", sample->io[i].written_bytes);
        write_entry(writer, &sample->io[i], "Discard", sample->io[i].discarded_bytes);
    }
    json_write_end(writer);
    json_write_array(writer, "ioServicedRecursive");
    for (size_t i = 0; i < sample->io_count; i++) {
        write_entry(writer, &sample->io[i], "Read", sample->io[i].reads);
        write_entry(writer, &sample->io[i], "Write", sample->io[i].writes);
        write_entry(writer, &sample->io[i], "Discard", sample->io[i].discards);
    }
    json_write_end(writer);
}

static void write_io(struct json_writer *writer, const struct cgroup_sample *sample)
{
    json_write_object(writer, "blkio");
    if (sample->io_known)
        write_entries(writer, sample);
    write_pressure(writer, &sample->io_pressure);
    json_write_end(writer);
}

static void write_hugetlb(struct json_writer *writer, const struct cgroup_sample *sample)
{
    json_write_object(writer, "hugetlb");
    for (size_t i = 0; i < sample->hugetlb_count; i++) {
        json_write_object(writer, sample->hugetlb[i].name);
        WRITE(writer, "usage", &sample->hugetlb[i], current_bytes, 1);
        WRITE(writer, "failcnt", &sample->hugetlb[i], limit_events, 1);
        json_write_end(writer);
    }
    json_write_end(writer);
}

void event_stats(struct buf *buf, const char *id, const struct cgroup_sample *sample)
{
    struct json_writer writer;

    json_writer_init(&writer, buf, 0);
    json_write_object(&writer, NULL);
    json_write_string(&writer, "type", "stats");
    json_write_string(&writer, "id", id);
    json_write_object(&writer, "data");
    write_cpu(&writer, sample);
    write_memory(&writer, sample);
    write_pids(&writer, &sample->pids);
    write_io(&writer, sample);
    write_hugetlb(&writer, sample);
    json_write_end(&writer);
    json_write_end(&writer);
    buf_putc(buf, '\n');
}

void event_oom(struct buf *buf, const char *id)
{
    struct json_writer writer;

    json_writer_init(&writer, buf, 0);
    json_write_object(&writer, NULL);
    json_write_string(&writer, "type", "oom");
    json_write_string(&writer, "id", id);
    json_write_end(&writer);
    buf_putc(buf, '\n');
}
