/* SPDX-License-Identifier: Apache-2.0 */
#include "metric.h"

#include <stdio.h>
#include <string.h>

#include "sublet/cgroups/reader.h"
#include "sublet/json.h"

#define NONE                 \
    {                        \
        METRIC_NOWHERE, 0, 0 \
    }
#define STATUS              \
    {                       \
        METRIC_STATUS, 0, 0 \
    }
#define LIFE              \
    {                     \
        METRIC_LIFE, 0, 0 \
    }
#define PART(part) __typeof__(((struct cgroup_sample *) 0)->part)
#define COUNTER(part, member)                                                                 \
    {                                                                                         \
        METRIC_COUNTER, offsetof(struct cgroup_sample, part) + offsetof(PART(part), present), \
            offsetof(struct cgroup_sample, part) + offsetof(PART(part), member)               \
    }
#define DISKS(member)                                            \
    {                                                            \
        METRIC_DISKS, 0, offsetof(struct cg_io_counters, member) \
    }

/* In the order of the report; the members of one part stand together. */
/* clang-format off */
const struct budget_metric budget_metrics[] = {
    {NULL, "status", BUDGET_NUMBER, STATUS, NONE},
    {NULL, "life", BUDGET_TIME, LIFE, NONE},
    {"cpu", "usage", BUDGET_TIME, COUNTER(cpu, usage_us), LIFE},
    {"cpu", "user", BUDGET_TIME, COUNTER(cpu, user_us), LIFE},
    {"cpu", "system", BUDGET_TIME, COUNTER(cpu, system_us), LIFE},
    {"cpu", "throttled", BUDGET_TIME, COUNTER(cpu, throttled_us), LIFE},
    {"cpu", "throttled_periods", BUDGET_NUMBER, COUNTER(cpu, throttled_periods), COUNTER(cpu, periods)},
    {"cpu", "periods", BUDGET_NUMBER, COUNTER(cpu, periods), NONE},
    {"cpu", "burst", BUDGET_TIME, COUNTER(cpu, burst_us), LIFE},
    {"cpu", "bursts", BUDGET_NUMBER, COUNTER(cpu, bursts), COUNTER(cpu, periods)},
    {"cpu", "waiting", BUDGET_TIME, COUNTER(cpu_pressure, some.total_us), LIFE},
    {"cpu", "stalled", BUDGET_TIME, COUNTER(cpu_pressure, full.total_us), LIFE},
    {"memory", "peak", BUDGET_BYTES, COUNTER(memory, peak_bytes), COUNTER(memory, limit_bytes)},
    {"memory", "swap_peak", BUDGET_BYTES, COUNTER(memory, swap_peak_bytes), COUNTER(memory, swap_limit_bytes)},
    {"memory", "high_events", BUDGET_NUMBER, COUNTER(memory, high_events), NONE},
    {"memory", "limit_events", BUDGET_NUMBER, COUNTER(memory, limit_events), NONE},
    {"memory", "oom_events", BUDGET_NUMBER, COUNTER(memory, oom_events), NONE},
    {"memory", "oom_kills", BUDGET_NUMBER, COUNTER(memory, oom_kills), NONE},
    {"memory", "faults", BUDGET_NUMBER, COUNTER(memory_activity, faults), NONE},
    {"memory", "major_faults", BUDGET_NUMBER, COUNTER(memory_activity, major_faults), NONE},
    {"memory", "refaults_anon", BUDGET_NUMBER, COUNTER(memory_activity, refaults_anon), NONE},
    {"memory", "refaults_file", BUDGET_NUMBER, COUNTER(memory_activity, refaults_file), NONE},
    {"memory", "waiting", BUDGET_TIME, COUNTER(memory_pressure, some.total_us), LIFE},
    {"memory", "stalled", BUDGET_TIME, COUNTER(memory_pressure, full.total_us), LIFE},
    {"io", "read", BUDGET_BYTES, DISKS(read_bytes), NONE},
    {"io", "written", BUDGET_BYTES, DISKS(written_bytes), NONE},
    {"io", "reads", BUDGET_NUMBER, DISKS(reads), NONE},
    {"io", "writes", BUDGET_NUMBER, DISKS(writes), NONE},
    {"io", "waiting", BUDGET_TIME, COUNTER(io_pressure, some.total_us), LIFE},
    {"io", "stalled", BUDGET_TIME, COUNTER(io_pressure, full.total_us), LIFE},
    {"pids", "peak", BUDGET_NUMBER, COUNTER(pids, peak), COUNTER(pids, limit)},
    {"pids", "refused", BUDGET_NUMBER, COUNTER(pids, refused), NONE},
};
/* clang-format on */
const size_t budget_metric_count = sizeof budget_metrics / sizeof *budget_metrics;

