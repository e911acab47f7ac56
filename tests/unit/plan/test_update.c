/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/buf.h"
#include "sublet/plan/update.h"

#include "fixture.h"
#include "runner.h"

struct file {
    const char *name, *text;
};

static const struct file group[] = {
    {"memory.max",          "1000000"    },
    {"memory.swap.max",     "max"        },
    {"memory.current",      "600000"     },
    {"memory.swap.current", "100000"     },
    {"cpu.max",             "50000 20000"},
    {"cpu.max.burst",       "10000"      },
    {"cpu.idle",            "0"          },
    {"cpu.weight",          "100"        },
    {"pids.max",            "max"        },
    {NULL,                  NULL         },
};

static const char *table_text(void *context, const char *file)
{
    for (const struct file *at = context; at->name != NULL; at++)
        if (strcmp(at->name, file) == 0)
            return at->text;
    return NULL;
}

struct update_case {
    struct fixture fixture;
    struct plan_update update;
    const struct file *files;
    char text[2048];
};

static void update_case_init(struct update_case *c)
{
    fixture_init(&c->fixture);
    c->files = group;
}

static void update_case_done(struct update_case *c)
{
    fixture_done(&c->fixture);
}

#define UPDATE_CASE(name)                                                    \
    __attribute__((cleanup(update_case_done))) struct update_case name = {}; \
    update_case_init(&name)

static struct spec_resources *parse(struct update_case *c, const char *text)
{
    struct spec_resources *resources = NULL;

    if (text == NULL)
        return NULL;
    ck_ok(spec_parse_resources(&c->fixture.arena, "r", text, strlen(text), NULL, &resources,
                               &c->fixture.err),
          &c->fixture.err);
    return resources;
}

static int make_with(struct update_case *c, const char *saved, const char *given,
                     const struct spec_intel_rdt *rdt)
{
    const struct plan_update_request request = {
        .given = parse(c, given),
        .saved = parse(c, saved),
        .rdt = rdt,
        .host = &c->fixture.host,
        .present = {table_text, (void *) c->files},
    };

    return plan_update(&c->fixture.arena, &request, &c->fixture.findings, &c->update,
                       &c->fixture.err);
}

static int make(struct update_case *c, const char *saved, const char *given)
{
    return make_with(c, saved, given, NULL);
}

/* What is written, in order. */
static void ck_update(struct update_case *c, const char *saved, const char *given, const char *want)
{
    size_t used = 0;

    ck_ok(make(c, saved, given), &c->fixture.err);
    c->text[0] = '\0';
    for (size_t i = 0; i < c->update.changes.count; i++)
        used += (size_t) snprintf(c->text + used, sizeof c->text - used, "%s%s=%s",
                                  i > 0 ? "; " : "", c->update.changes.items[i].row.file,
                                  c->update.changes.items[i].row.text);
    ck_assert_str_eq(c->text, want);
}

static void ck_refused(struct update_case *c, const char *saved, const char *given,
                       const char *path, const char *text)
{
    int rc = make(c, saved, given);

    ck_assert_int_eq(rc, -EINVAL);
    ck_assert_str_eq(c->fixture.err.path, path);
    ck_assert_str_eq(c->fixture.err.text, text);
}

/* The whole, as one line of JSON without blanks. */
static void ck_merged(struct update_case *c, const char *saved, const char *given, const char *want)
{
    OWNED_BUF buf = BUF(65536);
    size_t used = 0;

    ck_ok(make(c, saved, given), &c->fixture.err);
    ck_assert_int_eq(spec_encode_resources(c->update.merged, &buf), 0);
    for (const char *at = buf_text(&buf); *at != '\0'; at++)
        if (*at != ' ' && *at != '\n')
            c->text[used++] = *at;
    c->text[used] = '\0';
    ck_assert_str_eq(c->text, want);
}

