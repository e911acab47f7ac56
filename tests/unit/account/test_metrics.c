/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sublet/account/metrics.h"
#include "sublet/base/buf.h"

#include "runner.h"

static const struct account_totals_stats no_ledger;

/* The lines of a text that hold needle, into found. */
static const char *grep(const char *text, const char *needle, char found[4096])
{
    size_t used = 0;

    found[0] = '\0';
    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n") + 1;
        const char *hit = strstr(line, needle);

        if (hit != NULL && hit < line + length && used + length < 4096) {
            memcpy(found + used, line, length);
            used += length;
            found[used] = '\0';
        }
        line += length;
    }
    return found;
}

static struct metrics one_tenant(struct metrics_group *group)
{
    group->name = "acme";
    group->contract = "elastic 0.5";
    group->entitled_micro = 500000;
    return (struct metrics){
        .version = "1", .commit = "c", .tenants = group, .tenant_count = 1, .ledger = &no_ledger};
}

START_TEST(a_counter_is_named_with_total_in_the_text_format)
{
    struct cgroup_sample *sample = calloc(1, sizeof *sample);
    struct metrics_counters counters;
    struct metrics_group group = {.counters = &counters};
    struct metrics metrics = one_tenant(&group);
    OWNED_BUF text = BUF(METRICS_TEXT_MAX);
    OWNED_ARENA arena;
    char found[4096];

    arena_init(&arena, 1 << 20);
    ck_assert_int_eq(cgroup_sample_add(sample, CG_FILE_CPU_STAT, NULL,
                                       "usage_usec 1500000\nuser_usec 7\nsystem_usec 0\n"),
                     0);
    ck_assert_int_eq(metrics_take(&arena, sample, &counters), 0);
    metrics_write(&metrics, METRICS_PROMETHEUS, &text);
    ck_assert_str_eq(grep(buf_text(&text), "tenant_cpu_u", found),
                     "# HELP sublet_tenant_cpu_used_seconds_total CPU time used.\n"
                     "# TYPE sublet_tenant_cpu_used_seconds_total counter\n"
                     "sublet_tenant_cpu_used_seconds_total{tenant=\"acme\"} 1.5\n"
                     "# HELP sublet_tenant_cpu_user_seconds_total CPU time used in user mode, an "
                     "estimate of the kernel.\n"
                     "# TYPE sublet_tenant_cpu_user_seconds_total counter\n"
                     "sublet_tenant_cpu_user_seconds_total{tenant=\"acme\"} 0.000007\n");
    ck_assert_str_eq(grep(buf_text(&text), "# EOF", found), "");
    free(sample);
}
END_TEST

START_TEST(a_family_of_openmetrics_has_a_unit_and_no_total)
{
    struct cgroup_sample *sample = calloc(1, sizeof *sample);
    struct metrics_counters counters;
    struct metrics_group group = {.counters = &counters};
    struct metrics metrics = one_tenant(&group);
    OWNED_BUF text = BUF(METRICS_TEXT_MAX);
    OWNED_ARENA arena;
    char found[4096];

    arena_init(&arena, 1 << 20);
    ck_assert_int_eq(cgroup_sample_add(sample, CG_FILE_CPU_STAT, NULL, "usage_usec 20\n"), 0);
    ck_assert_int_eq(metrics_take(&arena, sample, &counters), 0);
    metrics_write(&metrics, METRICS_OPENMETRICS, &text);
    ck_assert_str_eq(grep(buf_text(&text), "tenant_cpu_used", found),
                     "# HELP sublet_tenant_cpu_used_seconds CPU time used.\n"
                     "# TYPE sublet_tenant_cpu_used_seconds counter\n"
                     "# UNIT sublet_tenant_cpu_used_seconds seconds\n"
                     "sublet_tenant_cpu_used_seconds_total{tenant=\"acme\"} 0.00002\n");
    ck_assert_str_eq(grep(buf_text(&text), "sublet_build", found),
                     "# HELP sublet_build The sublet that says this.\n"
                     "# TYPE sublet_build info\n"
                     "sublet_build_info{version=\"1\",commit=\"c\"} 1\n");
    ck_assert_str_eq(buf_text(&text) + text.length - 6, "# EOF\n");
    free(sample);
}
END_TEST

