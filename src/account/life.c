/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/account/life.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "sublet/account/ledger.h"
#include "sublet/account/meter.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/cgroups.h"
#include "sublet/sys.h"
#include "sublet/tenant.h"

bool account_is_kept(const char *ledger_dir)
{
    /* to read: the ledger of a host is not that of a root of some user namespace */
    OWNED_FD fd = sys_openat(AT_FDCWD, ledger_dir, O_RDONLY | O_DIRECTORY, 0);

    /* one that was asked for and is no folder is told by whoever writes */
    return fd >= 0 || fd == -ENOTDIR;
}

/* A group that is there; its totals go to sample. */
static int read_group(int root_fd, const char *path, uint64_t files, struct cgroup_sample *sample,
                      uint64_t *ret_id)
{
    struct sub_err ignored = {.code = 0};
    OWNED_CGROUP group = CGROUP_NONE;
    struct stat st;

    if (root_fd < 0 || path == NULL)
        return -ENOENT;
    SUBLET_TRY(cgroup_open(root_fd, path, &group, &ignored));
    SUBLET_TRY(sys_fstat(group.dir_fd, &st));
    SUBLET_TRY(cgroup_sample_read(group.dir_fd, files, sample, &ignored));
    *ret_id = st.st_ino;
    return 0;
}

static struct ledger_record describe(const char *kind, const struct account_container *container,
                                     struct ledger_group *group)
{
    struct ledger_record record = {
        .k = kind,
        .id = container->id,
        .created = container->created,
        .tenant = container->tenant,
        .outside = container->tenant != NULL && container->outside,
        .cg = container->cgroup_id,
    };
    struct cgroup_sample sample;

    /* absent from a record that could not have it */
    if (read_group(container->root_fd, container->tenant_group, CG_READ(CPU_STAT), &sample,
                   &group->cg) == 0) {
        group->use = sample.cpu.usage_us;
        group->usr = sample.cpu.user_us;
        group->sys = sample.cpu.system_us;
        record.group = group;
    }
    return record;
}

/* 1 if there is one, 0 if the host keeps none. */
static int open_ledger(const char *ledger_dir, struct ledger *ret_ledger, struct sub_err *err)
{
    int rc = ledger_open(ledger_dir, false, ret_ledger, err);

    if (rc == -ENOENT)
        return 0;
    return rc < 0 ? rc : 1;
}

int account_tell_start(const char *ledger_dir, const struct account_container *container,
                       struct sub_err *err)
{
    OWNED_LEDGER ledger = LEDGER_NONE;
    struct ledger_group group = {.cg = 0};
    struct ledger_record record;
    int rc = open_ledger(ledger_dir, &ledger, err);

    if (rc <= 0)
        return rc;
    record = describe(LEDGER_START, container, &group);
    return ledger_append(&ledger, &record, err);
}

/* Counters of a controller that the group did not have would be read as 0. */
static void put_counters(const struct cgroup_sample *sample, struct meter_scratch *scratch,
                         struct ledger_record *record)
{
    meter_container_record(sample, scratch, record);
    if (sample->memory.present == 0)
        record->mem = NULL;
    if (sample->pids.present == 0)
        record->pids = NULL;
    if (sample->io_pressure.present == 0)
        record->iop = NULL;
}

int account_tell_exit(const char *ledger_dir, const struct account_container *container,
                      const struct account_end *end, struct sub_err *err)
{
    OWNED_LEDGER ledger = LEDGER_NONE;
    struct ledger_group group = {.cg = 0};
    struct meter_scratch scratch;
    struct ledger_record record;
    int rc = open_ledger(ledger_dir, &ledger, err);

    if (rc <= 0)
        return rc;
    if (strncmp(container->boot_id, ledger.boot, strlen(ledger.boot)) != 0)
        return 0;
    record = describe(LEDGER_EXIT, container, &group);
    record.winus = end->life_us;
    record.has = end->has_status ? LEDGER_HAS_STATUS : 0;
    record.status = end->status;
    if (end->sample != NULL)
        put_counters(end->sample, &scratch, &record);
    SUBLET_TRY(ledger_append(&ledger, &record, err));
    /* the group with its counters is about to go: no later record could make up for this one */
    SUBLET_TRY(ledger_sync(&ledger, err));
    return 1;
}

int account_tell_tenant(const char *ledger_dir, enum account_event event, int root_fd,
                        const struct tenant_group *group, struct sub_err *err)
{
    OWNED_LEDGER ledger = LEDGER_NONE;
    struct meter_scratch scratch;
    struct cgroup_sample sample;
    struct ledger_record record = {
        .k = event == ACCOUNT_CLOSE ? LEDGER_CLOSE : LEDGER_CONTRACT,
        .tenant = group->tenant->name,
        .contract = group->contract,
        .entmicro = group->entitled_us_per_s,
    };

    SUBLET_TRY(ledger_open(ledger_dir, true, &ledger, err));
    if (read_group(root_fd, group->group, METER_FILES, &sample, &record.cg) == 0)
        put_counters(&sample, &scratch, &record);
    SUBLET_TRY(ledger_append(&ledger, &record, err));
    return ledger_sync(&ledger, err);
}