START_TEST(only_what_is_given_is_written)
{
    UPDATE_CASE(c);
    ck_update(&c, "{\"memory\":{\"limit\":1000000},\"cpu\":{\"shares\":1024}}",
              "{\"pids\":{\"limit\":5}}", "pids.max=5");
    ck_assert_ptr_null(c.update.device_rules);
    ck_assert_uint_eq(c.update.changes.controllers, CG_PIDS);
}
END_TEST

START_TEST(a_new_limit_keeps_the_sum_of_memory_and_swap)
{
    UPDATE_CASE(c);
    ck_update(&c, "{\"memory\":{\"limit\":1000000,\"swap\":3000000}}",
              "{\"memory\":{\"limit\":500000}}", "memory.max=500000; memory.swap.max=2500000");

    UPDATE_CASE(none); /* no sum was ever given: swap is left alone */
    ck_update(&none, "{\"memory\":{\"limit\":1000000,\"swap\":-1}}",
              "{\"memory\":{\"limit\":500000}}", "memory.max=500000");

    UPDATE_CASE(refused);
    ck_refused(&refused, "{\"memory\":{\"limit\":1000000,\"swap\":3000000}}",
               "{\"memory\":{\"limit\":5000000}}", "linux.resources.memory.swap",
               "3000000 is below the memory limit 5000000, it counts memory and swap together");
}
END_TEST

START_TEST(a_new_sum_needs_the_limit_that_the_group_has)
{
    UPDATE_CASE(c);
    ck_update(&c, NULL, "{\"memory\":{\"swap\":1500000}}", "memory.swap.max=500000");

    static const struct file unlimited[] = {
        {"memory.max", "max"},
        {NULL,         NULL }
    };
    UPDATE_CASE(none);
    none.files = unlimited;
    ck_refused(&none, NULL, "{\"memory\":{\"swap\":1500000}}", "linux.resources.memory.swap",
               "needs linux.resources.memory.limit, it counts memory and swap together");
}
END_TEST

START_TEST(quota_and_period_are_one_file)
{
    UPDATE_CASE(quota);
    ck_update(&quota, NULL, "{\"cpu\":{\"quota\":30000}}", "cpu.max=30000 20000");
    UPDATE_CASE(period);
    ck_update(&period, NULL, "{\"cpu\":{\"period\":100000}}", "cpu.max=50000 100000");
    UPDATE_CASE(none);
    ck_update(&none, NULL, "{\"cpu\":{\"quota\":-1}}", "cpu.max=max 20000");
}
END_TEST

START_TEST(quota_and_burst_are_held_against_what_the_group_has)
{
    UPDATE_CASE(quota);
    ck_refused(&quota, NULL, "{\"cpu\":{\"quota\":9000}}", "linux.resources.cpu.quota",
               "9000 is below the burst of 10000: lower that, too");
    UPDATE_CASE(burst);
    ck_refused(&burst, NULL, "{\"cpu\":{\"burst\":50001}}", "linux.resources.cpu.burst",
               "50001 is above the quota 50000");
    UPDATE_CASE(both);
    ck_update(&both, NULL, "{\"cpu\":{\"quota\":9000,\"burst\":9000}}",
              "cpu.max.burst=0; cpu.max=9000 20000; cpu.max.burst=9000");
}
END_TEST

START_TEST(a_group_that_stops_being_idle_gets_its_weight_back)
{
    static const struct file idle[] = {
        {"cpu.idle", "1" },
        {NULL,       NULL}
    };
    UPDATE_CASE(c);
    c.files = idle;
    ck_update(&c, "{\"cpu\":{\"shares\":2048}}", "{\"cpu\":{\"idle\":0}}",
              "cpu.idle=0; cpu.weight=174");

    UPDATE_CASE(later);
    later.files = idle;
    ck_update(&later, "{\"cpu\":{\"idle\":1}}", "{\"cpu\":{\"shares\":2048}}", "");
    ck_assert_uint_eq(later.fixture.findings.warning_count, 1);
    ck_assert_uint_eq(later.update.merged->cpu->shares, 2048);
}
END_TEST

