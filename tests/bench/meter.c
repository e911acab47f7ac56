/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meter WORK GROUPS CASE SECONDS: the meter's own use of the CPU, as its ledger tells it, with that
 * many tenants. The meter is the real one, linked with -Wl,--wrap=tenant_cgroups_open: tenants lie
 * below a group of this bench, so that it runs on hosts without the controllers that tenants need.
 * CASE is what is in the groups: empty, asleep (a process each), awake (that runs once a second),
 * busy (as asleep, and one of twenty spins). Contracts are not compared with files, for there are
 * no such files (-Wl,--wrap=drift_look). In the same run, to compare with: the kernel's share,
 * cpu.stat and cpu.pressure of every group read through kept descriptors and thrown away.
 */
#include "sublet/account/meter.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sublet/account/view.h"
#include "sublet/base/err.h"

#include "../../src/account/drift.h"

#define PARENT "sublet.tenants"
#define ROUNDS 10

static int root_fd;
static char root[256];

int __wrap_tenant_cgroups_open(int *ret_root_fd, struct sub_err *err);
int __wrap_tenant_cgroups_open(int *ret_root_fd, struct sub_err *err)
{
    (void) err;
    *ret_root_fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 3);
    return *ret_root_fd < 0 ? -errno : 0;
}

void __wrap_drift_look(struct drift *drift, struct account_view *view, size_t turn);
void __wrap_drift_look(struct drift *drift, struct account_view *view, size_t turn)
{
    (void) drift;
    (void) view;
    (void) turn;
}

static void must(long rc, const char *what)
{
    if (rc < 0)
        err(1, "%s", what);
}

static const char *name_of(int i, const char *file)
{
    static char name[128];

    (void) snprintf(name, sizeof name, PARENT "/t%d%s%s", i, *file == '\0' ? "" : "/", file);
    return name;
}

static double cpu_us(void)
{
    struct timespec now;

    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double) now.tv_sec * 1e6 + (double) now.tv_nsec / 1e3;
}

/* ---- the groups, and who is in them ---- */

