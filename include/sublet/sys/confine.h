/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process gives up for good before it goes on for long, or reads what strangers send. Files
 * are refused by Landlock: a kernel without it refuses them by their permissions alone.
 */
#ifndef SUBLET_SYS_CONFINE_H
#define SUBLET_SYS_CONFINE_H

enum sys_confinement {
    SYS_MAY_READ,    /* no capability; no file is made, written, removed or executed */
    SYS_MAY_NOTHING, /* and none is opened; root becomes nobody */
};

int sys_confine(enum sys_confinement confinement);

#endif
