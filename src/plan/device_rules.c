/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources.devices: which device numbers the container's processes may open. */
#include <string.h>
#include <sys/stat.h>

#include "sublet/base/log.h"
#include "sublet/cgroups.h"

#include "planning.h"

#define ANY (-1)

/* What every container may do, as with runc: make any node (opening it is another matter), and use
 * the default devices, its terminals and tun. */
static const struct cg_device_rule allowed_always[] = {
    {true, 'c', ANY, ANY, CG_DEVICE_MKNOD},
    {true, 'b', ANY, ANY, CG_DEVICE_MKNOD},
    {true, 'c', 1,   3,   CG_DEVICE_ALL  }, /* null */
    {true, 'c', 1,   5,   CG_DEVICE_ALL  }, /* zero */
    {true, 'c', 1,   7,   CG_DEVICE_ALL  }, /* full */
    {true, 'c', 1,   8,   CG_DEVICE_ALL  }, /* random */
    {true, 'c', 1,   9,   CG_DEVICE_ALL  }, /* urandom */
    {true, 'c', 5,   0,   CG_DEVICE_ALL  }, /* tty */
    {true, 'c', 5,   2,   CG_DEVICE_ALL  }, /* ptmx */
    {true, 'c', 10,  200, CG_DEVICE_ALL  }, /* net/tun */
    {true, 'c', 136, ANY, CG_DEVICE_ALL  }, /* pts */
};
#define ALLOWED_ALWAYS (sizeof allowed_always / sizeof *allowed_always)

static const struct cg_device_rule deny_all = {false, 'a', ANY, ANY, CG_DEVICE_ALL};

static bool is_deny_all(const struct cg_device_rule *rule)
{
    return !rule->allow && rule->type == 'a' && rule->access == CG_DEVICE_ALL;
}

static bool read_rule(const struct spec_device_rule *item, struct cg_device_rule *ret_rule)
{
    const char *type = item->type == NULL || item->type[0] == '\0' ? "a" : item->type;
    int access = item->access == NULL || item->access[0] == '\0' ? (int) CG_DEVICE_ALL
                                                                 : cg_device_access(item->access);

    if (strchr("abc", type[0]) == NULL || type[1] != '\0' || access <= 0)
        return false; /* spec_check has told */
    *ret_rule = (struct cg_device_rule){
        .allow = item->allow,
        .type = type[0],
        .major = (item->has & SPEC_DEVICE_RULE_MAJOR) != 0 ? item->major : ANY,
        .minor = (item->has & SPEC_DEVICE_RULE_MINOR) != 0 ? item->minor : ANY,
        .access = (uint32_t) access,
    };
    return true;
}

/* A config without rules gets the devices that it lists: "Containers MAY NOT access any device
 * node" that is neither listed nor a default one (config-linux.md, "Devices"). */
static size_t add_listed_devices(const struct planning *p, struct cg_device_rule *rules)
{
    const struct plan_mounts *mounts = &p->plan->mounts;
    size_t count = 0;

    for (size_t i = 0; i < mounts->device_count; i++) {
        const struct plan_device *device = &mounts->devices[i];

        if (device->json == NULL || device->type == S_IFIFO)
            continue;
        rules[count++] = (struct cg_device_rule){.allow = true,
                                                 .type = device->type == S_IFBLK ? 'b' : 'c',
                                                 .major = device->major,
                                                 .minor = device->minor,
                                                 .access = CG_DEVICE_ALL};
    }
    return count;
}

void plan_decide_device_rules(struct planning *p)
{
    static const struct spec_device_rules none;
    const struct spec_device_rules *items =
        p->linux_->resources == NULL ? &none : &p->linux_->resources->devices;
    struct plan_cgroup *cgroup = &p->plan->cgroup;

    /* such a caller may not load the program, and the container cannot make nodes anyway */
    if (p->host->rootless) {
        log_debug("linux.resources.devices: left out, needs the rights of the host's root");
        return;
    }
    if (cgroup->manager == PLAN_CGROUP_DISABLED) {
        if (items->count > 0)
            plan_warning(p, "linux.resources.devices",
                         "not enforced, because the cgroup manager is 'disabled'");
        return;
    }

    size_t room = items->count + p->plan->mounts.device_count + ALLOWED_ALWAYS + 1;
    struct cg_device_rule *rules = arena_array(p->arena, room, sizeof *rules);
    size_t count = 0;

    if (rules == NULL)
        return;
    /* as crun and runc: what no rule names is denied, whether the list begins so or not */
    rules[count++] = deny_all;
    if (items->count == 0)
        count += add_listed_devices(p, &rules[count]);
    for (size_t i = 0; i < items->count; i++) {
        if (read_rule(&items->items[i], &rules[count]))
            count += i > 0 || !is_deny_all(&rules[count]);
    }
    memcpy(&rules[count], allowed_always, sizeof allowed_always);
    cgroup->device_rules = rules;
    cgroup->device_rule_count = count + ALLOWED_ALWAYS;
}
