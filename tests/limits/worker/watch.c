/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outside: opens a window for all workers, reads the counters of their cgroups at its two ends,
 * and prints the differences as `name.inside.cpu_us 501234`, one a line. It runs with real-time
 * priority and looks every ten milliseconds, so a wake that comes late says that this machine was
 * not there itself (an emulator that had to wait for its own host): `late_us`. `steal_us` is what a
 * hypervisor admits, `others_us` the CPU time that processes outside the groups used.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker.h"

#define TICK_NS     (10 * NS_PER_MS)
#define LATE_NS     (5 * NS_PER_MS) /* what an idle machine never is */
#define PATIENCE_NS (30 * NS_PER_S)
#define FIELDS      11

/* Counters of a group: the file, the key, the name under which the difference is printed. */
static const struct field {
    const char *file, *key, *name;
} fields[FIELDS] = {
    {"cpu.stat",      "usage_usec ",     "cpu_us"      },
    {"cpu.stat",      "nr_periods ",     "periods"     },
    {"cpu.stat",      "nr_throttled ",   "throttled"   },
    {"cpu.stat",      "throttled_usec ", "throttled_us"},
    {"cpu.stat",      "nr_bursts ",      "bursts"      },
    {"cpu.stat",      "burst_usec ",     "burst_us"    },
    {"io.stat",       " rbytes=",        "read_bytes"  },
    {"io.stat",       " wbytes=",        "write_bytes" },
    {"io.stat",       " rios=",          "reads"       },
    {"io.stat",       " wios=",          "writes"      },
    {"memory.events", "high ",           "memory_high" },
};

struct group {
    const char *name, *path;
    struct slot *slot;
    uint64_t before[FIELDS], after[FIELDS];
    uint64_t rounds_before, rounds_after;
};

struct host {
    uint64_t busy_us, steal_us;
};

struct watched {
    struct board *board;
    const char *device; /* "254:0": the line of io.stat that counts */
    uint64_t warm_ns, length_ns;
    bool is_still; /* the workers are frozen: no answer is waited for */
    struct group groups[SLOTS];
    size_t count;
    uint64_t from_ns, until_ns, late_ns;
    struct host before, after;
};

static bool read_file(const char *folder, const char *file, char *text, size_t size)
{
    char path[1024];
    ssize_t got;
    int fd;

    (void) snprintf(path, sizeof path, "%s/%s", folder, file);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    got = fd < 0 ? -1 : read(fd, text, size - 1);
    if (fd >= 0)
        (void) close(fd);
    text[got > 0 ? got : 0] = '\0';
    return got >= 0;
}

/* The number behind a key at the start of a line, or behind " key=" in the line of the device. */
static uint64_t find(const char *text, const char *key, const char *device)
{
    const char *at = text, *end;
    size_t length = strlen(key);

    if (*key == ' ') {
        size_t name = device == NULL ? 0 : strlen(device);

        while (name > 0 && at != NULL && *at != '\0' && strncmp(at, device, name) != 0) {
            at = strchr(at, '\n');
            at = at == NULL ? NULL : at + 1;
        }
        if (name == 0 || at == NULL)
            return 0;
        end = strchr(at, '\n');
        at = strstr(at, key);
        return at == NULL || (end != NULL && at > end) ? 0 : strtoull(at + length, NULL, 10);
    }
    while (at != NULL && strncmp(at, key, length) != 0) {
        at = strchr(at, '\n');
        at = at == NULL ? NULL : at + 1;
    }
    return at == NULL ? 0 : strtoull(at + length, NULL, 10);
}

static void read_group(const struct watched *all, const struct group *group, uint64_t *counters)
{
    const char *file = "";
    char text[8192] = "";

    for (size_t i = 0; i < FIELDS; i++) {
        if (strcmp(file, fields[i].file) != 0) {
            file = fields[i].file;
            (void) read_file(group->path, file, text, sizeof text);
        }
        counters[i] = find(text, fields[i].key, all->device);
    }
}

/* The first line of /proc/stat, in ticks: user nice system idle iowait irq softirq steal. */
static struct host read_host(void)
{
    uint64_t tick_us = 1000000 / (uint64_t) sysconf(_SC_CLK_TCK), part[8] = {0};
    char text[8192];
    char *at = text + 4;

    if (!read_file("/proc", "stat", text, sizeof text))
        return (struct host){0};
    for (size_t i = 0; i < 8; i++)
        part[i] = strtoull(at, &at, 10) * tick_us;
    return (struct host){.busy_us = part[0] + part[1] + part[2] + part[5] + part[6],
                         .steal_us = part[7]};
}

static void read_all(struct watched *all, bool is_after)
{
    for (size_t i = 0; i < all->count; i++) {
        struct group *group = &all->groups[i];

        read_group(all, group, is_after ? group->after : group->before);
        *(is_after ? &group->rounds_after : &group->rounds_before) =
            atomic_load(&group->slot->rounds);
    }
}

static bool is_complete(const struct watched *all, uint32_t window)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct slot *slot = all->groups[i].slot;

        if (window == 0 ? atomic_load(&slot->ready) == 0 : atomic_load(&slot->finished) != window)
            return false;
    }
    return true;
}

