/* SPDX-License-Identifier: Apache-2.0 */
#include "notices.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/cgroups.h"
#include "sublet/sys.h"

#include "view.h"

struct notice_place {
    char name[ACCOUNT_NAME_TEXT];
    uint64_t cgroup_id, kills;
    int watch, dir_fd;
    bool has_events, is_written; /* of the events that are read at a time */
};

int notices_init(struct notices *notices, struct sub_err *err)
{
    notices->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (notices->inotify_fd < 0)
        return sub_fail(err, errno, NULL, "inotify: %s", sub_strerror(errno));
    return 0;
}

static void forget(struct notices *notices, size_t index)
{
    (void) inotify_rm_watch(notices->inotify_fd, notices->places[index].watch);
    sub_close(&notices->places[index].dir_fd);
    notices->places[index] = notices->places[--notices->count];
}

void notices_done(struct notices *notices)
{
    while (notices->count > 0)
        forget(notices, notices->count - 1);
    free(notices->places);
    notices->places = NULL;
    sub_close(&notices->inotify_fd);
}

static uint64_t kills_of(int dir_fd, uint64_t otherwise)
{
    static const char key[] = "oom_kill ";
    char text[1024], *rest = text;
    uint64_t kills;

    if (knob_read(dir_fd, "memory.events", text, sizeof text) < 0)
        return otherwise;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (strncmp(line, key, strlen(key)) == 0 &&
            num_parse_u64(line + strlen(key), UINT64_MAX, &kills) == 0)
            return kills;
    }
    return otherwise;
}

/* ---- who is followed ---- */

/* Both are sorted by name, so that a thousand are compared in one walk. */
static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct notice_place *) a)->name, ((const struct notice_place *) b)->name);
}

static struct notice_place *find(const struct notices *notices, size_t count, const char *name)
{
    struct notice_place key;

    (void) snprintf(key.name, sizeof key.name, "%s", name);
    return count == 0 ? NULL : bsearch(&key, notices->places, count, sizeof key, by_name);
}

/* Without a place or a watch the tenant's deaths are still in its samples, and what is written is
 * found when it is looked for. */
static bool follow(struct notices *notices, const struct watched *watched)
{
    char path[64];
    struct notice_place place = {.cgroup_id = watched->public.cgroup_id};
    struct notice_place *places =
        realloc(notices->places, (notices->count + 1) * sizeof *notices->places);

    if (places == NULL)
        return false;
    notices->places = places;
    place.dir_fd = fcntl(watched->dir_fd, F_DUPFD_CLOEXEC, 3);
    (void) snprintf(path, sizeof path, "/proc/self/fd/%d", place.dir_fd);
    place.watch = inotify_add_watch(notices->inotify_fd, path, IN_MODIFY | IN_ONLYDIR);
    if (place.watch < 0) {
        sub_close(&place.dir_fd);
        return false;
    }
    memcpy(place.name, watched->public.name, sizeof place.name);
    place.kills = kills_of(place.dir_fd, 0);
    notices->places[notices->count++] = place;
    return true;
}

static bool is_there(const struct notice_place *place, const struct watched *watched)
{
    return watched->public.open && watched->public.cgroup_id == place->cgroup_id &&
           strcmp(watched->public.name, place->name) == 0;
}

static void forget_the_gone(struct notices *notices, const struct account_view *view)
{
    for (size_t i = notices->count; i > 0; i--) {
        const struct watched *watched = view_find(view, notices->places[i - 1].name);

        if (watched == NULL || !is_there(&notices->places[i - 1], watched))
            forget(notices, i - 1);
    }
}

void notices_follow(struct notices *notices, struct account_view *view)
{
    forget_the_gone(notices, view);
    if (notices->count > 0)
        qsort(notices->places, notices->count, sizeof *notices->places, by_name);

    size_t sorted = notices->count;
    for (size_t i = 0; i < view->count; i++) {
        struct watched *watched = &view->watched[i];
        bool was_followed = find(notices, sorted, watched->public.name) != NULL;

        watched->is_followed = was_followed || (watched->public.open && follow(notices, watched));
        watched->suspect = watched->suspect || (watched->is_followed && !was_followed);
    }
}

/* ---- what has happened ---- */

static void take(struct notices *notices, const struct inotify_event *event, bool *is_lost)
{
    if ((event->mask & IN_Q_OVERFLOW) != 0)
        *is_lost = true;
    for (size_t i = 0; i < notices->count && event->len > 0; i++) {
        struct notice_place *place = &notices->places[i];

        if (place->watch != event->wd)
            continue;
        if (strcmp(event->name, "memory.events") == 0)
            place->has_events = true;
        else if (strncmp(event->name, "cgroup.", 7) != 0 && strstr(event->name, ".events") == NULL)
            place->is_written = true;
        return;
    }
}

static void tell_kills(struct notice_place *place, const struct notice_calls *calls)
{
    uint64_t kills = kills_of(place->dir_fd, place->kills);

    if (kills > place->kills)
        calls->killed(calls->context, place->name, kills - place->kills);
    place->kills = kills;
}

void notices_read(struct notices *notices, const struct notice_calls *calls)
{
    char events[4096] __attribute__((aligned(8)));
    bool is_lost = false;
    ssize_t n;

    while ((n = read(notices->inotify_fd, events, sizeof events)) > 0) {
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const void *) (events + at);

            at += (ssize_t) (sizeof *event + event->len);
            take(notices, event, &is_lost);
        }
    }
    if (is_lost)
        calls->written(calls->context, NULL);
    for (size_t i = 0; i < notices->count; i++) {
        struct notice_place *place = &notices->places[i];

        if (place->has_events || is_lost)
            tell_kills(place, calls);
        if (place->is_written)
            calls->written(calls->context, place->name);
        place->has_events = place->is_written = false;
    }
}
