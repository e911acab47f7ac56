/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An attacker who shares a volume exchanges names while containers start, thousands of times. Each
 * start may work or fail with a sentence; nothing outside the root may change or show.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sublet/sys.h"

#include "world.h"

#define RACE_MS      1500
#define STARTS_MIN   3 /* under emulation; thousands elsewhere */
#define EXIT_WORKED  10
#define EXIT_REFUSED 11

static pid_t exchange(const char *a, const char *b)
{
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid > 0)
        return pid;
    (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
        if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) < 0)
            _exit(1);
}

/* In a process of its own; what the test asserts inside the container goes into the status. */
static int start(struct world *w, bool (*is_right)(void))
{
    int status;
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        int rc = world_run(w);

        if (rc < 0)
            _exit(w->err.code == -rc && w->err.text[0] != '\0' ? EXIT_REFUSED : 1);
        _exit(is_right() ? EXIT_WORKED : 2);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void race(struct world *w, const char *a, const char *b, bool (*is_right)(void))
{
    int worked = 0, refused = 0;
    pid_t attacker = exchange(a, b);

    for (uint64_t until = sys_now_ms() + RACE_MS; sys_now_ms() < until;) {
        int result = start(w, is_right);

        ck_assert_msg(result == EXIT_WORKED || result == EXIT_REFUSED, "a start ended with %d",
                      result);
        worked += result == EXIT_WORKED;
        refused += result == EXIT_REFUSED;
    }
    ck_assert_int_eq(kill(attacker, SIGKILL), 0);
    ck_assert_int_eq(waitpid(attacker, NULL, 0), attacker);
    ck_assert_int_eq(entries_at(w->host_fd, "sent"), 1);
    ck_reads("/mnt/sent/file", "host");
    ck_assert_int_ge(worked + refused, STARTS_MIN);
    ck_assert(worked > 0 || refused < 100); /* not all of them can meet the link */
}

static bool no_host_file(void)
{
    return access("/v/a/b/file", F_OK) < 0 && access("/v/a/file", F_OK) < 0 &&
           access("/v/a/b/c/1/sent", F_OK) < 0;
}

static void init(struct world *w)
{
    world_init(w);
    put_folder("/mnt/vol", 0755);
    put_folder("/mnt/vol/a", 0755);
    put_link("/mnt/vol/link", "/../../../../mnt/sent");
    world_bind(w, "/mnt/vol", "/v");
}

START_TEST(cve_2021_30465_a_target_exchanged_for_a_link_stays_inside)
{
    struct world w;
    init(&w);
    world_add(&w, PLAN_MOUNT_NEW, "tmpfs", "tmpfs", "/v/a/b");
    world_bind(&w, "/mnt/vol", "/v/a/b/c");

    race(&w, "/mnt/vol/a", "/mnt/vol/link", no_host_file);
}
END_TEST

START_TEST(cve_2024_45310_mount_points_are_not_made_through_an_exchanged_link)
{
    static char targets[50][32];
    struct world w;
    init(&w);
    for (int i = 0; i < 50; i++) {
        snprintf(targets[i], sizeof targets[i], "/v/a/b/c/%d", i);
        world_bind(&w, i % 2 == 0 ? "/mnt/vol" : "/mnt/sent/file", targets[i]);
    }

    race(&w, "/mnt/vol/a", "/mnt/vol/link", no_host_file);
}
END_TEST

static bool is_null(const char *path)
{
    struct stat found;

    return lstat(path, &found) == 0 && S_ISCHR(found.st_mode) && found.st_rdev == makedev(1, 3);
}

/* The attacker goes on, and takes the mounted folder along to its other name. */
static bool devices_are_ours(void)
{
    for (int i = 0; i < 1000; i++)
        if (is_null("/dev/null") || is_null("/link/null"))
            return true;
    return false;
}

START_TEST(cve_2026_41579_a_dev_exchanged_for_a_link_gets_devices_inside_or_not_at_all)
{
    struct world w;
    world_init(&w);
    put_folder("/mnt/rootfs/dev", 0755);
    put_link("/mnt/rootfs/link", "../../mnt/sent");
    world_add_default(&w);

    race(&w, "/mnt/rootfs/dev", "/mnt/rootfs/link", devices_are_ours);
}
END_TEST

static bool root_is_ours(void)
{
    return access("/here", F_OK) == 0;
}

START_TEST(a_root_exchanged_for_a_link_is_the_folder_or_refused)
{
    struct world w;
    world_init(&w);
    put_file("/mnt/rootfs/here", "container");
    put_link("/mnt/link", "/");

    race(&w, "/mnt/rootfs", "/mnt/link", root_is_ours);
}
END_TEST

SUITE(race_suite, cve_2021_30465_a_target_exchanged_for_a_link_stays_inside,
      cve_2024_45310_mount_points_are_not_made_through_an_exchanged_link,
      cve_2026_41579_a_dev_exchanged_for_a_link_gets_devices_inside_or_not_at_all,
      a_root_exchanged_for_a_link_is_the_folder_or_refused)
