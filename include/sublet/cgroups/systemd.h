/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver for groups that systemd makes: a transient scope around a process. What systemd holds
 * as a property of the scope it writes again whenever it likes (systemctl daemon-reload); what has
 * no property, or does not keep its exact value as one, belongs into a group below the scope, which
 * systemd leaves alone. Needs the program libexec/sublet/systemd, started when asked for.
 */
#ifndef SUBLET_CGROUPS_SYSTEMD_H
#define SUBLET_CGROUPS_SYSTEMD_H

#include <stdbool.h>
#include <stddef.h>

#include "sublet/base/answer.h"
#include "sublet/cgroups.h"
#include "sublet/sys/program.h"

/* ---- properties: pure ---- */

struct cg_property {
    const char *name;  /* "MemoryMax" */
    const char *type;  /* of D-Bus: s b u t, as, ay, a(ss), a(st) */
    const char *value; /* elements of arrays with blanks between; bytes as hexadecimal */
};

struct cg_properties {
    struct arena *arena;
    struct cg_property *items;
    size_t count, room;
};

/* Sets a property; the last word counts. One line of text: systemd's own separator ends it. */
int cg_property_set(struct cg_properties *properties, const char *name, const char *type,
                    const char *value, struct sub_err *err);

/* What rows are for systemd, in their order. A row without a property, or with a text that only
 * the kernel understands, adds none. CPU quotas become whole percents, rounded up. */
int cg_properties_of_rows(struct cg_properties *properties, const struct cg_row *rows, size_t count,
                          struct sub_err *err);

/* DevicePolicy and DeviceAllow: all that the rules may allow. systemd knows no order of rules, so
 * the program of cgroup_devices_apply() stays the one that decides. */
int cg_properties_of_devices(struct cg_properties *properties, const struct cg_device_rule *rules,
                             size_t count, struct sub_err *err);
/* For a unit that lives: systemd adds to a list that it has, so that is emptied first; no rules, or
 * such as allow everything, lift the policy. */
int cg_properties_renew_devices(struct cg_properties *properties,
                                const struct cg_device_rule *rules, size_t count,
                                struct sub_err *err);

/* "prefix-name.scope", "a-b.slice": letters, digits and :-_.\@ up to 255 bytes. */
bool cg_unit_is_name(const char *name, const char *suffix);

/* The group of a slice below the manager's: "a-b.slice" -> "a.slice/a-b.slice", "-.slice" -> "".
 * NULL if it is not the name of a slice. */
const char *cg_slice_path(struct arena *arena, const char *slice);

/* ---- the manager ---- */

struct cg_systemd {
    struct sys_talk talk;
    char group[2048]; /* of the manager itself: "", or "user.slice/..." */
};
#define CG_SYSTEMD_NONE ((struct cg_systemd){.talk = SYS_TALK_NONE})

/* Whether the program is installed. */
bool cg_systemd_is_there(void);

/* is_user: the session manager of the caller. -ENXIO: there is no such manager. */
int cg_systemd_open(bool is_user, struct cg_systemd *ret_systemd, struct sub_err *err);
void cg_systemd_close(struct cg_systemd *systemd);
#define OWNED_SYSTEMD __attribute__((cleanup(cg_systemd_close))) struct cg_systemd

/* Makes the scope with that process in it, waits until it is there, and tells its group (below the
 * mount, no leading slash; arena memory). Nothing is left of it on failure. */
int cg_systemd_start(struct cg_systemd *systemd, const char *unit, pid_t pid,
                     const struct cg_properties *properties, const char **ret_group,
                     struct sub_err *err);
int cg_systemd_set(struct cg_systemd *systemd, const char *unit,
                   const struct cg_properties *properties, struct sub_err *err);
/* Ends the scope and what runs in it; 0 too if there is none. The name is free afterwards. */
int cg_systemd_stop(struct cg_systemd *systemd, const char *unit, struct sub_err *err);

#endif
