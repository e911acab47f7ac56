/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sublet/base/buf.h"
#include "sublet/base/fd.h"

#include "fixture.h"
#include "runner.h"

#define CORPUS      TEST_DIR "/corpus"
#define CONFIG_ROOM 65536

START_TEST(the_first_error_is_told_and_no_plan_is_made)
{
    OWNED_FIXTURE fixture;

    fixture_init(&fixture);
    ck_fails(fixture_make_parts(&fixture, "\"apparmorProfile\":\"x\"", "",
                                "{\"destination\":\"/a\",\"source\":\"/s\",\"options\":[\"bind\","
                                "\"rox\"]}"),
             &fixture.err, EINVAL, "mounts[0].options[1]", "unknown option 'rox' for a bind mount");
    ck_assert_uint_eq(fixture.findings.error_count, 2);
    ck_assert_str_eq(fixture.findings.errors[1].path, "process.apparmorProfile");
    ck_assert_ptr_null(fixture.plan);
}
END_TEST

START_TEST(a_mistake_that_both_rooms_see_is_told_once)
{
    OWNED_FIXTURE fixture;

    fixture_init(&fixture);
    ck_assert_int_eq(
        fixture_make_parts(&fixture, "", "", "{\"destination\":\"/a\",\"options\":[\"bind\"]}"),
        -EINVAL);
    ck_assert_uint_eq(fixture.findings.error_count, 1);
    ck_assert_str_eq(fixture.findings.errors[0].path, "mounts[0].source");
}
END_TEST

START_TEST(a_spec_without_process_and_linux_does_not_crash)
{
    static const struct spec empty = {.oci_version = "1.0.0"};
    OWNED_FIXTURE fixture;

    fixture_init(&fixture);
    ck_assert_int_eq(plan_make(&fixture.arena, &fixture.options, &empty, &fixture.host,
                               &fixture.findings, &fixture.plan, &fixture.err),
                     -EINVAL);
    ck_assert_str_eq(fixture.err.path, "linux.namespaces");
}
END_TEST

START_TEST(hooks_are_made_alone_and_have_their_path_as_first_argument)
{
    static const char *const zero[] = {"zero"};
    static const struct spec_hook items[] = {
        {.path = "/bin/one"},
        { .path = "/bin/two",
         .has = SPEC_HOOK_TIMEOUT | SPEC_HOOK_ENV | SPEC_HOOK_ARGS,
         .args = {.items = zero, .count = 1},
         .timeout_s = 7},
    };
    static const struct spec_hooks hooks = {
        .poststop = {.items = items, .count = 2}
    };
    static const struct spec spec = {.hooks = &hooks};
    struct plan_hooks made[PLAN_HOOK_KINDS];
    OWNED_FIXTURE fixture;

    fixture_init(&fixture);
    ck_assert_int_eq(plan_make_hooks(&fixture.arena, &spec, made), 0);
    ck_assert_uint_eq(made[PLAN_HOOK_PRESTART].count, 0);
    ck_assert_uint_eq(made[PLAN_HOOK_POSTSTOP].count, 2);

    const struct plan_hook *one = &made[PLAN_HOOK_POSTSTOP].items[0], *two = one + 1;
    ck_assert_str_eq(one->json, "hooks.poststop[0]");
    ck_assert_str_eq(one->args[0], "/bin/one");
    ck_assert_ptr_null(one->args[1]);
    ck_assert_ptr_null(one->env);
    ck_assert_int_eq(one->timeout_s, 0);
    ck_assert_str_eq(two->args[0], "zero");
    ck_assert_ptr_null(two->env[0]);
    ck_assert_int_eq(two->timeout_s, 7);
}
END_TEST

