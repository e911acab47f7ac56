/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the runtime itself writes to the ledger, with no meter running: a container starts and ends,
 * a tenant is set and removed. Where the host keeps no ledger, that is where its folder is not,
 * nothing is written, and that is no error.
 */
#ifndef SUBLET_ACCOUNT_LIFE_H
#define SUBLET_ACCOUNT_LIFE_H

#include <stdbool.h>
#include <stdint.h>

struct cgroup_sample;
struct sub_err;
struct tenant_group;

struct account_container {
    const char *id, *created;
    const char *boot_id;      /* under which it was made */
    const char *tenant;       /* NULL: nobody's */
    bool outside;             /* it is not in its tenant's group */
    const char *tenant_group; /* that group, below the v2 mount; NULL where it is outside */
    int root_fd;              /* of the v2 mount; -EBADF: none */
    uint64_t cgroup_id;       /* inode of its own group; 0: none */
};

struct account_end {
    const struct cgroup_sample *sample; /* NULL: it had no group, or that is gone */
    bool has_status;
    int status;       /* as a shell knows it */
    uint64_t life_us; /* 0: nobody saw the end */
};

/* One look. */
bool account_is_kept(const char *ledger_dir);

int account_tell_start(const char *ledger_dir, const struct account_container *container,
                       struct sub_err *err);
/* 1 if it is written, through to the disk; 0: no ledger, or a container of an earlier boot. */
int account_tell_exit(const char *ledger_dir, const struct account_container *container,
                      const struct account_end *end, struct sub_err *err);

/* The totals of a tenant's group as they are, written through to the disk. Makes the ledger. */
enum account_event { ACCOUNT_CONTRACT, ACCOUNT_CLOSE };
int account_tell_tenant(const char *ledger_dir, enum account_event event, int root_fd,
                        const struct tenant_group *group, struct sub_err *err);

#endif
