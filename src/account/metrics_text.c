/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text formats. They differ in the name a counter's family has (OpenMetrics: without _total),
 * in the type of an info (text format: a gauge), in the line of the unit, and in the end.
 */
#include <stdio.h>
#include <string.h>

#include "sublet/base/buf.h"

#include "metrics.h"

static const char *const unit_names[] = {
    [METRIC_NUMBER] = NULL,
    [METRIC_BYTES] = "bytes",
    [METRIC_SECONDS] = "seconds",
    [METRIC_CORES] = "cores",
};

void metric_begin(struct metric_writer *writer, const char *prefix,
                  const struct metric_family *family)
{
    writer->family = *family;
    writer->begun = false;
    (void) snprintf(writer->name, sizeof writer->name, "%s%s%s", prefix,
                    *family->name == '\0' ? "" : "_", family->name);
}

static const char *suffix(const struct metric_family *family)
{
    return family->kind == METRIC_COUNTER ? "_total" : family->kind == METRIC_INFO ? "_info" : "";
}

static void write_head(struct metric_writer *writer)
{
    static const char *const types[] = {"counter", "gauge", "info"};
    const struct metric_family *family = &writer->family;
    bool open = writer->format == METRICS_OPENMETRICS;
    const char *end = open ? "" : suffix(family);
    const char *unit = unit_names[family->unit];
    enum metric_kind kind = open || family->kind != METRIC_INFO ? family->kind : METRIC_GAUGE;

    buf_printf(writer->text, "# HELP %s%s %s\n", writer->name, end, family->help);
    buf_printf(writer->text, "# TYPE %s%s %s\n", writer->name, end, types[kind]);
    if (open && unit != NULL)
        buf_printf(writer->text, "# UNIT %s %s\n", writer->name, unit);
}

/* A backslash, a quote and a newline are escaped, nothing else. */
static void write_escaped(struct buf *text, const char *value)
{
    for (; *value != '\0'; value++) {
        if (*value == '\n') {
            buf_puts(text, "\\n");
            continue;
        }
        if (*value == '\\' || *value == '"')
            buf_putc(text, '\\');
        buf_putc(text, *value);
    }
}

static void write_labels(struct buf *text, const struct metric_label *labels)
{
    char before = '{';

    for (; labels->name != NULL; labels++) {
        if (labels->value == NULL)
            continue;
        buf_printf(text, "%c%s=\"", before, labels->name);
        write_escaped(text, labels->value);
        buf_putc(text, '"');
        before = ',';
    }
    if (before == ',')
        buf_putc(text, '}');
}

/* Millionths exactly, without zeros at the end. */
static void write_micro(struct buf *text, uint64_t value)
{
    char fraction[8];
    size_t length = 6;

    buf_printf(text, "%llu", (unsigned long long) (value / 1000000));
    (void) snprintf(fraction, sizeof fraction, "%06llu", (unsigned long long) (value % 1000000));
    while (length > 0 && fraction[length - 1] == '0')
        length--;
    if (length > 0)
        buf_printf(text, ".%.*s", (int) length, fraction);
}

void metric_sample(struct metric_writer *writer, const struct metric_label *labels, uint64_t value)
{
    enum metric_unit unit = writer->family.unit;

    if (!writer->begun)
        write_head(writer);
    writer->begun = true;
    buf_printf(writer->text, "%s%s", writer->name, suffix(&writer->family));
    write_labels(writer->text, labels);
    buf_putc(writer->text, ' ');
    if (writer->family.kind == METRIC_GAUGE && value == UINT64_MAX)
        buf_puts(writer->text, "+Inf");
    else if (unit == METRIC_SECONDS || unit == METRIC_CORES)
        write_micro(writer->text, value);
    else
        buf_printf(writer->text, "%llu", (unsigned long long) value);
    buf_putc(writer->text, '\n');
}
