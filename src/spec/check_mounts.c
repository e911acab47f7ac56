/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/path.h"

#include "check.h"

#define PATH_BYTES_MAX 4095
#define NAME_BYTES_MAX 255

/* What may cover a file of procfs: reports that a container manager makes up per container, and
 * two switches that are namespaced or harmless. Anything else would hide or fake kernel state. */
static const char *const proc_files[] = {
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/slabinfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/uptime",
    "/proc/net/dev",
    "/proc/sys/crypto/fips_enabled",
    "/proc/sys/kernel/ns_last_pid",
};

static bool has_option(const struct spec_mount *mount, const char *name)
{
    for (size_t i = 0; i < mount->options.count; i++) {
        if (strcmp(mount->options.items[i], name) == 0)
            return true;
    }
    return false;
}

static bool is_bind(const struct spec_mount *mount)
{
    return (mount->type != NULL && strcmp(mount->type, "bind") == 0) || has_option(mount, "bind") ||
           has_option(mount, "rbind");
}

static bool has_long_name(const char *path)
{
    while (*path != '\0') {
        size_t length = strcspn(path, "/");

        if (length > NAME_BYTES_MAX)
            return true;
        path += length + (path[length] == '/');
    }
    return false;
}

static void check_below_proc(const char *path, const char *clean, struct findings *findings)
{
    if (strncmp(clean, "/proc/", strlen("/proc/")) != 0)
        return;
    for (size_t i = 0; i < sizeof proc_files / sizeof *proc_files; i++) {
        if (strcmp(proc_files[i], clean) == 0)
            return;
    }
    findings_error(
        findings, path,
        QUOTED " is below /proc, where only reports such as /proc/meminfo may be covered", clean);
}

/* As the plan takes it: absolute, without dots. */
static const char *clean_destination(struct arena *arena, const char *destination)
{
    const char *clean = destination;

    if (!path_is_absolute(clean))
        clean = arena_printf(arena, "/%s", clean);
    return clean == NULL || path_is_canonical(clean) ? clean : path_clean(arena, clean);
}

/* config.md lets a relative one begin at the root, as old tools wrote it. */
static void tell_other_place(const char *path, const char *destination, const char *clean,
                             struct findings *findings)
{
    if (!path_is_absolute(destination)) {
        findings_warning(findings, path,
                         QUOTED " is not absolute, which is deprecated: taken as " QUOTED,
                         destination, clean);
    } else if (strstr(destination, "/..") != NULL && strcmp(clean, destination) != 0) {
        findings_warning(findings, path, QUOTED " is taken as " QUOTED, destination, clean);
    }
}

static void check_destination(const char *path, const char *destination, struct findings *findings)
{
    if (destination[0] == '\0') {
        findings_error(findings, path, "empty, expected a path that starts with '/'");
        return;
    }
    if (strlen(destination) > PATH_BYTES_MAX || has_long_name(destination)) {
        findings_error(findings, path, "too long, at most %d bytes and %d in one name are allowed",
                       PATH_BYTES_MAX, NAME_BYTES_MAX);
    }
    if (has_control_character(destination))
        findings_error(findings, path, "control character in a path");

    const char *clean = clean_destination(findings->arena, destination);
    if (clean == NULL)
        return;
    if (strcmp(clean, "/") == 0) {
        findings_error(findings, path, QUOTED " is the root, expected a path below it",
                       destination);
        return;
    }
    tell_other_place(path, destination, clean, findings);
    check_below_proc(path, clean, findings);
}

/* "idmap" or "ridmap": a container's own user namespace has maps for them, too. */
static bool wants_idmap(const struct spec_mount *mount)
{
    for (size_t i = 0; i < mount->options.count; i++) {
        const char *option = mount->options.items[i];

        if (strcmp(option + (*option == 'r'), "idmap") == 0)
            return true;
    }
    return false;
}

static void check_maps(size_t i, const struct spec_mount *mount, bool has_user,
                       struct findings *findings)
{
    bool uids = mount->uid_mappings.count > 0, gids = mount->gid_mappings.count > 0;

    if (uids != gids) {
        findings_error(findings, WHERE("mounts[%zu].%s", i, uids ? "gidMappings" : "uidMappings"),
                       "missing, %s are there and neither goes without the other",
                       uids ? "uidMappings" : "gidMappings");
    }
    if (!uids && !gids && !has_user && wants_idmap(mount)) {
        findings_error(findings, WHERE("mounts[%zu].uidMappings", i),
                       "missing, idmap needs them or a namespace of type 'user'");
    }
    check_id_mappings(WHERE("mounts[%zu].uidMappings", i), &mount->uid_mappings, findings);
    check_id_mappings(WHERE("mounts[%zu].gidMappings", i), &mount->gid_mappings, findings);
}

static void check_mount(size_t i, const struct spec_mount *mount, bool has_user,
                        struct findings *findings)
{
    bool bind = is_bind(mount);
    bool changes = has_option(mount, "remount"); /* what is there has both */

    check_destination(WHERE("mounts[%zu].destination", i), mount->destination, findings);
    if (bind && !changes && mount->source == NULL) {
        findings_error(findings, WHERE("mounts[%zu].source", i),
                       "missing, a bind mount needs a source");
    }
    if (!bind && !changes && mount->type == NULL) {
        findings_error(findings, WHERE("mounts[%zu].type", i),
                       "missing, expected a file system type or the option 'bind'");
    }
    check_maps(i, mount, has_user, findings);
}

void check_mounts(const struct spec *spec, struct findings *findings)
{
    if (spec->mounts.count > SPEC_MOUNTS_MAX) {
        findings_error(findings, "mounts", "%zu mounts, at most %d are allowed", spec->mounts.count,
                       SPEC_MOUNTS_MAX);
        return;
    }
    bool has_user = spec_namespace(spec, "user") != NULL;
    for (size_t i = 0; i < spec->mounts.count; i++)
        check_mount(i, &spec->mounts.items[i], has_user, findings);
}

int spec_check_mounts(const struct spec *spec, struct findings *findings)
{
    check_mounts(spec, findings);
    return findings->error_count == 0 ? 0 : -EINVAL;
}
