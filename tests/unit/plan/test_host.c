/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/base/num.h"

#include "fixture.h"
#include "runner.h"

static uint64_t read_number(const char *path)
{
    char text[NUM_TEXT];
    uint64_t value;

    ck_assert_int_gt(sub_read_file_at(AT_FDCWD, path, text, sizeof text), 0);
    ck_assert_int_eq(num_parse_u64(text, UINT64_MAX, &value), 0);
    return value;
}

static void read_host(struct fixture *fixture, const struct spec_process *process,
                      struct host *host)
{
    const struct spec spec = {.process = process};

    fixture_init(fixture);
    ck_ok(host_read(&fixture->arena, &spec, host, &fixture->err), &fixture->err);
}

START_TEST(the_facts_of_this_machine_are_read)
{
    struct utsname names;
    struct host host;
    OWNED_FIXTURE fixture;
    char version[32];

    read_host(&fixture, NULL, &host);
    ck_assert_int_eq(uname(&names), 0);
    (void) snprintf(version, sizeof version, "%u.%u", host.kernel >> 16, host.kernel & 0xffff);
    ck_assert(strncmp(names.release, version, strlen(version)) == 0);
    ck_assert_ptr_null(strchr("0123456789", names.release[strlen(version)]));
    ck_assert_uint_eq(host.cap_last, read_number("/proc/sys/kernel/cap_last_cap"));
    ck_assert_uint_eq(host.euid, geteuid());
    ck_assert_uint_eq(host.egid, getegid());
}
END_TEST

START_TEST(the_capabilities_are_those_of_this_process)
{
    char line[256], want[64];
    struct host host;
    OWNED_FIXTURE fixture;
    FILE *status = fopen("/proc/self/status", "re");
    bool found = false;

    read_host(&fixture, NULL, &host);
    (void) snprintf(want, sizeof want, "CapPrm:\t%016llx\n",
                    (unsigned long long) host.caps_permitted);
    ck_assert_ptr_nonnull(status);
    while (fgets(line, sizeof line, status) != NULL)
        found = found || strcmp(line, want) == 0;
    (void) fclose(status);
    ck_assert(found);
}
END_TEST

/* "0 0 4294967295" is the map of the first user namespace and of no other. */
START_TEST(a_user_namespace_is_told_from_the_first_one)
{
    char map[256] = "";
    struct host host;
    OWNED_FIXTURE fixture;

    read_host(&fixture, NULL, &host);
    ck_assert_int_gt(sub_read_file_at(AT_FDCWD, "/proc/self/uid_map", map, sizeof map), 0);
    ck_assert_int_eq(host.in_user_namespace, strstr(map, " 4294967295") == NULL);
    ck_assert_int_eq(host.rootless, geteuid() != 0 || host.in_user_namespace);
}
END_TEST

START_TEST(nr_open_is_read_only_for_a_limit_above_its_default)
{
    const struct spec_rlimit usual = {.type = "RLIMIT_NOFILE", .soft = 1, .hard = 1048576};
    const struct spec_rlimit high = {.type = "RLIMIT_NOFILE", .soft = 1, .hard = 1048577};
    const struct spec_process process = {
        .rlimits = {.items = &usual, .count = 1}
    };
    const struct spec_process greedy = {
        .rlimits = {.items = &high, .count = 1}
    };
    OWNED_FIXTURE fixture, other;
    struct host host;

    read_host(&fixture, &process, &host);
    ck_assert_uint_eq(host.nr_open, 0);
    read_host(&other, &greedy, &host);
    ck_assert_uint_eq(host.nr_open, read_number("/proc/sys/fs/nr_open"));
}
END_TEST

START_TEST(the_example_host_can_do_everything)
{
    struct host host;

    host_example(&host);
    ck_assert_uint_ge(host.kernel, HOST_KERNEL_MIN);
    ck_assert_uint_eq(host.caps_permitted, ((uint64_t) 1 << (host.cap_last + 1)) - 1);
    ck_assert_str_eq(host.cgroup_mount, "/sys/fs/cgroup");
    ck_assert(!host.rootless);
}
END_TEST

START_TEST(ranges_of_ids_are_the_users_by_name_or_number)
{
    static const char text[] = "other:1:2\nuser:100000:65536\n1000:7:1\nuser:x:1\nuser:5\n"
                               "user:4294967295:1\nuser:9:0\nuserx:3:3\nuser:200000:10";
    OWNED_ARENA arena;
    struct host_ranges ranges;

    arena_init(&arena, ARENA_MAX_BYTES);
    host_parse_ranges(&arena, text, "user", 1000, &ranges);
    ck_assert_uint_eq(ranges.count, 3);
    ck_assert_uint_eq(ranges.items[0].first, 100000);
    ck_assert_uint_eq(ranges.items[0].count, 65536);
    ck_assert_uint_eq(ranges.items[1].first, 7);
    ck_assert_uint_eq(ranges.items[2].first, 200000);
    host_parse_ranges(&arena, text, NULL, 1000, &ranges);
    ck_assert_uint_eq(ranges.count, 1);
    host_parse_ranges(&arena, "", "user", 1000, &ranges);
    ck_assert_uint_eq(ranges.count, 0);
}
END_TEST

START_TEST(the_ids_of_a_map_are_those_inside)
{
    OWNED_ARENA arena;
    struct host_ranges ranges;

    arena_init(&arena, ARENA_MAX_BYTES);
    host_parse_map(&arena, "         0       1000          1\n         1     100000      65536",
                   &ranges);
    ck_assert_uint_eq(ranges.count, 2);
    ck_assert_uint_eq(ranges.items[1].first, 1);
    ck_assert_uint_eq(ranges.items[1].count, 65536);
}
END_TEST

START_TEST(the_name_of_a_user_is_the_first_with_the_number)
{
    static const char passwd[] = "root:x:0:0::/:\nbroken\nme:x:1000:5::/:\nsame:x:1000:5::/:\n";
    OWNED_ARENA arena;

    arena_init(&arena, ARENA_MAX_BYTES);
    ck_assert_str_eq(host_parse_name(&arena, passwd, 1000), "me");
    ck_assert_ptr_null(host_parse_name(&arena, passwd, 5));
}
END_TEST

SUITE(host_suite, ranges_of_ids_are_the_users_by_name_or_number, the_ids_of_a_map_are_those_inside,
      the_name_of_a_user_is_the_first_with_the_number, the_facts_of_this_machine_are_read,
      the_capabilities_are_those_of_this_process, a_user_namespace_is_told_from_the_first_one,
      nr_open_is_read_only_for_a_limit_above_its_default, the_example_host_can_do_everything)
