/* SPDX-License-Identifier: Apache-2.0 */
/* linux.memoryPolicy, linux.intelRdt, linux.netDevices: words, names, lists. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "sublet/base/num.h"

#include "check.h"

#define DEVICE_NAME_MAX 15 /* IFNAMSIZ without its NUL */

/* ---- memory policy ---- */

static const char *const mode_names[] = {
    "MPOL_DEFAULT", "MPOL_BIND",      "MPOL_INTERLEAVE",     "MPOL_WEIGHTED_INTERLEAVE",
    "MPOL_LOCAL",   "MPOL_PREFERRED", "MPOL_PREFERRED_MANY",
};
static const struct vocabulary modes = VOCABULARY("mode", mode_names);

static const char *const flag_names[] = {
    "MPOL_F_NUMA_BALANCING",
    "MPOL_F_RELATIVE_NODES",
    "MPOL_F_STATIC_NODES",
};
static const struct vocabulary flags = VOCABULARY("flag", flag_names);

static bool take_node(const char **at, uint32_t *ret_node)
{
    char digits[NUM_TEXT];
    size_t length = strspn(*at, "0123456789");

    if (length >= sizeof digits)
        return false;
    memcpy(digits, *at, length);
    digits[length] = '\0';
    *at += length;
    return num_parse_u32(digits, SPEC_NODES_MAX - 1, ret_node) == 0;
}

bool spec_parse_nodes(const char *list, uint64_t ret_bits[SPEC_NODES_MAX / 64])
{
    uint64_t bits[SPEC_NODES_MAX / 64] = {0};

    for (;;) {
        uint32_t first, last;

        if (!take_node(&list, &first))
            return false;
        last = first;
        if (*list == '-') {
            list++;
            if (!take_node(&list, &last) || last < first)
                return false;
        }
        for (uint32_t node = first; node <= last; node++)
            bits[node / 64] |= (uint64_t) 1 << node % 64;
        if (*list == '\0')
            break;
        if (*list++ != ',')
            return false;
    }
    memcpy(ret_bits, bits, sizeof bits);
    return true;
}

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(word, *words) == 0)
            return true;
    }
    return false;
}

static bool has_flag(const struct spec_memory_policy *policy, const char *flag)
{
    for (size_t i = 0; i < policy->flags.count; i++) {
        if (strcmp(policy->flags.items[i], flag) == 0)
            return true;
    }
    return false;
}

/* set_mempolicy(2) answers all of these with the same EINVAL. */
static void check_nodes(const struct spec_memory_policy *policy, struct findings *findings)
{
    static const char *const without[] = {"MPOL_DEFAULT", "MPOL_LOCAL", NULL};
    uint64_t bits[SPEC_NODES_MAX / 64];

    if (policy->nodes == NULL) {
        if (!is_one_of(policy->mode, without) && strcmp(policy->mode, "MPOL_PREFERRED") != 0)
            findings_error(findings, "linux.memoryPolicy.nodes", "missing, %s needs at least one",
                           policy->mode);
        return;
    }
    if (!spec_parse_nodes(policy->nodes, bits)) {
        findings_error(findings, "linux.memoryPolicy.nodes",
                       QUOTED " is not a list, expected numbers below %d and rising ranges such as "
                              "'0-3,7'",
                       policy->nodes, SPEC_NODES_MAX);
    } else if (is_one_of(policy->mode, without)) {
        findings_error(findings, "linux.memoryPolicy.nodes", "%s takes none", policy->mode);
    }
}

