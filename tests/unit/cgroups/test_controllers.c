/* SPDX-License-Identifier: Apache-2.0 */
/* Limits in the kernel: what the rows wrote is read back, enforced, and counted. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sublet/sys.h"

#include "rows_check.h"
#include "scratch.h"

static const char WHERE[] = "linux.cgroupsPath";

/* A group with the controllers of the rows, and the rows written. */
static struct cgroup make_with(const char *name, const struct rows_case *c)
{
    struct sub_err err = {0};
    struct cgroup group = CGROUP_NONE;

    ck_ok(
        cgroup_make(scratch.root_fd, scratch_path(name), c->rows.controllers, WHERE, &group, &err),
        &err);
    ck_ok(cgroup_apply(group.dir_fd, c->rows.rows, c->rows.count, CG_BEFORE_CLONE, &err), &err);
    return group;
}

static void ck_knob(const struct cgroup *group, const char *file, const char *want)
{
    char text[256];
    ssize_t n = knob_read(group->dir_fd, file, text, sizeof text);

    ck_assert_msg(n >= 0, "%s: %s", file, sub_strerror((int) -n));
    ck_assert_msg(strcmp(text, want) == 0, "%s is '%s', not '%s'", file, text, want);
}

START_TEST(cpu_limits_arrive)
{
    NEEDS_CONTROLLERS(CG_CPU);
    ROWS_CASE(c);
    struct cg_cpu_limits limits = {
        .set = CG_SET_SHARES | CG_SET_QUOTA | CG_SET_PERIOD | CG_SET_BURST | CG_SET_IDLE,
        .shares = 512,
        .quota_us = 20000,
        .period_us = 10000,
        .burst_us = 20000,
    };

    ck_ok(cg_cpu_rows(&c.rows, "cpu", &limits, &c.err), &c.err);
    OWNED_CGROUP group = make_with("cpu", &c);
    ck_knob(&group, "cpu.weight", "59");
    ck_knob(&group, "cpu.max", "20000 10000");
    ck_knob(&group, "cpu.max.burst", "20000");
    ck_knob(&group, "cpu.idle", "0");
}
END_TEST

START_TEST(an_idle_group_can_be_made_idle_again)
{
    NEEDS_CONTROLLERS(CG_CPU);
    ROWS_CASE(c);
    struct cg_cpu_limits limits = {.set = CG_SET_SHARES | CG_SET_IDLE, .shares = 512, .idle = 1};

    ck_ok(cg_cpu_rows(&c.rows, "cpu", &limits, &c.err), &c.err);
    OWNED_CGROUP group = make_with("idle", &c);
    ck_knob(&group, "cpu.idle", "1");
    ck_ok(cgroup_apply(group.dir_fd, c.rows.rows, c.rows.count, CG_BEFORE_CLONE, &c.err), &c.err);

    cg_rows_init(&c.rows, &c.arena);
    limits.idle = 0;
    ck_ok(cg_cpu_rows(&c.rows, "cpu", &limits, &c.err), &c.err);
    ck_ok(cgroup_apply(group.dir_fd, c.rows.rows, c.rows.count, CG_BEFORE_CLONE, &c.err), &c.err);
    ck_knob(&group, "cpu.idle", "0");
    ck_knob(&group, "cpu.weight", "59");
}
END_TEST

START_TEST(a_cap_throttles_and_is_counted)
{
    NEEDS_CONTROLLERS(CG_CPU);
    ROWS_CASE(c);
    struct cg_cpu_limits limits = {.set = CG_SET_QUOTA, .quota_us = 10000};
    static struct cgroup_sample s;
    const struct cg_cpu_counters *cpu = &s.cpu;

    ck_ok(cg_cpu_rows(&c.rows, "cpu", &limits, &c.err), &c.err);
    OWNED_CGROUP group = make_with("cap", &c);
    struct sys_clone args = {.cgroup_fd = group.dir_fd};
    pid_t pid = sys_clone(&args);
    if (pid == 0)
        for (volatile unsigned spin = 0;; spin++)
            continue;
    /* the kernel adds a throttled time when it ends, and an emulated one on a busy host is late */
    for (int second = 0; second < 15 && cpu->throttled_us <= 100000; second++) {
        (void) usleep(1000000);
        ck_ok(cgroup_sample_read(group.dir_fd, CG_READ_CPU, &s, &c.err), &c.err);
    }
    (void) cgroup_kill(group.dir_fd, NULL);
    (void) reap(pid);
    ck_assert(cg_has(cpu, throttled_periods));
    ck_assert_uint_ge(cpu->periods, 5);
    ck_assert_uint_ge(cpu->throttled_periods, 4);
    ck_assert_uint_gt(cpu->throttled_us, 100000);
    /* 10 ms of each period, and the slack of emulation */
    ck_assert_uint_lt(cpu->usage_us, cpu->periods * 40000);
}
END_TEST

