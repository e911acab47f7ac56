/* SPDX-License-Identifier: Apache-2.0 */
/* The program in the kernel: what a process in the group may open and make. */
#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sublet/sys.h"

#include "scratch.h"

#define ANY (-1)
#define ALL CG_DEVICE_ALL

static const char WHERE[] = "linux.cgroupsPath";

enum { CAN_READ_NULL = 1, CAN_WRITE_NULL = 2, CAN_READ_ZERO = 4, CAN_MKNOD_NULL = 8 };

static bool opens(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);

    if (fd >= 0)
        (void) close(fd);
    return fd >= 0;
}

static bool makes_node(void)
{
    char path[64];
    bool made;

    (void) snprintf(path, sizeof path, "/tmp/sublet-unit-node-%d", getpid());
    made = mknod(path, S_IFCHR | 0600, makedev(1, 3)) == 0;
    if (made)
        (void) unlink(path);
    return made;
}

/* What a process in the group can do, as bits. */
static int abilities(int cgroup_fd)
{
    struct sys_clone args = {.cgroup_fd = cgroup_fd};
    pid_t pid = sys_clone(&args);

    if (pid == 0)
        _exit((opens("/dev/null", O_RDONLY) ? CAN_READ_NULL : 0) |
              (opens("/dev/null", O_WRONLY) ? CAN_WRITE_NULL : 0) |
              (opens("/dev/zero", O_RDONLY) ? CAN_READ_ZERO : 0) |
              (makes_node() ? CAN_MKNOD_NULL : 0));
    ck_assert_int_gt(pid, 0);
    return reap(pid);
}

static void apply(int cgroup_fd, const struct cg_device_rule *rules, size_t count, bool fresh)
{
    struct sub_err err = {0};
    OWNED_ARENA arena;
    struct cg_device_program program;

    arena_init(&arena, ARENA_MAX_BYTES);
    ck_ok(cg_device_program_make(&arena, "devices", rules, count, &program, &err), &err);
    ck_ok(cgroup_devices_apply(cgroup_fd, &program, fresh, &err), &err);
}

static uint32_t attached(int cgroup_fd)
{
    union bpf_attr attr;
    uint32_t ids[64];

    memset(&attr, 0, sizeof attr);
    attr.query.target_fd = (uint32_t) cgroup_fd;
    attr.query.attach_type = BPF_CGROUP_DEVICE;
    attr.query.prog_ids = (uintptr_t) ids;
    attr.query.prog_cnt = 64;
    ck_assert_int_eq(sys_bpf(BPF_PROG_QUERY, &attr), 0);
    return attr.query.prog_cnt;
}

/* BPF needs the initial user namespace and a kernel with CONFIG_CGROUP_BPF. */
static bool lacks_bpf(int cgroup_fd)
{
    static const struct cg_device_rule deny = {false, 'b', 1, 1, ALL};
    struct sub_err err = {0};
    OWNED_ARENA arena;
    struct cg_device_program program;

    arena_init(&arena, ARENA_MAX_BYTES);
    ck_ok(cg_device_program_make(&arena, "devices", &deny, 1, &program, &err), &err);
    int rc = cgroup_devices_apply(cgroup_fd, &program, false, &err);
    if (rc == -EPERM || rc == -ENOSYS)
        (void) fprintf(stderr, "skipped: device programs: %s\n", err.text);
    return rc == -EPERM || rc == -ENOSYS;
}

static struct cgroup make(const char *name)
{
    struct sub_err err = {0};
    struct cgroup group = CGROUP_NONE;

    ck_ok(cgroup_make(scratch.root_fd, scratch_path(name), 0, WHERE, &group, &err), &err);
    return group;
}

START_TEST(what_was_replaced_can_be_restored)
{
    static const struct cg_device_rule deny = {false, 'c', 1, 3, ALL};
    static const struct cg_device_program nothing = {.code = NULL};
    struct cg_device_program program;
    struct sub_err err = {0};
    OWNED_ARENA arena;

    NEEDS_GROUPS();
    OWNED_CGROUP group = make("restored");
    if (lacks_bpf(group.dir_fd))
        return;
    apply(group.dir_fd, &deny, 1, false);
    int before = abilities(group.dir_fd);

    arena_init(&arena, ARENA_MAX_BYTES);
    OWNED_FD old = -ENOENT;
    ck_ok(cgroup_devices_replace(group.dir_fd, &nothing, &old, &err), &err);
    ck_assert_int_ge(old, 0);
    ck_assert_int_eq(abilities(group.dir_fd),
                     CAN_READ_NULL | CAN_WRITE_NULL | CAN_READ_ZERO | CAN_MKNOD_NULL);
    ck_assert_uint_eq(attached(group.dir_fd), 0);
    ck_ok(cgroup_devices_restore(group.dir_fd, old, &err), &err);
    ck_assert_int_eq(abilities(group.dir_fd), before);

    static const struct cg_device_rule other = {false, 'c', 1, 5, ALL};
    sub_close(&old);
    ck_ok(cg_device_program_make(&arena, "devices", &other, 1, &program, &err), &err);
    ck_ok(cgroup_devices_replace(group.dir_fd, &program, &old, &err), &err);
    ck_assert_int_eq(abilities(group.dir_fd) & CAN_READ_ZERO, 0);
    ck_ok(cgroup_devices_restore(group.dir_fd, old, &err), &err);
    ck_assert_int_eq(abilities(group.dir_fd), before);
    ck_assert_uint_eq(attached(group.dir_fd), 1);
    ck_ok(cgroup_devices_restore(group.dir_fd, -ENOENT, &err), &err);
    ck_assert_uint_eq(attached(group.dir_fd), 0);
}
END_TEST

