/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/warn.h"
#include "sublet/plan.h"
#include "sublet/spec.h"

#include "../../../src/cli/args.h"
#include "../../../src/cli/bundleless.h"
#include "runner.h"

static struct arena arena;
static struct args args;
static struct sub_err err;
static char sh[] = "sh", dash_c[] = "-c", true_[] = "true";
static char *command[] = {sh, dash_c, true_, NULL};

static void renew(void)
{
    arena_done(&arena); /* nothing in it the first time: it is static */
    arena_init(&arena, ARENA_MAX_BYTES);
    memset(&err, 0, sizeof err);
    args_init(&args);
    args.operands = command;
    args.operand_count = 3;
}

static const struct spec *make(bool rootless)
{
    struct bundleless facts = {.id = "name", .folder = "/here", .rootless = rootless};
    const struct host_user user = {.name = "user"};
    const struct host host = {.euid = 1000, .egid = 1000, .user = rootless ? &user : NULL};
    struct findings findings;
    struct spec *made = NULL;

    ck_ok(bundleless_spec(&arena, &args, &facts, &made, &err), &err);
    const struct spec *spec = made;
    findings_init(&findings, &arena);
    ck_assert_int_eq(plan_complete(&arena, &spec, &host, &findings), rootless);
    ck_ok(spec_check(spec, &findings), &err);
    return spec;
}

static const char *env_of(const struct spec *spec, const char *name)
{
    for (size_t i = 0; i < spec->process->env.count; i++) {
        const char *entry = spec->process->env.items[i];

        if (strncmp(entry, name, strlen(name)) == 0 && entry[strlen(name)] == '=')
            return entry + strlen(name) + 1;
    }
    return NULL;
}

static const struct spec_mount *mount_of(const struct spec *spec, const char *target)
{
    for (size_t i = 0; i < spec->mounts.count; i++) {
        if (strcmp(spec->mounts.items[i].destination, target) == 0)
            return &spec->mounts.items[i];
    }
    return NULL;
}

START_TEST(a_command_needs_nothing_but_a_root)
{
    const struct spec *spec;

    renew();
    args.rootfs = "root";
    spec = make(false);
    ck_assert_str_eq(spec->root->path, "/here/root");
    ck_assert(!spec->root->readonly);
    ck_assert_str_eq(spec->hostname, "name");
    ck_assert_uint_eq(spec->process->args.count, 3);
    ck_assert_str_eq(spec->process->args.items[2], "true");
    ck_assert_str_eq(spec->process->cwd, "/");
    ck_assert(!spec->process->terminal);
    ck_assert(spec->process->no_new_privileges);
    ck_assert_uint_eq(spec->process->user.uid, 0);
    ck_assert_uint_eq(spec->process->rlimits.count, 0);
    ck_assert_ptr_eq(env_of(spec, "TERM"), NULL);
    ck_assert_ptr_ne(env_of(spec, "PATH"), NULL);
    ck_assert_ptr_eq(spec->linux_->resources->cpu, NULL);
    ck_assert_ptr_eq(spec->linux_->resources->memory, NULL);
    ck_assert_ptr_eq(spec->linux_->resources->pids, NULL);
    ck_assert_uint_eq(spec->linux_->resources->unified.count, 0);
    ck_assert_uint_eq(spec->linux_->resources->devices.count, 1);
    ck_assert_ptr_ne(spec_namespace(spec, "network"), NULL);
    ck_assert_ptr_eq(spec_namespace(spec, "user"), NULL);
}
END_TEST

START_TEST(limits_become_resources)
{
    const struct spec_resources *resources;

    renew();
    args.rootfs = "/r";
    args.cpu = "1.5";
    args.memory_bytes = 64 << 20;
    args.swap_bytes = 0;
    args.pids = 0;
    resources = make(false)->linux_->resources;
    ck_assert_uint_eq(resources->cpu->has, SPEC_CPU_QUOTA | SPEC_CPU_PERIOD);
    ck_assert_int_eq(resources->cpu->quota_us, 150000);
    ck_assert_uint_eq(resources->cpu->period_us, 100000);
    ck_assert_uint_eq(resources->memory->has, SPEC_MEMORY_LIMIT);
    ck_assert_int_eq(resources->memory->limit_bytes, 67108864);
    ck_assert_uint_eq(resources->unified.count, 1);
    ck_assert_str_eq(resources->unified.items[0].key, "memory.swap.max");
    ck_assert_str_eq(resources->unified.items[0].value, "0");
    ck_assert_uint_eq(resources->pids->has, SPEC_PIDS_LIMIT);
    ck_assert_int_eq(resources->pids->limit, 0);
}
END_TEST

