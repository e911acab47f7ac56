/* SPDX-License-Identifier: Apache-2.0 */
/* The plan as a tree: namespaces, root, mounts, devices, group, hooks. */
#include "show.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/stat.h>

#include "sublet/base/buf.h"
#include "sublet/base/words.h"
#include "sublet/cgroups.h"
#include "sublet/cgroups/systemd.h"

#include "planning.h"

/* ---- vocabularies ---- */

static const struct word propagation_rows[] = {
    {"private",    MS_PRIVATE   },
    {"shared",     MS_SHARED    },
    {"slave",      MS_SLAVE     },
    {"unbindable", MS_UNBINDABLE},
};
static const struct words propagations = WORDS(propagation_rows);

/* An attribute when it is set, and what its absence is called where it was asked for. */
static const struct {
    uint64_t bit;
    const char *on, *off;
} attributes[] = {
    {MOUNT_ATTR_RDONLY,      "ro",          "rw"       },
    {MOUNT_ATTR_NOSUID,      "nosuid",      "suid"     },
    {MOUNT_ATTR_NODEV,       "nodev",       "dev"      },
    {MOUNT_ATTR_NOEXEC,      "noexec",      "exec"     },
    {MOUNT_ATTR_NOATIME,     "noatime",     NULL       },
    {MOUNT_ATTR_STRICTATIME, "strictatime", NULL       },
    {MOUNT_ATTR_NODIRATIME,  "nodiratime",  "diratime" },
    {MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow", "symfollow"},
};

static void show_attributes(struct show *show, const char *key, uint64_t set, uint64_t clear)
{
    if (set == 0 && clear == 0)
        return;
    show_words(show, key);
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        if ((set & attributes[i].bit) != 0)
            show_word(show, attributes[i].on);
        else if ((clear & attributes[i].bit) != 0 && attributes[i].off != NULL)
            show_word(show, attributes[i].off);
    }
    if ((clear & MOUNT_ATTR__ATIME) != 0 && (set & MOUNT_ATTR__ATIME) == 0)
        show_word(show, "relatime");
    show_words_end(show);
}

static void show_propagation(struct show *show, uint64_t propagation, bool recursive)
{
    char text[16];

    if (propagation == 0)
        return;
    (void) snprintf(text, sizeof text, "%s%s", recursive ? "r" : "",
                    words_name(&propagations, propagation));
    show_text(show, "propagation", text);
}

static void show_strings(struct show *show, const char *key, const char *const *items, size_t count)
{
    if (count == 0)
        return;
    show_list(show, key);
    for (size_t i = 0; i < count; i++)
        show_line(show, items[i]);
    show_end(show);
}

void show_vector(struct show *show, const char *key, char *const *items)
{
    size_t count = 0;

    while (items != NULL && items[count] != NULL)
        count++;
    show_strings(show, key, (const char *const *) items, count);
}

static void show_pairs(struct show *show, const char *key, const struct plan_pair *pairs,
                       size_t count)
{
    if (count == 0)
        return;
    show_object(show, key);
    for (size_t i = 0; i < count; i++)
        show_text(show, pairs[i].key, pairs[i].value);
    show_end(show);
}

/* ---- slices ---- */

static void show_namespaces(struct show *show, const struct plan_ns *ns)
{
    show_object(show, "namespaces");
    show_words(show, "new");
    for (size_t i = 0; i < plan_namespaces.count; i++) {
        if ((ns->create & plan_namespaces.rows[i].value) != 0)
            show_word(show, plan_namespaces.rows[i].name);
    }
    show_words_end(show);
    if (ns->join_count > 0) {
        show_list(show, "join");
        for (size_t i = 0; i < ns->join_count; i++) {
            show_entry(show);
            show_text(show, "kind", words_name(&plan_namespaces, ns->joins[i].kind));
            show_text(show, "path", ns->joins[i].path);
            show_text(show, "from", ns->joins[i].json);
            show_entry_end(show);
        }
        show_end(show);
    }
    show_text(show, "uidMap", ns->uid_map_text);
    show_text(show, "gidMap", ns->gid_map_text);
    show_true(show, "denySetgroups", ns->deny_setgroups);
    if (ns->new_user) {
        show_number(show, "rootUidOnHost", ns->root_uid_host);
        show_number(show, "rootGidOnHost", ns->root_gid_host);
    }
    show_text(show, "timeOffsets", ns->timens_text);
    show_text(show, "hostname", ns->hostname);
    show_text(show, "domainname", ns->domainname);
    show_end(show);
}

