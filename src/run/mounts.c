/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts: file systems added to a running container and removed from it. A child does it from
 * inside the container's mount namespace:
 *
 *   parent                                       child
 *   lock, plan, sources opened by our rights
 *                                                enters, attaches one by one (or undoes all)
 *                      <-- MOUNTED ---------
 *   the record names what is there
 *                      --- go ------------->     ends; without it, it undoes all: the record, or
 *                                                this process, has failed
 *
 * A container can stop the child at a place that never answers (a file system of its own making),
 * so the wait has a limit, and the child none of our secrets open.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sublet/base/arena.h"
#include "sublet/base/fd.h"
#include "sublet/base/path.h"
#include "sublet/base/warn.h"
#include "sublet/spec.h"
#include "sublet/sys.h"

#include "start.h"
#include "target.h"

#define ANSWER_MS  10000 /* the container is locked meanwhile */
#define PROC_MAGIC 0x9fa0

struct work {
    struct target *target;
    const struct plan *plan;
    struct mount_tree *tree;
    int init_pidfd, proc_fd;
    bool user; /* the container has a user namespace of its own */
    int channel[2];
    uint64_t *ids;             /* shared with the child; add */
    struct mount_added *added; /* remove */
    size_t count;
};

static void work_done(struct work *work)
{
    mount_tree_free(work->tree);
    sub_close(&work->init_pidfd);
    sub_close(&work->proc_fd);
    sub_close(&work->channel[0]);
    sub_close(&work->channel[1]);
}

/* --- the child ------------------------------------------------------------------------------ */

/* Mount points that are made, and what tmpcopyup copies, belong to the container's root and not to
 * an id that it does not know. But our end must not be the child's: it has to undo what it did. */
static int become_root(const struct work *work, struct sub_err *err)
{
    static const struct plan_ns as_joined = {.join_user = true};

    if (!work->user)
        return 0;
    SUBLET_TRY(ns_become_root(&as_joined, err));
    (void) sys_prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
    return 0;
}

static int enter(struct work *work, struct sub_err *err)
{
    int rc = sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* before anybody in there can see us */

    proc_signals_reset();
    (void) umask(0);
    sub_close(&work->channel[0]);
    sub_close(&work->target->dir_fd);
    sub_close(&work->target->root_fd);
    if (rc >= 0 && work->user)
        rc = sys_setns(work->init_pidfd, CLONE_NEWUSER);
    if (rc >= 0 && work->plan != NULL && !work->plan->mounts.sources_by_parent) {
        /* a copy of our mounts that belongs to the container's user: there they can be cloned */
        rc = work->user ? sys_unshare(CLONE_NEWNS) : 0;
        if (rc >= 0)
            SUBLET_TRY(mount_open_sources(work->tree, err));
    }
    if (rc >= 0)
        rc = sys_setns(work->init_pidfd, CLONE_NEWNS);
    sub_close(&work->init_pidfd);
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "cannot enter the container's mount namespace: %s",
                        sub_strerror(-rc));
    SUBLET_TRY(become_root(work, err));
    return mount_live_enter(work->tree, err);
}

static int add_inside(struct work *work, struct sub_err *err)
{
    SUBLET_TRY(enter(work, err));
    SUBLET_TRY(mount_live_add(work->tree, work->proc_fd, work->ids, err));
    if (proc_tell(work->channel[1], PROC_MOUNTED) < 0 || proc_wait_go(work->channel[1]) < 0)
        mount_live_undo(work->tree, work->proc_fd, work->count);
    return 0;
}

/* All are looked at before the first goes. Backwards: a later one may stand on an earlier one. */
static int remove_inside(struct work *work, struct sub_err *err)
{
    int *fds = arena_array(work->target->arena, work->count, sizeof *fds);

    if (fds == NULL)
        return sub_fail(err, ENOMEM, NULL, "out of memory");
    SUBLET_TRY(enter(work, err));
    for (size_t i = 0; i < work->count; i++)
        SUBLET_TRY(mount_live_find(work->tree, &work->added[i], &fds[i], err));
    for (size_t i = work->count; i > 0; i--)
        SUBLET_TRY(mount_live_remove(work->proc_fd, &work->added[i - 1], fds[i - 1], err));
    (void) proc_tell(work->channel[1], PROC_MOUNTED);
    return 0;
}