START_TEST(usage_is_looked_at_where_the_config_says_so)
{
    UPDATE_CASE(limit);
    ck_refused(&limit, "{\"memory\":{\"checkBeforeUpdate\":true}}",
               "{\"memory\":{\"limit\":599999}}", "linux.resources.memory.limit",
               "599999 bytes are below the 600000 in use, and checkBeforeUpdate is set");
    UPDATE_CASE(sum);
    ck_refused(&sum, NULL,
               "{\"memory\":{\"limit\":650000,\"swap\":699999,\"checkBeforeUpdate\":true}}",
               "linux.resources.memory.swap",
               "699999 bytes are below the 700000 of memory and swap in use, and "
               "checkBeforeUpdate is set");
    UPDATE_CASE(fits);
    ck_update(&fits, "{\"memory\":{\"checkBeforeUpdate\":true}}", "{\"memory\":{\"limit\":600000}}",
              "memory.max=600000");
    UPDATE_CASE(off);
    ck_update(&off, "{\"memory\":{\"checkBeforeUpdate\":true}}",
              "{\"memory\":{\"limit\":70000,\"checkBeforeUpdate\":false}}", "memory.max=70000");
}
END_TEST

START_TEST(a_host_without_the_controller_refuses_by_name)
{
    UPDATE_CASE(c);
    c.fixture.host.cgroup_hybrid = true;
    c.fixture.host.cgroup_controllers = CG_HUGETLB;
    c.fixture.host.cgroup_v1 = CG_MEMORY | CG_CPU;
    ck_refused(&c, NULL, "{\"memory\":{\"limit\":600000}}", "linux.resources.memory.limit",
               "this host binds the memory controller to cgroup v1; boot with "
               "systemd.unified_cgroup_hierarchy=1");
}
END_TEST

START_TEST(the_whole_is_what_was_saved_with_what_is_given)
{
    UPDATE_CASE(c);
    ck_merged(&c,
              "{\"memory\":{\"limit\":1000000,\"reservation\":9},\"pids\":{\"limit\":7},"
              "\"cpu\":{\"cpus\":\"0\",\"quota\":5000}}",
              "{\"memory\":{\"limit\":2000000},\"pids\":{\"limit\":0},"
              "\"cpu\":{\"mems\":\"0\",\"quota\":0,\"burst\":0}}",
              "{\"memory\":{\"limit\":2000000,\"reservation\":9},"
              "\"cpu\":{\"quota\":5000,\"burst\":0,\"cpus\":\"0\",\"mems\":\"0\"},"
              "\"pids\":{\"limit\":0}}");
}
END_TEST

START_TEST(lists_are_merged_by_what_an_entry_is_about)
{
    UPDATE_CASE(c);
    ck_merged(&c,
              "{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":1},"
              "{\"major\":8,\"minor\":16,\"rate\":2}]},"
              "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1}],"
              "\"rdma\":{\"a\":{\"hcaHandles\":1}},\"unified\":{\"memory.high\":\"1\"}}",
              "{\"blockIO\":{\"weight\":10,\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":16,"
              "\"rate\":3},{\"major\":8,\"minor\":32,\"rate\":4}]},"
              "\"hugepageLimits\":[{\"pageSize\":\"1GB\",\"limit\":5}],"
              "\"rdma\":{\"a\":{\"hcaObjects\":6},\"b\":{\"hcaObjects\":7}},"
              "\"unified\":{\"memory.high\":\"8\",\"memory.min\":\"9\"}}",
              "{\"blockIO\":{\"weight\":10,\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,"
              "\"rate\":1},{\"major\":8,\"minor\":16,\"rate\":3},{\"major\":8,\"minor\":32,"
              "\"rate\":4}]},\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1},"
              "{\"pageSize\":\"1GB\",\"limit\":5}],\"rdma\":{\"a\":{\"hcaHandles\":1,"
              "\"hcaObjects\":6},\"b\":{\"hcaObjects\":7}},"
              "\"unified\":{\"memory.high\":\"8\",\"memory.min\":\"9\"}}");
}
END_TEST

