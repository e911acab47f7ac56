/* SPDX-License-Identifier: Apache-2.0 */
/* User namespace, its mappings, and the ids of the process within them. */
#include "check.h"

static bool overlaps(uint32_t left, uint32_t left_size, uint32_t right, uint32_t right_size)
{
    return (uint64_t) left < (uint64_t) right + right_size &&
           (uint64_t) right < (uint64_t) left + left_size;
}

/* user_namespaces(7): ids end before 2^32 - 1, and neither side may name an id twice. */
static void check_mapping(const char *path, size_t i, const struct spec_id_mappings *maps,
                          struct findings *findings)
{
    const struct spec_id_mapping *map = &maps->items[i];

    if (map->size == 0)
        findings_error(findings, WHERE("%s[%zu].size", path, i), "0 ids, expected at least 1");
    if ((uint64_t) map->container_id + map->size > UINT32_MAX) {
        findings_error(findings, WHERE("%s[%zu]", path, i),
                       "%u container ids from %u on pass the last id %u", map->size,
                       map->container_id, UINT32_MAX - 1);
    }
    if ((uint64_t) map->host_id + map->size > UINT32_MAX) {
        findings_error(findings, WHERE("%s[%zu]", path, i),
                       "%u host ids from %u on pass the last id %u", map->size, map->host_id,
                       UINT32_MAX - 1);
    }
    for (size_t k = 0; k < i; k++) {
        const struct spec_id_mapping *other = &maps->items[k];

        if (overlaps(map->container_id, map->size, other->container_id, other->size)) {
            findings_error(findings, WHERE("%s[%zu].containerID", path, i), "overlaps with %s[%zu]",
                           path, k);
        }
        if (overlaps(map->host_id, map->size, other->host_id, other->size)) {
            findings_error(findings, WHERE("%s[%zu].hostID", path, i), "overlaps with %s[%zu]",
                           path, k);
        }
    }
}

static bool maps_id(const struct spec_id_mappings *maps, uint32_t id)
{
    for (size_t i = 0; i < maps->count; i++) {
        if (id >= maps->items[i].container_id &&
            id - maps->items[i].container_id < maps->items[i].size)
            return true;
    }
    return false;
}

static void check_mapped(const struct spec_id_mappings *maps, uint32_t id, const char *path,
                         struct findings *findings)
{
    if (id != UINT32_MAX && !maps_id(maps, id))
        findings_error(findings, path, "%u is in no mapping of the user namespace", id);
}

void check_id_mappings(const char *path, const struct spec_id_mappings *maps,
                       struct findings *findings)
{
    if (maps->count > SPEC_ID_MAPPINGS_MAX) {
        findings_error(findings, path, "%zu entries, at most %d are allowed", maps->count,
                       SPEC_ID_MAPPINGS_MAX);
        return;
    }
    for (size_t i = 0; i < maps->count; i++)
        check_mapping(path, i, maps, findings);
}

static void check_mappings(const char *path, const struct spec_id_mappings *maps,
                           const struct spec_namespace *user, struct findings *findings)
{
    if (user == NULL) {
        if (maps->count > 0)
            findings_error(findings, path, "needs a namespace of type 'user' in linux.namespaces");
        return;
    }
    /* podman describes so what another container's namespace has; that one's own maps are in force
     */
    if (maps->count == 0) {
        if (user->path == NULL)
            findings_error(findings, path,
                           "missing, a new user namespace needs at least one entry");
        return;
    }
    check_id_mappings(path, maps, findings);
}

static void check_process_ids(const struct spec_linux *linux_, const struct spec_process *process,
                              struct findings *findings)
{
    const struct spec_user *user = &process->user;

    if (linux_->uid_mappings.count > 0)
        check_mapped(&linux_->uid_mappings, user->uid, "process.user.uid", findings);
    if (linux_->gid_mappings.count == 0)
        return;
    check_mapped(&linux_->gid_mappings, user->gid, "process.user.gid", findings);
    for (size_t i = 0; i < user->additional_gids.count && i < SPEC_GROUPS_MAX; i++) {
        check_mapped(&linux_->gid_mappings, user->additional_gids.items[i],
                     WHERE("process.user.additionalGids[%zu]", i), findings);
    }
}

void check_ids_of_process(const struct spec *spec, struct findings *findings)
{
    const struct spec_namespace *user = spec_namespace(spec, "user");

    if (user != NULL && user->path == NULL && spec->process != NULL)
        check_process_ids(spec->linux_, spec->process, findings);
}

void check_ids(const struct spec *spec, struct findings *findings)
{
    const struct spec_namespace *user = spec_namespace(spec, "user");
    const struct spec_linux *linux_ = spec->linux_;

    check_mappings("linux.uidMappings", &linux_->uid_mappings, user, findings);
    check_mappings("linux.gidMappings", &linux_->gid_mappings, user, findings);
    check_ids_of_process(spec, findings);
}
