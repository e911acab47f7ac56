/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <linux/sched.h>
#include <string.h>

#include "sublet/base/path.h"
#include "sublet/base/words.h"

#include "planning.h"

static const struct word namespace_rows[] = {
    {"cgroup",  CLONE_NEWCGROUP},
    {"ipc",     CLONE_NEWIPC   },
    {"mount",   CLONE_NEWNS    },
    {"network", CLONE_NEWNET   },
    {"pid",     CLONE_NEWPID   },
    {"time",    CLONE_NEWTIME  },
    {"user",    CLONE_NEWUSER  },
    {"uts",     CLONE_NEWUTS   },
};
const struct words plan_namespaces = WORDS(namespace_rows);

/*
 * The order of entering. The user namespace comes first, because it gives the rights for the
 * others; the mount namespace last, because behind it the paths of this one are gone. Kinds that
 * are not named stand between them in the order of the config.
 */
static int join_rank(uint64_t kind)
{
    switch (kind) {
    case CLONE_NEWUSER:
        return 0;
    case CLONE_NEWPID:
        return 2;
    case CLONE_NEWNS:
        return 3;
    default:
        return 1;
    }
}

static void add_join(struct plan_ns *ns, const struct plan_join *join)
{
    size_t at = ns->join_count;

    while (at > 0 && join_rank(ns->joins[at - 1].kind) > join_rank(join->kind)) {
        ns->joins[at] = ns->joins[at - 1];
        at--;
    }
    ns->joins[at] = *join;
    ns->join_count++;
}

static bool is_joined(const struct plan_ns *ns, uint64_t kind)
{
    for (size_t i = 0; i < ns->join_count; i++) {
        if (ns->joins[i].kind == kind)
            return true;
    }
    return false;
}

bool plan_shares_host(const struct planning *p, uint64_t kind)
{
    return (p->plan->ns.create & kind) == 0 && !is_joined(&p->plan->ns, kind);
}

bool plan_in_user_namespace(const struct planning *p)
{
    return p->plan->ns.new_user || p->plan->ns.join_user || p->host->in_user_namespace ||
           p->host->rootless;
}

static void decide_one(struct planning *p, size_t index)
{
    const struct spec_namespace *item = &p->linux_->namespaces.items[index];
    const struct word *word = words_find(&plan_namespaces, item->type);
    const char *path = arena_printf(p->arena, "linux.namespaces[%zu]", index);
    struct plan_ns *ns = &p->plan->ns;

    if (word == NULL) {
        plan_error(p, arena_printf(p->arena, "%s.type", path),
                   "unknown namespace '%s', expected cgroup, ipc, mount, network, pid, time, user "
                   "or uts",
                   item->type);
        return;
    }
    if (!plan_shares_host(p, word->value)) {
        plan_error(p, arena_printf(p->arena, "%s.type", path), "a second '%s' namespace",
                   item->type);
        return;
    }
    if (item->path == NULL || item->path[0] == '\0') {
        ns->create |= word->value;
        return;
    }
    if (!path_is_absolute(item->path)) {
        plan_error(p, arena_printf(p->arena, "%s.path", path), "'%s' is not an absolute path",
                   item->path);
        return;
    }
    /* eight kinds, none twice: there is always room */
    add_join(ns, &(struct plan_join){.kind = word->value, .path = item->path, .json = path});
}

static void decide_names(struct planning *p)
{
    const struct spec *spec = p->spec;
    struct plan_ns *ns = &p->plan->ns;

    if (plan_shares_host(p, CLONE_NEWUTS)) {
        if (spec->hostname != NULL)
            plan_error(p, "hostname", "needs a uts namespace");
        if (spec->domainname != NULL)
            plan_error(p, "domainname", "needs a uts namespace");
        return;
    }
    ns->hostname = spec->hostname;
    ns->domainname = spec->domainname;
}

/* The lines of /proc/self/timens_offsets (time_namespaces(7)). */
static void decide_time(struct planning *p)
{
    const struct spec_time_offsets *offsets = &p->linux_->time_offsets;
    const char *text = "";

    if (offsets->count == 0)
        return;
    if ((p->plan->ns.create & CLONE_NEWTIME) == 0) {
        plan_error(p, "linux.timeOffsets", "needs a new time namespace");
        return;
    }
    for (size_t i = 0; i < offsets->count; i++) {
        const struct spec_time_offset *offset = &offsets->items[i];
        text = arena_printf(p->arena, "%s%s %" PRId64 " %" PRIu32 "\n", text == NULL ? "" : text,
                            offset->clock, offset->secs, offset->nanosecs);
    }
    p->plan->ns.timens_text = text;
}

void plan_decide_namespaces(struct planning *p)
{
    struct plan_ns *ns = &p->plan->ns;

    for (size_t i = 0; i < p->linux_->namespaces.count; i++)
        decide_one(p, i);

    ns->new_user = (ns->create & CLONE_NEWUSER) != 0;
    ns->join_user = is_joined(ns, CLONE_NEWUSER);
    /* in the caller's own mount namespace every mount would be the caller's */
    if (plan_shares_host(p, CLONE_NEWNS))
        plan_error(p, "linux.namespaces", "a namespace of type 'mount' is required");
    decide_names(p);
    decide_time(p);
}