START_TEST(contract_words_give_weight_cap_and_burst)
{
    const struct spec_resources *resources;

    renew();
    args.cpu = "elastic 0.5 ceiling 2 burst 20ms";
    resources = make(false)->linux_->resources;
    ck_assert_int_eq(resources->cpu->quota_us, 200000);
    ck_assert_uint_eq(resources->cpu->burst_us, 20000);
    ck_assert_uint_eq(resources->unified.count, 1);
    ck_assert_str_eq(resources->unified.items[0].key, "cpu.weight");
    ck_assert_str_eq(resources->unified.items[0].value, "50");
    renew();
    args.cpu = "elastic 1";
    args.swap_bytes = 4096;
    resources = make(false)->linux_->resources;
    ck_assert_uint_eq(resources->cpu->has, 0);
    ck_assert_uint_eq(resources->unified.count, 2);
    ck_assert_str_eq(resources->unified.items[1].key, "memory.swap.max");
}
END_TEST

START_TEST(a_thousandth_of_a_cpu_is_a_quota_the_kernel_takes)
{
    const struct spec_cpu *cpu;

    renew();
    args.rootfs = "/r";
    args.cpu = "0.001";
    cpu = make(false)->linux_->resources->cpu;
    ck_assert_int_eq(cpu->quota_us, 1000);
    ck_assert_uint_eq(cpu->period_us, 1000000);
}
END_TEST

START_TEST(the_process_is_what_was_asked_for)
{
    static const char *env[] = {"A=1", "PATH=/x", "A=2", "EMPTY="};
    const struct spec *spec;

    renew();
    args.rootfs = "/r";
    args.hostname = "inside";
    args.cwd = "/tmp";
    args.user = "1000:100";
    args.tty = true;
    args.env = (struct arg_list){env, 4};
    spec = make(false);
    ck_assert_str_eq(spec->hostname, "inside");
    ck_assert_str_eq(spec->process->cwd, "/tmp");
    ck_assert_uint_eq(spec->process->user.uid, 1000);
    ck_assert_uint_eq(spec->process->user.gid, 100);
    ck_assert(spec->process->terminal);
    ck_assert_uint_eq(spec->process->env.count, 4);
    ck_assert_str_eq(env_of(spec, "A"), "2");
    ck_assert_str_eq(env_of(spec, "PATH"), "/x");
    ck_assert_str_eq(env_of(spec, "EMPTY"), "");
    ck_assert_str_eq(env_of(spec, "TERM"), "xterm");
}
END_TEST

START_TEST(a_network_is_the_hosts_or_its_own)
{
    const struct spec *spec;

    renew();
    args.rootfs = "/r";
    args.net = ARGS_NET_HOST;
    spec = make(false);
    ck_assert_ptr_eq(spec_namespace(spec, "network"), NULL);
    ck_assert_str_eq(mount_of(spec, "/sys")->type, "sysfs");
    spec = make(true);
    ck_assert_ptr_eq(spec_namespace(spec, "network"), NULL);
    ck_assert_ptr_ne(spec_namespace(spec, "user"), NULL);
    ck_assert_str_eq(mount_of(spec, "/sys")->type, "none");

    args.net = ARGS_NET_DEFAULT;
    spec = make(true);
    ck_assert_ptr_ne(spec_namespace(spec, "network"), NULL);
    ck_assert_str_eq(mount_of(spec, "/sys")->type, "sysfs");
    ck_assert_uint_eq(spec->linux_->uid_mappings.count, 1);
}
END_TEST

START_TEST(a_long_id_is_cut_to_a_host_name)
{
    struct bundleless facts = {.folder = "/"};
    struct spec *spec = NULL;
    char id[101];

    renew();
    args.rootfs = "/r";
    memset(id, 'x', 100);
    id[100] = '\0';
    facts.id = id;
    ck_ok(bundleless_spec(&arena, &args, &facts, &spec, &err), &err);
    ck_assert_uint_eq(strlen(spec->hostname), 64);
}
END_TEST