static void show_root(struct show *show, const struct plan_root *root)
{
    show_object(show, "root");
    show_text(show, "path", root->path);
    show_strings(show, "lowerLayers", root->lowers, root->lower_count);
    if (root->lower_count > 0)
        show_text(show, "upperLayer", root->upper == NULL ? "thrown away" : root->upper);
    show_true(show, "readonly", root->readonly);
    show_propagation(show, root->propagation, root->propagation_recursive);
    show_true(show, "noPivot", root->no_pivot);
    show_true(show, "atPathForHooks", root->at_path);
    show_text(show, "mountLabel", root->mount_label);
    show_end(show);
}

static void show_option(struct show *show, const struct plan_fs_option *option)
{
    OWNED_BUF text; /* an overlay's paths have no bound but the config's own */

    buf_init(&text, SPEC_MAX_BYTES);
    buf_printf(&text, "%s%s%s", option->key, option->value == NULL ? "" : "=",
               option->value == NULL ? "" : option->value);
    show_word(show, buf_text(&text));
}

static void show_mount(struct show *show, const struct plan_mount *mount)
{
    static const char *const kinds[] = {
        [PLAN_MOUNT_BIND] = "bind",       [PLAN_MOUNT_NEW] = "new",
        [PLAN_MOUNT_CGROUP] = "cgroup",   [PLAN_MOUNT_NOTIFY] = "notify",
        [PLAN_MOUNT_REMOUNT] = "remount",
    };

    show_entry(show);
    show_text(show, "target", mount->target);
    show_text(show, "kind",
              mount->kind == PLAN_MOUNT_BIND && mount->recursive ? "rbind" : kinds[mount->kind]);
    show_text(show, "type", mount->type);
    show_text(show, "source", mount->source);
    show_attributes(show, "attributes", mount->attr_set, mount->attr_clear);
    show_attributes(show, "recursive", mount->tree_set, mount->tree_clear);
    if (mount->option_count > 0) {
        show_words(show, "options");
        for (size_t i = 0; i < mount->option_count; i++)
            show_option(show, &mount->options[i]);
        show_words_end(show);
    }
    show_propagation(show, mount->propagation, mount->propagation_recursive);
    if (mount->idmap > 0) {
        show_number(show, "idMap", mount->idmap - 1);
        show_true(show, "idMapRecursive", mount->idmap_recursive);
    }
    show_true(show, "copyUp", mount->copy_up);
    show_true(show, "targetWithoutLinks", mount->target_no_symlinks);
    show_true(show, "targetNoFollow", mount->target_nofollow);
    show_true(show, "sourceNoFollow", mount->source_nofollow);
    show_true(show, "copySymlink", mount->copy_symlink);
    show_true(show, "mayFallBackToBind", mount->may_fall_back_to_bind);
    show_true(show, "cgroupNamespace", mount->with_cgroup_namespace);
    show_text(show, "from", mount->json);
    show_entry_end(show);
}

static void show_idmaps(struct show *show, const struct plan_mounts *mounts)
{
    if (mounts->idmap_count == 0)
        return;
    show_list(show, "mountIdMaps");
    for (size_t i = 0; i < mounts->idmap_count; i++) {
        show_entry(show);
        show_text(show, "uidMap", mounts->idmaps[i].uid_map_text);
        show_text(show, "gidMap", mounts->idmaps[i].gid_map_text);
        show_text(show, "userNamespace", mounts->idmaps[i].user_namespace);
        show_text(show, "from", mounts->idmaps[i].json);
        show_entry_end(show);
    }
    show_end(show);
}

static void show_mounts(struct show *show, const struct plan_mounts *mounts)
{
    show_list(show, "mounts");
    for (size_t i = 0; i < mounts->count; i++)
        show_mount(show, &mounts->items[i]);
    show_end(show);
    show_idmaps(show, mounts);
    show_text(show, "bindSourcesOpenedBy", mounts->sources_by_parent ? "parent" : "child");
    show_strings(show, "maskedPaths", mounts->masked, mounts->masked_count);
    show_strings(show, "readonlyPaths", mounts->readonly, mounts->readonly_count);
}

