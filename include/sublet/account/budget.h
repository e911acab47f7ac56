/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The final account of a container as named metrics: what `run --report` writes and `run --assert`
 * compares. One row a metric gives its key in the report and its name in an assertion. A metric
 * that this kernel or this container does not have is absent; absent is neither zero nor within
 * any limit. Pure.
 */
#ifndef SUBLET_ACCOUNT_BUDGET_H
#define SUBLET_ACCOUNT_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct cgroup_sample;
struct json_writer;
struct sub_err;

struct budget_account {
    const struct cgroup_sample *sample; /* NULL: it has no counters */
    uint64_t life_us;
    int status;
};

enum budget_unit { BUDGET_NUMBER, BUDGET_BYTES, BUDGET_TIME };
enum budget_relation { BUDGET_LESS, BUDGET_AT_MOST, BUDGET_MORE, BUDGET_AT_LEAST, BUDGET_EQUAL };

struct budget_metric;

/* "memory.peak<=64M", "cpu.throttled==0", "cpu.usage<50%" (of the time it lived), "memory.peak<80%"
 * (of its limit). */
struct budget {
    const char *text;
    const struct budget_metric *metric;
    enum budget_relation relation;
    bool percent;
    uint64_t value; /* bytes, microseconds, a number, or hundredths of a percent */
};

/* -EINVAL telling what is allowed. */
int budget_parse(struct arena *arena, const char *text, struct budget *ret_budget,
                 struct sub_err *err);

/* Whether it holds; if not, why goes to err: "memory.peak is 80M, allowed <=64M". */
bool budget_holds(const struct budget *budget, const struct budget_account *account,
                  struct sub_err *err);

/* Every name with its unit, for the manual: name(context, "memory.peak", "bytes"). */
void budget_names(void (*name)(void *context, const char *name, const char *unit), void *context);

/* The metrics as members of the open object: "life_us", "memory": {"peak_bytes": ...}. */
void budget_write(struct json_writer *writer, const struct budget_account *account);

#endif
