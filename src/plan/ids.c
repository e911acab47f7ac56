/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "sublet/base/buf.h"

#include "planning.h"

#define MAP_TEXT_MAX 4095 /* the kernel takes less than a page in its one write */

bool plan_map_id(const struct spec_id_mappings *maps, uint32_t id, uint32_t *ret_host_id)
{
    for (size_t i = 0; i < maps->count; i++) {
        const struct spec_id_mapping *map = &maps->items[i];

        if (id >= map->container_id && id - map->container_id < map->size) {
            *ret_host_id = map->host_id + (id - map->container_id);
            return true;
        }
    }
    return false;
}

bool plan_uid_is_mapped(const struct planning *p, uint32_t uid)
{
    uint32_t host_id;

    return !p->plan->ns.new_user || plan_map_id(&p->linux_->uid_mappings, uid, &host_id);
}

bool plan_gid_is_mapped(const struct planning *p, uint32_t gid)
{
    const struct host *host = p->host;
    uint32_t host_id;

    if (p->plan->ns.new_user)
        return plan_map_id(&p->linux_->gid_mappings, gid, &host_id);
    for (size_t i = 0; i < host->own_gid_count; i++) {
        if (gid - host->own_gids[i].first < host->own_gids[i].count)
            return true;
    }
    return p->plan->ns.join_user || host->own_gid_count == 0;
}

bool plan_uid_on_host(const struct planning *p, uint32_t uid, uint32_t *ret_uid)
{
    if (p->plan->ns.new_user)
        return plan_map_id(&p->linux_->uid_mappings, uid, ret_uid);
    if (p->plan->ns.join_user)
        return false; /* its maps are the business of whoever made it */
    *ret_uid = uid;
    return true;
}

const char *plan_map_text(struct planning *p, const struct spec_id_mappings *maps)
{
    OWNED_BUF buf;

    buf_init(&buf, MAP_TEXT_MAX);
    for (size_t i = 0; i < maps->count; i++)
        buf_printf(&buf, "%" PRIu32 " %" PRIu32 " %" PRIu32 "\n", maps->items[i].container_id,
                   maps->items[i].host_id, maps->items[i].size);
    return buf_failed(&buf) ? NULL : arena_strdup(p->arena, buf_text(&buf));
}

/* The same for newuidmap(1), behind its pid. */
static const char *const *map_args(struct planning *p, const struct spec_id_mappings *maps)
{
    const char **args = arena_array(p->arena, maps->count * 3 + 1, sizeof *args);

    if (args == NULL)
        return NULL;
    for (size_t i = 0; i < maps->count; i++) {
        const struct spec_id_mapping *map = &maps->items[i];

        args[3 * i] = arena_printf(p->arena, "%" PRIu32, map->container_id);
        args[3 * i + 1] = arena_printf(p->arena, "%" PRIu32, map->host_id);
        args[3 * i + 2] = arena_printf(p->arena, "%" PRIu32, map->size);
    }
    return args;
}

/* Without rights over groups a process may map only its own, and only after it has given up
 * setgroups(2) (user_namespaces(7)). More than that is done by newgidmap, which has the rights. */
static bool must_deny_setgroups(const struct planning *p)
{
    const struct spec_id_mappings *maps = &p->linux_->gid_mappings;

    return p->host->euid != 0 && maps->count == 1 && maps->items[0].size == 1 &&
           maps->items[0].host_id == p->host->egid;
}

static void decide_maps(struct planning *p)
{
    const struct spec_linux *linux_ = p->linux_;
    struct plan_ns *ns = &p->plan->ns;
    uint32_t host_id;

    ns->uid_map_text = plan_map_text(p, &linux_->uid_mappings);
    ns->gid_map_text = plan_map_text(p, &linux_->gid_mappings);
    if (ns->uid_map_text == NULL)
        plan_error(p, "linux.uidMappings", "needs more than %d bytes as text", MAP_TEXT_MAX);
    if (ns->gid_map_text == NULL)
        plan_error(p, "linux.gidMappings", "needs more than %d bytes as text", MAP_TEXT_MAX);
    ns->uid_map_args = map_args(p, &linux_->uid_mappings);
    ns->gid_map_args = map_args(p, &linux_->gid_mappings);
    ns->deny_setgroups = must_deny_setgroups(p);

    /* a namespace without a root of its own is legal; what it needs a root for goes to the host's
     * overflow id then, as the kernel does it */
    ns->root_uid_host = plan_map_id(&linux_->uid_mappings, 0, &host_id) ? host_id : 65534;
    ns->root_gid_host = plan_map_id(&linux_->gid_mappings, 0, &host_id) ? host_id : 65534;
}

void plan_decide_ids(struct planning *p)
{
    if (p->plan->ns.new_user)
        decide_maps(p);
}