START_TEST(a_field_takes_a_file_back_from_unified)
{
    UPDATE_CASE(c);
    ck_merged(&c, "{\"unified\":{\"pids.max\":\"3\",\"memory.high\":\"1\"}}",
              "{\"pids\":{\"limit\":5}}",
              "{\"pids\":{\"limit\":5},\"unified\":{\"memory.high\":\"1\"}}");
}
END_TEST

START_TEST(devices_are_replaced_as_a_whole_and_only_if_named)
{
    static const char saved[] = "{\"devices\":[{\"allow\":false},{\"allow\":true,\"type\":\"c\","
                                "\"major\":1,\"minor\":11,\"access\":\"r\"}]}";
    UPDATE_CASE(same);
    ck_ok(make(&same, saved, "{\"pids\":{\"limit\":5}}"), &same.fixture.err);
    ck_assert_ptr_null(same.update.device_rules);
    ck_assert_uint_eq(same.update.merged->devices.count, 2);

    UPDATE_CASE(other);
    ck_ok(make(&other, saved,
               "{\"devices\":[{\"allow\":true,\"type\":\"b\",\"major\":9,\"access\":\"w\"}]}"),
          &other.fixture.err);
    ck_assert(!cg_device_allows(other.update.device_rules, other.update.device_rule_count, 'c', 1,
                                11, CG_DEVICE_READ));
    ck_assert(cg_device_allows(other.update.device_rules, other.update.device_rule_count, 'b', 9, 3,
                               CG_DEVICE_WRITE));
    ck_assert(cg_device_allows(other.update.device_rules, other.update.device_rule_count, 'c', 1, 3,
                               CG_DEVICE_ALL));
    ck_assert_uint_eq(other.update.merged->devices.count, 1);
}
END_TEST

START_TEST(lines_for_the_cache_class_are_one_text)
{
    static const struct spec_intel_rdt both = {.l3_cache_schema = "L3:0=f;1=3\nMB:0=9",
                                               .mem_bw_schema = "MB:0=50"};
    static const struct spec_intel_rdt wrong = {.mem_bw_schema = "L3:0=f"};
    static const struct spec_intel_rdt empty = {.l3_cache_schema = ""};

    UPDATE_CASE(none);
    ck_ok(make(&none, NULL, "{}"), &none.fixture.err);
    ck_assert_ptr_null(none.update.schemata);

    UPDATE_CASE(c);
    ck_ok(make_with(&c, NULL, "{}", &both), &c.fixture.err);
    ck_assert_str_eq(c.update.schemata, "L3:0=f;1=3\nMB:0=50\n");

    UPDATE_CASE(refused);
    ck_assert_int_eq(make_with(&refused, NULL, "{}", &wrong), -EINVAL);
    ck_assert_str_eq(refused.fixture.err.path, "linux.intelRdt.memBwSchema");

    UPDATE_CASE(nothing);
    ck_assert_int_eq(make_with(&nothing, NULL, "{}", &empty), -EINVAL);
    ck_assert_str_eq(nothing.fixture.err.path, "linux.intelRdt.l3CacheSchema");
}
END_TEST

SUITE(update_suite, lines_for_the_cache_class_are_one_text, only_what_is_given_is_written,
      a_new_limit_keeps_the_sum_of_memory_and_swap, a_new_sum_needs_the_limit_that_the_group_has,
      quota_and_period_are_one_file, quota_and_burst_are_held_against_what_the_group_has,
      a_group_that_stops_being_idle_gets_its_weight_back,
      usage_is_looked_at_where_the_config_says_so, a_host_without_the_controller_refuses_by_name,
      the_whole_is_what_was_saved_with_what_is_given, lists_are_merged_by_what_an_entry_is_about,
      a_field_takes_a_file_back_from_unified, devices_are_replaced_as_a_whole_and_only_if_named)
