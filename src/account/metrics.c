/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/num.h"

#define LABELS_MAX 6

int metrics_take(struct arena *arena, const struct cgroup_sample *sample,
                 struct metrics_counters *ret_counters)
{
    struct cg_io_counters *io = arena_array(arena, sample->io_count, sizeof *io);

    if (io == NULL && sample->io_count > 0)
        return -ENOMEM;
    if (sample->io_count > 0)
        memcpy(io, sample->io, sample->io_count * sizeof *io);
    *ret_counters = (struct metrics_counters){
        .cpu = sample->cpu,
        .cpu_pressure = sample->cpu_pressure,
        .memory_pressure = sample->memory_pressure,
        .io_pressure = sample->io_pressure,
        .irq_pressure = sample->irq_pressure,
        .memory = sample->memory,
        .usage = sample->memory_usage,
        .activity = sample->memory_activity,
        .pids = sample->pids,
        .io = io,
        .io_count = sample->io_count,
    };
    return 0;
}

/* Every part begins with its mask `present`, whose bit n is that of the n-th number behind. */
static bool value_of(const void *part, size_t offset, uint64_t *ret_value)
{
    uint64_t present;

    memcpy(&present, part, sizeof present);
    if ((present & (1ull << (offset / sizeof(uint64_t) - 1))) == 0)
        return false;
    memcpy(ret_value, (const char *) part + offset, sizeof *ret_value);
    return true;
}

/* ---- tenants and containers alike ---- */

static const struct metric_label no_label = {NULL, NULL};

struct kind { /* of groups */
    const char *prefix;
    const struct metrics_group *groups;
    size_t count;
    bool is_container, is_compat;
};

/* The labels that tell which group, then one more, then the end. */
static void name_group(const struct kind *kind, const struct metrics_group *group,
                       struct metric_label extra, struct metric_label labels[LABELS_MAX])
{
    size_t count = 0;

    if (kind->is_compat)
        labels[count++] = (struct metric_label){"id", group->cgroup};
    if (kind->is_container)
        labels[count++] =
            (struct metric_label){kind->is_compat ? "name" : "container", group->name};
    labels[count++] =
        (struct metric_label){"tenant", kind->is_container ? group->tenant : group->name};
    labels[count++] = extra;
    labels[count] = (struct metric_label){NULL, NULL};
}

static void write_row(struct metric_writer *writer, const struct kind *kind,
                      const struct metric_row *row, struct metric_label extra)
{
    struct metric_label labels[LABELS_MAX];
    uint64_t value;

    for (size_t i = 0; i < kind->count; i++) {
        const struct metrics_group *group = &kind->groups[i];

        if (group->counters == NULL ||
            !value_of((const char *) group->counters + row->part, row->offset, &value))
            continue;
        name_group(kind, group, extra, labels);
        metric_sample(writer, labels, value);
    }
}

static void write_io_row(struct metric_writer *writer, const struct kind *kind,
                         const struct metric_io_row *row)
{
    struct metric_label labels[LABELS_MAX];
    char device[32];
    uint64_t value;

    for (size_t i = 0; i < kind->count; i++) {
        const struct metrics_counters *counters = kind->groups[i].counters;

        for (size_t k = 0; counters != NULL && k < counters->io_count; k++) {
            const struct cg_io_counters *io = &counters->io[k];

            if (!value_of(io, row->offset, &value))
                continue;
            (void) snprintf(device, sizeof device, "%u:%u", io->major, io->minor);
            name_group(kind, &kind->groups[i], (struct metric_label){"device", device}, labels);
            metric_sample(writer, labels, value);
        }
    }
}

static void write_rows(struct metric_writer *writer, const struct kind *kind,
                       const struct metric_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct metric_row *row = &rows->items[i];

        metric_begin(writer, kind->prefix,
                     &(struct metric_family){row->name, row->kind, row->unit, row->help});
        write_row(writer, kind, row, no_label);
    }
}

