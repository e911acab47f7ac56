/* SPDX-License-Identifier: Apache-2.0 */
/* Id-mapped mounts: whose ids they show. */
#include <linux/sched.h>
#include <string.h>

#include "sublet/base/num.h"

#include "mount_words.h"
#include "planning.h"

/* ---- maps in an option: "uids=0-1000-1#1-2000-10;gids=@0-0-1" ---- */

/* A run of digits of *at, as strict as every number here; moves *at behind it. */
static bool take_id(const char **at, uint32_t *ret_id)
{
    char digits[NUM_TEXT];
    size_t length = strspn(*at, "0123456789");

    if (length >= sizeof digits)
        return false;
    memcpy(digits, *at, length);
    digits[length] = '\0';
    *at += length;
    return num_parse_u32(digits, UINT32_MAX, ret_id) == 0;
}

static bool take_sign(const char **at, char sign)
{
    if (**at != sign)
        return false;
    (*at)++;
    return true;
}

/* "0-1000-1": an id of the file system, what it is shown as, how many. Behind '@' the second one is
 * an id of the container: what its user namespace makes of it is meant. */
static bool take_map(const char **at, const struct spec_id_mappings *own,
                     struct spec_id_mapping *ret_map)
{
    bool relative = take_sign(at, '@');
    struct spec_id_mapping map;

    if (!take_id(at, &map.container_id) || !take_sign(at, '-') || !take_id(at, &map.host_id) ||
        !take_sign(at, '-') || !take_id(at, &map.size) || map.size == 0)
        return false;
    if (relative) {
        uint32_t first = map.host_id, last_host;

        /* all of them by one entry, or there is no such range */
        if (first > UINT32_MAX - (map.size - 1) || !plan_map_id(own, first, &map.host_id) ||
            !plan_map_id(own, first + (map.size - 1), &last_host) ||
            last_host - map.host_id != map.size - 1)
            return false;
    }
    *ret_map = map;
    return true;
}

static bool take_maps(struct planning *p, const char **at, const struct spec_id_mappings *own,
                      struct spec_id_mappings *ret_maps)
{
    struct spec_id_mapping *items;
    size_t room = 1, count = 0;

    for (const char *c = *at; *c != '\0' && *c != ';'; c++)
        room += *c == '#';
    if (room > SPEC_ID_MAPPINGS_MAX)
        return false;
    items = arena_array(p->arena, room, sizeof *items);
    if (items == NULL)
        return false;
    do {
        if (!take_map(at, own, &items[count++]))
            return false;
    } while (take_sign(at, '#'));
    *ret_maps = (struct spec_id_mappings){.items = items, .count = count};
    return true;
}

static bool read_option(struct planning *p, const char *text, struct spec_id_mappings *ret_uids,
                        struct spec_id_mappings *ret_gids)
{
    const struct spec_linux *linux_ = p->linux_;
    struct spec_id_mappings uids = {.count = 0}, gids = {.count = 0};

    do {
        bool is_uid = strncmp(text, "uids=", 5) == 0;
        struct spec_id_mappings *maps = is_uid ? &uids : &gids;

        if ((!is_uid && strncmp(text, "gids=", 5) != 0) || maps->count > 0)
            return false;
        text += 5;
        if (!take_maps(p, &text, is_uid ? &linux_->uid_mappings : &linux_->gid_mappings, maps))
            return false;
    } while (take_sign(&text, ';'));
    *ret_uids = uids;
    *ret_gids = gids;
    return *text == '\0' && uids.count > 0 && gids.count > 0;
}

/* ---- the choice ---- */

static const char *user_namespace_path(const struct planning *p)
{
    const struct plan_ns *ns = &p->plan->ns;

    for (size_t i = 0; i < ns->join_count; i++) {
        if (ns->joins[i].kind == CLONE_NEWUSER)
            return ns->joins[i].path;
    }
    return NULL;
}

static bool same_text(const char *left, const char *right)
{
    if (left == NULL || right == NULL)
        return left == right;
    return strcmp(left, right) == 0;
}