static uint64_t number_at(const void *base, size_t offset)
{
    uint64_t value;

    memcpy(&value, (const char *) base + offset, sizeof value);
    return value;
}

static uint64_t sum_of_disks(const struct cgroup_sample *sample, size_t offset)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < sample->io_count; i++)
        sum += number_at(&sample->io[i], offset);
    return sum;
}

/* As cg_has() does: bit n of present is of the n-th number behind it. */
static bool is_counted(const struct cgroup_sample *sample, const struct metric_place *place)
{
    size_t index = (place->value - place->present) / sizeof(uint64_t) - 1;

    return (number_at(sample, place->present) & (uint64_t) 1 << index) != 0;
}

bool metric_value(const struct metric_place *place, const struct budget_account *account,
                  uint64_t *ret_value)
{
    const struct cgroup_sample *sample = account->sample;

    if (place->kind == METRIC_STATUS) {
        *ret_value = (uint64_t) account->status;
        return true;
    }
    if (place->kind == METRIC_LIFE) {
        *ret_value = account->life_us;
        return true;
    }
    if (sample == NULL)
        return false;
    if (place->kind == METRIC_DISKS && sample->io_known) {
        *ret_value = sum_of_disks(sample, place->value);
        return true;
    }
    if (place->kind != METRIC_COUNTER || !is_counted(sample, place))
        return false;
    *ret_value = number_at(sample, place->value);
    return true;
}

const char *metric_name(const struct budget_metric *metric, char text[METRIC_NAME_TEXT])
{
    (void) snprintf(text, METRIC_NAME_TEXT, "%s%s%s", metric->part == NULL ? "" : metric->part,
                    metric->part == NULL ? "" : ".", metric->name);
    return text;
}

const char *budget_unit_suffix(enum budget_unit unit)
{
    static const char *const suffixes[] = {
        [BUDGET_NUMBER] = "", [BUDGET_BYTES] = "_bytes", [BUDGET_TIME] = "_us"};

    return suffixes[unit];
}

void budget_names(void (*name)(void *context, const char *name, const char *unit), void *context)
{
    static const char *const units[] = {
        [BUDGET_NUMBER] = "number", [BUDGET_BYTES] = "bytes", [BUDGET_TIME] = "time"};
    char text[METRIC_NAME_TEXT];

    for (size_t i = 0; i < budget_metric_count; i++)
        name(context, metric_name(&budget_metrics[i], text), units[budget_metrics[i].unit]);
}

/* ---- the report ---- */

static void write_disks(struct json_writer *writer, const struct cgroup_sample *sample)
{
    char device[32];

    json_write_array(writer, "devices");
    for (size_t i = 0; i < sample->io_count; i++) {
        const struct cg_io_counters *io = &sample->io[i];

        (void) snprintf(device, sizeof device, "%u:%u", io->major, io->minor);
        json_write_object(writer, NULL);
        json_write_string(writer, "device", device);
        json_write_u64(writer, "read_bytes", io->read_bytes);
        json_write_u64(writer, "written_bytes", io->written_bytes);
        json_write_u64(writer, "discarded_bytes", io->discarded_bytes);
        json_write_u64(writer, "reads", io->reads);
        json_write_u64(writer, "writes", io->writes);
        json_write_end(writer);
    }
    json_write_end(writer);
}

static void end_part(struct json_writer *writer, const char *part,
                     const struct budget_account *account)
{
    if (part == NULL)
        return;
    if (strcmp(part, "io") == 0 && account->sample != NULL && account->sample->io_known)
        write_disks(writer, account->sample);
    json_write_end(writer);
}

/* A part that has nothing is an empty object: its absent members are what is told. */
void budget_write(struct json_writer *writer, const struct budget_account *account)
{
    const char *part = NULL;

    for (size_t i = 0; i < budget_metric_count; i++) {
        const struct budget_metric *metric = &budget_metrics[i];
        char key[METRIC_NAME_TEXT];
        uint64_t value;

        if (metric->part != NULL && (part == NULL || strcmp(metric->part, part) != 0)) {
            end_part(writer, part, account);
            part = metric->part;
            json_write_object(writer, part);
        }
        (void) snprintf(key, sizeof key, "%s%s", metric->name, budget_unit_suffix(metric->unit));
        if (metric_value(&metric->place, account, &value))
            json_write_u64(writer, key, value);
    }
    end_part(writer, part, account);
}
