/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/vfs.h>

#include "sublet/base/fd.h"
#include "sublet/cgroups.h"

#include "runner.h"

START_TEST(controllers_are_found_by_name_and_by_file)
{
    ck_assert_uint_eq(cg_controllers_parse("cpuset cpu io memory hugetlb pids rdma misc\n"),
                      CG_CPUSET | CG_CPU | CG_IO | CG_MEMORY | CG_HUGETLB | CG_PIDS | CG_RDMA |
                          CG_MISC);
    ck_assert_uint_eq(cg_controllers_parse(""), 0);
    ck_assert_uint_eq(cg_controllers_parse("dmem newcontroller perf_event"),
                      CG_DMEM | CG_PERF_EVENT);
    ck_assert_uint_eq(cg_controller_of_file("memory.swap.max"), CG_MEMORY);
    ck_assert_uint_eq(cg_controller_of_file("cpuset.cpus"), CG_CPUSET);
    ck_assert_uint_eq(cg_controller_of_file("cpu.max"), CG_CPU);
    ck_assert_uint_eq(cg_controller_of_file("hugetlb.2MB.max"), CG_HUGETLB);
    ck_assert_uint_eq(cg_controller_of_file("cgroup.max.depth"), 0);
    ck_assert_uint_eq(cg_controller_of_file("memory.pressure"), 0);
    ck_assert_uint_eq(cg_controller_of_file("nothing"), 0);
    ck_assert_str_eq(cg_controller_name(CG_IO), "io");
    ck_assert_str_eq(cg_controller_name(CG_PIDS), "pids");
    ck_assert_ptr_null(cg_controller_name(1u << 31));
}
END_TEST

START_TEST(proc_cgroups_tells_what_v1_holds)
{
    uint32_t bound = 77;

    ck_assert_int_eq(cgroups_parse_v1("#subsys_name\thierarchy\tnum_cgroups\tenabled\n"
                                      "cpuset\t3\t1\t1\ncpu\t1\t1\t1\ncpuacct\t2\t1\t1\n"
                                      "blkio\t7\t1\t1\nmemory\t0\t8\t1\ndevices\t5\t1\t1\n"
                                      "net_cls\t0\t1\t1\npids\t18\t1\t1\n",
                                      &bound),
                     0);
    ck_assert_uint_eq(bound, CG_CPUSET | CG_CPU | CG_IO | CG_PIDS);
    ck_assert_int_eq(cgroups_parse_v1("", &bound), 0);
    ck_assert_uint_eq(bound, 0);

    bound = 77;
    ck_assert_int_eq(cgroups_parse_v1("cpu\tx\t1\t1\n", &bound), -EINVAL);
    ck_assert_int_eq(cgroups_parse_v1("cpu\n", &bound), -EINVAL);
    ck_assert_int_eq(cgroups_parse_v1("cpu", &bound), -EINVAL);
    ck_assert_int_eq(cgroups_parse_v1("cpu\t\t1\t1\n", &bound), -EINVAL);
    ck_assert_uint_eq(bound, 77);
}
END_TEST

START_TEST(a_limit_of_a_controller_in_v1_says_how_to_boot)
{
    static const struct cg_row rows[] = {
        {.file = "pids.max", .text = "9", .path = "pids.limit",                .controller = CG_PIDS},
        {.file = "cpu.max",  .text = "9", .path = "linux.resources.cpu.quota", .controller = CG_CPU },
        {.file = "rdma.max", .text = "9", .path = "linux.resources.rdma",      .controller = CG_RDMA},
    };
    struct cgroups_host host = {.mount_path = "/sys/fs/cgroup/unified",
                                .available = CG_PIDS,
                                .bound_to_v1 = CG_CPU,
                                .v1_known = true};
    struct sub_err err = {0};

    ck_ok(cgroups_check_rows(&host, rows, 1, &err), &err);
    ck_fails(cgroups_check_rows(&host, rows, 3, &err), &err, EOPNOTSUPP,
             "linux.resources.cpu.quota",
             "this host binds the cpu controller to cgroup v1; boot with "
             "systemd.unified_cgroup_hierarchy=1");
    sub_err_clear(&err);
    ck_fails(cgroups_check_rows(&host, rows + 2, 1, &err), &err, EOPNOTSUPP, "linux.resources.rdma",
             "/sys/fs/cgroup/unified offers no rdma controller");
    host.available = CG_PIDS | CG_CPU | CG_RDMA;
    sub_err_clear(&err);
    ck_ok(cgroups_check_rows(&host, rows, 3, &err), &err);
}
END_TEST

START_TEST(the_mount_is_found_and_is_cgroup_v2)
{
    struct sub_err err = {0};
    struct cgroups_host host;
    OWNED_FD root = -EBADF;
    struct statfs fs;
    int rc = cgroups_mount_open(&root, &host, &err);

    if (rc == -ENOENT) {
        (void) fprintf(stderr, "skipped: %s: no cgroup v2 on this machine\n", __func__);
        return;
    }
    ck_ok(rc, &err);
    ck_assert_int_eq(fstatfs(root, &fs), 0);
    ck_assert_uint_eq((uint64_t) fs.f_type, CGROUP2_SUPER_MAGIC);
    ck_assert_str_eq(host.mount_path, host.hybrid ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup");
    ck_assert(!host.v1_known);
    ck_ok(cgroups_host_read_v1(&host, &err), &err);
    ck_assert(host.v1_known);
    /* a controller is in one of the two, never in both */
    ck_assert_uint_eq(host.available & host.bound_to_v1, 0);
    if (!host.hybrid)
        ck_assert_uint_eq(host.bound_to_v1, 0);
}
END_TEST

SUITE(host_suite, controllers_are_found_by_name_and_by_file, proc_cgroups_tells_what_v1_holds,
      a_limit_of_a_controller_in_v1_says_how_to_boot, the_mount_is_found_and_is_cgroup_v2)