/* --- the parent ----------------------------------------------------------------------------- */

static int open_work(struct work *work, struct sub_err *err)
{
    const struct target *target = work->target;

    work->init_pidfd = state_process_open(&target->record);
    if (work->init_pidfd == -ESRCH)
        return not_running(target->id, err);
    if (work->init_pidfd < 0)
        return unknown_process(&target->record, work->init_pidfd, err);
    work->proc_fd = sys_openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
    if (work->proc_fd < 0 || sys_fs_type(work->proc_fd) != PROC_MAGIC)
        return sub_fail(err, ENOTSUP, "/proc", "not a procfs");
    return proc_channel_open(3, work->channel, err);
}

static bool fills_memory(const struct plan *plan)
{
    for (size_t i = 0; plan != NULL && i < plan->mounts.count; i++) {
        if (plan->mounts.items[i].copy_up)
            return true;
    }
    return false;
}

/* What is copied into a tmpfs is memory of whoever copies: a process of the container's group does
 * it. A frozen one would not. */
static int clone_to_fill(const struct work *work, struct ns_child *ret_child, struct sub_err *err)
{
    const struct state_record *record = &work->target->record;
    OWNED_CGROUP group = CGROUP_NONE;
    int fresh = -EBADF;
    int rc = record_group(record, &fresh, &group, err);
    OWNED_FD root = fresh;

    if (rc == -ENOENT && record->cgroup_path == NULL)
        return -ENOENT;
    if (rc == -ENOENT)
        return not_running(record->id, err);
    if (rc < 0)
        return rc;
    if (cgroup_is_frozen(group.dir_fd) > 0)
        return sub_fail(err, EBUSY, NULL,
                        "container '%s' is paused: tmpcopyup is the work of a process in its group",
                        record->id);
    rc = clone_into_container(record, root, group.dir_fd, ret_child);
    return rc < 0 ? cgroup_explain_clone(group.dir_fd, -rc, NULL, err) : 0;
}

static int clone_worker(const struct work *work, struct ns_child *ret_child, struct sub_err *err)
{
    int pidfd = -EBADF;

    if (fills_memory(work->plan)) {
        int rc = clone_to_fill(work, ret_child, err);

        if (rc != -ENOENT)
            return rc;
    }
    pid_t pid = sys_clone(&(struct sys_clone){.cgroup_fd = -1, .ret_pidfd = &pidfd});
    if (pid < 0)
        return sub_fail(err, -pid, NULL, "cannot clone: %s", sub_strerror(-pid));
    *ret_child = (struct ns_child){.pid = pid, .pidfd = pid == 0 ? -EBADF : pidfd};
    return 0;
}

/* Runs it in a child; 0 once it has told that all is done. The child then waits for "go". */
static int begin(struct work *work, int (*inside)(struct work *, struct sub_err *),
                 struct ns_child *ret_child, struct sub_err *err)
{
    enum proc_news news;

    SUBLET_TRY(clone_worker(work, ret_child, err));
    if (ret_child->pid == 0) {
        int rc = inside(work, err);

        if (rc < 0)
            proc_tell_error(work->channel[1], err);
        _exit(rc < 0);
    }
    sub_close(&work->channel[1]);
    int rc = proc_receive(work->channel[0], ANSWER_MS, &news, NULL, err);
    if (rc == 0)
        rc = sub_fail(err, ECHILD, NULL, "the process that works in the container died");
    return rc < 0 ? rc : 0;
}

/* Whoever may freeze or stop the child could hold the lock by it; what it was told to do is done.
 */
