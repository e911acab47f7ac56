/* SPDX-License-Identifier: Apache-2.0 */
/* An update of a container's limits: what is written for the fields that are given, and what the
 * whole of them is then. Pure, as plan_make; the group's files are read through `present`. */
#ifndef SUBLET_PLAN_UPDATE_H
#define SUBLET_PLAN_UPDATE_H

#include "sublet/cgroups.h"
#include "sublet/cgroups/update.h"
#include "sublet/plan/host.h"

struct arena;
struct findings;
struct spec_intel_rdt;
struct spec_resources;

struct plan_update_request {
    const struct spec_resources *given;
    const struct spec_resources *saved; /* what the container has so far; NULL: nothing */
    const struct spec_intel_rdt *rdt;   /* new lines for its cache class; NULL: as they are */
    const struct host *host;
    struct cg_present present;
};

struct plan_update {
    struct cg_changes changes;
    const struct cg_device_rule *device_rules; /* NULL: the update names no devices */
    size_t device_rule_count;
    const char *schemata; /* lines for its cache class; NULL: none */
    const struct spec_resources *merged;
};

/* All errors and warnings go to findings. -EINVAL with the first error, -ENOMEM. */
int plan_update(struct arena *arena, const struct plan_update_request *request,
                struct findings *findings, struct plan_update *ret_update, struct sub_err *err);

#endif
