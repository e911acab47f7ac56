/* SPDX-License-Identifier: Apache-2.0 */
#include "usage.h"

#include <stdio.h>

#include "sublet/base/buf.h"
#include "sublet/cgroups/reader.h"
#include "sublet/json.h"

/* ---- JSON ---- */

static void write_fields(struct json_writer *writer, const struct cg_fields *fields,
                         const void *counters)
{
    for (size_t i = 0; i < fields->count; i++) {
        const struct cg_field *field = &fields->rows[i];
        uint64_t value;

        if (!cg_field_value(field, counters, &value))
            continue;
        if (field->kind == CG_LIMIT && value == UINT64_MAX)
            json_write_null(writer, field->name);
        else
            json_write_u64(writer, field->name, value);
    }
}

static void write_io(struct json_writer *writer, const struct cgroup_sample *sample)
{
    char device[32];

    json_write_array(writer, "io");
    for (size_t i = 0; i < sample->io_count; i++) {
        (void) snprintf(device, sizeof device, "%u:%u", sample->io[i].major, sample->io[i].minor);
        json_write_object(writer, NULL);
        json_write_string(writer, "device", device);
        write_fields(writer, &cg_io_fields, &sample->io[i]);
        json_write_end(writer);
    }
    json_write_end(writer);
}

static void write_hugetlb(struct json_writer *writer, const struct cgroup_sample *sample)
{
    json_write_object(writer, "hugetlb");
    for (size_t i = 0; i < sample->hugetlb_count; i++) {
        json_write_object(writer, sample->hugetlb[i].name);
        json_write_u64(writer, "page_bytes", sample->hugetlb[i].page_bytes);
        write_fields(writer, &cg_hugetlb_fields, &sample->hugetlb[i]);
        json_write_end(writer);
    }
    json_write_end(writer);
}

static void write_misc(struct json_writer *writer, const struct cgroup_sample *sample)
{
    json_write_object(writer, "misc");
    for (size_t i = 0; i < sample->misc_count; i++) {
        json_write_object(writer, sample->misc[i].name);
        write_fields(writer, &cg_misc_fields, &sample->misc[i]);
        json_write_end(writer);
    }
    json_write_end(writer);
}

static void write_rdma(struct json_writer *writer, const struct cgroup_sample *sample)
{
    json_write_object(writer, "rdma");
    for (size_t i = 0; i < sample->rdma_count; i++) {
        json_write_object(writer, sample->rdma[i].name);
        write_fields(writer, &cg_rdma_fields, &sample->rdma[i]);
        json_write_end(writer);
    }
    json_write_end(writer);
}

void usage_json(struct json_writer *writer, const struct cgroup_sample *sample)
{
    const struct {
        const char *key;
        const struct cg_fields *fields;
        const void *counters;
        uint64_t present;
    } parts[] = {
        {"cpu",             &cg_cpu_fields,             &sample->cpu,             sample->cpu.present         },
        {"cpu_pressure",    &cg_pressure_fields,        &sample->cpu_pressure,    sample->cpu_pressure.present},
        {"irq_pressure",    &cg_pressure_fields,        &sample->irq_pressure,    sample->irq_pressure.present},
        {"memory",          &cg_memory_fields,          &sample->memory,          sample->memory.present      },
        {"memory_usage",    &cg_memory_usage_fields,    &sample->memory_usage,
         sample->memory_usage.present                                                                         },
        {"memory_activity", &cg_memory_activity_fields, &sample->memory_activity,
         sample->memory_activity.present                                                                      },
        {"memory_pressure", &cg_pressure_fields,        &sample->memory_pressure,
         sample->memory_pressure.present                                                                      },
        {"io_pressure",     &cg_pressure_fields,        &sample->io_pressure,     sample->io_pressure.present },
        {"pids",            &cg_pids_fields,            &sample->pids,            sample->pids.present        },
        {"group",           &cg_group_fields,           &sample->group,           sample->group.present       },
    };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].present == 0)
            continue;
        json_write_object(writer, parts[i].key);
        write_fields(writer, parts[i].fields, parts[i].counters);
        json_write_end(writer);
    }
    if (sample->io_known)
        write_io(writer, sample);
    if (sample->hugetlb_count > 0)
        write_hugetlb(writer, sample);
    if (sample->misc_count > 0)
        write_misc(writer, sample);
    if (sample->rdma_count > 0)
        write_rdma(writer, sample);
}