START_TEST(memory_limits_arrive_and_memory_is_counted)
{
    NEEDS_CONTROLLERS(CG_MEMORY);
    ROWS_CASE(c);
    struct cg_memory_limits limits = {
        .set = CG_SET_LIMIT | CG_SET_RESERVATION | CG_SET_SWAP | CG_SET_HIGH | CG_SET_OOM_GROUP,
        .limit_bytes = 64 << 20,
        .reservation_bytes = 16 << 20,
        .swap_bytes = 96 << 20,
        .high_bytes = 48 << 20,
        .oom_group = true,
    };
    static struct cgroup_sample s;

    ck_ok(cg_memory_rows(&c.rows, "memory", &limits, &c.err), &c.err);
    OWNED_CGROUP group = make_with("memory", &c);
    ck_knob(&group, "memory.max", "67108864");
    ck_knob(&group, "memory.low", "16777216");
    ck_knob(&group, "memory.high", "50331648");
    ck_knob(&group, "memory.swap.max", "33554432");
    ck_knob(&group, "memory.oom.group", "1");

    struct sys_clone args = {.cgroup_fd = group.dir_fd};
    pid_t pid = sys_clone(&args);
    if (pid == 0) {
        char *pages = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        _exit(pages == MAP_FAILED);
    }
    ck_assert_int_eq(reap(pid), 0);
    ck_ok(cgroup_sample_read(group.dir_fd, CG_READ_MEMORY | CG_READ(MEMORY_STAT), &s, &c.err),
          &c.err);
    ck_assert(cg_has(&s.memory, current_bytes));
    ck_assert(cg_has(&s.memory, peak_bytes));
    ck_assert(cg_has(&s.memory, oom_kills));
    ck_assert_uint_eq(s.memory.limit_bytes, 64 << 20);
    ck_assert_uint_eq(s.memory.swap_limit_bytes, 32 << 20);
    ck_assert(cg_has(&s.memory_usage, file_bytes));
    ck_assert_uint_ge(s.memory.peak_bytes, 8 << 20);
    ck_assert_uint_lt(s.memory.peak_bytes, 32 << 20);
    ck_assert_uint_ge(s.memory_activity.faults, 1);
    ck_assert_uint_eq(s.memory.oom_kills, 0);
}
END_TEST

