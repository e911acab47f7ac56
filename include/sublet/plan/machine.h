/* SPDX-License-Identifier: Apache-2.0 */
/* The slices of a plan about pieces of the machine: memory nodes, cache classes, net devices. */
#ifndef SUBLET_PLAN_MACHINE_H
#define SUBLET_PLAN_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Arguments of set_mempolicy(2). */
struct plan_memory_policy {
    uint32_t mode;         /* MPOL_* with its MPOL_F_* */
    const uint64_t *nodes; /* bit n: node n; NULL: none */
    size_t node_words;
};

/* A folder of a resctrl file system, see Documentation/filesystems/resctrl.rst. */
struct plan_resctrl {
    const char *group; /* name below the mount; "": the root group */
    bool make;         /* where it is missing */
    bool alone;        /* it must be missing: it bears the container's own name */
    /* Lines that the group has to have, in two parts: a resource may stand in both, and the kernel
     * takes it once in one write. NULL: as it is. */
    const char *schemata[2];
    const char *monitor; /* monitoring group to make in it; NULL: none */
};

struct plan_net_device {
    const char *json;          /* "linux.netDevices['eth0']" */
    const char *name, *wanted; /* on the host, in the container ("eth%d": the kernel counts) */
};

struct plan_net_devices {
    const struct plan_net_device *items;
    size_t count;
};

#endif
