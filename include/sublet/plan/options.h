/* SPDX-License-Identifier: Apache-2.0 */
/* What the command line adds to a bundle. cli fills it, plan_make reads it, nobody else does. */
#ifndef SUBLET_PLAN_OPTIONS_H
#define SUBLET_PLAN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sublet/base/err.h"

enum option_cgroup_manager { OPTION_CGROUPFS, OPTION_SYSTEMD, OPTION_DISABLED };

struct options {
    const char *id;
    const char *bundle; /* absolute path of the bundle */
    enum option_cgroup_manager cgroup_manager;
    const char *console_socket; /* NULL: none */
    bool terminal_here;         /* foreground run: the runtime itself will be the console */
    bool detached;              /* create, or run --detach */
    uint32_t preserve_fds;      /* 3 .. 3+N stay open in the container */
    uint32_t listen_fds;        /* $LISTEN_FDS of the caller, counted into preserve_fds */
    const char *notify_socket;  /* $NOTIFY_SOCKET of the caller; NULL: none */
    bool no_pivot, no_new_keyring;
    /* --overlay LOWER[:LOWER...] and --upper DIR in the place of root.path */
    const char *const *overlay_lowers; /* topmost first; NULL: none */
    size_t overlay_lower_count;
    const char *tenant;        /* NULL: not named here */
    const char *tenants_dir;   /* the folder of definitions; absolute */
    const char *overlay_upper; /* NULL: thrown away with the container */
};

#endif