static void live(const char *what, int i)
{
    bool spins = strcmp(what, "busy") == 0 && i % 20 == 0;

    (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (spins)
        (void) setpriority(PRIO_PROCESS, 0, 19);
    for (volatile unsigned long n = 0; spins;)
        n = n + 1;
    while (strcmp(what, "awake") == 0)
        (void) usleep(1000000);
    for (;;)
        (void) pause();
}

static void populate(const char *what, int i)
{
    int fd = openat(root_fd, name_of(i, "cgroup.procs"), O_WRONLY | O_CLOEXEC);
    pid_t pid = fork();

    must(fd, "cgroup.procs");
    must(pid, "fork");
    if (pid == 0) {
        must(write(fd, "0", 1), "cgroup.procs");
        live(what, i);
    }
    (void) close(fd);
}

static void make_groups(const char *what, int count)
{
    must(mkdir(root, 0755), root);
    root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(root_fd, root);
    must(mkdirat(root_fd, PARENT, 0755), PARENT);
    for (int i = 0; i < count; i++) {
        must(mkdirat(root_fd, name_of(i, ""), 0755), "mkdir");
        if (strcmp(what, "empty") != 0)
            populate(what, i);
    }
}

static void remove_groups(int count)
{
    int fd = openat(root_fd, "cgroup.kill", O_WRONLY | O_CLOEXEC);

    must(write(fd, "1", 1), "cgroup.kill");
    while (wait(NULL) > 0)
        continue;
    for (int i = 0; i < count; i++)
        (void) unlinkat(root_fd, name_of(i, ""), AT_REMOVEDIR);
    (void) unlinkat(root_fd, PARENT, AT_REMOVEDIR);
    (void) rmdir(root);
}

/* ---- the kernel's share ---- */

static double reads_us(int count, const char *file)
{
    int *fds = calloc((size_t) count, sizeof *fds);
    char text[4096];
    double sum = 0;

    if (fds == NULL)
        err(1, "calloc");
    for (int i = 0; i < count; i++)
        fds[i] = openat(root_fd, name_of(i, file), O_RDONLY | O_CLOEXEC);
    for (int round = 0; round < ROUNDS; round++) {
        (void) usleep(1000000); /* as long as a window: as cold, and as much to sum up */
        double began = cpu_us();
        for (int i = 0; i < count; i++)
            must(pread(fds[i], text, sizeof text, 0), file);
        sum += cpu_us() - began;
    }
    for (int i = 0; i < count; i++)
        (void) close(fds[i]);
    free(fds);
    return sum / ROUNDS;
}

/* ---- the meter ---- */

struct seen {
    uint64_t first_us, first_use, last_us, last_use, samples;
};

static int see(void *context, const struct ledger_record *record)
{
    struct seen *seen = context;

    seen->samples += strcmp(record->k, LEDGER_SAMPLE) == 0;
    if (strcmp(record->k, LEDGER_HOST) != 0 || record->cpu == NULL)
        return 0;
    if (seen->first_us == 0) {
        seen->first_us = record->us;
        seen->first_use = record->cpu->use;
    }
    seen->last_us = record->us;
    seen->last_use = record->cpu->use;
    return 0;
}

static void stop_after(unsigned seconds)
{
    pid_t meter = getpid(), pid = fork();

    must(pid, "fork");
    if (pid > 0)
        return;
    (void) sleep(seconds);
    (void) kill(meter, SIGTERM);
    _exit(0);
}

static void run_meter(const char *work, unsigned seconds)
{
    char tenants[512], ledger[512];
    struct sub_err error = {.code = 0};
    struct meter_cost cost;
    sigset_t set;

    (void) snprintf(tenants, sizeof tenants, "%s/tenants", work);
    (void) snprintf(ledger, sizeof ledger, "%s/ledger", work);
    must(mkdir(tenants, 0755), tenants);
    const struct meter_options options = {.tenants_dir = tenants,
                                          .ledger_dir = ledger,
                                          .window_us = 1000000,
                                          .interval_us = 60000000,
                                          .slow_us = 10000000};
    (void) sigemptyset(&set);
    (void) sigaddset(&set, SIGTERM);
    (void) sigprocmask(SIG_BLOCK, &set, NULL);
    stop_after(seconds);
    if (meter_run(&options, &cost, &error) < 0)
        errx(1, "%s", error.text);

    struct seen seen = {.first_us = 0};
    struct ledger_stats stats;
    if (ledger_read(ledger, 0, UINT64_MAX, see, &seen, &stats, &error) < 0)
        errx(1, "%s", error.text);
    double wall_us = (double) (seen.last_us - seen.first_us);
    double use_us = (double) (seen.last_use - seen.first_use);
    printf("meter %.3f %% of one CPU (%.0f us each second, %.0f s, %llu records)\n",
           use_us * 100 / wall_us, use_us * 1e6 / wall_us, wall_us / 1e6,
           (unsigned long long) seen.samples);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        errx(2, "usage: meter WORK GROUPS CASE SECONDS");
    int count = atoi(argv[2]);

    account_raise_files();
    (void) snprintf(root, sizeof root, "%s/sublet-bench-%d", getenv("BENCH_CGROUPS"),
                    (int) getpid());
    make_groups(argv[3], count);
    (void) sleep(1);
    double began = cpu_us();
    for (int i = 0; i < 100000; i++)
        (void) getppid();
    printf("%s: getppid %.0f ns; ", argv[3], (cpu_us() - began) / 100);
    double stat_us = reads_us(count, "cpu.stat"), pressure_us = reads_us(count, "cpu.pressure");
    printf("plain reads of all cpu.stat %.0f us, cpu.pressure %.0f us; ", stat_us, pressure_us);
    (void) fflush(stdout);
    run_meter(argv[1], (unsigned) atoi(argv[4]));
    remove_groups(count);
    return 0;
}
