/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>

#include "sublet/base/num.h"

#include "counters.h"

#define SHARES_MIN        2
#define SHARES_MAX        262144
#define WEIGHT_MAX        10000
#define QUOTA_MIN_US      1000
#define QUOTA_MAX_US      (((int64_t) 1 << 44) - 1) /* MAX_BW of kernel/sched/sched.h */
#define PERIOD_MIN_US     1000
#define PERIOD_MAX_US     1000000
#define PERIOD_DEFAULT_US 100000

/*
 * A parabola in log2(shares) through (2, 1), (1024, 100) and (262144, 10000): 1024 shares, the
 * default of v1, keep the default weight of v2 (kubernetes.io, "New Conversion from cgroup v1 CPU
 * Shares to v2 CPU Weight").
 */
uint64_t cg_weight_from_shares(uint64_t shares)
{
    if (shares <= SHARES_MIN)
        return 1;
    if (shares >= SHARES_MAX)
        return WEIGHT_MAX;

    double l = log2((double) shares);
    return (uint64_t) ceil(pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0));
}

static int add_weight(struct cg_rows *rows, const char *where, const struct cg_cpu_limits *limits,
                      struct sub_err *err)
{
    bool direct = (limits->set & CG_SET_WEIGHT) != 0;
    const char *path = cg_field(rows, where, direct ? "weight" : "shares");
    uint64_t weight = direct ? limits->weight : cg_weight_from_shares(limits->shares);

    if (!direct && ((limits->set & CG_SET_SHARES) == 0 || limits->shares == 0))
        return 0;
    if ((limits->set & CG_SET_IDLE) != 0 && limits->idle == 1)
        return 0; /* the kernel refuses a weight (EINVAL) once the group is idle */
    if (weight < 1 || weight > WEIGHT_MAX)
        return sub_fail(err, ERANGE, path, "%llu: 1 to %d are allowed", (unsigned long long) weight,
                        WEIGHT_MAX);
    return cg_rows_put(
        rows,
        (struct cg_row){.file = "cpu.weight",
                        .text = arena_printf(rows->arena, "%llu", (unsigned long long) weight),
                        .path = path,
                        .controller = CG_CPU},
        err);
}

static int add_max(struct cg_rows *rows, const char *where, const struct cg_cpu_limits *limits,
                   struct sub_err *err)
{
    int64_t quota = (limits->set & CG_SET_QUOTA) != 0 ? limits->quota_us : 0;
    uint64_t period = (limits->set & CG_SET_PERIOD) != 0 ? limits->period_us : 0;
    const char *path = cg_field(rows, where, quota != 0 ? "quota" : "period");

    if (quota == 0 && period == 0)
        return 0;
    if (quota > 0 && (quota < QUOTA_MIN_US || quota > QUOTA_MAX_US))
        return sub_fail(err, ERANGE, path, "%lld: %d to %lld us are allowed, -1 for no cap",
                        (long long) quota, QUOTA_MIN_US, (long long) QUOTA_MAX_US);
    if (period == 0)
        period = PERIOD_DEFAULT_US;
    if (period < PERIOD_MIN_US || period > PERIOD_MAX_US)
        return sub_fail(err, ERANGE, cg_field(rows, where, "period"),
                        "%llu: %d to %d us are allowed", (unsigned long long) period, PERIOD_MIN_US,
                        PERIOD_MAX_US);
    return cg_rows_put(
        rows,
        (struct cg_row){.file = "cpu.max",
                        .text = arena_printf(rows->arena, "%s %llu",
                                             cg_bytes_text(rows->arena, quota > 0 ? quota : -1),
                                             (unsigned long long) period),
                        .path = path,
                        .controller = CG_CPU},
        err);
}

/* After cpu.max: the kernel refuses a burst above the quota. */
static int add_burst(struct cg_rows *rows, const char *where, const struct cg_cpu_limits *limits,
                     struct sub_err *err)
{
    const char *path = cg_field(rows, where, "burst");
    bool capped = (limits->set & CG_SET_QUOTA) != 0 && limits->quota_us > 0;