START_TEST(the_kernel_enforces_the_list)
{
    NEEDS_GROUPS();
    OWNED_CGROUP probe = make("probe");
    if (lacks_bpf(probe.dir_fd))
        return;

    static const struct {
        struct cg_device_rule rules[4];
        size_t count;
        int abilities;
    } rows[] = {
        {{{false, 'a', ANY, ANY, ALL}},                                                    1, 0                                                              },
        {{{false, 'a', ANY, ANY, ALL}, {true, 'c', 1, 3, ALL}},
         2,                                                                                   CAN_READ_NULL | CAN_WRITE_NULL | CAN_MKNOD_NULL                },
        {{{false, 'a', ANY, ANY, ALL}, {true, 'c', 1, ANY, CG_DEVICE_READ}},
         2,                                                                                   CAN_READ_NULL | CAN_READ_ZERO                                  },
        {{{false, 'a', ANY, ANY, ALL}, {true, 'a', ANY, ANY, CG_DEVICE_MKNOD}},            2, CAN_MKNOD_NULL                                                 },
        {{{false, 'c', 1, 3, CG_DEVICE_WRITE}},                                            1, CAN_READ_NULL | CAN_READ_ZERO | CAN_MKNOD_NULL                 },
        {{{false, 'a', ANY, ANY, ALL}, {true, 'c', ANY, 5, ALL}, {false, 'b', 1, 5, ALL}},
         3,                                                                                   CAN_READ_ZERO                                                  },
        {{{true, 'a', ANY, ANY, ALL}},
         1,                                                                                   CAN_READ_NULL | CAN_WRITE_NULL | CAN_READ_ZERO | CAN_MKNOD_NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[32];

        (void) snprintf(name, sizeof name, "rules-%zu", i);
        OWNED_CGROUP group = make(name);
        apply(group.dir_fd, rows[i].rules, rows[i].count, true);
        int got = abilities(group.dir_fd);
        ck_assert_msg(got == rows[i].abilities, "list %zu: abilities %d, not %d", i, got,
                      rows[i].abilities);
    }
}
END_TEST

START_TEST(a_new_rule_set_replaces_the_old_one)
{
    NEEDS_GROUPS();
    OWNED_CGROUP group = make("replace");
    if (lacks_bpf(group.dir_fd))
        return;

    static const struct cg_device_rule none[] = {
        {false, 'a', ANY, ANY, ALL}
    };
    static const struct cg_device_rule null[] = {
        {false, 'a', ANY, ANY, ALL           },
        {true,  'c', 1,   3,   CG_DEVICE_READ}
    };
    static const struct cg_device_rule all[] = {
        {true, 'a', ANY, ANY, ALL}
    };

    ck_assert_uint_eq(attached(group.dir_fd), 1);
    apply(group.dir_fd, none, 1, false);
    ck_assert_uint_eq(attached(group.dir_fd), 1);
    ck_assert_int_eq(abilities(group.dir_fd), 0);
    apply(group.dir_fd, null, 2, false);
    ck_assert_uint_eq(attached(group.dir_fd), 1);
    ck_assert_int_eq(abilities(group.dir_fd), CAN_READ_NULL);
    apply(group.dir_fd, all, 1, false);
    ck_assert_uint_eq(attached(group.dir_fd), 0);
    apply(group.dir_fd, all, 1, false);
    ck_assert_uint_eq(attached(group.dir_fd), 0);
}
END_TEST

START_TEST(a_group_below_cannot_get_what_one_above_denies)
{
    NEEDS_GROUPS();
    OWNED_CGROUP outer = make("above"), inner = make("above/below");
    if (lacks_bpf(outer.dir_fd))
        return;

    static const struct cg_device_rule deny_write[] = {
        {false, 'c', 1, 3, CG_DEVICE_WRITE}
    };
    static const struct cg_device_rule deny_mknod[] = {
        {false, 'a', ANY, ANY, CG_DEVICE_MKNOD}
    };

    apply(outer.dir_fd, deny_write, 1, false);
    apply(inner.dir_fd, deny_mknod, 1, true);
    ck_assert_int_eq(abilities(inner.dir_fd), CAN_READ_NULL | CAN_READ_ZERO);
}
END_TEST

START_TEST(the_verifier_takes_the_largest_list)
{
    NEEDS_GROUPS();
    OWNED_CGROUP group = make("large");
    if (lacks_bpf(group.dir_fd))
        return;

    static struct cg_device_rule rules[CG_DEVICE_RULES_MAX];
    for (int i = 0; i < CG_DEVICE_RULES_MAX; i++)
        rules[i] = (struct cg_device_rule){i % 3 != 0, i % 2 ? 'b' : 'c', 5000 + i, i, 1 + i % 7u};
    rules[0] = (struct cg_device_rule){false, 'a', ANY, ANY, ALL};
    rules[1] = (struct cg_device_rule){true, 'c', 1, 3, CG_DEVICE_READ};
    apply(group.dir_fd, rules, CG_DEVICE_RULES_MAX, false);
    ck_assert_int_eq(abilities(group.dir_fd), CAN_READ_NULL);
}
END_TEST

SCRATCH_SUITE(devices_suite, what_was_replaced_can_be_restored, the_kernel_enforces_the_list,
              a_new_rule_set_replaces_the_old_one, a_group_below_cannot_get_what_one_above_denies,
              the_verifier_takes_the_largest_list)