static int end(struct ns_child *child, bool kill, struct sub_err *err)
{
    struct pollfd ended = {.fd = child->pidfd, .events = POLLIN};
    int rc = 0, status;

    if (child->pidfd < 0)
        return 0;
    if (!kill && sys_poll(&ended, 1, ANSWER_MS) > 0) {
        (void) sys_pidfd_wait(child->pidfd, 0, &status);
    } else {
        kill_child(child->pidfd);
        rc = kill ? 0
                  : sub_fail(err, ETIMEDOUT, NULL,
                             "the process that worked in the container had done its work, but did "
                             "not end within %d s: killed",
                             ANSWER_MS / 1000);
    }
    sub_close(&child->pidfd);
    return rc;
}

/* --- add ------------------------------------------------------------------------------------ */

/* The config as it was saved, with the new mounts in the place of its own. */
static int make_plan(struct work *work, const struct run_mounts *request, struct findings *findings,
                     struct sub_err *err)
{
    struct arena *arena = work->target->arena;
    const struct options options = {.id = work->target->id, .bundle = request->folder};
    struct host host;
    const struct spec *saved;
    struct spec *spec = arena_alloc(arena, sizeof *spec);

    SUBLET_TRY(spec_load(arena, work->target->dir_fd, STATE_CONFIG, NULL, &saved, err));
    if (spec == NULL)
        return sub_fail(err, ENOMEM, NULL, "out of memory");
    *spec = *saved;
    spec->mounts = *request->mounts;
    (void) spec_check_mounts(spec, findings); /* the plan's result tells */
    SUBLET_TRY(host_read(arena, spec, &host, err));
    SUBLET_TRY(plan_make_mounts(arena, &options, spec, &host, findings, &work->plan, err));
    work->user = work->plan->ns.new_user || work->plan->ns.join_user;
    work->count = work->plan->mounts.count;
    return 0;
}

static int record_added(struct work *work, struct sub_err *err)
{
    struct state_record *record = &work->target->record;
    size_t had = record->mounts.count;
    struct state_mount *items = arena_array(work->target->arena, had + work->count, sizeof *items);

    if (items == NULL)
        return sub_fail(err, ENOMEM, NULL, "out of memory");
    if (had > 0)
        memcpy(items, record->mounts.items, had * sizeof *items);
    for (size_t i = 0; i < work->count; i++)
        items[had + i] = (struct state_mount){.destination = work->plan->mounts.items[i].target,
                                              .id = work->ids[i]};
    record->mounts = (struct state_mounts){items, had + work->count};
    return state_write(work->target->dir_fd, record, err);
}

static int add(struct work *work, struct sub_err *err)
{
    struct ns_child child = {.pidfd = -EBADF};
    const struct plan *plan = work->plan;

    if (!work->user)
        ((struct plan *) (uintptr_t) plan)->mounts.sources_by_parent = true;
    SUBLET_TRY(mount_tree_new(&plan->root, &plan->mounts, NULL, &work->tree, err));
    if (plan->mounts.sources_by_parent)
        SUBLET_TRY(mount_open_sources(work->tree, err));

    int rc = begin(work, add_inside, &child, err);
    bool stuck = rc < 0;
    if (rc == 0)
        rc = record_added(work, err);
    if (rc == 0)
        (void) proc_go(work->channel[0]);
    sub_close(&work->channel[0]);
    int ended = end(&child, stuck, err);
    return rc < 0 ? rc : ended;
}

int run_mounts_add(const struct run_target *request, const struct run_mounts *mounts,
                   struct findings *findings, struct sub_err *err)
{
    OWNED_TARGET target = TARGET_NONE;
    __attribute__((cleanup(work_done))) struct work work = {
        .target = &target, .init_pidfd = -EBADF, .proc_fd = -EBADF, .channel = {-EBADF, -EBADF}
    };

    SUBLET_TRY(target_open_living(request, &target, err));
    SUBLET_TRY(open_work(&work, err));
    SUBLET_TRY(make_plan(&work, mounts, findings, err));
    if (work.count == 0)
        return 0;

