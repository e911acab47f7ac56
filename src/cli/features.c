/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The features document (runtime-spec, features.md): what this program can do, whatever the host.
 * Vocabularies are the planner's own tables, so nothing is told that is not accepted.
 */
#include <string.h>

#include "sublet/base/buf.h"
#include "sublet/base/words.h"
#include "sublet/json.h"
#include "sublet/plan.h"

#include "command.h"
#include "texts.h"

static void strings(struct json_writer *writer, const char *key, const char *const *items,
                    size_t count)
{
    json_write_array(writer, key);
    for (size_t i = 0; i < count; i++)
        json_write_string(writer, NULL, items[i]);
    json_write_end(writer);
}

static void names(struct json_writer *writer, const char *key, const struct words *words)
{
    json_write_array(writer, key);
    for (size_t i = 0; i < words->count; i++)
        json_write_string(writer, NULL, words->rows[i].name);
    json_write_end(writer);
}

static void enabled(struct json_writer *writer, const char *key, bool value)
{
    json_write_object(writer, key);
    json_write_bool(writer, "enabled", value);
    json_write_end(writer);
}

static void mount_options(struct json_writer *writer)
{
    json_write_array(writer, "mountOptions");
    for (size_t i = 0; i < plan_mount_word_count(); i++)
        json_write_string(writer, NULL, plan_mount_word(i));
    json_write_end(writer);
}

static void cgroup(struct json_writer *writer, bool systemd)
{
    json_write_object(writer, "cgroup");
    json_write_bool(writer, "v1", false);
    json_write_bool(writer, "v2", true);
    json_write_bool(writer, "systemd", systemd);
    json_write_bool(writer, "systemdUser", systemd);
    json_write_bool(writer, "rdma", true);
    json_write_end(writer);
}

static void seccomp(struct json_writer *writer)
{
    json_write_object(writer, "seccomp");
    json_write_bool(writer, "enabled", true);
    names(writer, "actions", &plan_seccomp_actions);
    names(writer, "operators", &plan_seccomp_operators);
    names(writer, "archs", &plan_seccomp_archs);
    names(writer, "knownFlags", &plan_seccomp_flags);
    names(writer, "supportedFlags", &plan_seccomp_flags);
    json_write_end(writer);
}

static void linux_features(struct json_writer *writer, bool systemd)
{
    json_write_object(writer, "linux");
    names(writer, "namespaces", &plan_namespaces);
    names(writer, "capabilities", &plan_capabilities);
    cgroup(writer, systemd);
    seccomp(writer);
    enabled(writer, "apparmor", true);
    enabled(writer, "selinux", true);
    json_write_object(writer, "intelRdt");
    json_write_bool(writer, "enabled", true);
    json_write_bool(writer, "schemata", true);
    json_write_bool(writer, "monitoring", true);
    json_write_end(writer);
    json_write_object(writer, "memoryPolicy");
    names(writer, "modes", &plan_memory_modes);
    names(writer, "flags", &plan_memory_flags);
    json_write_end(writer);
    json_write_object(writer, "mountExtensions");
    enabled(writer, "idmap", true);
    json_write_end(writer);
    enabled(writer, "netDevices", true);
    json_write_end(writer);
}

void features_json(struct buf *buf, bool systemd)
{
    static const char *const hooks[] = {
        "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
    };
    static const char *const unsafe[] = {
        "org.systemd.property.",
        "run.oci.keep_original_groups",
        "run.oci.mount_context_type",
        "run.oci.systemd.subgroup",
    };
    struct json_writer writer;

    json_writer_init(&writer, buf, 2);
    json_write_object(&writer, NULL);
    json_write_string(&writer, "ociVersionMin", "1.0.0");
    json_write_string(&writer, "ociVersionMax", SPEC_VERSION);
    strings(&writer, "hooks", hooks, sizeof hooks / sizeof *hooks);
    mount_options(&writer);
    linux_features(&writer, systemd);
    json_write_object(&writer, "annotations");
    json_write_string(&writer, "org.sublet.commit", version_commit());
    json_write_string(&writer, "org.sublet.version", SUBLET_VERSION);
    json_write_end(&writer);
    strings(&writer, "potentiallyUnsafeConfigAnnotations", unsafe, sizeof unsafe / sizeof *unsafe);
    json_write_end(&writer);
    buf_putc(buf, '\n');
}
