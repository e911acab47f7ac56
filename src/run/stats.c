/* SPDX-License-Identifier: Apache-2.0 */
/* stats and events: what the container's group has counted, and when it counts an OOM kill. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"

#include "start.h"
#include "target.h"

#define EVENTS_TEXT 256

int run_stats(const struct run_target *request, struct cgroup_sample *ret_sample,
              struct run_stats *ret_stats, struct sub_err *err)
{
    OWNED_TARGET target = TARGET_NONE;
    OWNED_CGROUP group = CGROUP_NONE;
    struct run_stats stats = {.counted = false};
    enum run_status status;
    pid_t pid;

    SUBLET_TRY(target_open(request, false, &target, err));
    if (!target.has_record)
        target.record = (struct state_record){
            .id = request->id, .oci_version = "", .bundle = "", .rootfs = "", .created = ""};
    SUBLET_TRY(record_status(target.dir_fd, &target.record, &status, &pid, err));
    stats.info = info_of_record(&target.record, status, pid);
    stats.cgroup_path = target.record.cgroup_path;

    int rc = record_group(&target.record, NULL, &group, err);
    if (rc >= 0)
        rc = cgroup_sample_read(group.dir_fd, CG_READ_ALL, ret_sample, err);
    if (rc < 0 && rc != -ENOENT && rc != -ENODEV)
        return rc;
    stats.counted = rc >= 0;
    *ret_stats = stats;
    return 0;
}

struct observer {
    const struct run_watch *watch;
    struct cgroup_reader *reader;
    struct cgroup_sample *sample;
    int pidfd, oom_fd; /* oom_fd: memory.events, or -ENOENT */
    uint64_t oom_kills;
};

static void observer_done(struct observer *observer)
{
    cgroup_reader_free(observer->reader);
    sub_close(&observer->pidfd);
    sub_close(&observer->oom_fd);
}

/* Reading arms the next wake-up, so a kill between the read and poll is not lost. */
static int count_oom_kills(struct observer *observer, uint64_t *ret_kills)
{
    struct cgroup_sample *sample = observer->sample;
    char text[EVENTS_TEXT];
    ssize_t n = pread(observer->oom_fd, text, sizeof text - 1, 0);

    if (n < 0)
        return -errno;
    text[n] = '\0';
    cgroup_sample_clear(sample);
    SUBLET_TRY(cgroup_sample_add(sample, CG_FILE_MEMORY_EVENTS, NULL, text));
    *ret_kills = cg_has(&sample->memory, oom_kills) ? sample->memory.oom_kills : 0;
    return 0;
}

static int tell_oom_kills(struct observer *observer, struct sub_err *err)
{
    uint64_t kills = 0;

    if (observer->oom_fd < 0)
        return 0;

    int rc = count_oom_kills(observer, &kills);
    if (rc == -ENODEV) {
        /* the group is gone, or its memory controller was disabled: the process will tell */
        sub_close(&observer->oom_fd);
        return 0;
    }
    if (rc < 0)
        return sub_fail(err, -rc, "memory.events", "cannot read: %s", sub_strerror(-rc));
    for (; observer->oom_kills < kills; observer->oom_kills++)
        SUBLET_TRY(observer->watch->oom_killed(observer->watch->context, err));
    return 0;
}

static int observer_open(const struct target *target, struct observer *observer,
                         struct sub_err *err)
{
    OWNED_CGROUP group = CGROUP_NONE;
    int rc = record_group(&target->record, NULL, &group, err);

    if (rc == -ENOENT && target->record.cgroup_path == NULL)
        return no_group(&target->record, err);
    if (rc >= 0)
        rc = cgroup_reader_open(group.dir_fd, CG_READ_ALL, &observer->reader, err);
    if (rc == -ENOENT || rc == -ENODEV)
        return not_running(target->id, err);
    SUBLET_TRY(rc);

    observer->oom_fd = sys_openat(group.dir_fd, "memory.events", O_RDONLY | O_NOFOLLOW, 0);
    if (observer->oom_fd < 0 && observer->oom_fd != -ENOENT)
        return sub_fail(err, -observer->oom_fd, "memory.events", "cannot open: %s",
                        sub_strerror(-observer->oom_fd));
    if (observer->oom_fd < 0)
        return 0;
    rc = count_oom_kills(observer, &observer->oom_kills);
    if (rc == -ENODEV)
        return not_running(target->id, err);
    return rc < 0 ? sub_fail(err, -rc, "memory.events", "cannot read: %s", sub_strerror(-rc)) : 0;
}

/* 1 until the watch is at its end: the process has, or nobody reads any more. */
static int wait_for_news(struct observer *observer, uint64_t due_ms, struct sub_err *err)
{
    struct pollfd fds[] = {
        {.fd = observer->pidfd,            .events = POLLIN},
        {.fd = observer->watch->reader_fd}, /* errors and hang-ups alone */
        {.fd = observer->oom_fd,               .events = POLLPRI                },
    };
    uint64_t now_ms = sys_now_ms();
    int left_ms = now_ms >= due_ms              ? 0
                  : due_ms - now_ms > INT32_MAX ? INT32_MAX
                                                : (int) (due_ms - now_ms);
    int rc = sys_poll(fds, sizeof fds / sizeof *fds, left_ms);

    if (rc == -ETIMEDOUT)
        return 1;
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "cannot wait for the container: %s", sub_strerror(-rc));
    /* asked in any case: the first process may be the one that was killed */
    SUBLET_TRY(tell_oom_kills(observer, err));
    return fds[0].revents == 0 && fds[1].revents == 0;
}

static int observe(struct observer *observer, struct sub_err *err)
{
    const struct run_watch *watch = observer->watch;
    uint64_t interval_ms = (watch->interval_us + 999) / 1000, due_ms = sys_now_ms();

    for (;;) {
        int rc = wait_for_news(observer, due_ms, err);

        if (rc <= 0)
            return rc;
        if (sys_now_ms() < due_ms)
            continue;
        SUBLET_TRY(cgroup_reader_sample(observer->reader, CG_READ_ALL, observer->sample, err));
        SUBLET_TRY(watch->sampled(watch->context, observer->sample, err));
        for (due_ms += interval_ms; due_ms <= sys_now_ms();)
            due_ms += interval_ms; /* a slow reader misses samples, it does not get them in a row */
    }
}

int run_watch(const struct run_target *request, const struct run_watch *watch, struct sub_err *err)
{
    OWNED_TARGET target = TARGET_NONE;
    struct cgroup_sample *sample = arena_alloc(request->arena, sizeof *sample);
    __attribute__((cleanup(observer_done))) struct observer observer = {
        .watch = watch, .sample = sample, .pidfd = -EBADF, .oom_fd = -EBADF};

    if (sample == NULL)
        return sub_fail(err, ENOMEM, NULL, "out of memory");
    SUBLET_TRY(target_open(request, false, &target, err));
    if (!target.has_record || !target.record.complete)
        return not_running(request->id, err);
    observer.pidfd = state_process_open(&target.record);
    if (observer.pidfd == -ESRCH)
        return not_running(request->id, err);
    if (observer.pidfd < 0)
        return unknown_process(&target.record, observer.pidfd, err);
    SUBLET_TRY(observer_open(&target, &observer, err));

    int rc = observe(&observer, err);
    return rc == -ENODEV ? 0 : rc; /* deleted under our eyes */
}
