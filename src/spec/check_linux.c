/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "sublet/base/path.h"

#include "check.h"

#define NANOSECS_MAX    999999999
#define NAME_BYTES_MAX  255
#define PATHS_MAX       65536
/* what the cgroups library takes */
#define GROUP_BYTES_MAX 2047
#define GROUP_NAMES_MAX 64

static const char *const namespace_names[] = {
    "mount", "pid", "network", "ipc", "uts", "user", "cgroup", "time",
};
static const struct vocabulary namespace_words = VOCABULARY("namespace", namespace_names);

static const char *const clock_names[] = {"monotonic", "boottime"};
static const struct vocabulary clock_words = VOCABULARY("clock", clock_names);

static const char *const propagation_names[] = {
    "shared", "slave", "private", "unbindable", "rshared", "rslave", "rprivate", "runbindable",
};
static const struct vocabulary propagation_words = VOCABULARY("propagation", propagation_names);

static const char *const domain_names[] = {"LINUX", "LINUX32"};
static const struct vocabulary domain_words = VOCABULARY("domain", domain_names);

static void check_namespaces(const struct spec *spec, struct findings *findings)
{
    const struct spec_namespaces *list = &spec->linux_->namespaces;

    for (size_t i = 0; i < list->count; i++) {
        const struct spec_namespace *namespace = &list->items[i];

        if (!check_word(&namespace_words, namespace->type, WHERE("linux.namespaces[%zu].type", i),
                        findings))
            continue;
        if (spec_namespace(spec, namespace->type) != namespace) {
            findings_error(findings, WHERE("linux.namespaces[%zu].type", i),
                           "a second namespace of type '%s', at most one is allowed",
                           namespace->type);
        }
        if (namespace->path != NULL && !path_is_absolute(namespace->path)) {
            findings_error(findings, WHERE("linux.namespaces[%zu].path", i),
                           QUOTED " is not absolute, expected a path that starts with '/'",
                           namespace->path);
        }
    }
    /* every mount would land on the host */
    if (spec_namespace(spec, "mount") == NULL)
        findings_error(findings, "linux.namespaces", "no entry of type 'mount', expected one");
}

static void check_time_offsets(const struct spec *spec, struct findings *findings)
{
    const struct spec_time_offsets *offsets = &spec->linux_->time_offsets;
    const struct spec_namespace *time = spec_namespace(spec, "time");

    if (offsets->count == 0)
        return;
    if (time == NULL) {
        findings_error(findings, "linux.timeOffsets",
                       "needs a namespace of type 'time' in linux.namespaces");
    } else if (time->path != NULL) {
        findings_error(findings, "linux.timeOffsets",
                       "not allowed where the time namespace is joined by its path");
    }
    for (size_t i = 0; i < offsets->count; i++) {
        const struct spec_time_offset *offset = &offsets->items[i];
        const char *path = WHERE("linux.timeOffsets['%.48s']", offset->clock);

        if (check_word(&clock_words, offset->clock, path, findings)) {
            (void) check_range(offset->nanosecs, 0, NANOSECS_MAX,
                               WHERE("linux.timeOffsets['%s'].nanosecs", offset->clock), findings);
        }
    }
}

/* "/a/b", "a/b" or systemd's "slice:prefix:name": plain components, each a folder's name. */
static const char *cgroups_path_fault(const char *path)
{
    const char *at = path + (*path == '/');

    if (has_control_character(path))
        return "control character in a path";
    if (strlen(at) > GROUP_BYTES_MAX)
        return "path of more than 2047 bytes";
    for (unsigned depth = 1;; depth++) {
        size_t length = strcspn(at, "/");

        if (length == 0)
            return "empty name in a path";
        if (length > NAME_BYTES_MAX)
            return "name of more than 255 bytes";
        if (strncmp(at, ".", length) == 0 || strncmp(at, "..", length) == 0)
            return "'.' or '..' in a path";
        if (depth > GROUP_NAMES_MAX)
            return "path of more than 64 names";
        at += length;
        if (*at == '\0')
            return NULL;
        at++;
    }
}

static void check_cgroups_path(const char *path, struct findings *findings)
{
    const char *fault = path == NULL ? NULL : cgroups_path_fault(path);

    if (fault != NULL) {
        findings_error(findings, "linux.cgroupsPath",
                       QUOTED ": %s, expected '/parent/name' or 'slice:prefix:name'", path, fault);
    }
}

static void check_paths(const char *field, const struct spec_strings *paths,
                        struct findings *findings)
{
    if (paths->count > PATHS_MAX) {
        findings_error(findings, WHERE("linux.%s", field), "%zu paths, at most %d are allowed",
                       paths->count, PATHS_MAX);
        return;
    }
    for (size_t i = 0; i < paths->count; i++) {
        const char *path = paths->items[i];

        if (!path_is_absolute(path)) {
            findings_error(findings, WHERE("linux.%s[%zu]", field, i),
                           QUOTED " is not absolute, expected a path that starts with '/'", path);
        } else if (strspn(path, "/.") == strlen(path)) {
            findings_error(findings, WHERE("linux.%s[%zu]", field, i),
                           QUOTED " is the root, expected a path below it", path);
        }
    }
}

static void check_personality(const struct spec_personality *personality, struct findings *findings)
{
    if (personality == NULL)
        return;
    (void) check_word(&domain_words, personality->domain, "linux.personality.domain", findings);
    if (personality->flags.count > 0) {
        findings_error(findings, "linux.personality.flags[0]",
                       QUOTED " is not supported, the specification knows no flags",
                       personality->flags.items[0]);
    }
}

void check_linux(const struct spec *spec, struct findings *findings)
{
    const struct spec_linux *linux_ = spec->linux_;

    if (linux_ == NULL) {
        findings_error(findings, "linux.namespaces", "no entry of type 'mount', expected one");
        return;
    }
    check_namespaces(spec, findings);
    check_ids(spec, findings);
    check_time_offsets(spec, findings);
    check_devices(&linux_->devices, findings);
    check_cgroups_path(linux_->cgroups_path, findings);
    if (linux_->resources != NULL)
        (void) spec_check_resources(linux_->resources, findings); /* its errors are in findings */
    check_sysctl(spec, findings);
    check_seccomp(linux_->seccomp, findings);
    if (linux_->rootfs_propagation != NULL) {
        (void) check_word(&propagation_words, linux_->rootfs_propagation, "linux.rootfsPropagation",
                          findings);
    }
    check_paths("maskedPaths", &linux_->masked_paths, findings);
    check_paths("readonlyPaths", &linux_->readonly_paths, findings);
    check_personality(linux_->personality, findings);
    check_memory_policy(linux_->memory_policy, findings);
    check_intel_rdt(linux_->intel_rdt, findings);
    check_net_devices(spec, findings);
}