static void show_devices(struct show *show, const struct plan_mounts *mounts)
{
    if (mounts->device_count == 0 && mounts->link_count == 0)
        return;
    show_text(show, "devicesBy", mounts->devices_by_bind ? "bind" : "mknod");
    show_list(show, "devices");
    for (size_t i = 0; i < mounts->device_count; i++) {
        const struct plan_device *device = &mounts->devices[i];
        char number[32];

        (void) snprintf(number, sizeof number, "%" PRIu32 ":%" PRIu32, device->major,
                        device->minor);
        show_entry(show);
        show_text(show, "path", device->path);
        show_text(show, "type",
                  device->type == S_IFIFO ? "p" : (device->type == S_IFBLK ? "b" : "c"));
        if (device->type != S_IFIFO)
            show_text(show, "number", number);
        show_octal(show, "mode", device->mode);
        show_number(show, "uid", device->uid);
        show_number(show, "gid", device->gid);
        show_text(show, "from", device->json);
        show_entry_end(show);
    }
    show_end(show);
    show_list(show, "links");
    for (size_t i = 0; i < mounts->link_count; i++) {
        show_entry(show);
        show_text(show, "path", mounts->links[i].path);
        show_text(show, "target", mounts->links[i].target);
        show_entry_end(show);
    }
    show_end(show);
}

/* "allow c 1:3 rwm", as in the files of cgroup v1, which everybody reads */
static void show_device_rule(struct show *show, const struct cg_device_rule *rule)
{
    char major[24] = "*", minor[24] = "*", text[96];

    if (rule->major >= 0)
        (void) snprintf(major, sizeof major, "%" PRId64, rule->major);
    if (rule->minor >= 0)
        (void) snprintf(minor, sizeof minor, "%" PRId64, rule->minor);
    (void) snprintf(text, sizeof text, "%s %c %s:%s %s%s%s", rule->allow ? "allow" : "deny",
                    rule->type, major, minor, (rule->access & CG_DEVICE_READ) != 0 ? "r" : "",
                    (rule->access & CG_DEVICE_WRITE) != 0 ? "w" : "",
                    (rule->access & CG_DEVICE_MKNOD) != 0 ? "m" : "");
    show_line(show, text);
}

static void show_unit(struct show *show, const struct plan_cgroup *cgroup)
{
    if (cgroup->unit == NULL)
        return;
    show_text(show, "unit", cgroup->unit);
    show_true(show, "sessionManager", cgroup->user_manager);
    show_object(show, "properties");
    for (size_t i = 0; i < cgroup->property_count; i++)
        show_text(show, cgroup->properties[i].name, cgroup->properties[i].value);
    show_end(show);
}

static void show_cgroup(struct show *show, const struct plan_cgroup *cgroup)
{
    static const char *const managers[] = {[PLAN_CGROUPFS] = "cgroupfs",
                                           [PLAN_CGROUP_SYSTEMD] = "systemd",
                                           [PLAN_CGROUP_DISABLED] = "disabled"};
    const struct cg_device_rule *rules = cgroup->device_rules;

    show_object(show, "cgroup");
    show_text(show, "manager", managers[cgroup->manager]);
    show_text(show, "path", cgroup->path);
    show_text(show, "shown", cgroup->shown);
    show_unit(show, cgroup);
    show_text(show, "tenant", cgroup->tenant);
    show_true(show, "outsideOfContract", cgroup->tenant_outside);
    if (cgroup->controllers != 0) {
        show_words(show, "controllers");
        for (uint32_t bit = 1; bit != 0 && bit <= cgroup->controllers; bit <<= 1) {
            if ((cgroup->controllers & bit) != 0)
                show_word(show, cg_controller_name(bit));
        }
        show_words_end(show);
    }
    if (cgroup->row_count > 0) {
        show_list(show, "limits");
        for (size_t i = 0; i < cgroup->row_count; i++) {
            show_entry(show);
            show_text(show, "file", cgroup->rows[i].file);
            show_text(show, "text", cgroup->rows[i].text);
            show_true(show, "afterClone", cgroup->rows[i].after_clone);
            show_true(show, "mayBeAbsent", cgroup->rows[i].absent != CG_ABSENT_FAILS);
            show_text(show, "from", cgroup->rows[i].path);
            show_entry_end(show);
        }
        show_end(show);
    }
    if (cgroup->device_rule_count > 0) {
        show_list(show, "deviceRules");
        for (size_t i = 0; i < cgroup->device_rule_count; i++)
            show_device_rule(show, &rules[i]);
        show_end(show);
    }
    if (cgroup->delegate)
        show_number(show, "ownerOnHost", cgroup->delegate_uid);
    show_end(show);
}

