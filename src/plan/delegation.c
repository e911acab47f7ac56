/* SPDX-License-Identifier: Apache-2.0 */
/* Without rights over the whole hierarchy: in which of the groups that were given to the caller the
 * container's own is made, and which limits can be had there. */
#include <errno.h>
#include <string.h>

#include "sublet/cgroups.h"
#include "sublet/cgroups/delegated.h"

#include "planning.h"

#define CGROUP_FIELD "linux.cgroupsPath"

bool plan_needs_place(const struct planning *p)
{
    return p->host->rootless && p->options->cgroup_manager == OPTION_CGROUPFS;
}

static bool is_below(const char *path, const char *above)
{
    size_t length = strlen(above);

    if (length == 0)
        return path[0] != '\0';
    return strncmp(path, above, length) == 0 && path[length] == '/' && path[length + 1] != '\0';
}

/* An absolute path of the config leaves only the groups above it. */
static bool is_possible(const struct planning *p, const struct cg_place *place)
{
    const char *path = p->linux_->cgroups_path;

    return path == NULL || path[0] != '/' || is_below(path + 1, place->path);
}

static const struct cg_place *find_place(const struct planning *p, uint32_t wanted)
{
    for (size_t i = 0; i < p->host->place_count; i++) {
        const struct cg_place *place = &p->host->places[i];

        if (is_possible(p, place) && (wanted & ~place->offers) == 0)
            return place;
    }
    return NULL;
}

/* Who asks for no limit may do so later, and is counted now: the nearest of the places that offer
 * the most. */
static const struct cg_place *choose_place(const struct planning *p, uint32_t wanted)
{
    const struct cg_place *best = NULL;

    if (wanted != 0)
        return find_place(p, wanted);
    for (size_t i = 0; i < p->host->place_count; i++) {
        const struct cg_place *place = &p->host->places[i];

        if (is_possible(p, place) &&
            (best == NULL || __builtin_popcount(place->offers) > __builtin_popcount(best->offers)))
            best = place;
    }
    return best;
}

int plan_check_place(const struct planning *p, const struct cg_row *row, struct sub_err *err)
{
    const struct cg_place *first = find_place(p, 0);
    const char *name = row->controller == 0 ? "cgroup" : cg_controller_name(row->controller);
    uint32_t euid = p->host->euid;

    if (first == NULL) {
        return sub_fail(err, EOPNOTSUPP, row->path,
                        "%s: not delegated to uid %u: no cgroup at or above '/%s' is; "
                        "--cgroup-manager systemd asks the user's session manager for one",
                        name, euid, p->host->own_cgroup == NULL ? "?" : p->host->own_cgroup);
    }
    if (find_place(p, row->controller) != NULL)
        return 0;
    for (size_t i = 0; i < p->host->place_count; i++) {
        const struct cg_place *place = &p->host->places[i];

        if (is_possible(p, place) && (place->has & row->controller) != 0) {
            return sub_fail(err, EOPNOTSUPP, row->path,
                            "%s: cgroup '/%s', delegated to uid %u, cannot give it to a group "
                            "below while processes live in it: start sublet from a group in it",
                            name, place->path, euid);
        }
    }
    return sub_fail(err, EOPNOTSUPP, row->path, "%s: not delegated to uid %u with cgroup '/%s'",
                    name, euid, first->path);
}

/* Everything but limits works in the caller's own group; limits were refused by name. */
static void do_without(struct planning *p, const char *path)
{
    struct plan_cgroup *cgroup = &p->plan->cgroup;

    if (path[0] != '\0') {
        plan_warning(p, CGROUP_FIELD,
                     "'%s' is not below a cgroup delegated to uid %u: the container gets no cgroup "
                     "of its own",
                     path, p->host->euid);
    }
    cgroup->path = NULL;
    cgroup->shown = plan_callers_group(p);
    cgroup->delegate = false;
}

void plan_decide_place(struct planning *p)
{
    struct plan_cgroup *cgroup = &p->plan->cgroup;
    const char *path = p->linux_->cgroups_path == NULL ? "" : p->linux_->cgroups_path;

    if (!plan_needs_place(p))
        return;

    const struct cg_place *place = choose_place(p, (uint32_t) cgroup->controllers);
    if (place == NULL) {
        do_without(p, path);
        return;
    }
    if (path[0] == '/') {
        cgroup->path = path + 1;
        return;
    }
    if (path[0] == '\0')
        path = arena_printf(p->arena, "sublet-%s", p->options->id);
    cgroup->path =
        arena_printf(p->arena, "%s%s%s", place->path, place->path[0] == '\0' ? "" : "/", path);
}