static void check_flags(const struct spec_memory_policy *policy, struct findings *findings)
{
    static const char *const balanced[] = {"MPOL_BIND", "MPOL_PREFERRED_MANY", NULL};
    bool fixed = has_flag(policy, "MPOL_F_STATIC_NODES");
    bool relative = has_flag(policy, "MPOL_F_RELATIVE_NODES");

    for (size_t i = 0; i < policy->flags.count; i++)
        (void) check_word(&flags, policy->flags.items[i], WHERE("linux.memoryPolicy.flags[%zu]", i),
                          findings);
    if (fixed && relative) {
        findings_error(findings, "linux.memoryPolicy.flags",
                       "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
    }
    if ((fixed || relative) && policy->nodes == NULL) {
        findings_error(findings, "linux.memoryPolicy.flags",
                       "MPOL_F_%s_NODES is about nodes, and there are none",
                       fixed ? "STATIC" : "RELATIVE");
    }
    if (has_flag(policy, "MPOL_F_NUMA_BALANCING") && !is_one_of(policy->mode, balanced)) {
        findings_error(findings, "linux.memoryPolicy.flags",
                       "MPOL_F_NUMA_BALANCING goes with MPOL_BIND and MPOL_PREFERRED_MANY alone");
    }
}

void check_memory_policy(const struct spec_memory_policy *policy, struct findings *findings)
{
    if (policy == NULL)
        return;
    if (check_word(&modes, policy->mode, "linux.memoryPolicy.mode", findings))
        check_nodes(policy, findings);
    check_flags(policy, findings);
}

/* ---- cache and memory bandwidth ---- */

/* "/" is the root group. The rest are folders, of which some names are the kernel's. */
static void check_class(const char *name, struct findings *findings)
{
    static const char *const taken[] = {".", "..", "info", "mon_groups", "mon_data", NULL};

    if (name == NULL || strcmp(name, "/") == 0)
        return;
    if (strchr(name, '/') != NULL || strlen(name) > 255 || has_control_character(name) ||
        is_one_of(name, taken)) {
        findings_error(findings, "linux.intelRdt.closID",
                       QUOTED " cannot name a class, expected a plain name of a folder, or '/'",
                       name);
    }
}

/* "L3:0=f;1=3": one resource with its values. What they mean is the kernel's to judge. */
static bool is_schema(const char *line)
{
    size_t name = strcspn(line, ":");

    return name > 0 && line[name] == ':' && line[name + 1] != '\0' && !has_control_character(line);
}

void check_intel_rdt(const struct spec_intel_rdt *rdt, struct findings *findings)
{
    if (rdt == NULL)
        return;
    check_class(rdt->clos_id, findings);
    if (rdt->mem_bw_schema != NULL &&
        (strncmp(rdt->mem_bw_schema, "MB:", 3) != 0 || !is_schema(rdt->mem_bw_schema))) {
        findings_error(findings, "linux.intelRdt.memBwSchema",
                       QUOTED " is not one line that starts with 'MB:'", rdt->mem_bw_schema);
    }
    for (size_t i = 0; i < rdt->schemata.count; i++) {
        if (!is_schema(rdt->schemata.items[i])) {
            findings_error(findings, WHERE("linux.intelRdt.schemata[%zu]", i),
                           QUOTED " is not a line such as 'L3:0=f;1=f'", rdt->schemata.items[i]);
        }
    }
}

int spec_check_intel_rdt(const struct spec_intel_rdt *rdt, struct findings *findings)
{
    size_t before = findings->error_count;

    check_intel_rdt(rdt, findings);
    return findings->error_count == before ? 0 : -EINVAL;
}

/* ---- network devices ---- */

/* As the kernel has it (dev_valid_name). */
static bool is_device_name(const char *name)
{
    size_t length = strlen(name);

    if (length == 0 || length > DEVICE_NAME_MAX || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0)
        return false;
    for (; *name != '\0'; name++) {
        if (*name == '/' || *name == ':' || isspace((unsigned char) *name) ||
            iscntrl((unsigned char) *name))
            return false;
    }
    return true;
}

/* One "%d" at most, and no other '%'. */
static bool is_template_or_plain(const char *name)
{
    const char *sign = strchr(name, '%');

    return sign == NULL || (sign[1] == 'd' && strchr(sign + 1, '%') == NULL);
}

static const char *name_inside(const struct spec_net_device *device)
{
    return device->name == NULL ? device->device : device->name;
}

static void check_net_device(const struct spec_net_devices *devices, size_t index,
                             struct findings *findings)
{
    const struct spec_net_device *device = &devices->items[index];
    const char *wanted = name_inside(device);

    if (!is_device_name(device->device) || strchr(device->device, '%') != NULL) {
        findings_error(findings, "linux.netDevices",
                       QUOTED " cannot name a device, expected 1 to %d bytes without '/', ':', "
                              "'%%' and blanks",
                       device->device, DEVICE_NAME_MAX);
        return;
    }
    if (device->name != NULL && (!is_device_name(wanted) || !is_template_or_plain(wanted))) {
        findings_error(findings, WHERE("linux.netDevices['%s'].name", device->device),
                       QUOTED " cannot name a device, expected 1 to %d bytes without '/', ':' and "
                              "blanks, with at most one '%%d'",
                       wanted, DEVICE_NAME_MAX);
        return;
    }
    for (size_t i = 0; i < index && strchr(wanted, '%') == NULL; i++) {
        if (strcmp(name_inside(&devices->items[i]), wanted) == 0) {
            findings_error(findings, WHERE("linux.netDevices['%s']", device->device),
                           "a second device that is to be called '%s'", wanted);
            return;
        }
    }
}

void check_net_devices(const struct spec *spec, struct findings *findings)
{
    const struct spec_net_devices *devices = &spec->linux_->net_devices;

    if (devices->count == 0)
        return;
    if (spec_namespace(spec, "network") == NULL) {
        findings_error(findings, "linux.netDevices",
                       "needs a namespace of type 'network' in linux.namespaces");
    }
    for (size_t i = 0; i < devices->count; i++)
        check_net_device(devices, i, findings);
}