static void write_io_rows(struct metric_writer *writer, const struct kind *kind,
                          const struct metric_io_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct metric_io_row *row = &rows->items[i];

        metric_begin(writer, kind->prefix,
                     &(struct metric_family){row->name, METRIC_COUNTER, row->unit, row->help});
        write_io_row(writer, kind, row);
    }
}

static void write_counters(struct metric_writer *writer, const struct kind *kind)
{
    write_rows(writer, kind, &metric_rows);
    metric_begin(
        writer, kind->prefix,
        &(struct metric_family){"memory_events", METRIC_COUNTER, METRIC_NUMBER,
                                "Events of the memory controller, with those of groups below."});
    for (size_t i = 0; i < metric_event_rows.count; i++) {
        const struct metric_row *row = &metric_event_rows.items[i];

        write_row(writer, kind, row, (struct metric_label){"event", row->name});
    }
    write_io_rows(writer, kind, &metric_io_rows);
}

/* ---- containers by the names of cAdvisor ---- */

/* What it makes itself: memory that cannot be taken back at once. */
static bool working_set(const struct metrics_group *group, uint64_t *ret_value)
{
    const struct metrics_counters *counters = group->counters;

    if (counters == NULL || !cg_has(&counters->memory, current_bytes) ||
        !cg_has(&counters->usage, inactive_file_bytes))
        return false;
    *ret_value = num_above(counters->memory.current_bytes, counters->usage.inactive_file_bytes);
    return true;
}

/* 0: none. */
static bool memory_limit(const struct metrics_group *group, uint64_t *ret_value)
{
    const struct metrics_counters *counters = group->counters;

    if (counters == NULL || !cg_has(&counters->memory, limit_bytes))
        return false;
    *ret_value = counters->memory.limit_bytes == UINT64_MAX ? 0 : counters->memory.limit_bytes;
    return true;
}

static bool start_time(const struct metrics_group *group, uint64_t *ret_value)
{
    *ret_value = group->created_us;
    return group->created_us > 0;
}

static const struct {
    struct metric_family family;
    bool (*value)(const struct metrics_group *group, uint64_t *ret_value);
} compat_values[] = {
    {{"memory_working_set_bytes", METRIC_GAUGE, METRIC_BYTES,
      "Memory now, without page cache that is not in use."},
     working_set },
    {{"spec_memory_limit_bytes", METRIC_GAUGE, METRIC_BYTES, "Limit of memory; 0: none."},
     memory_limit},
    {{"start_time_seconds", METRIC_GAUGE, METRIC_SECONDS, "When it was created, since 1970."},
     start_time  },
};

static void write_compat(struct metric_writer *writer, const struct kind *kind, uint64_t now_us)
{
    struct metric_label labels[LABELS_MAX];
    uint64_t value;

    write_rows(writer, kind, &metric_compat_rows);
    write_io_rows(writer, kind, &metric_compat_io_rows);
    for (size_t row = 0; row < sizeof compat_values / sizeof *compat_values; row++) {
        metric_begin(writer, kind->prefix, &compat_values[row].family);
        for (size_t i = 0; i < kind->count; i++) {
            if (!compat_values[row].value(&kind->groups[i], &value))
                continue;
            name_group(kind, &kind->groups[i], no_label, labels);
            metric_sample(writer, labels, value);
        }
    }
    /* in seconds, whose name does not say it */
    metric_begin(writer, kind->prefix,
                 &(struct metric_family){"last_seen", METRIC_GAUGE, METRIC_NUMBER,
                                         "When it was looked at, in seconds since 1970."});
    for (size_t i = 0; i < kind->count; i++) {
        name_group(kind, &kind->groups[i], no_label, labels);
        metric_sample(writer, labels, now_us / 1000000);
    }
}

/* ---- containers alone ---- */

static void write_containers(struct metric_writer *writer, const struct kind *kind)
{
    metric_begin(writer, kind->prefix,
                 &(struct metric_family){"", METRIC_INFO, METRIC_NUMBER,
                                         "A container; outside: its cgroup is not its tenant's, no "
                                         "contract holds for it."});
    for (size_t i = 0; i < kind->count; i++) {
        const struct metrics_group *group = &kind->groups[i];
        const struct metric_label labels[] = {
            {"container", group->name                      },
            {"tenant",    group->tenant                    },
            {"status",    group->status                    },
            {"outside",   group->outside ? "true" : "false"},
            {NULL,        NULL                             },
        };

        metric_sample(writer, labels, 1);
    }
}