START_TEST(every_lack_of_memory_is_an_error_and_no_crash)
{
    char config[CONFIG_ROOM];
    OWNED_FD dir = open(TEST_DIR "/bundles/podman", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ssize_t size = sub_read_file_at(dir, SPEC_FILE, config, sizeof config);
    bool made = false;

    ck_assert_int_gt(size, 0);
    for (size_t max = 0; !made && max < ARENA_MAX_BYTES; max += 4096) {
        struct sub_err err = {.code = 0};
        OWNED_FIXTURE fixture;

        fixture_init(&fixture);
        ck_ok(spec_parse(&fixture.arena, SPEC_FILE, config, (size_t) size, &fixture.findings,
                         &fixture.spec, &err),
              &err);
        struct arena small;
        arena_init(&small, max);
        int rc = plan_make(&small, &fixture.options, fixture.spec, &fixture.host, &fixture.findings,
                           &fixture.plan, &err);
        ck_assert_msg(rc == 0 || rc == -ENOMEM, "%d: %s: %s", rc, err.path, err.text);
        made = rc == 0;
        arena_done(&small);
    }
    ck_assert(made);
}
END_TEST

static int is_config(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

/* plan_make also runs over configs that spec_check has refused, to tell all mistakes at once. */
START_TEST(every_malformed_config_of_the_corpus_is_planned_without_a_crash)
{
    struct dirent **entries;
    int count = scandir(CORPUS, &entries, is_config, alphasort);
    OWNED_FD dir = open(CORPUS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int planned = 0;

    ck_assert_int_gt(count, 0);
    for (int i = 0; i < count; i++) {
        OWNED_MEM char *text = NULL;
        OWNED_FIXTURE fixture;
        OWNED_BUF shown;
        size_t size;

        fixture_init(&fixture);
        buf_init(&shown, SPEC_MAX_BYTES);
        if (sub_load_file_at(dir, entries[i]->d_name, SPEC_MAX_BYTES, &text, &size, NULL) == 0 &&
            spec_parse(&fixture.arena, SPEC_FILE, text, size, &fixture.findings, &fixture.spec,
                       &fixture.err) == 0) {
            int refused = spec_check(fixture.spec, &fixture.findings);
            int rc = plan_make(&fixture.arena, &fixture.options, fixture.spec, &fixture.host,
                               &fixture.findings, &fixture.plan, &fixture.err);

            ck_assert_msg(refused == 0 || rc < 0, "%s", entries[i]->d_name);
            ck_assert((rc == 0) == (fixture.plan != NULL));
            if (rc == 0)
                ck_assert_int_eq(plan_show_text(fixture.plan, &shown), 0);
            planned++;
        }
        free(entries[i]);
    }
    free(entries);
    ck_assert_int_gt(planned, 50);
}
END_TEST

START_TEST(a_plan_for_exec_has_namespaces_and_the_process_alone)
{
    static const struct spec_exec_cpu_affinity affinity = {.initial = "0,2-3", .final = "64"};
    OWNED_FIXTURE fixture;

    fixture_init(&fixture);
    ck_ok(fixture_make_parts(&fixture, "\"user\":{\"uid\":7,\"gid\":8}", "",
                             "{\"destination\":\"/a\",\"type\":\"tmpfs\"}"),
          &fixture.err);

    struct spec_process process = *fixture.spec->process;
    struct spec spec = *fixture.spec;
    const struct plan *plan;

    process.exec_cpu_affinity = &affinity;
    process.user = (struct spec_user){.uid = 9, .gid = 10};
    spec.process = &process;

    static const struct spec_intel_rdt rdt = {.clos_id = "gold", .enable_monitoring = true};
    struct spec_linux linux_ = *fixture.spec->linux_;

    linux_.intel_rdt = &rdt;
    spec.linux_ = &linux_;
    ck_ok(plan_make_exec(&fixture.arena, &fixture.options, &spec, &fixture.host, &fixture.findings,
                         &plan, &fixture.err),
          &fixture.err);
    ck_assert_uint_eq(plan->process.uid, 9);
    ck_assert_uint_eq(plan->ns.create, fixture.plan->ns.create);
    ck_assert_uint_eq(plan->mounts.count, 0);
    ck_assert_ptr_null(plan->cgroup.path);
    ck_assert_str_eq(plan->resctrl->group, "gold");
    ck_assert_str_eq(plan->resctrl->monitor, fixture.options.id);
    ck_assert_uint_eq(plan->process.initial_cpus.word_count, 1);
    ck_assert_uint_eq(plan->process.initial_cpus.words[0], 0xd);
    ck_assert_uint_eq(plan->process.final_cpus.word_count, 2);
    ck_assert_uint_eq(plan->process.final_cpus.words[0], 0);
    ck_assert_uint_eq(plan->process.final_cpus.words[1], 1);
    ck_assert_ptr_null(fixture.plan->process.initial_cpus.words); /* not for a start */
}
END_TEST

SUITE(make_suite, a_plan_for_exec_has_namespaces_and_the_process_alone,
      the_first_error_is_told_and_no_plan_is_made, a_mistake_that_both_rooms_see_is_told_once,
      a_spec_without_process_and_linux_does_not_crash,
      hooks_are_made_alone_and_have_their_path_as_first_argument,
      every_lack_of_memory_is_an_error_and_no_crash,
      every_malformed_config_of_the_corpus_is_planned_without_a_crash)