static void refused(const char *path, const char *text)
{
    struct bundleless facts = {.id = "name", .folder = "/"};
    struct spec *spec = NULL;

    ck_fails(bundleless_spec(&arena, &args, &facts, &spec, &err), &err, ARGS_USAGE, path, text);
    ck_assert_ptr_eq(spec, NULL);
}

START_TEST(a_cpu_that_is_none_is_refused)
{
    renew();
    args.cpu = "0";
    refused("--cpu", "'0' is no number of CPUs: above 0, with at most three decimals, or 'fixed N "
                     "[burst TIME]', 'elastic N [ceiling M] [burst TIME]'");
    renew();
    args.cpu = "pinned 1";
    refused("--cpu", "'pinned 1': CPUs are pinned for a tenant, not for a container");
    renew();
    args.cpu = "fixed 1 burst 200ms";
    refused("--cpu", "burst 200000 us: at most the 100000 us that the cap allows in 100 ms");
}
END_TEST

START_TEST(users_and_variables_are_checked)
{
    static const char *const users[] = {"root", "",           "1:",    ":1",
                                        "-1",   "4294967295", "1:2:3", "1:4294967295"};
    const char *entry = "NAME";

    for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
        char text[128];

        renew();
        args.rootfs = "/r";
        args.user = users[i];
        (void) snprintf(text, sizeof text, "'%s': expected UID or UID:GID, as numbers", users[i]);
        refused("--user", text);
    }
    renew();
    args.rootfs = "/r";
    args.env = (struct arg_list){&entry, 1};
    refused("--env", "'NAME': expected NAME=VALUE");
    renew();
    entry = "=x";
    args.env = (struct arg_list){&entry, 1};
    refused("--env", "'=x': expected NAME=VALUE");
}
END_TEST

START_TEST(layers_are_split_at_bare_colons)
{
    const char *const *lowers;
    size_t count;

    renew();
    ck_ok(overlay_split(&arena, "/a:b\\:c:/d\\e", "/here", &lowers, &count, &err), &err);
    ck_assert_uint_eq(count, 3);
    ck_assert_str_eq(lowers[0], "/a");
    ck_assert_str_eq(lowers[1], "/here/b:c");
    ck_assert_str_eq(lowers[2], "/d\\e");
    ck_assert_ptr_eq(lowers[3], NULL);
    ck_ok(overlay_split(&arena, "/", "/here", &lowers, &count, &err), &err);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(lowers[0], "/");
}
END_TEST

START_TEST(a_layer_has_a_name)
{
    static const struct {
        const char *text, *complaint;
    } rows[] = {
        {"",       "layer 1 has no name"},
        {":/a",    "layer 1 has no name"},
        {"/a:",    "layer 2 has no name"},
        {"/a::/b", "layer 2 has no name"},
    };
    const char *const *lowers = NULL;
    size_t count = 7;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        renew();
        ck_fails(overlay_split(&arena, rows[i].text, "/", &lowers, &count, &err), &err, ARGS_USAGE,
                 "--overlay", rows[i].complaint);
    }
    ck_assert_ptr_eq(lowers, NULL);
    ck_assert_uint_eq(count, 7);
}
END_TEST

START_TEST(layers_have_a_maximum)
{
    char text[2 * 501 + 1];
    const char *const *lowers;
    size_t count;

    renew();
    for (size_t i = 0; i < 501; i++)
        memcpy(text + 2 * i, "a:", 2);
    text[2 * 500 - 1] = '\0';
    ck_ok(overlay_split(&arena, text, "/", &lowers, &count, &err), &err);
    ck_assert_uint_eq(count, 500);
    text[2 * 500 - 1] = ':';
    text[2 * 501 - 1] = '\0';
    ck_fails(overlay_split(&arena, text, "/", &lowers, &count, &err), &err, ARGS_USAGE, "--overlay",
             "more than 500 layers");
}
END_TEST

SUITE(bundleless_suite, a_command_needs_nothing_but_a_root, limits_become_resources,
      a_thousandth_of_a_cpu_is_a_quota_the_kernel_takes, contract_words_give_weight_cap_and_burst,
      a_cpu_that_is_none_is_refused, the_process_is_what_was_asked_for,
      a_network_is_the_hosts_or_its_own, a_long_id_is_cut_to_a_host_name,
      users_and_variables_are_checked, layers_are_split_at_bare_colons, a_layer_has_a_name,
      layers_have_a_maximum)
