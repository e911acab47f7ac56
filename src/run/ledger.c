/* SPDX-License-Identifier: Apache-2.0 */
/* What the ledger is told of a container, and the final account of a foreground run. Nothing of
 * it can fail a start or a delete. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sublet/account/life.h"
#include "sublet/account/meter.h"
#include "sublet/base/arena.h"
#include "sublet/base/fd.h"
#include "sublet/cgroups.h"
#include "sublet/sys.h"
#include "sublet/tenant.h"

#include "start.h"
#include "target.h"

/* The group of the tenant in whose one the path lies. */
static const char *tenant_part(struct arena *arena, const char *path)
{
    char name[TENANT_NAME_MAX + 1];
    const char *end;

    if (path == NULL || !tenant_of_path(path, name))
        return NULL;
    end = strstr(path, name) + strlen(name);
    return arena_strndup(arena, path, (size_t) (end - path));
}

static struct account_container describe(const struct target *target, int root_fd, int group_fd)
{
    const struct state_record *record = &target->record;
    struct account_container container = {
        .id = record->id,
        .created = record->created,
        .boot_id = record->boot_id,
        .tenant = record->tenant,
        .outside = record->tenant_outside,
        .tenant_group = record->tenant == NULL || record->tenant_outside
                            ? NULL
                            : tenant_part(target->arena, record->cgroup_path),
        .root_fd = root_fd,
    };
    struct stat st;

    if (group_fd >= 0 && sys_fstat(group_fd, &st) == 0)
        container.cgroup_id = st.st_ino;
    return container;
}

static const char *kept_ledger(const struct target *target)
{
    if (target->ledger == NULL || target->ledger->folder == NULL ||
        !account_is_kept(target->ledger->folder))
        return NULL;
    return target->ledger->folder;
}

static void open_group(const struct target *target, int *ret_root_fd, struct cgroup *ret_group)
{
    struct sub_err ignored = {.code = 0};

    /* one that is gone, or never was, has no counters; that is told by their absence */
    (void) record_group(&target->record, ret_root_fd, ret_group, &ignored);
}

void target_tell_start(const struct target *target)
{
    const char *folder = kept_ledger(target);
    OWNED_CGROUP group = CGROUP_NONE;
    int root = -EBADF;

    if (folder == NULL)
        return;
    open_group(target, &root, &group);
    OWNED_FD owned = root;
    struct account_container container = describe(target, owned, group.dir_fd);
    (void) account_tell_start(folder, &container, &target->ledger->failure);
}

/* Who is killed here would be killed by the removal that follows. */
static bool is_settled(const struct target *target, const struct cgroup *group, bool kill)
{
    struct sub_err ignored = {.code = 0};

    if (group->dir_fd < 0 || cgroup_populated(group->dir_fd) == 0)
        return true;
    if (!kill)
        return false;
    if (target->record.cgroup_kept)
        return empty_group(target->arena, group->dir_fd, &ignored) == 0;
    return cgroup_end(group->dir_fd, DESTROY_LIMIT_MS, &ignored) == 0;
}

static bool is_told(const struct target *target)
{
    struct stat st;

    return sys_fstatat(target->dir_fd, STATE_TOLD, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The mark comes behind the record: who is killed between them tells it twice, and readers take
 * it once. */
static void tell_exit(const struct target *target, const char *folder,
                      const struct account_container *container, const struct cgroup_sample *sample)
{
    const struct account_end end = {.sample = sample,
                                    .has_status = target->has_status,
                                    .status = target->status,
                                    .life_us = target->life_us};
    struct sub_err ignored = {.code = 0};

    if (account_tell_exit(folder, container, &end, &target->ledger->failure) > 0)
        (void) state_save(target->dir_fd, STATE_TOLD, "", 0, &ignored);
}

static void fill_final(const struct target *target, bool counted)
{
    struct run_final *final = target->final;

    final->counted = counted;
    final->created = target->record.created;
    final->tenant = target->record.tenant;
    final->tenant_outside = target->record.tenant_outside;
    final->cgroup_path = target->record.cgroup_path;
}

void target_account(struct target *target, bool kill)
{
    const char *folder = kept_ledger(target);
    OWNED_CGROUP group = CGROUP_NONE;
    struct sub_err ignored = {.code = 0};
    struct cgroup_sample *sample = NULL;
    int root = -EBADF;

    if (folder != NULL && (!target->record.complete || is_told(target)))
        folder = NULL;
    if (folder == NULL && target->final == NULL)
        return;
    open_group(target, &root, &group);
    OWNED_FD owned = root;

    bool settled = is_settled(target, &group, kill);
    if (group.dir_fd >= 0)
        sample = target->final != NULL ? target->final->sample
                                       : arena_alloc(target->arena, sizeof *sample);
    if (sample != NULL &&
        cgroup_sample_read(group.dir_fd, target->final != NULL ? CG_READ_ALL : METER_FILES, sample,
                           &ignored) < 0)
        sample = NULL;
    if (target->final != NULL)
        fill_final(target, sample != NULL);
    if (folder == NULL || !settled)
        return;
    struct account_container container = describe(target, owned, group.dir_fd);
    tell_exit(target, folder, &container, sample);
}