/* ---- table ---- */

enum unit { SECONDS, BYTES, NUMBER };

#define CELL_TEXT 32

void usage_size(uint64_t bytes, char *text, size_t size)
{
    static const char units[] = "BKMGTPE";
    unsigned at = 0;
    double value = (double) bytes;

    for (; value >= 1024 && units[at + 1] != '\0'; at++)
        value /= 1024;
    if (bytes == UINT64_MAX)
        (void) snprintf(text, size, "max");
    else if (at == 0)
        (void) snprintf(text, size, "%lluB", (unsigned long long) bytes);
    else
        (void) snprintf(text, size, "%.1f%c", value, units[at]);
}

/* "12.345s", "1.5G", "7"; of a limit "max" */
static void format_cell(enum unit unit, uint64_t value, char text[CELL_TEXT])
{
    if (unit == BYTES)
        usage_size(value, text, CELL_TEXT);
    else if (value == UINT64_MAX)
        (void) snprintf(text, CELL_TEXT, "max");
    else if (unit == SECONDS)
        (void) snprintf(text, CELL_TEXT, "%llu.%03llus", (unsigned long long) (value / 1000000),
                        (unsigned long long) (value / 1000 % 1000));
    else
        (void) snprintf(text, CELL_TEXT, "%llu", (unsigned long long) value);
}

struct cell {
    const char *title;
    int width;
    enum unit unit;
    bool known;
    uint64_t value;
};

#define CELLS 11

static void fill_cells(const struct cgroup_sample *s, struct cell cells[CELLS])
{
    uint64_t read_bytes = 0, written_bytes = 0;

    for (size_t i = 0; i < s->io_count; i++) {
        read_bytes += s->io[i].read_bytes;
        written_bytes += s->io[i].written_bytes;
    }
    const struct cell filled[CELLS] = {
        {"CPU",       12,            SECONDS,     cg_has(&s->cpu,          usage_us),      s->cpu.usage_us        },
        {"THROTTLED", 10,            SECONDS,     cg_has(&s->cpu,          throttled_us),  s->cpu.throttled_us    },
        {"STALLED",   10,            SECONDS,     cg_has(&s->cpu_pressure, full.total_us),
         s->cpu_pressure.full.total_us                                                                            },
        {"MEMORY",    8,             BYTES,       cg_has(&s->memory,       current_bytes), s->memory.current_bytes},
        {"PEAK",      8,             BYTES,       cg_has(&s->memory,       peak_bytes),    s->memory.peak_bytes   },
        {"LIMIT",     8,             BYTES,       cg_has(&s->memory,       limit_bytes),   s->memory.limit_bytes  },
        {"SWAP",      8,             BYTES,       cg_has(&s->memory,       swap_bytes),    s->memory.swap_bytes   },
        {"READ",      8,             BYTES,       s->io_known,             read_bytes    },
        {"WRITTEN",          8,         BYTES, s->io_known,           written_bytes              },
        {"PIDS",     5,   NUMBER,    cg_has(&s->pids,         current),               s->pids.current                       },
        {"OOM",     3, NUMBER,  cg_has(&s->memory,     oom_kills),               s->memory.oom_kills                  },
    };

    for (size_t i = 0; i < CELLS; i++)
        cells[i] = filled[i];
}

static const struct cgroup_sample nothing;

void usage_columns(struct buf *buf)
{
    struct cell cells[CELLS];

    fill_cells(&nothing, cells);
    for (size_t i = 0; i < CELLS; i++)
        buf_printf(buf, "  %*s", cells[i].width, cells[i].title);
    buf_putc(buf, '\n');
}

void usage_row(struct buf *buf, const struct cgroup_sample *sample)
{
    struct cell cells[CELLS];
    char text[CELL_TEXT];

    fill_cells(sample == NULL ? &nothing : sample, cells);
    for (size_t i = 0; i < CELLS; i++) {
        format_cell(cells[i].unit, cells[i].value, text);
        buf_printf(buf, "  %*s", cells[i].width, cells[i].known ? text : "-");
    }
    buf_putc(buf, '\n');
}