    if ((limits->set & CG_SET_BURST) == 0)
        return 0;
    if (limits->burst_us > (uint64_t) (capped ? limits->quota_us : QUOTA_MAX_US))
        return sub_fail(err, ERANGE, path, "%llu: at most the quota of %lld us is allowed",
                        (unsigned long long) limits->burst_us,
                        (long long) (capped ? limits->quota_us : QUOTA_MAX_US));
    return cg_rows_put(rows,
                       (struct cg_row){.file = "cpu.max.burst",
                                       .text = arena_printf(rows->arena, "%llu",
                                                            (unsigned long long) limits->burst_us),
                                       .path = path,
                                       .controller = CG_CPU},
                       err);
}

static int add_idle(struct cg_rows *rows, const char *where, const struct cg_cpu_limits *limits,
                    struct sub_err *err)
{
    const char *path = cg_field(rows, where, "idle");

    if ((limits->set & CG_SET_IDLE) == 0)
        return 0;
    if (limits->idle != 0 && limits->idle != 1)
        return sub_fail(err, ERANGE, path, "%lld: 0 or 1 is allowed", (long long) limits->idle);
    return cg_rows_put(
        rows,
        (struct cg_row){.file = "cpu.idle",
                        .text = limits->idle == 1 ? "1" : "0",
                        .path = path,
                        .controller = CG_CPU,
                        /* 0 is what a kernel before 5.15 does anyway */
                        .absent = limits->idle == 1 ? CG_ABSENT_FAILS : CG_ABSENT_IS_FINE},
        err);
}

int cg_cpu_rows(struct cg_rows *rows, const char *where, const struct cg_cpu_limits *limits,
                struct sub_err *err)
{
    /* idle before weight: leaving SCHED_IDLE resets the weight, and forbids one until then */
    SUBLET_TRY(add_idle(rows, where, limits, err));
    SUBLET_TRY(add_weight(rows, where, limits, err));
    SUBLET_TRY(add_max(rows, where, limits, err));
    return add_burst(rows, where, limits, err);
}

#define ROW(member, file, key, kind) CG_FIELD(struct cg_cpu_counters, member, file, key, kind)
static const struct cg_field cpu_rows[] = {
    ROW(usage_us, CPU_STAT, "usage_usec", TOTAL),
    ROW(user_us, CPU_STAT, "user_usec", TOTAL),
    ROW(system_us, CPU_STAT, "system_usec", TOTAL),
    ROW(nice_us, CPU_STAT, "nice_usec", TOTAL),
    ROW(force_idle_us, CPU_STAT, "core_sched.force_idle_usec", TOTAL),
    ROW(periods, CPU_STAT, "nr_periods", TOTAL),
    ROW(throttled_periods, CPU_STAT, "nr_throttled", TOTAL),
    ROW(throttled_us, CPU_STAT, "throttled_usec", TOTAL),
    ROW(bursts, CPU_STAT, "nr_bursts", TOTAL),
    ROW(burst_us, CPU_STAT, "burst_usec", TOTAL),
    ROW(suffered_throttled_us, CPU_STAT_LOCAL, "throttled_usec", TOTAL),
    ROW(quota_us, CPU_MAX, NULL, LIMIT),
    ROW(period_us, CPU_MAX, NULL, LIMIT),
    ROW(burst_limit_us, CPU_MAX_BURST, NULL, LIMIT),
    ROW(weight, CPU_WEIGHT, NULL, LIMIT),
    ROW(idle, CPU_IDLE, NULL, LIMIT),
};
#undef ROW
const struct cg_fields cg_cpu_fields = CG_FIELDS(cpu_rows);

/* "max 100000" */
int cg_parse_cpu_max(const struct cg_place *place, const char *text)
{
    const struct cg_field *quota = cg_field_of(place->fields, CG_FILE_CPU_MAX);
    uint64_t quota_us, period_us;

    SUBLET_TRY(cg_take_limit(&text, &quota_us));
    if (*text++ != ' ')
        return -EINVAL;
    SUBLET_TRY(cg_take_u64(&text, &period_us));
    if (text[*text == '\n'] != '\0')
        return -EINVAL;
    cg_field_set(quota, place->counters, quota_us);
    cg_field_set(quota + 1, place->counters, period_us);
    return 0;
}