static void show_resctrl(struct show *show, const struct plan_resctrl *resctrl)
{
    if (resctrl == NULL)
        return;
    show_object(show, "resctrl");
    show_text(show, "group", resctrl->group[0] == '\0' ? "/" : resctrl->group);
    show_true(show, "madeWhereMissing", resctrl->make);
    show_text(show, "schemata", resctrl->schemata[0]);
    show_text(show, "schemataBehind", resctrl->schemata[1]);
    show_text(show, "monitor", resctrl->monitor);
    show_end(show);
}

static void show_net_devices(struct show *show, const struct plan_net_devices *devices)
{
    if (devices->count == 0)
        return;
    show_list(show, "netDevices");
    for (size_t i = 0; i < devices->count; i++) {
        show_entry(show);
        show_text(show, "device", devices->items[i].name);
        show_text(show, "as", devices->items[i].wanted);
        show_entry_end(show);
    }
    show_end(show);
}

static void show_hooks(struct show *show, const struct plan_hooks hooks[PLAN_HOOK_KINDS])
{
    size_t total = 0;

    for (size_t kind = 0; kind < PLAN_HOOK_KINDS; kind++)
        total += hooks[kind].count;
    if (total == 0)
        return;
    show_list(show, "hooks");
    for (size_t kind = 0; kind < PLAN_HOOK_KINDS; kind++) {
        for (size_t i = 0; i < hooks[kind].count; i++) {
            const struct plan_hook *hook = &hooks[kind].items[i];

            show_entry(show);
            show_text(show, "kind", plan_hook_names[kind]);
            show_text(show, "path", hook->path);
            show_words(show, "args");
            for (char *const *arg = hook->args; *arg != NULL; arg++)
                show_word(show, *arg);
            show_words_end(show);
            if (hook->env != NULL) {
                show_words(show, "env");
                for (char *const *variable = hook->env; *variable != NULL; variable++)
                    show_word(show, *variable);
                show_words_end(show);
            }
            if (hook->timeout_s > 0)
                show_signed(show, "timeoutSeconds", hook->timeout_s);
            show_entry_end(show);
        }
    }
    show_end(show);
}

static int show_plan(const struct plan *plan, struct buf *buf, bool is_json)
{
    struct show show;

    show_init(&show, buf, is_json);
    show_text(&show, "id", plan->id);
    show_text(&show, "bundle", plan->bundle);
    show_text(&show, "ociVersion", plan->oci_version);
    show_namespaces(&show, &plan->ns);
    show_root(&show, &plan->root);
    show_mounts(&show, &plan->mounts);
    show_devices(&show, &plan->mounts);
    show_process(&show, &plan->process, plan->mounts.console);
    show_memory_policy(&show, plan->memory_policy);
    show_net_devices(&show, &plan->net_devices);
    show_cgroup(&show, &plan->cgroup);
    show_pairs(&show, "sysctls", plan->sysctls, plan->sysctl_count);
    show_resctrl(&show, plan->resctrl);
    show_hooks(&show, plan->hooks);
    show_pairs(&show, "annotations", plan->annotations, plan->annotation_count);
    show_done(&show);
    return buf_failed(buf) ? -ENOMEM : 0;
}

int plan_show_text(const struct plan *plan, struct buf *buf)
{
    return show_plan(plan, buf, false);
}

int plan_show_json(const struct plan *plan, struct buf *buf)
{
    return show_plan(plan, buf, true);
}