START_TEST(what_the_kernel_does_not_tell_is_no_sample)
{
    struct metrics_counters counters = {
        .cpu = {.present = 0, .usage_us = 5}
    };
    struct metrics_group group = {.counters = &counters};
    struct metrics metrics = one_tenant(&group);
    OWNED_BUF text = BUF(METRICS_TEXT_MAX);
    char found[4096];

    metrics_write(&metrics, METRICS_PROMETHEUS, &text);
    ck_assert_str_eq(grep(buf_text(&text), "cpu_used", found), "");
    ck_assert_str_eq(grep(buf_text(&text), "sublet_tenant_memory", found), "");
    ck_assert_str_eq(grep(buf_text(&text), "sublet_ledger", found), "");
    ck_assert_str_eq(grep(buf_text(&text), "entitlement_cores{", found),
                     "sublet_tenant_cpu_entitlement_cores{tenant=\"acme\"} 0.5\n");
}
END_TEST

START_TEST(a_limit_that_is_none_is_infinite)
{
    struct cgroup_sample *sample = calloc(1, sizeof *sample);
    struct metrics_counters counters;
    struct metrics_group group = {.counters = &counters};
    struct metrics metrics = one_tenant(&group);
    OWNED_BUF text = BUF(METRICS_TEXT_MAX);
    OWNED_ARENA arena;
    char found[4096];

    arena_init(&arena, 1 << 20);
    ck_assert_int_eq(cgroup_sample_add(sample, CG_FILE_MEMORY_MAX, NULL, "max"), 0);
    ck_assert_int_eq(cgroup_sample_add(sample, CG_FILE_SWAP_MAX, NULL, "4096"), 0);
    ck_assert_int_eq(metrics_take(&arena, sample, &counters), 0);
    metrics_write(&metrics, METRICS_PROMETHEUS, &text);
    ck_assert_str_eq(grep(buf_text(&text), "limit_bytes{", found),
                     "sublet_tenant_memory_limit_bytes{tenant=\"acme\"} +Inf\n"
                     "sublet_tenant_memory_swap_limit_bytes{tenant=\"acme\"} 4096\n");
    free(sample);
}
END_TEST

START_TEST(values_of_labels_are_escaped)
{
    struct metrics_group group = {.name = NULL};
    struct metrics metrics = one_tenant(&group);
    OWNED_BUF text = BUF(METRICS_TEXT_MAX);
    char found[4096];

    metrics.version = "a\\b\"c\nd";
    metrics_write(&metrics, METRICS_PROMETHEUS, &text);
    ck_assert_str_eq(grep(buf_text(&text), "sublet_build_info{", found),
                     "sublet_build_info{version=\"a\\\\b\\\"c\\nd\",commit=\"c\"} 1\n");
}
END_TEST

START_TEST(who_borrowed_is_named_beside_the_victim)
{
    struct account_total total = {
        .cpu = {.ent = 3000000,   .shrt = 250000},
        .windows = {.victim = 2     },
        .blame = {{"loud", 200000}, {"host", 50000}              },
        .blame_count = 2
    };
    struct metrics_group group = {.total = &total};
    struct metrics metrics = one_tenant(&group);
    OWNED_BUF text = BUF(METRICS_TEXT_MAX);
    char found[4096];

    metrics_write(&metrics, METRICS_PROMETHEUS, &text);
    ck_assert_str_eq(
        grep(buf_text(&text), "blame_seconds_total{", found),
        "sublet_tenant_cpu_blame_seconds_total{tenant=\"loud\",victim=\"acme\"} 0.2\n"
        "sublet_tenant_cpu_blame_seconds_total{tenant=\"host\",victim=\"acme\"} 0.05\n");
    ck_assert_str_eq(grep(buf_text(&text), "shortfall_seconds_total{", found),
                     "sublet_tenant_cpu_shortfall_seconds_total{tenant=\"acme\"} 0.25\n");
    ck_assert_str_eq(grep(buf_text(&text), "class=\"victim\"", found),
                     "sublet_tenant_windows_total{tenant=\"acme\",class=\"victim\"} 2\n");
}
END_TEST

SUITE(metrics_suite, a_counter_is_named_with_total_in_the_text_format,
      a_family_of_openmetrics_has_a_unit_and_no_total, what_the_kernel_does_not_tell_is_no_sample,
      a_limit_that_is_none_is_infinite, values_of_labels_are_escaped,
      who_borrowed_is_named_beside_the_victim)