START_TEST(too_much_memory_is_killed_and_counted)
{
    NEEDS_CONTROLLERS(CG_MEMORY);
    ROWS_CASE(c);
    struct cg_memory_limits limits = {
        .set = CG_SET_LIMIT | CG_SET_SWAP, .limit_bytes = 8 << 20, .swap_bytes = 8 << 20};
    static struct cgroup_sample s;

    ck_ok(cg_memory_rows(&c.rows, "memory", &limits, &c.err), &c.err);
    OWNED_CGROUP group = make_with("oom", &c);
    struct sys_clone args = {.cgroup_fd = group.dir_fd};
    pid_t pid = sys_clone(&args);
    if (pid == 0) {
        char *pages =
            mmap(NULL, 32 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memset(pages, 1, 32 << 20);
        _exit(0);
    }
    ck_assert_int_eq(reap(pid), 128 + 9);
    ck_ok(cgroup_sample_read(group.dir_fd, CG_READ_MEMORY | CG_READ(MEMORY_STAT), &s, &c.err),
          &c.err);
    ck_assert_uint_eq(s.memory.oom_kills, 1);
    ck_assert_uint_ge(s.memory.limit_events, 1);
}
END_TEST

START_TEST(pids_are_limited_and_refusals_counted)
{
    NEEDS_CONTROLLERS(CG_PIDS);
    ROWS_CASE(c);
    static struct cgroup_sample s;

    ck_ok(cg_pids_rows(&c.rows, "pids", 2, &c.err), &c.err);
    OWNED_CGROUP group = make_with("pids", &c);
    pid_t a = sleeper_in(group.dir_fd), b = sleeper_in(group.dir_fd);
    struct sys_clone args = {.cgroup_fd = group.dir_fd};
    ck_assert_int_eq(sys_clone(&args), -EAGAIN);
    ck_ok(cgroup_sample_read(group.dir_fd, CG_READ_PIDS, &s, &c.err), &c.err);
    (void) cgroup_kill(group.dir_fd, NULL);
    (void) reap(a);
    (void) reap(b);
    ck_assert_uint_eq(s.pids.current, 2);
    ck_assert_uint_eq(s.pids.limit, 2);
    ck_assert_uint_eq(s.pids.refused, 1);
    ck_assert(cg_has(&s.pids, limit));
}
END_TEST

START_TEST(a_pids_limit_of_zero_lets_the_first_process_in_and_no_more)
{
    NEEDS_CONTROLLERS(CG_PIDS);
    ROWS_CASE(c);

    ck_ok(cg_pids_rows(&c.rows, "pids", 0, &c.err), &c.err);
    OWNED_CGROUP group = make_with("pids-none", &c);
    ck_knob(&group, "pids.max", "max");
    pid_t pid = sleeper_in(group.dir_fd);
    ck_ok(cgroup_apply(group.dir_fd, c.rows.rows, c.rows.count, CG_AFTER_CLONE, &c.err), &c.err);
    ck_knob(&group, "pids.max", "0");
    struct sys_clone args = {.cgroup_fd = group.dir_fd};
    ck_assert_int_eq(sys_clone(&args), -EAGAIN);
    (void) cgroup_kill(group.dir_fd, NULL);
    (void) reap(pid);
}
END_TEST

START_TEST(cpusets_arrive)
{
    NEEDS_CONTROLLERS(CG_CPUSET);
    ROWS_CASE(c);

    ck_ok(cg_cpuset_rows(&c.rows, "cpu", "0", "0", &c.err), &c.err);
    OWNED_CGROUP group = make_with("cpuset", &c);
    ck_knob(&group, "cpuset.cpus", "0");
    ck_knob(&group, "cpuset.cpus.effective", "0");
    ck_knob(&group, "cpuset.mems.effective", "0");
}
END_TEST

START_TEST(io_limits_arrive)
{
    NEEDS_CONTROLLERS(CG_IO);
    ROWS_CASE(c);
    struct stat disk;

    if (stat("/dev/vda", &disk) < 0 || !S_ISBLK(disk.st_mode)) {
        (void) fprintf(stderr, "skipped: %s: no scratch disk /dev/vda\n", __func__);
        return;
    }

    struct cg_io_rate bytes = {major(disk.st_rdev), minor(disk.st_rdev), 1 << 20};
    struct cg_io_rate operations = {major(disk.st_rdev), minor(disk.st_rdev), 100};
    struct cg_io_limits limits = {
        .weight_set = true,
        .weight = 500,
        .rates = {[CG_IO_RBPS] = &bytes, [CG_IO_WIOPS] = &operations},
        .rate_counts = {[CG_IO_RBPS] = 1,      [CG_IO_WIOPS] = 1          },
    };
    char want[128];

    ck_ok(cg_io_rows(&c.rows, "blockIO", &limits, &c.err), &c.err);
    OWNED_CGROUP group = make_with("io", &c);
    (void) snprintf(want, sizeof want, "%u:%u rbps=1048576 wbps=max riops=max wiops=100",
                    major(disk.st_rdev), minor(disk.st_rdev));
    ck_knob(&group, "io.max", want);
    ck_knob(&group, "io.weight", "default 4950");

    struct cg_io_rate absent = {4000, 77, 1};
    limits = (struct cg_io_limits){.rates = {[CG_IO_RBPS] = &absent}, .rate_counts = {1}};
    cg_rows_init(&c.rows, &c.arena);
    ck_ok(cg_io_rows(&c.rows, "blockIO", &limits, &c.err), &c.err);
    ck_fails(cgroup_apply(group.dir_fd, c.rows.rows, c.rows.count, CG_BEFORE_CLONE, &c.err), &c.err,
             ENODEV, "blockIO.throttleReadBpsDevice[0]",
             "cannot write '4000:77 rbps=1' to cgroup file 'io.max': No such device");
}
END_TEST

static struct cgroup make_capped(struct cgroup *ret_below, const char *name, const char *below,
                                 struct sub_err *err)
{
    struct cgroup group = CGROUP_NONE;

    ck_ok(cgroup_make(scratch.root_fd, scratch_path(name), CG_CPU, WHERE, &group, err), err);
    ck_ok(cgroup_make(scratch.root_fd, scratch_path(below), CG_CPU, WHERE, ret_below, err), err);
    return group;
}

#define CAPPED_CROWD 40
#define LIGHT_CROWD  200

static void start_crowd(pid_t *pids, size_t count, int dir_fd)
{
    for (size_t i = 0; i < count; i++) {
        pids[i] = sys_clone(&(struct sys_clone){.cgroup_fd = dir_fd});
        while (pids[i] == 0)
            ;
    }
    (void) usleep(200000);
}

static void reap_crowd(const pid_t *pids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(reap(pids[i]), 128 + SIGKILL);
}

/* Each of them needs some milliseconds of CPU to die, and all together get one every 100 ms: by
 * the cap of their group, or by that of one which the container made below. */
static void destroy_capped(const char *name, const char *below, bool inside)
{
    struct sub_err err = {0};
    OWNED_CGROUP inner = CGROUP_NONE;
    OWNED_CGROUP group = make_capped(&inner, name, below, &err);
    pid_t pids[CAPPED_CROWD];

    ck_ok(knob_write((inside ? inner : group).dir_fd, "cpu.max", "1000 100000", &err), &err);
    start_crowd(pids, CAPPED_CROWD, inner.dir_fd);
    ck_ok(cgroup_destroy(scratch.root_fd, scratch_path(name), 4000, &err), &err);
    reap_crowd(pids, CAPPED_CROWD);
}

START_TEST(destroy_waits_for_no_cap)
{
    NEEDS_CONTROLLERS(CG_CPU);
    destroy_capped("capped", "capped/below", false);
    destroy_capped("open", "open/capped", true);
}
END_TEST

static pid_t spin_on(int cpu, int dir_fd)
{
    pid_t pid = sys_clone(&(struct sys_clone){.cgroup_fd = dir_fd});
    cpu_set_t one;

    if (pid > 0)
        return pid;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    (void) sched_setaffinity(0, sizeof one, &one);
    for (;;)
        ;
}

/* One on each CPU, of a hundred times the weight. */
START_TEST(destroy_waits_for_no_neighbour)
{
    NEEDS_CONTROLLERS(CG_CPU);
    struct sub_err err = {0};
    OWNED_CGROUP light = CGROUP_NONE, heavy = CGROUP_NONE;
    pid_t pids[LIGHT_CROWD], hogs[256];
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    ck_ok(cgroup_make(scratch.root_fd, scratch_path("light"), CG_CPU, WHERE, &light, &err), &err);
    ck_ok(cgroup_make(scratch.root_fd, scratch_path("heavy"), CG_CPU, WHERE, &heavy, &err), &err);
    ck_ok(knob_write(light.dir_fd, "cpu.weight", "1", &err), &err);
    start_crowd(pids, LIGHT_CROWD, light.dir_fd);
    for (int i = 0; i < count && i < 256; i++)
        hogs[i] = spin_on(i, heavy.dir_fd);
    ck_ok(cgroup_destroy(scratch.root_fd, scratch_path("light"), 4000, &err), &err);
    reap_crowd(pids, LIGHT_CROWD);
    ck_ok(cgroup_destroy(scratch.root_fd, scratch_path("heavy"), 4000, &err), &err);
    for (int i = 0; i < count && i < 256; i++)
        ck_assert_int_eq(reap(hogs[i]), 128 + SIGKILL);
}
END_TEST

/* A read of 16 seconds, which no signal ends. */
START_TEST(destroy_waits_for_no_limit_of_a_disk)
{
    NEEDS_CONTROLLERS(CG_IO);
    struct sub_err err = {0};
    OWNED_CGROUP group = CGROUP_NONE;
    OWNED_FD disk = open("/dev/vda", O_RDONLY | O_DIRECT | O_CLOEXEC);
    static _Alignas(4096) char data[65536];
    struct stat what;
    char limit[64];

    if (disk < 0 || fstat(disk, &what) < 0 || !S_ISBLK(what.st_mode)) {
        (void) fprintf(stderr, "skipped: %s: no scratch disk /dev/vda\n", __func__);
        return;
    }
    ck_ok(cgroup_make(scratch.root_fd, scratch_path("slow"), CG_IO, WHERE, &group, &err), &err);
    (void) snprintf(limit, sizeof limit, "%u:%u rbps=4096", major(what.st_rdev),
                    minor(what.st_rdev));
    ck_ok(knob_write(group.dir_fd, "io.max", limit, &err), &err);
    pid_t pid = sys_clone(&(struct sys_clone){.cgroup_fd = group.dir_fd});
    if (pid == 0)
        _exit(read(disk, data, sizeof data) == (ssize_t) sizeof data ? 0 : 1);
    (void) usleep(500000);
    ck_assert_int_eq(cgroup_populated(group.dir_fd), 1);
    ck_ok(cgroup_destroy(scratch.root_fd, scratch_path("slow"), 4000, &err), &err);
    ck_assert_int_eq(reap(pid), 128 + SIGKILL);
}
END_TEST

START_TEST(huge_page_limits_arrive)
{
    NEEDS_CONTROLLERS(CG_HUGETLB);
    ROWS_CASE(c);

    ck_ok(cg_hugetlb_rows(&c.rows, "hugepageLimits[0]", "2MB", 4 << 20, &c.err), &c.err);
    OWNED_CGROUP group = CGROUP_NONE;
    ck_ok(cgroup_make(scratch.root_fd, scratch_path("huge"), CG_HUGETLB, WHERE, &group, &c.err),
          &c.err);
    if (cgroup_apply(group.dir_fd, c.rows.rows, c.rows.count, CG_BEFORE_CLONE, &c.err) == -ENOENT) {
        (void) fprintf(stderr, "skipped: %s: no 2 MiB pages here\n", __func__);
        return;
    }
    ck_knob(&group, "hugetlb.2MB.max", "4194304");
    ck_knob(&group, "hugetlb.2MB.rsvd.max", "4194304");
}
END_TEST

START_TEST(a_value_the_kernel_refuses_is_told_with_its_field)
{
    NEEDS_CONTROLLERS(CG_MEMORY);
    ROWS_CASE(c);
    OWNED_CGROUP group = CGROUP_NONE;

    ck_ok(cg_unified_rows(&c.rows, "linux.resources.unified['memory.high']", "memory.high", "lots",
                          &c.err),
          &c.err);
    ck_ok(cgroup_make(scratch.root_fd, scratch_path("refused"), c.rows.controllers, WHERE, &group,
                      &c.err),
          &c.err);
    ck_fails(cgroup_apply(group.dir_fd, c.rows.rows, c.rows.count, CG_BEFORE_CLONE, &c.err), &c.err,
             EINVAL, "linux.resources.unified['memory.high']",
             "cannot write 'lots' to cgroup file 'memory.high': Invalid argument");
}
END_TEST

SCRATCH_SUITE(controllers_suite, cpu_limits_arrive, an_idle_group_can_be_made_idle_again,
              a_cap_throttles_and_is_counted, memory_limits_arrive_and_memory_is_counted,
              too_much_memory_is_killed_and_counted, pids_are_limited_and_refusals_counted,
              a_pids_limit_of_zero_lets_the_first_process_in_and_no_more, cpusets_arrive,
              io_limits_arrive, destroy_waits_for_no_cap, destroy_waits_for_no_neighbour,
              destroy_waits_for_no_limit_of_a_disk, huge_page_limits_arrive,
              a_value_the_kernel_refuses_is_told_with_its_field)