/* Window 0: until all are ready. */
static int wait_for(const struct watched *all, uint32_t window)
{
    uint64_t deadline_ns = clock_now_ns() + PATIENCE_NS;

    while (!is_complete(all, window)) {
        if (clock_now_ns() > deadline_ns) {
            errno = ETIMEDOUT;
            return complain(window == 0 ? "a worker does not begin" : "a worker does not answer");
        }
        clock_sleep_until(clock_now_ns() + TICK_NS);
    }
    return 0;
}

static void sleep_through(struct watched *all, uint64_t until_ns)
{
    for (uint64_t at_ns = clock_now_ns() + TICK_NS; at_ns < until_ns;) {
        uint64_t now_ns;

        clock_sleep_until(at_ns);
        now_ns = clock_now_ns();
        if (now_ns - at_ns > LATE_NS)
            all->late_ns += now_ns - at_ns;
        at_ns = now_ns + TICK_NS;
    }
    clock_sleep_until(until_ns);
}

static int observe(struct watched *all)
{
    struct board *board = all->board;
    uint32_t window = atomic_load(&board->number) + 1;

    if (wait_for(all, 0) != 0)
        return 1;
    all->from_ns = clock_now_ns() + all->warm_ns;
    all->until_ns = all->from_ns + all->length_ns;
    atomic_store(&board->from_ns, all->from_ns);
    atomic_store(&board->until_ns, all->until_ns);
    atomic_store(&board->number, window);
    board_changed(board);

    clock_sleep_until(all->from_ns);
    all->before = read_host();
    read_all(all, false);
    all->from_ns = clock_now_ns();
    sleep_through(all, all->until_ns);
    read_all(all, true);
    all->until_ns = clock_now_ns();
    all->after = read_host();
    return all->is_still ? 0 : wait_for(all, window);
}

static void show(const char *name, const char *key, uint64_t value)
{
    (void) printf("%s%s%s %" PRIu64 "\n", name, *name == '\0' ? "" : ".", key, value);
}

static void show_group(const struct group *group, bool is_still)
{
    const struct got *got = &group->slot->got;
    char name[64];

    for (size_t i = 0; i < FIELDS; i++)
        show(group->name, fields[i].name, group->after[i] - group->before[i]);
    (void) snprintf(name, sizeof name, "%s.inside", group->name);
    show(name, "progress", group->rounds_after - group->rounds_before);
    show(name, "total_bytes", atomic_load(&group->slot->bytes));
    if (is_still)
        return;
    show(name, "wall_us", got->wall_ns / NS_PER_US);
    show(name, "cpu_us", got->cpu_ns / NS_PER_US);
    show(name, "rounds", got->rounds);
    show(name, "bytes", got->bytes);
    show(name, "median_us", got->median_ns / NS_PER_US);
    show(name, "longest_us", got->longest_ns / NS_PER_US);
}

static void show_all(const struct watched *all)
{
    uint64_t busy_us = all->after.busy_us - all->before.busy_us;

    for (size_t i = 0; i < all->count; i++) {
        uint64_t own_us = all->groups[i].after[0] - all->groups[i].before[0];

        show_group(&all->groups[i], all->is_still);
        busy_us -= busy_us < own_us ? busy_us : own_us;
    }
    show("", "wall_us", (all->until_ns - all->from_ns) / NS_PER_US);
    show("", "late_us", all->late_ns / NS_PER_US);
    show("", "steal_us", all->after.steal_us - all->before.steal_us);
    show("", "others_us", busy_us);
}

/* watch [--warm MS] [--still] [--disk MAJ:MIN] MS [NAME=GROUP]...: the groups in order of slots */
int watch(struct board *board, char **arguments)
{
    struct watched all = {.board = board, .warm_ns = 500 * NS_PER_MS};
    struct sched_param first = {.sched_priority = 50};

    for (; *arguments != NULL && strncmp(*arguments, "--", 2) == 0; arguments++) {
        if (strcmp(*arguments, "--still") == 0)
            all.is_still = true;
        else if (strcmp(*arguments, "--warm") == 0)
            all.warm_ns = number(*++arguments) * NS_PER_MS;
        else if (strcmp(*arguments, "--disk") == 0)
            all.device = *++arguments;
    }
    all.length_ns = number(*arguments) * NS_PER_MS;
    for (arguments++; *arguments != NULL && all.count < SLOTS; arguments++) {
        char *path = strchr(*arguments, '=');

        if (path == NULL)
            continue;
        *path = '\0';
        all.groups[all.count] =
            (struct group){.name = *arguments, .path = path + 1, .slot = &board->slot[all.count]};
        all.count++;
    }
    /* Where it is not allowed, only the reading of the noise is less sharp. */
    (void) sched_setscheduler(0, SCHED_FIFO, &first);
    if (observe(&all) != 0)
        return 1;
    show_all(&all);
    return 0;
}

/* over: the workers end */
int watch_over(struct board *board, char **arguments)
{
    (void) arguments;
    atomic_store(&board->over, 1);
    (void) atomic_fetch_add(&board->number, 1);
    board_changed(board);
    return 0;
}
