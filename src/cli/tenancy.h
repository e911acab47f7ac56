/* SPDX-License-Identifier: Apache-2.0 */
/* The tenant commands: definitions, machine and plan in one hand, and what is shown of them. */
#ifndef SUBLET_CLI_TENANCY_H
#define SUBLET_CLI_TENANCY_H

#include <stdbool.h>

#include "sublet/base/err.h"
#include "sublet/base/warn.h"
#include "sublet/tenant.h"

struct arena;
struct buf;
struct call;

struct tenancy {
    struct arena *arena;
    const char *path;           /* of the folder of definitions */
    int dir_fd, root_fd;        /* -EBADF: no folder; no hierarchy that carries contracts */
    struct sub_err unavailable; /* why not; code 0 if it does */
    struct tenants tenants;
    struct tenant_host host;
    struct findings findings;
    const struct tenant_plan *plan;
};

void tenancy_done(struct tenancy *tenancy);
#define OWNED_TENANCY __attribute__((cleanup(tenancy_done))) struct tenancy

const char *tenancy_path(const struct call *call);

enum tenancy_purpose { TENANCY_LOOK, TENANCY_APPLY /* locks */, TENANCY_CHANGE /* makes, locks */ };

/* Opens and reads; makes no plan. */
int tenancy_open(const struct call *call, enum tenancy_purpose purpose, struct tenancy *ret_tenancy,
                 struct sub_err *err);
bool tenancy_is_empty(const struct tenancy *tenancy); /* nothing but what is built in */
/* The plan for things as they are; again after a change of tenants. */
int tenancy_plan(struct tenancy *tenancy, struct sub_err *err);
const struct tenant_group *tenancy_find(const struct tenancy *tenancy, const char *name,
                                        struct sub_err *err);
/* Refuses a name that is no tenant's here: nothing defines it, or nothing that can be read. */
int tenancy_lacks(const struct tenancy *tenancy, const char *name, struct sub_err *err);
/* The findings so far, as warnings; true if some of them were errors. */
bool tenancy_tell(struct tenancy *tenancy);

/* The sums, and every file that would be written; name NULL: of all tenants. */
int tenancy_show_changes(struct tenancy *tenancy, const char *name, bool json, struct sub_err *err);
/* The same of a removal: the tenant of that group is no longer among the others. */
int tenancy_show_removal(struct tenancy *tenancy, const char *group, bool json,
                         struct sub_err *err);
int tenancy_list(struct tenancy *tenancy, bool json, struct sub_err *err);
/* 1 as exit status if something differs from the contract. */
int tenancy_show(struct tenancy *tenancy, const char *name, bool json, struct sub_err *err);

#endif
