/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups without a process: nothing grows there, so that on a host with many of them a window costs
 * nothing for each. The kernel tells when the first process comes, before that one runs. What the
 * last one leaves behind (its last steps, the end of a throttled period) comes late: a group is
 * still when a whole window has passed over an empty one and nothing has changed, and even then it
 * is read whenever the rest is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"
#include "sublet/tenant.h"

#include "view.h"

#define EVENTS_FILE "cgroup.events"
#define AT_A_TIME   64

struct view_pulse {
    int fd;         /* cgroup.events */
    bool has_event; /* since it was read */
    bool is_empty;  /* as it was then */
    bool has_begun; /* counters have been read since then, */
    bool is_calm;   /* and again, and were the same */
};

void view_still_close(struct account_view *view)
{
    if (!view->has_events)
        return;
    sub_close(&view->events_fd);
    sub_close(&view->folder_fd);
    view->folder_watch = -1;
}

static void open_events(struct account_view *view)
{
    struct epoll_event groups = {.events = EPOLLIN, .data.ptr = NULL};

    view->has_events = true;
    view->events_fd = epoll_create1(EPOLL_CLOEXEC);
    view->folder_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    view->folder_watch = -1;
    if (view->events_fd < 0 || view->folder_fd < 0 ||
        epoll_ctl(view->events_fd, EPOLL_CTL_ADD, view->folder_fd, &groups) < 0)
        view_still_close(view);
}

/* A group that is removed and made again under its name tells nobody but the one above it. */
static void watch_folder(struct account_view *view)
{
    char path[64];
    OWNED_FD parent = view->folder_fd < 0 ? -EBADF
                                          : sys_openat(view->cgroup_root_fd, TENANT_PARENT,
                                                       O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);

    if (parent < 0)
        return;
    (void) snprintf(path, sizeof path, "/proc/self/fd/%d", parent);
    view->folder_watch = inotify_add_watch(
        view->folder_fd, path, IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE | IN_ONLYDIR);
}

static void read_folder(struct account_view *view)
{
    char events[4096] __attribute__((aligned(8)));

    while (read(view->folder_fd, events, sizeof events) > 0)
        continue;
    view->folder_watch = -1; /* it may be another one by now */
    view->groups_changed = true;
}

void view_still_begin(struct account_view *view)
{
    struct epoll_event events[AT_A_TIME];

    if (!view->has_events)
        open_events(view);
    view->groups_changed = false;

    int count = view->events_fd < 0 ? 0 : AT_A_TIME;
    while (count == AT_A_TIME) {
        count = epoll_wait(view->events_fd, events, AT_A_TIME, 0);
        for (int i = 0; i < count; i++) {
            struct view_pulse *pulse = events[i].data.ptr;

            if (pulse == NULL)
                read_folder(view);
            else
                pulse->has_event = true;
        }
    }
    if (view->folder_watch < 0)
        watch_folder(view);
}

/* A file that cannot be read is of a group that is read in each window. The kernel tells of what
 * happens after this reading. */
static bool read_empty(int fd)
{
    char text[256];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);

    text[n < 0 ? 0 : n] = '\0';
    return strstr(text, "populated 0\n") != NULL;
}

/* Without any of this the group is read in each window. */
void view_still_watch(struct account_view *view, struct watched *watched)
{
    struct view_pulse *pulse = NULL;

    if (!view->has_events || view->folder_watch < 0 || !watched->is_below_parent)
        return;
    OWNED_FD fd = sys_openat(watched->dir_fd, EVENTS_FILE, O_RDONLY | O_NOFOLLOW, 0);
    if (fd >= 0)
        pulse = calloc(1, sizeof *pulse);
    if (pulse == NULL)
        return;
    struct epoll_event event = {.events = EPOLLPRI | EPOLLET, .data.ptr = pulse};
    (void) read_empty(fd); /* what was before is no event */
    if (epoll_ctl(view->events_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        free(pulse);
        return;
    }
    pulse->fd = sub_take_fd(&fd);
    pulse->has_event = true;
    watched->pulse = pulse;
}

void view_still_forget(struct watched *watched)
{
    if (watched->pulse == NULL)
        return;
    sub_close(&watched->pulse->fd); /* and it is out of the list that is waited for */
    free(watched->pulse);
    watched->pulse = NULL;
}

bool view_is_empty(const struct watched *watched)
{
    return watched->pulse != NULL && watched->pulse->is_empty;
}

bool view_tells_nothing(const struct watched *watched)
{
    return watched->pulse != NULL && !watched->pulse->has_event;
}

bool view_is_still(const struct account_view *view, const struct watched *watched)
{
    const struct view_pulse *pulse = watched->pulse;

    return pulse != NULL && !view->groups_changed && !pulse->has_event && pulse->is_empty &&
           pulse->is_calm;
}

void view_still_look(struct watched *watched)
{
    struct view_pulse *pulse = watched->pulse;

    if (pulse == NULL || !pulse->has_event)
        return;
    pulse->has_event = false;
    pulse->is_empty = read_empty(pulse->fd);
    pulse->has_begun = pulse->is_calm = false;
}

void view_still_seen(struct watched *watched, bool has_grown)
{
    struct view_pulse *pulse = watched->pulse;

    if (pulse == NULL)
        return;
    pulse->is_calm = pulse->has_begun && !has_grown;
    pulse->has_begun = true;
}
