/* SPDX-License-Identifier: Apache-2.0 */
/* What a config may leave open where the caller is not the host's root: a user namespace, its maps,
 * and groups that nobody could set. */
#include <errno.h>

#include "sublet/base/arena.h"
#include "sublet/base/warn.h"
#include "sublet/plan.h"
#include "sublet/spec.h"

struct completing {
    struct arena *arena;
    struct spec *spec; /* copies that may be written */
    struct spec_linux *linux_;
    const struct host *host;
    struct findings *findings;
};

static bool overlaps(const struct spec_id_mapping *left, uint32_t first, uint32_t count)
{
    return (uint64_t) left->host_id < (uint64_t) first + count &&
           first < (uint64_t) left->host_id + left->size;
}

static bool is_taken(const struct spec_id_mapping *items, size_t count,
                     const struct host_range *range)
{
    for (size_t i = 0; i < count; i++) {
        if (overlaps(&items[i], range->first, range->count))
            return true;
    }
    return false;
}

/* The own id as 0, the ranges from 1 on. */
static struct spec_id_mappings make_maps(struct arena *arena, uint32_t own,
                                         const struct host_ranges *ranges)
{
    size_t room = ranges->no_helper ? 0 : ranges->count;
    struct spec_id_mapping *items = arena_array(arena, room + 1, sizeof *items);
    uint64_t next = 1;
    size_t count = 1;

    if (items == NULL)
        return (struct spec_id_mappings){.count = 0};
    items[0] = (struct spec_id_mapping){.container_id = 0, .host_id = own, .size = 1};
    for (size_t i = 0; i < room && count < SPEC_ID_MAPPINGS_MAX; i++) {
        const struct host_range *range = &ranges->items[i];

        if (next + range->count > UINT32_MAX || is_taken(items, count, range))
            continue;
        items[count++] = (struct spec_id_mapping){
            .container_id = (uint32_t) next, .host_id = range->first, .size = range->count};
        next += range->count;
    }
    return (struct spec_id_mappings){items, count};
}

static void add_namespace(struct completing *c)
{
    const struct spec_namespaces *from = &c->linux_->namespaces;
    struct spec_namespace *items = arena_array(c->arena, from->count + 1, sizeof *items);

    if (items == NULL)
        return;
    items[0] = (struct spec_namespace){.type = "user"};
    for (size_t i = 0; i < from->count; i++)
        items[i + 1] = from->items[i];
    c->linux_->namespaces = (struct spec_namespaces){items, from->count + 1};
    findings_warning(c->findings, "linux.namespaces",
                     "a 'user' namespace is added, without which uid %u cannot make the others",
                     c->host->euid);
}

static bool has_id(const struct spec_id_mappings *maps, uint32_t id)
{
    for (size_t i = 0; i < maps->count; i++) {
        if (id >= maps->items[i].container_id &&
            id - maps->items[i].container_id < maps->items[i].size)
            return true;
    }
    return false;
}

/* Why an id that the process asks for does not exist is known here alone. */
static void explain(struct completing *c, const char *path, const char *file, const char *tool,
                    const struct host_ranges *ranges)
{
    if (ranges->no_helper) {
        findings_warning(c->findings, path,
                         "%s has ids for user '%s', but %s is not installed (package uidmap)", file,
                         c->host->user->name, tool);
    } else {
        findings_warning(c->findings, path, "%s has %s ids for user '%s'", file,
                         ranges->count == 0 ? "no" : "not enough", c->host->user->name);
    }
}

static void check_reach(struct completing *c)
{
    const struct spec_process *process = c->spec->process;

    if (process == NULL)
        return;
    if (!has_id(&c->linux_->uid_mappings, process->user.uid))
        explain(c, "linux.uidMappings", "/etc/subuid", "newuidmap", &c->host->user->uids);
    if (!has_id(&c->linux_->gid_mappings, process->user.gid))
        explain(c, "linux.gidMappings", "/etc/subgid", "newgidmap", &c->host->user->gids);
}

static void add_maps(struct completing *c)
{
    const struct host *host = c->host;

    if (spec_namespace(c->spec, "user") == NULL)
        add_namespace(c);
    c->linux_->uid_mappings = make_maps(c->arena, host->euid, &host->user->uids);
    c->linux_->gid_mappings = make_maps(c->arena, host->egid, &host->user->gids);
    check_reach(c);
}

/* A single group that is one's own is mapped without a helper, and takes setgroups(2) away: groups
 * besides it exist for nobody there. */
static bool drop_groups(struct completing *c)
{
    const struct spec_id_mappings *maps = &c->linux_->gid_mappings;
    struct spec_process *process;

    if (c->spec->process == NULL || c->spec->process->user.additional_gids.count == 0 ||
        c->host->euid == 0 || maps->count != 1 || maps->items[0].size != 1 ||
        maps->items[0].host_id != c->host->egid)
        return false;
    process = arena_alloc(c->arena, sizeof *process);
    if (process == NULL)
        return false;
    *process = *c->spec->process;
    process->user.additional_gids = (struct spec_u32s){.count = 0};
    c->spec->process = process;
    findings_warning(c->findings, "process.user.additionalGids",
                     "cannot be set: one mapped group and no right to setgroups(2)");
    return true;
}

int plan_complete(struct arena *arena, const struct spec **spec, const struct host *host,
                  struct findings *findings)
{
    struct spec_linux *linux_ = arena_alloc(arena, sizeof *linux_);
    struct spec *copy = arena_alloc(arena, sizeof *copy);
    struct completing c = {arena, copy, linux_, host, findings};
    bool changed = host->user != NULL;

    if (linux_ == NULL || copy == NULL)
        return -ENOMEM;
    *copy = **spec;
    if (copy->linux_ != NULL)
        *linux_ = *copy->linux_;
    if (changed) {
        add_maps(&c);
        copy->linux_ = linux_;
    }
    changed = drop_groups(&c) || changed;
    if (changed)
        *spec = copy;
    return arena_failed(arena) ? -ENOMEM : changed;
}
