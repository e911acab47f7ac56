/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <fcntl.h>
#include <string.h>

#include "sublet/account/metrics.h"
#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/fd.h"

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

/* Everything that can be told, once. */
static void write_everything(struct buf *text)
{
    static const struct cg_io_counters io = {.present = UINT64_MAX, .major = 8};
    static const struct metrics_counters counters = {
        .cpu = {.present = UINT64_MAX},
        .cpu_pressure = {.present = UINT64_MAX},
        .memory_pressure = {.present = UINT64_MAX},
        .io_pressure = {.present = UINT64_MAX},
        .irq_pressure = {.present = UINT64_MAX},
        .memory = {.present = UINT64_MAX},
        .usage = {.present = UINT64_MAX},
        .activity = {.present = UINT64_MAX},
        .pids = {.present = UINT64_MAX},
        .io = &io,
        .io_count = 1,
    };
    static const struct account_total total = {.blame = {{"loud", 1}}, .blame_count = 1};
    static const struct account_totals_stats ledger = {
        .records = 1, .newest_us = 1, .host_known = true};
    const struct metrics_group tenant = {
        .name = "acme", .contract = "fixed 1", .counters = &counters, .total = &total};
    const struct metrics_group container = {
        .name = "web", .tenant = "acme", .status = "running", .counters = &counters};
    const struct metrics metrics = {.version = "1",
                                    .commit = "c",
                                    .tenants = &tenant,
                                    .tenant_count = 1,
                                    .containers = &container,
                                    .container_count = 1,
                                    .ledger = &ledger};

    metrics_write(&metrics, METRICS_PROMETHEUS, text);
}

static bool is_sample(const char *text, const char *name, size_t length)
{
    for (const char *at = text; (at = strstr(at, name)) != NULL; at++) {
        if ((at == text || at[-1] == '\n') && (at[length] == '{' || at[length] == ' '))
            return true;
    }
    return false;
}

/* Names in it that nothing is called by. */
static void find_unknown(const char *file, const char *text, char unknown[4096])
{
    OWNED_MEM char *example = NULL;
    struct sub_err err = {0};
    char name[128];
    size_t size;

    ck_ok(sub_load_file_at(AT_FDCWD, file, 1 << 20, &example, &size, &err), &err);
    for (const char *at = example; (at = strstr(at, "sublet_")) != NULL;) {
        size_t length = 0;

        while (islower((unsigned char) at[length]) || at[length] == '_')
            length++;
        ck_assert_uint_lt(length, sizeof name);
        memcpy(name, at, length);
        name[length] = '\0';
        if (!is_sample(text, name, length))
            strcat(strcat(unknown, name), " ");
        at += length;
    }
}

START_TEST(every_metric_of_the_examples_is_one_that_is_told)
{
    OWNED_BUF text = BUF(METRICS_TEXT_MAX);
    char unknown[4096] = "";

    write_everything(&text);
    ck_assert(is_sample(buf_text(&text), "sublet_tenant_cpu_used_seconds_total", 36));
    find_unknown(TEST_DIR "/../examples/prometheus/dashboard.json", buf_text(&text), unknown);
    find_unknown(TEST_DIR "/../examples/prometheus/rules.yml", buf_text(&text), unknown);
    ck_assert_str_eq(unknown, "");
}
END_TEST

SUITE(metrics_suite, a_counter_is_named_with_total_in_the_text_format,
      a_family_of_openmetrics_has_a_unit_and_no_total, what_the_kernel_does_not_tell_is_no_sample,
      a_limit_that_is_none_is_infinite, values_of_labels_are_escaped,
      who_borrowed_is_named_beside_the_victim, every_metric_of_the_examples_is_one_that_is_told)
