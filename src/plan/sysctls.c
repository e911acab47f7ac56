/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/sched.h>
#include <string.h>

#include "planning.h"

#define KEY_ROOM 256

/* The host's own network namespace by its most usual name is no namespace of the container. */
static bool is_hosts_network(const struct planning *p)
{
    const struct plan_ns *ns = &p->plan->ns;

    for (size_t i = 0; i < ns->join_count; i++) {
        if (ns->joins[i].kind == CLONE_NEWNET)
            return strcmp(ns->joins[i].path, "/proc/1/ns/net") == 0;
    }
    return false;
}

/* spec_check has refused what is in no namespace of the container. */
void plan_decide_sysctls(struct planning *p)
{
    const struct spec_pairs *items = &p->linux_->sysctl;
    struct plan_pair *pairs = arena_array(p->arena, items->count, sizeof *pairs);

    if (pairs == NULL)
        return;
    for (size_t i = 0; i < items->count; i++) {
        const struct spec_pair *item = &items->items[i];
        char path[KEY_ROOM];

        if (spec_sysctl_path(item->key, path, sizeof path) < 0)
            continue;
        if (strncmp(path, "net/", 4) == 0 && is_hosts_network(p))
            plan_error(p, arena_printf(p->arena, "linux.sysctl['%.64s']", item->key),
                       "the network namespace is the host's, it would change the host");
        /* docker has no other way to give the NIS domain name; setdomainname(2) does the same */
        if (strcmp(path, "kernel/domainname") == 0)
            p->plan->ns.domainname = item->value;
        else
            pairs[p->plan->sysctl_count++] =
                (struct plan_pair){arena_strdup(p->arena, path), item->value};
    }
    p->plan->sysctls = pairs;
}
