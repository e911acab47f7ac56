/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/fd.h"
#include "sublet/base/warn.h"
#include "sublet/spec.h"

#include "runner.h"

static struct arena arena;
static struct findings findings;
static struct sub_err err;

static void fresh(void)
{
    arena_done(&arena);
    arena_init(&arena, ARENA_MAX_BYTES);
    findings_init(&findings, &arena);
    sub_err_clear(&err);
}

static const struct spec *every_field(void)
{
    OWNED_FD dir = open(TEST_DIR "/corpus", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct spec *spec = NULL;

    fresh();
    ck_ok(spec_load(&arena, dir, "200-every-field.json", &findings, &spec, &err), &err);
    ck_assert_int_eq(spec_check(spec, &findings), 0);
    return spec;
}

START_TEST(process_is_read_as_it_stands)
{
    const struct spec_process *process = every_field()->process;

    ck_assert(process->terminal);
    ck_assert_uint_eq(process->console_size->height_rows, 40);
    ck_assert_uint_eq(process->console_size->width_columns, 120);
    ck_assert_uint_eq(process->user.uid, 1000);
    ck_assert_uint_eq(process->user.has, SPEC_USER_UMASK);
    ck_assert_uint_eq(process->user.umask, 022);
    ck_assert_uint_eq(process->user.additional_gids.count, 2);
    ck_assert_uint_eq(process->user.additional_gids.items[1], 6);
    ck_assert_uint_eq(process->args.count, 3);
    ck_assert_str_eq(process->args.items[2], "exec true");
    ck_assert_str_eq(process->env.items[1], "TERM=xterm");
    ck_assert_str_eq(process->cwd, "/srv");
    ck_assert_str_eq(process->capabilities->ambient.items[1], "CAP_NET_BIND_SERVICE");
    ck_assert_str_eq(process->rlimits.items[1].type, "RLIMIT_AS");
    ck_assert_uint_eq(process->rlimits.items[1].hard, UINT64_MAX);
    ck_assert_uint_eq(process->rlimits.items[0].soft, 1024);
    ck_assert(process->no_new_privileges);
    ck_assert_uint_eq(process->has,
                      SPEC_PROCESS_OOM_SCORE_ADJ | SPEC_PROCESS_ENV | SPEC_PROCESS_USER);
    ck_assert_int_eq(process->oom_score_adj, -5);
    ck_assert_str_eq(process->scheduler->policy, "SCHED_BATCH");
    ck_assert_int_eq(process->scheduler->nice, 5);
    ck_assert_uint_ne(process->scheduler->has & SPEC_SCHEDULER_NICE, 0);
    ck_assert_str_eq(process->io_priority->class, "IOPRIO_CLASS_BE");
    ck_assert_int_eq(process->io_priority->priority, 6);
    ck_assert_str_eq(process->exec_cpu_affinity->final, "0-1");
    ck_assert_str_eq(process->apparmor_profile, "a-profile");
    ck_assert_str_eq(process->selinux_label, "system_u:system_r:container_t:s0:c1,c2");
}
END_TEST

START_TEST(mounts_hooks_and_annotations_keep_their_order)
{
    const struct spec *spec = every_field();

    ck_assert_uint_eq(spec->mounts.count, 3);
    ck_assert_str_eq(spec->mounts.items[1].destination, "/dev");
    ck_assert_str_eq(spec->mounts.items[1].options.items[3], "size=65536k");
    ck_assert_str_eq(spec->mounts.items[2].source, "data");
    ck_assert_str_eq(spec->hooks->prestart.items[0].path, "/bin/prestart");
    ck_assert_int_eq(spec->hooks->create_runtime.items[0].timeout_s, 2);
    ck_assert_str_eq(spec->hooks->create_container.items[0].args.items[0], "createContainer");
    ck_assert_str_eq(spec->hooks->start_container.items[0].env.items[0], "A=b");
    ck_assert_int_eq(spec->hooks->poststart.items[0].timeout_s, 5);
    ck_assert_int_eq(spec->hooks->poststop.items[0].timeout_s, 6);
    ck_assert_uint_eq(spec->hooks->poststop.items[0].has,
                      SPEC_HOOK_TIMEOUT | SPEC_HOOK_ARGS | SPEC_HOOK_ENV);
    ck_assert_str_eq(spec->annotations.items[0].key, "org.example.b");
    ck_assert_str_eq(spec->annotations.items[1].value, "1");
}
END_TEST

START_TEST(the_linux_section_is_read_as_it_stands)
{
    const struct spec *spec = every_field();
    const struct spec_linux *linux_ = spec->linux_;

    ck_assert_uint_eq(linux_->namespaces.count, 8);
    ck_assert_ptr_null(spec_namespace(spec, "time")->path);
    ck_assert_ptr_null(spec_namespace(spec, "net"));
    ck_assert_uint_eq(linux_->uid_mappings.items[0].host_id, 100000);
    ck_assert_str_eq(linux_->time_offsets.items[1].clock, "boottime");
    ck_assert_int_eq(linux_->time_offsets.items[1].secs, 604800);
    ck_assert_uint_eq(linux_->time_offsets.items[1].nanosecs, 5);
    ck_assert_uint_eq(linux_->devices.items[0].file_mode, 0666);
    ck_assert_uint_eq(linux_->devices.items[1].has, 0);
    ck_assert_str_eq(linux_->cgroups_path, "/tenants/a");
    ck_assert_str_eq(linux_->sysctl.items[0].key, "net.ipv4.ip_forward");
    ck_assert_str_eq(linux_->rootfs_propagation, "slave");
    ck_assert_str_eq(linux_->masked_paths.items[0], "/proc/kcore");
    ck_assert_str_eq(linux_->personality->domain, "LINUX");

    const struct spec_seccomp *seccomp = linux_->seccomp;
    ck_assert_uint_eq(seccomp->has, SPEC_SECCOMP_DEFAULT_ERRNO_RET | SPEC_SECCOMP_FLAGS);
    ck_assert_uint_eq(seccomp->default_errno_ret, 38);
    ck_assert_str_eq(seccomp->syscalls.items[0].action, "SCMP_ACT_NOTIFY");
    ck_assert_uint_eq(seccomp->syscalls.items[2].errno_ret, 1);
    ck_assert_uint_eq(seccomp->syscalls.items[2].args.items[0].value, 2114060288);
    ck_assert_uint_eq(seccomp->syscalls.items[2].args.items[0].has, SPEC_SECCOMP_ARG_VALUE_TWO);
    ck_assert_uint_eq(seccomp->syscalls.items[1].args.items[0].has, 0);
}
END_TEST

START_TEST(resources_are_read_as_they_stand)
{
    const struct spec_resources *resources = every_field()->linux_->resources;

    ck_assert_uint_eq(resources->devices.count, 2);
    ck_assert(resources->devices.items[1].allow);
    ck_assert_uint_eq(resources->devices.items[1].has,
                      SPEC_DEVICE_RULE_MAJOR | SPEC_DEVICE_RULE_MINOR);
    ck_assert_int_eq(resources->memory->limit_bytes, 536870912);
    ck_assert_int_eq(resources->memory->swap_bytes, -1);
    ck_assert_uint_eq(resources->memory->has, (SPEC_MEMORY_CHECK_BEFORE_UPDATE << 1) - 1);
    ck_assert_uint_eq(resources->cpu->burst_us, 1000);
    ck_assert_str_eq(resources->cpu->cpus, "2-3");
    ck_assert_int_eq(resources->pids->limit, 32771);
    ck_assert_uint_eq(resources->block_io->weight_device.items[0].weight, 500);
    ck_assert_uint_eq(resources->block_io->throttle_read_bps.items[0].rate, 600);
    ck_assert_uint_eq(resources->block_io->throttle_write_bps.items[0].rate, 601);
    ck_assert_uint_eq(resources->block_io->throttle_read_iops.items[0].rate, 602);
    ck_assert_int_eq(resources->block_io->throttle_write_iops.items[0].minor, 16);
    ck_assert_uint_eq(resources->hugepage_limits.items[0].limit_bytes, 209715200);
    ck_assert_str_eq(resources->rdma.items[0].device, "mlx5_1");
    ck_assert_uint_eq(resources->rdma.items[0].hca_objects, 10000);
    ck_assert_str_eq(resources->unified.items[0].value, "1048576");
}
END_TEST

static void check_written(const char *name)
{
    OWNED_FD dir = open(TEST_DIR "/corpus", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    OWNED_MEM char *text = NULL;
    OWNED_BUF buf;
    const struct spec *spec = NULL;
    size_t size;

    fresh();
    buf_init(&buf, SPEC_MAX_BYTES);
    ck_ok(sub_load_file_at(dir, name, SPEC_MAX_BYTES, &text, &size, &err), &err);
    ck_ok(spec_load(&arena, dir, name, NULL, &spec, &err), &err);
    ck_assert_int_eq(spec_encode(spec, &buf), 0);
    buf_putc(&buf, '\n');
    ck_assert_str_eq(buf_text(&buf), text);
}

/* Both files together name every row of every table, in the tables' order. */
START_TEST(every_field_is_written_as_it_was_read)
{
    check_written("200-every-field.json");
    check_written("203-refused-fields.json");
}
END_TEST

START_TEST(a_process_file_is_the_process_object_alone)
{
    static const char good[] = "{\"args\": [\"id\"], \"cwd\": \"/\", \"user\": {\"uid\": 7}}";
    static const char bad[] = "{\"args\": [\"id\"], \"cwd\": 5}";
    static const char relative[] = "{\"args\": [\"id\"], \"cwd\": \"x\"}";
    struct spec_process *process = NULL;

    fresh();
    ck_ok(spec_parse_process(&arena, "p.json", good, strlen(good), &findings, &process, &err),
          &err);
    ck_assert_uint_eq(process->user.uid, 7);
    ck_assert_int_eq(spec_check_process(process, &findings), 0);
    ck_fails(spec_parse_process(&arena, "p.json", bad, strlen(bad), NULL, &process, &err), &err,
             EINVAL, "p.json:1:25: process.cwd", "expected string, got number");

    fresh();
    ck_ok(
        spec_parse_process(&arena, "p.json", relative, strlen(relative), &findings, &process, &err),
        &err);
    ck_assert_int_eq(spec_check_process(process, &findings), -EINVAL);
    ck_fails(findings_result(&findings, &err), &err, EINVAL, "process.cwd",
             "'x' is not absolute, expected a path that starts with '/'");
}
END_TEST

START_TEST(a_resources_file_is_the_resources_object_alone)
{
    static const char good[] = "{\"pids\": {\"limit\": 5}}";
    static const char bad[] = "{\"memory\": {\"limit\": -3}}";
    struct spec_resources *resources = NULL;

    fresh();
    ck_ok(spec_parse_resources(&arena, "-", good, strlen(good), &findings, &resources, &err), &err);
    ck_assert_int_eq(resources->pids->limit, 5);
    ck_assert_int_eq(spec_check_resources(resources, &findings), 0);

    ck_ok(spec_parse_resources(&arena, "-", bad, strlen(bad), &findings, &resources, &err), &err);
    ck_assert_int_eq(spec_check_resources(resources, &findings), -EINVAL);
    ck_assert_str_eq(findings.errors[0].path, "linux.resources.memory.limit");
}
END_TEST

START_TEST(twenty_broken_rules_are_kept_and_the_rest_counted)
{
    static const char *const paths[30] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j",
                                          "a", "b", "c", "d", "e", "f", "g", "h", "i", "j",
                                          "a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    struct spec *spec;

    fresh();
    ck_assert_int_eq(spec_default(&arena, false, &spec), 0);
    ((struct spec_linux *) (uintptr_t) spec->linux_)->masked_paths =
        (struct spec_strings){paths, 30};
    ck_assert_int_eq(spec_check(spec, &findings), -EINVAL);
    ck_assert_uint_eq(findings.error_count, 30);
    ck_assert_str_eq(findings.errors[19].path, "linux.maskedPaths[19]");
}
END_TEST

START_TEST(a_sysctl_key_becomes_a_path_below_its_folder)
{
    char path[64];

    ck_assert_int_eq(spec_sysctl_path("net.ipv4.ip_forward", path, sizeof path), 0);
    ck_assert_str_eq(path, "net/ipv4/ip_forward");
    ck_assert_int_eq(spec_sysctl_path("net/ipv4/conf/eth0.100/mtu", path, sizeof path), 0);
    ck_assert_str_eq(path, "net/ipv4/conf/eth0.100/mtu");
    ck_assert_int_eq(spec_sysctl_path("net.ipv4.conf.eth0/100.mtu", path, sizeof path), 0);
    ck_assert_str_eq(path, "net/ipv4/conf/eth0.100/mtu");

    static const char *const bad[] = {"",       ".",      "net..x", "net.//.x", "/net/x",
                                      "net/",   "a/../b", "a/./b",  "a/..b",    "net.a b",
                                      "net.\n", "a//b",   ".net.x", "net./x",   "net.x/"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(spec_sysctl_path(bad[i], path, sizeof path) == -EINVAL, "'%s'", bad[i]);
    ck_assert_int_eq(spec_sysctl_path("net.ipv4.ip_forward", path, 19), -EINVAL);
}
END_TEST

START_TEST(a_process_inherits_what_it_does_not_say)
{
    static const char *const own_env[] = {"A=own"};
    static const struct spec_capabilities caps;
    static const struct spec_rlimit limit = {.type = "RLIMIT_CORE"};
    static const struct spec_process own = {
        .has = SPEC_PROCESS_ENV | SPEC_PROCESS_USER | SPEC_PROCESS_OOM_SCORE_ADJ,
        .env = {own_env,  1       },
        .user = {.uid = 5, .gid = 6},
        .oom_score_adj = 300,
        .capabilities = &caps,
        .rlimits = {&limit,   1       },
        .apparmor_profile = "profile",
        .selinux_label = "label",
        .no_new_privileges = true,
        .terminal = true,
    };
    struct spec_process silent = {.cwd = "/"};
    struct spec_process loud = {.has = SPEC_PROCESS_ENV | SPEC_PROCESS_USER |
                                       SPEC_PROCESS_OOM_SCORE_ADJ,
                                .user = {.uid = 9},
                                .apparmor_profile = "other"};

    spec_process_inherit(&silent, &own);
    ck_assert_uint_eq(silent.env.count, 1);
    ck_assert_uint_eq(silent.user.uid, 5);
    ck_assert_uint_eq(silent.has, SPEC_PROCESS_OOM_SCORE_ADJ);
    ck_assert_int_eq(silent.oom_score_adj, 300);
    ck_assert_ptr_eq(silent.capabilities, &caps);
    ck_assert_ptr_eq(silent.rlimits.items, &limit);
    ck_assert_str_eq(silent.apparmor_profile, "profile");
    ck_assert_str_eq(silent.selinux_label, "label");
    ck_assert(!silent.no_new_privileges && !silent.terminal);

    spec_process_inherit(&loud, &own);
    ck_assert_uint_eq(loud.env.count, 0);
    ck_assert_uint_eq(loud.user.uid, 9);
    ck_assert_uint_eq(loud.user.gid, 0);
    ck_assert_int_eq(loud.oom_score_adj, 0);
    ck_assert_str_eq(loud.apparmor_profile, "other");
}
END_TEST

SUITE(spec_suite, a_process_inherits_what_it_does_not_say, every_field_is_written_as_it_was_read,
      process_is_read_as_it_stands, mounts_hooks_and_annotations_keep_their_order,
      the_linux_section_is_read_as_it_stands, resources_are_read_as_they_stand,
      a_process_file_is_the_process_object_alone, a_resources_file_is_the_resources_object_alone,
      twenty_broken_rules_are_kept_and_the_rest_counted,
      a_sysctl_key_becomes_a_path_below_its_folder)
