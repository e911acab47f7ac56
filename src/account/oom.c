/* SPDX-License-Identifier: Apache-2.0 */
#include "oom.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/sys.h"

#include "view.h"

struct oom_watched {
    char name[ACCOUNT_NAME_TEXT];
    uint64_t cgroup_id, kills;
    int watch, dir_fd;
};

int oom_init(struct oom *oom, struct sub_err *err)
{
    oom->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (oom->inotify_fd < 0)
        return sub_fail(err, errno, NULL, "inotify: %s", sub_strerror(errno));
    return 0;
}

static void forget(struct oom *oom, size_t index)
{
    (void) inotify_rm_watch(oom->inotify_fd, oom->items[index].watch);
    sub_close(&oom->items[index].dir_fd);
    oom->items[index] = oom->items[--oom->count];
}

void oom_done(struct oom *oom)
{
    while (oom->count > 0)
        forget(oom, oom->count - 1);
    free(oom->items);
    oom->items = NULL;
    sub_close(&oom->inotify_fd);
}

static uint64_t kills_of(int dir_fd, uint64_t otherwise)
{
    struct cgroup_sample *sample = malloc(sizeof *sample);
    struct sub_err ignored = {.code = 0};
    uint64_t kills = otherwise;

    if (sample != NULL &&
        cgroup_sample_read(dir_fd, CG_READ(MEMORY_EVENTS), sample, &ignored) == 0 &&
        cg_has(&sample->memory, oom_kills))
        kills = sample->memory.oom_kills;
    free(sample);
    return kills;
}

static const struct watched *find(const struct account_view *view, const struct oom_watched *item)
{
    for (size_t i = 0; i < view->count; i++) {
        const struct watched *watched = &view->watched[i];

        if (watched->public.open && watched->public.cgroup_id == item->cgroup_id &&
            strcmp(watched->public.name, item->name) == 0)
            return watched;
    }
    return NULL;
}

static bool is_followed(const struct oom *oom, const struct account_tenant *tenant)
{
    for (size_t i = 0; i < oom->count; i++) {
        if (oom->items[i].cgroup_id == tenant->cgroup_id &&
            strcmp(oom->items[i].name, tenant->name) == 0)
            return true;
    }
    return false;
}

/* Without a place or a watch the tenant's deaths are still in its samples. */
static void follow(struct oom *oom, const struct watched *watched)
{
    char path[64];
    struct oom_watched item = {.cgroup_id = watched->public.cgroup_id};
    struct oom_watched *items = realloc(oom->items, (oom->count + 1) * sizeof *items);

    if (items == NULL)
        return;
    oom->items = items;
    item.dir_fd = fcntl(watched->dir_fd, F_DUPFD_CLOEXEC, 3);
    (void) snprintf(path, sizeof path, "/proc/self/fd/%d/memory.events", item.dir_fd);
    item.watch = inotify_add_watch(oom->inotify_fd, path, IN_MODIFY);
    if (item.watch < 0) {
        sub_close(&item.dir_fd);
        return;
    }
    memcpy(item.name, watched->public.name, sizeof item.name);
    item.kills = kills_of(item.dir_fd, 0);
    oom->items[oom->count++] = item;
}

void oom_watch(struct oom *oom, const struct account_view *view)
{
    for (size_t i = oom->count; i > 0; i--) {
        if (find(view, &oom->items[i - 1]) == NULL)
            forget(oom, i - 1);
    }
    for (size_t i = 0; i < view->count; i++) {
        if (view->watched[i].public.open && !is_followed(oom, &view->watched[i].public))
            follow(oom, &view->watched[i]);
    }
}

void oom_read(struct oom *oom, void (*tell)(void *context, const char *tenant, uint64_t kills),
              void *context)
{
    char events[4096] __attribute__((aligned(8)));

    while (read(oom->inotify_fd, events, sizeof events) > 0)
        ; /* which file it was matters less than what all of them say now */
    for (size_t i = 0; i < oom->count; i++) {
        struct oom_watched *item = &oom->items[i];
        uint64_t kills = kills_of(item->dir_fd, item->kills);

        if (kills > item->kills)
            tell(context, item->name, kills - item->kills);
        item->kills = kills;
    }
}
