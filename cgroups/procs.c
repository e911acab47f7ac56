/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"

#include "private.h"

#define SHOWN_PIDS 8
#define FREEZE_MS  200

/* Takes what fits: with an arena it grows, without one it keeps `room` and counts on. */
struct pid_list {
    const char *file; /* cgroup.procs or cgroup.threads */
    struct arena *arena;
    pid_t *pids;
    size_t count, room;
};

static int list_all(struct pid_list *list, int dir_fd);

/*
 * A container that may write its own cgroup.type can make it threaded, and such a group has no
 * cgroup.kill. Frozen first, so that nothing forks away from under the list; SIGKILL works on
 * frozen processes, and a thread's id reaches its process.
 */
static int kill_threads(int dir_fd)
{
    OWNED_ARENA arena;
    struct pid_list list = {.file = "cgroup.threads", .arena = &arena};
    bool absent;

    arena_init(&arena, ARENA_MAX_BYTES);
    (void) knob_put(dir_fd, "cgroup.freeze", "1", &absent); /* helps, but is not needed */
    (void) cg_events_wait(dir_fd, CG_EVENT_FROZEN, true, FREEZE_MS);
    int rc = list_all(&list, dir_fd);
    for (size_t i = 0; i < list.count; i++)
        (void) kill(list.pids[i], SIGKILL); /* ESRCH: gone meanwhile; the wait sees what stays */
    (void) knob_put(dir_fd, "cgroup.freeze", "0", &absent);
    return rc;
}

int cgroup_kill(int dir_fd, struct sub_err *err)
{
    bool absent = false;
    int rc = knob_put(dir_fd, "cgroup.kill", "1", &absent);

    if (rc == -EOPNOTSUPP)
        rc = kill_threads(dir_fd);
    if (rc == 0 || cg_is_gone(rc))
        return 0;
    return sub_fail(err, -rc, "cgroup.kill", "cannot kill the processes of the cgroup: %s",
                    sub_strerror(-rc));
}

int cgroup_populated(int dir_fd)
{
    struct cg_events events;
    int rc = cg_events_read(dir_fd, &events);

    if (cg_is_gone(rc))
        return 0;
    return rc < 0 ? rc : events.populated;
}

int cgroup_wait_empty(int dir_fd, int deadline_ms, struct sub_err *err)
{
    int rc = cg_events_wait(dir_fd, CG_EVENT_POPULATED, false, deadline_ms);

    if (rc == 0 || cg_is_gone(rc))
        return 0;
    if (rc == -ETIMEDOUT) {
        char text[128];

        cgroup_remaining(dir_fd, text, sizeof text);
        return sub_fail(err, ETIMEDOUT, NULL, "cgroup busy after %d ms: %s", deadline_ms, text);
    }
    return sub_fail(err, -rc, "cgroup.events", "cannot wait for the end of the processes: %s",
                    sub_strerror(-rc));
}

static int list_add(struct pid_list *list, pid_t pid)
{
    if (list->count >= list->room && list->arena != NULL) {
        size_t room = list->room == 0 ? 64 : 2 * list->room;
        pid_t *pids = arena_grow(list->arena, list->pids, list->count, room, sizeof *pids);

        if (pids == NULL)
            return -ENOMEM;
        list->pids = pids;
        list->room = room;
    }
    if (list->count < list->room)
        list->pids[list->count] = pid;
    list->count++;
    return 0;
}

/* The kernel gives one pid a line, but a read may end in the middle of one. */
static int list_read(struct pid_list *list, int fd)
{
    char text[4096];
    pid_t pid = 0;

    for (;;) {
        ssize_t n = read(fd, text, sizeof text);

        if (n < 0 && errno == EINTR)
            continue;
        /* EOPNOTSUPP: a threaded group; its processes are listed in the domain above */
        if (n < 0)
            return cg_is_gone(-errno) || errno == EOPNOTSUPP ? 0 : -errno;
        if (n == 0)
            return 0;
        for (ssize_t i = 0; i < n; i++) {
            if (text[i] >= '0' && text[i] <= '9') {
                pid = pid * 10 + (text[i] - '0');
                continue;
            }
            if (pid != 0) /* 0: lives in a PID namespace we cannot see into */
                SUBLET_TRY(list_add(list, pid));
            pid = 0;
        }
    }
}

static int list_group(struct pid_list *list, int dir_fd, const char *file)
{
    OWNED_FD fd = sys_open_beneath(dir_fd, file, O_RDONLY, 0);

    if (cg_is_gone(fd))
        return 0;
    return fd < 0 ? fd : list_read(list, fd);
}

static int list_child(void *context, int parent_fd, const char *name)
{
    const struct pid_list *list = context;
    char file[CGROUP_NAME_MAX + sizeof "/cgroup.threads"];

    (void) snprintf(file, sizeof file, "%s/%s", name, list->file); /* a name has its maximum */
    return list_group(context, parent_fd, file);
}

static int list_all(struct pid_list *list, int dir_fd)
{
    static const struct cg_visitor visitor = {.before = list_child};

    SUBLET_TRY(list_group(list, dir_fd, list->file));
    return cg_walk(dir_fd, &visitor, list);
}

int cgroup_pids(struct arena *arena, int dir_fd, pid_t **ret_pids, size_t *ret_count,
                struct sub_err *err)
{
    struct pid_list list = {.file = "cgroup.procs", .arena = arena};
    int rc = list_all(&list, dir_fd);

    if (rc < 0)
        return sub_fail(err, -rc, "cgroup.procs", "cannot list the processes of the cgroup: %s",
                        sub_strerror(-rc));
    *ret_pids = list.pids;
    *ret_count = list.count;
    return 0;
}

void cgroup_remaining(int dir_fd, char *text, size_t size)
{
    pid_t pids[SHOWN_PIDS];
    struct pid_list list = {.file = "cgroup.procs", .pids = pids, .room = SHOWN_PIDS};
    size_t used = 0;

    text[0] = '\0';
    if (list_all(&list, dir_fd) < 0)
        return;
    for (size_t i = 0; i < list.count && i < SHOWN_PIDS && used < size; i++) {
        used += (size_t) snprintf(text + used, size - used, "%s%d",
                                  i > 0             ? ", "
                                  : list.count == 1 ? "pid "
                                                    : "pids ",
                                  pids[i]);
    }
    if (list.count > SHOWN_PIDS && used < size)
        (void) snprintf(text + used, size - used, " and %zu more", list.count - SHOWN_PIDS);
}
