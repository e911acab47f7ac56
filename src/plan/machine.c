/* SPDX-License-Identifier: Apache-2.0 */
/* linux.memoryPolicy, linux.intelRdt, linux.netDevices. */
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <string.h>

#include "sublet/base/words.h"

#include "planning.h"

#define MODE_WEIGHTED_INTERLEAVE 6 /* since Linux 6.9, newer than the headers may be */

static const struct word mode_rows[] = {
    {"MPOL_BIND",                MPOL_BIND               },
    {"MPOL_DEFAULT",             MPOL_DEFAULT            },
    {"MPOL_INTERLEAVE",          MPOL_INTERLEAVE         },
    {"MPOL_LOCAL",               MPOL_LOCAL              },
    {"MPOL_PREFERRED",           MPOL_PREFERRED          },
    {"MPOL_PREFERRED_MANY",      MPOL_PREFERRED_MANY     },
    {"MPOL_WEIGHTED_INTERLEAVE", MODE_WEIGHTED_INTERLEAVE},
};
const struct words plan_memory_modes = WORDS(mode_rows);

static const struct word flag_rows[] = {
    {"MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING},
    {"MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES},
    {"MPOL_F_STATIC_NODES",   MPOL_F_STATIC_NODES  },
};
const struct words plan_memory_flags = WORDS(flag_rows);

void plan_decide_memory_policy(struct planning *p)
{
    const struct spec_memory_policy *spec = p->linux_->memory_policy;

    if (spec == NULL)
        return;
    const struct word *mode = words_find(&plan_memory_modes, spec->mode);
    struct plan_memory_policy *policy = arena_alloc(p->arena, sizeof *policy);
    uint64_t *bits = arena_array(p->arena, SPEC_NODES_MAX / 64, sizeof *bits);

    if (mode == NULL || policy == NULL || bits == NULL)
        return; /* spec_check has told of the word, and the arena tells of itself */
    *policy = (struct plan_memory_policy){.mode = (uint32_t) mode->value};
    for (size_t i = 0; i < spec->flags.count; i++) {
        const struct word *flag = words_find(&plan_memory_flags, spec->flags.items[i]);

        policy->mode |= flag == NULL ? 0 : (uint32_t) flag->value;
    }
    if (spec->nodes != NULL && spec_parse_nodes(spec->nodes, bits)) {
        policy->nodes = bits;
        policy->node_words = SPEC_NODES_MAX / 64;
    }
    p->plan->memory_policy = policy;
}

/* ---- resctrl ---- */

/* The lines of text but for those about memory bandwidth, where another field has that one. */
static const char *add_lines(struct arena *arena, const char *before, const char *text,
                             bool without_bandwidth)
{
    while (text != NULL && before != NULL && *text != '\0') {
        size_t length = strcspn(text, "\n");

        if (length > 0 && !(without_bandwidth && strncmp(text, "MB:", 3) == 0))
            before = arena_printf(arena, "%s%.*s\n", before, (int) length, text);
        text += length + (text[length] == '\n');
    }
    return before;
}

static const char *or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? NULL : text;
}

const char *plan_schemata(struct arena *arena, const struct spec_intel_rdt *spec)
{
    const char *lines = add_lines(arena, "", spec->l3_cache_schema, spec->mem_bw_schema != NULL);

    return or_null(add_lines(arena, lines, spec->mem_bw_schema, false));
}

static void add_schemata(struct planning *p, const struct spec_intel_rdt *spec,
                         struct plan_resctrl *resctrl)
{
    const char *second = "";

    for (size_t i = 0; i < spec->schemata.count; i++)
        second = add_lines(p->arena, second, spec->schemata.items[i], false);
    resctrl->schemata[0] = plan_schemata(p->arena, spec);
    resctrl->schemata[1] = or_null(second);
}

void plan_decide_resctrl(struct planning *p)
{
    const struct spec_intel_rdt *spec = p->linux_->intel_rdt;

    if (spec == NULL)
        return;
    if (p->host->rootless) {
        plan_error(p, "linux.intelRdt", "needs the rights of the host's root");
        return;
    }
    struct plan_resctrl *resctrl = arena_alloc(p->arena, sizeof *resctrl);
    if (resctrl == NULL)
        return;
    bool root = spec->clos_id != NULL && strcmp(spec->clos_id, "/") == 0;
    *resctrl = (struct plan_resctrl){
        .group = root                    ? ""
                 : spec->clos_id == NULL ? p->options->id
                                         : spec->clos_id,
        .alone = spec->clos_id == NULL,
        .monitor = spec->enable_monitoring ? p->options->id : NULL,
    };
    add_schemata(p, spec, resctrl);
    bool limits = resctrl->schemata[0] != NULL || resctrl->schemata[1] != NULL;
    resctrl->make = resctrl->alone || (limits && !root);
    p->plan->resctrl = resctrl;
}

/* ---- network devices ---- */

static void decide_net_devices(struct planning *p)
{
    const struct spec_net_devices *spec = &p->linux_->net_devices;
    struct plan_net_device *items = arena_array(p->arena, spec->count, sizeof *items);

    if (spec->count == 0 || items == NULL)
        return;
    if (p->host->rootless)
        plan_error(p, "linux.netDevices", "needs the rights of the host's root");
    if (plan_shares_host(p, CLONE_NEWNET))
        plan_error(p, "linux.netDevices", "needs a network namespace of the container's own");
    for (size_t i = 0; i < spec->count; i++) {
        const struct spec_net_device *device = &spec->items[i];

        items[i] = (struct plan_net_device){
            .json = arena_printf(p->arena, "linux.netDevices['%s']", device->device),
            .name = device->device,
            .wanted = device->name == NULL ? device->device : device->name,
        };
    }
    p->plan->net_devices = (struct plan_net_devices){.items = items, .count = spec->count};
}

void plan_decide_machine(struct planning *p)
{
    plan_decide_resctrl(p);
    decide_net_devices(p);
}