/* The index of the entry with these maps, a new one where there is none yet. */
static size_t share(struct planning *p, const struct plan_idmap *wanted)
{
    struct plan_mounts *mounts = &p->plan->mounts;
    struct plan_idmap *items = (struct plan_idmap *) mounts->idmaps;

    for (size_t i = 0; i < mounts->idmap_count; i++) {
        if (same_text(items[i].uid_map_text, wanted->uid_map_text) &&
            same_text(items[i].gid_map_text, wanted->gid_map_text) &&
            same_text(items[i].user_namespace, wanted->user_namespace))
            return i;
    }
    items[mounts->idmap_count] = *wanted;
    return mounts->idmap_count++;
}

static bool put_maps(struct planning *p, const struct spec_id_mappings *uids,
                     const struct spec_id_mappings *gids, struct plan_idmap *idmap)
{
    idmap->uid_map_text = plan_map_text(p, uids);
    idmap->gid_map_text = plan_map_text(p, gids);
    if (idmap->uid_map_text != NULL && idmap->gid_map_text != NULL)
        return true;
    plan_error(p, idmap->json, "its id maps need too many bytes as text");
    return false;
}

static bool choose(struct planning *p, const struct spec_mount *item,
                   const struct mount_request *request, struct plan_idmap *idmap)
{
    const struct spec_linux *linux_ = p->linux_;

    if (request->idmap != NULL && request->idmap[0] != '\0') {
        const char *where =
            arena_printf(p->arena, "%s.options[%zu]", idmap->json, request->idmap_index);
        struct spec_id_mappings uids, gids;

        if (item->uid_mappings.count > 0) {
            plan_error(p, where, "maps of its own besides uidMappings and gidMappings");
            return false;
        }
        if (!read_option(p, request->idmap, &uids, &gids)) {
            plan_error(p, where,
                       "'%s' are no maps, expected 'uids=ID-ID-SIZE[#...];gids=...', with '@' in "
                       "front of one that counts in the container's ids",
                       request->idmap);
            return false;
        }
        return put_maps(p, &uids, &gids, idmap);
    }
    if (item->uid_mappings.count > 0 && item->gid_mappings.count > 0)
        return put_maps(p, &item->uid_mappings, &item->gid_mappings, idmap);
    if (item->uid_mappings.count + item->gid_mappings.count > 0)
        return false; /* half of them: spec_check has told */
    if (p->plan->ns.new_user)
        return put_maps(p, &linux_->uid_mappings, &linux_->gid_mappings, idmap);
    idmap->user_namespace = user_namespace_path(p);
    if (idmap->user_namespace == NULL)
        plan_error(p, arena_printf(p->arena, "%s.uidMappings", idmap->json),
                   "missing, idmap needs them or a namespace of type 'user'");
    return idmap->user_namespace != NULL;
}

void plan_decide_idmap(struct planning *p, size_t index, const struct mount_request *request,
                       struct plan_mount *mount)
{
    const struct spec_mount *item = &p->spec->mounts.items[index];
    struct plan_idmap idmap = {.json = mount->json};

    if (request->idmap == NULL && item->uid_mappings.count == 0 && item->gid_mappings.count == 0)
        return;
    if (p->host->rootless) {
        plan_error(p, mount->json, "an id-mapped mount needs the rights of the host's root");
        return;
    }
    if (mount->kind == PLAN_MOUNT_REMOUNT) {
        plan_error(p, mount->json, "a remount takes no id mapping, give it to the mount itself");
        return;
    }
    if (mount->kind == PLAN_MOUNT_CGROUP) {
        plan_error(p, mount->json, "the cgroup hierarchy takes no id mapping");
        return;
    }
    if (request->idmap == NULL)
        plan_warning(p, mount->json,
                     "uidMappings without the option idmap: taken as if it stood there");
    if (!choose(p, item, request, &idmap))
        return;
    mount->idmap = share(p, &idmap) + 1;
    mount->idmap_recursive = request->idmap_recursive;
}