    size_t size = work.count * sizeof *work.ids;
    work.ids = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (work.ids == MAP_FAILED)
        return sub_fail(err, errno, NULL, "out of memory");
    int rc = add(&work, err);
    (void) munmap(work.ids, size);
    return rc;
}

/* --- remove --------------------------------------------------------------------------------- */

/* The latest one there: an earlier one of the same place is below it. */
static const struct state_mount *find_added(const struct state_mounts *mounts, const char *path)
{
    for (size_t i = mounts->count; i > 0; i--) {
        if (mounts->items[i - 1].id != 0 && strcmp(mounts->items[i - 1].destination, path) == 0)
            return &mounts->items[i - 1];
    }
    return NULL;
}

static int choose(struct work *work, const struct spec_mounts *mounts, struct sub_err *err)
{
    struct arena *arena = work->target->arena;
    const struct state_mounts *known = &work->target->record.mounts;

    work->count = mounts->count;
    work->added = arena_array(arena, mounts->count, sizeof *work->added);
    for (size_t i = 0; i < mounts->count; i++) {
        const char *json = arena_printf(arena, "mounts[%zu]", i);
        const char *path = path_clean(arena, mounts->items[i].destination);

        if (work->added == NULL || json == NULL || path == NULL)
            return sub_fail(err, ENOMEM, NULL, "out of memory");
        const struct state_mount *found = find_added(known, path);
        if (found == NULL)
            return sub_fail(err, ENOENT, json,
                            "'%s' was not put there by 'mounts add': nothing else is removed",
                            mounts->items[i].destination);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(work->added[j].destination, path) == 0)
                return sub_fail(err, EINVAL, json, "'%s' is named twice", path);
        }
        work->added[i] = (struct mount_added){path, json, found->id};
    }
    return 0;
}

/* What stood below a removed mount went with it. */
static int forget(struct work *work, struct sub_err *err)
{
    struct state_record *record = &work->target->record;
    size_t count = record->mounts.count, kept = 0;
    struct state_mount *items = arena_array(work->target->arena, count, sizeof *items);

    if (items == NULL)
        return sub_fail(err, ENOMEM, NULL, "out of memory");
    for (size_t i = 0; i < count; i++) {
        const struct state_mount *item = &record->mounts.items[i];
        bool gone = false;

        for (size_t j = 0; j < work->count && !gone; j++)
            gone = item->id == work->added[j].id ||
                   (strcmp(item->destination, work->added[j].destination) != 0 &&
                    path_holds(work->added[j].destination, item->destination));
        if (!gone)
            items[kept++] = *item;
    }
    record->mounts = (struct state_mounts){items, kept};
    return state_write(work->target->dir_fd, record, err);
}

int run_mounts_remove(const struct run_target *request, const struct spec_mounts *mounts,
                      struct sub_err *err)
{
    static const struct plan_root root;
    static const struct plan_mounts none;
    OWNED_TARGET target = TARGET_NONE;
    __attribute__((cleanup(work_done))) struct work work = {
        .target = &target, .init_pidfd = -EBADF, .proc_fd = -EBADF, .channel = {-EBADF, -EBADF}
    };
    struct ns_child child = {.pidfd = -EBADF};

    SUBLET_TRY(target_open_living(request, &target, err));
    SUBLET_TRY(open_work(&work, err));
    SUBLET_TRY(choose(&work, mounts, err));
    if (work.count == 0)
        return 0;
    SUBLET_TRY(mount_tree_new(&root, &none, NULL, &work.tree, err));

    /* without a user namespace of ours we have the rights of root, and no need of another one */
    work.user = geteuid() != 0;
    int rc = begin(&work, remove_inside, &child, err);
    if (rc == 0)
        rc = forget(&work, err);
    int ended = end(&child, rc < 0, err);
    return rc < 0 ? rc : ended;
}
