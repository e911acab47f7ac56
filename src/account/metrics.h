/* SPDX-License-Identifier: Apache-2.0 */
/* Families of metrics as rows, and the writing of one family. */
#ifndef SUBLET_ACCOUNT_METRICS_PRIVATE_H
#define SUBLET_ACCOUNT_METRICS_PRIVATE_H

#include "sublet/account/metrics.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_INFO };
enum metric_unit {
    METRIC_NUMBER,  /* of things */
    METRIC_BYTES,   /* UINT64_MAX: no limit, +Inf */
    METRIC_SECONDS, /* from microseconds */
    METRIC_CORES,   /* from millionths */
};

struct metric_family {
    const char *name; /* behind the prefix, without _total and _info; the unit is its end */
    enum metric_kind kind;
    enum metric_unit unit;
    const char *help;
};

/* A value of struct metrics_counters: which part, and which of its numbers. */
struct metric_row {
    const char *name; /* behind "sublet_tenant" and "sublet_container" */
    enum metric_kind kind;
    enum metric_unit unit;
    const char *help;
    size_t part, offset;
};
/* A value of struct cg_io_counters. */
struct metric_io_row {
    const char *name;
    enum metric_unit unit;
    const char *help;
    size_t offset;
};
/* A value of struct ledger_cpu, ledger_windows (by class) or ledger_total. */
struct metric_ledger_row {
    const char *name; /* or the class */
    const char *help;
    size_t offset;
};

struct metric_rows {
    const struct metric_row *items;
    size_t count;
};
struct metric_io_rows {
    const struct metric_io_row *items;
    size_t count;
};
struct metric_ledger_rows {
    const struct metric_ledger_row *items;
    size_t count;
};
extern const struct metric_rows metric_rows;
extern const struct metric_rows metric_event_rows; /* one family, by its label event */
extern const struct metric_io_rows metric_io_rows;
extern const struct metric_ledger_rows metric_cpu_rows, metric_class_rows, metric_host_rows;
/* Of containers, by the names of cAdvisor. */
extern const struct metric_rows metric_compat_rows;
extern const struct metric_io_rows metric_compat_io_rows;

/* ---- one family (metrics_text.c): begin, then its samples ---- */

struct metric_label {
    const char *name, *value; /* value NULL: the label is left out */
};

struct metric_writer {
    struct buf *text;
    enum metrics_format format;
    struct metric_family family;
    char name[96];
    bool begun; /* a family without samples is not mentioned */
};

void metric_begin(struct metric_writer *writer, const char *prefix,
                  const struct metric_family *family);
/* labels end with an entry without a name. */
void metric_sample(struct metric_writer *writer, const struct metric_label *labels, uint64_t value);

#endif
