/* SPDX-License-Identifier: Apache-2.0 */
/* The whole, and its small sections: version, root, names, hooks, annotations. */
#include "check.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "sublet/base/path.h"

const struct spec_namespace *spec_namespace(const struct spec *spec, const char *type)
{
    if (spec->linux_ == NULL)
        return NULL;
    for (size_t i = 0; i < spec->linux_->namespaces.count; i++) {
        const struct spec_namespace *namespace = &spec->linux_->namespaces.items[i];

        if (strcmp(namespace->type, type) == 0)
            return namespace;
    }
    return NULL;
}

/* "rc.1", "build-7": identifiers with dots between them, up to stop; SemVer allows a number of a
 * pre-release no leading zero. */
static bool take_identifiers(const char **at, const char *stop, bool strict_numbers)
{
    for (;; (*at)++) {
        const char *start = *at;

        while (isalnum((unsigned char) **at) || **at == '-')
            (*at)++;

        size_t length = (size_t) (*at - start);
        bool number = strspn(start, "0123456789") >= length;
        if (length == 0 || (strict_numbers && number && length > 1 && *start == '0'))
            return false;
        if (**at != '.')
            return strchr(stop, **at) != NULL;
    }
}

/* "1.2.3", with SemVer's "-rc.1" and "+build" behind it. */
static bool is_semver(const char *text)
{
    for (int part = 0; part < 3; part++) {
        size_t digits = strspn(text, "0123456789");

        if (digits == 0 || (digits > 1 && *text == '0'))
            return false;
        text += digits;
        if (part < 2 && *text++ != '.')
            return false;
    }
    if (*text == '-') {
        text++;
        if (!take_identifiers(&text, "+", true))
            return false;
    }
    if (*text == '+') {
        text++;
        if (!take_identifiers(&text, "", false))
            return false;
    }
    return *text == '\0';
}

static void check_version(const char *version, struct findings *findings)
{
    if (!is_semver(version)) {
        findings_error(findings, "ociVersion", QUOTED " is not a version, expected 1.x.y", version);
    } else if (strncmp(version, "1.", 2) != 0) {
        findings_error(findings, "ociVersion", QUOTED " is not supported, expected 1.x.y", version);
    }
}

static void check_root(const struct spec_root *root, struct findings *findings)
{
    if (root == NULL) {
        findings_error(findings, "root", "missing, a Linux container needs root.path");
    } else if (root->path[0] == '\0') {
        findings_error(findings, "root.path", "empty, expected the folder of the root file system");
    } else if (strspn(root->path, "/.") == strlen(root->path) && root->path[0] == '/') {
        findings_error(findings, "root.path",
                       QUOTED " is the host's own root, expected a folder below it", root->path);
    }
}

static void check_name(const struct spec *spec, const char *field, const char *name,
                       struct findings *findings)
{
    if (name == NULL)
        return;
    if (strlen(name) > SPEC_HOSTNAME_MAX) {
        findings_error(findings, field, "%zu bytes, at most %d are allowed", strlen(name),
                       SPEC_HOSTNAME_MAX);
    }
    if (has_control_character(name))
        findings_error(findings, field, "control character in a name");
    if (spec_namespace(spec, "uts") == NULL)
        findings_error(findings, field, "needs a namespace of type 'uts' in linux.namespaces");
}

static void check_hook_list(const char *kind, const struct spec_hook_list *hooks,
                            struct findings *findings)
{
    for (size_t i = 0; i < hooks->count; i++) {
        const struct spec_hook *hook = &hooks->items[i];

        if (!path_is_absolute(hook->path)) {
            findings_error(findings, WHERE("hooks.%s[%zu].path", kind, i),
                           QUOTED " is not absolute, expected a path that starts with '/'",
                           hook->path);
        }
        if ((hook->has & SPEC_HOOK_TIMEOUT) != 0 && hook->timeout_s <= 0) {
            findings_error(findings, WHERE("hooks.%s[%zu].timeout", kind, i),
                           "%lld is not allowed, expected at least 1 second",
                           (long long) hook->timeout_s);
        }
        check_env(WHERE("hooks.%s[%zu].env", kind, i), &hook->env, findings);
    }
}

static void check_hooks(const struct spec_hooks *hooks, struct findings *findings)
{
    if (hooks == NULL)
        return;
    check_hook_list("prestart", &hooks->prestart, findings);
    check_hook_list("createRuntime", &hooks->create_runtime, findings);
    check_hook_list("createContainer", &hooks->create_container, findings);
    check_hook_list("startContainer", &hooks->start_container, findings);
    check_hook_list("poststart", &hooks->poststart, findings);
    check_hook_list("poststop", &hooks->poststop, findings);
}

static void check_annotations(const struct spec_pairs *annotations, struct findings *findings)
{
    for (size_t i = 0; i < annotations->count; i++) {
        if (annotations->items[i].key[0] == '\0')
            findings_error(findings, "annotations['']", "empty key, expected a name");
    }
}

int spec_check(const struct spec *spec, struct findings *findings)
{
    check_version(spec->oci_version, findings);
    check_root(spec->root, findings);
    if (spec->process == NULL) {
        findings_error(findings, "process", "missing, expected the process to run");
    } else {
        (void) spec_check_process(spec->process, findings); /* its errors are in findings */
    }
    check_name(spec, "hostname", spec->hostname, findings);
    check_name(spec, "domainname", spec->domainname, findings);
    check_mounts(spec, findings);
    check_hooks(spec->hooks, findings);
    check_annotations(&spec->annotations, findings);
    check_linux(spec, findings);
    return findings->error_count > 0 ? -EINVAL : 0;
}