/* ---- tenants alone ---- */

static void write_contracts(struct metric_writer *writer, const struct kind *kind)
{
    struct metric_label labels[LABELS_MAX];

    metric_begin(
        writer, kind->prefix,
        &(struct metric_family){"", METRIC_INFO, METRIC_NUMBER, "A tenant and its CPU contract."});
    for (size_t i = 0; i < kind->count; i++) {
        name_group(kind, &kind->groups[i],
                   (struct metric_label){"contract", kind->groups[i].contract}, labels);
        metric_sample(writer, labels, 1);
    }
    metric_begin(writer, kind->prefix,
                 &(struct metric_family){"cpu_entitlement_cores", METRIC_GAUGE, METRIC_CORES,
                                         "CPUs that the contract promises."});
    for (size_t i = 0; i < kind->count; i++) {
        name_group(kind, &kind->groups[i], (struct metric_label){NULL, NULL}, labels);
        metric_sample(writer, labels, kind->groups[i].entitled_micro);
    }
    metric_begin(writer, kind->prefix,
                 &(struct metric_family){"cpu_limit_cores", METRIC_GAUGE, METRIC_CORES,
                                         "CPUs that the contract allows at the most; +Inf: all."});
    for (size_t i = 0; i < kind->count; i++) {
        uint64_t cap = kind->groups[i].cap_micro;

        name_group(kind, &kind->groups[i], (struct metric_label){NULL, NULL}, labels);
        metric_sample(writer, labels, cap == 0 ? UINT64_MAX : cap);
    }
}

static void write_total_row(struct metric_writer *writer, const struct kind *kind, size_t part,
                            const struct metric_ledger_row *row, struct metric_label extra)
{
    struct metric_label labels[LABELS_MAX];
    uint64_t value;

    for (size_t i = 0; i < kind->count; i++) {
        const struct account_total *total = kind->groups[i].total;

        if (total == NULL)
            continue;
        memcpy(&value, (const char *) total + part + row->offset, sizeof value);
        name_group(kind, &kind->groups[i], extra, labels);
        metric_sample(writer, labels, value);
    }
}

/* The one who borrowed is the tenant, so that a sum by tenant says who troubles the others. */
static void write_blame(struct metric_writer *writer, const struct kind *kind)
{
    metric_begin(
        writer, kind->prefix,
        &(struct metric_family){"cpu_blame_seconds", METRIC_COUNTER, METRIC_SECONDS,
                                "The part of a victim's shortfall that this tenant, or the host, "
                                "caused by using more than its own."});
    for (size_t i = 0; i < kind->count; i++) {
        const struct account_total *total = kind->groups[i].total;

        for (size_t k = 0; total != NULL && k < total->blame_count; k++) {
            const struct metric_label labels[] = {
                {"tenant", total->blame[k].name},
                {"victim", kind->groups[i].name},
                {NULL,     NULL                },
            };

            metric_sample(writer, labels, total->blame[k].us);
        }
    }
}

static void write_totals(struct metric_writer *writer, const struct kind *kind)
{
    for (size_t i = 0; i < metric_cpu_rows.count; i++) {
        const struct metric_ledger_row *row = &metric_cpu_rows.items[i];

        metric_begin(writer, kind->prefix,
                     &(struct metric_family){row->name, METRIC_COUNTER, METRIC_SECONDS, row->help});
        write_total_row(writer, kind, offsetof(struct account_total, cpu), row,
                        (struct metric_label){NULL, NULL});
    }
    metric_begin(
        writer, kind->prefix,
        &(struct metric_family){"windows", METRIC_COUNTER, METRIC_NUMBER,
                                "Windows of the meter, by what they were for the tenant."});
    for (size_t i = 0; i < metric_class_rows.count; i++) {
        const struct metric_ledger_row *row = &metric_class_rows.items[i];

        write_total_row(writer, kind, offsetof(struct account_total, windows), row,
                        (struct metric_label){"class", row->name});
    }
    write_blame(writer, kind);
}

/* ---- the host, the ledger and ourselves ---- */

static void write_one(struct metric_writer *writer, const struct metric_family *family,
                      uint64_t value)
{
    static const struct metric_label none = {NULL, NULL};

    metric_begin(writer, "sublet", family);
    metric_sample(writer, &none, value);
}

static void write_ledger(struct metric_writer *writer, const struct account_totals_stats *ledger)
{
    const struct {
        struct metric_family family;
        uint64_t value;
    } rows[] = {
        {{"ledger_records", METRIC_COUNTER, METRIC_NUMBER, "Records read from the ledger."},
         ledger->records              },
        {{"ledger_torn", METRIC_COUNTER, METRIC_NUMBER, "Lines of the ledger that are no record."},
         ledger->torn                 },
        {{"ledger_missing", METRIC_COUNTER, METRIC_NUMBER,
          "Records missing by their sequence numbers."},
         ledger->missing              },
        {{"ledger_gaps", METRIC_COUNTER, METRIC_NUMBER,
          "Times in which no meter ran, or none could write."},
         ledger->gaps                 },
        {{"ledger_gap_seconds", METRIC_COUNTER, METRIC_SECONDS,
          "How long no meter ran, or none could write."},
         ledger->gap_seconds * 1000000},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows && ledger->records > 0; i++)
        write_one(writer, &rows[i].family, rows[i].value);
    if (ledger->newest_us > 0) {
        write_one(writer,
                  &(struct metric_family){"meter_last_record_timestamp_seconds", METRIC_GAUGE,
                                          METRIC_SECONDS, "When the meter wrote last."},
                  ledger->newest_us);
    }
    if (!ledger->host_known)
        return;
    write_one(writer,
              &(struct metric_family){"meter_cpu_seconds", METRIC_COUNTER, METRIC_SECONDS,
                                      "CPU time of the meter itself."},
              ledger->meter.use);
    for (size_t i = 0; i < metric_host_rows.count; i++) {
        const struct metric_ledger_row *row = &metric_host_rows.items[i];
        static const struct metric_label none = {NULL, NULL};
        uint64_t value;

        memcpy(&value, (const char *) &ledger->host + row->offset, sizeof value);
        metric_begin(writer, "sublet_host",
                     &(struct metric_family){row->name, METRIC_COUNTER, METRIC_SECONDS, row->help});
        metric_sample(writer, &none, value);
    }
}

void metrics_write(const struct metrics *metrics, enum metrics_format format, struct buf *text)
{
    struct metric_writer writer = {.text = text, .format = format};
    const struct kind tenants = {"sublet_tenant", metrics->tenants, metrics->tenant_count, false,
                                 false};
    const struct kind containers = {"sublet_container", metrics->containers,
                                    metrics->container_count, true, false};
    const struct kind compat = {"container", metrics->containers, metrics->container_count, true,
                                true};
    const struct metric_label build[] = {
        {"version", metrics->version},
        {"commit",  metrics->commit },
        {NULL,      NULL            },
    };

    metric_begin(
        &writer, "sublet",
        &(struct metric_family){"build", METRIC_INFO, METRIC_NUMBER, "The sublet that says this."});
    metric_sample(&writer, build, 1);
    write_contracts(&writer, &tenants);
    write_counters(&writer, &tenants);
    write_totals(&writer, &tenants);
    write_containers(&writer, &containers);
    write_counters(&writer, &containers);
    if (metrics->compat)
        write_compat(&writer, &compat, metrics->now_us);
    write_ledger(&writer, metrics->ledger);
    write_one(&writer,
              &(struct metric_family){"collector_duration_seconds", METRIC_GAUGE, METRIC_SECONDS,
                                      "How long it took to gather these metrics."},
              metrics->took_us);
    if (format == METRICS_OPENMETRICS)
        buf_puts(text, "# EOF\n");
}
