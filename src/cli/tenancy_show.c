/* SPDX-License-Identifier: Apache-2.0 */
/* What people and programs see of tenants. */
#include <errno.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/json.h"

#include "say.h"
#include "tenancy.h"

#define TEXT_MAX ((size_t) 16 << 20)

struct sight {
    struct tenancy *tenancy;
    const struct tenant_group *group;
    struct tenant_drifts drifts;
    size_t containers;
};

/* Without a hierarchy everything is missing. */
static int all_missing(struct tenancy *tenancy, const char *name, struct tenant_drifts *ret_drifts)
{
    struct tenant_drifts drifts = {.arena = tenancy->arena};
    const struct tenant_plan *plan = tenancy->plan;

    for (size_t i = 0; i <= plan->count; i++) {
        const struct tenant_group *group = i == 0 ? &plan->parent : &plan->groups[i - 1];

        if (name != NULL && group->tenant != NULL && strcmp(group->tenant->name, name) != 0)
            continue;
        drifts.room = drifts.count + group->row_count;
        drifts.items = arena_grow(tenancy->arena, drifts.items, drifts.count, drifts.room,
                                  sizeof *drifts.items);
        if (drifts.items == NULL)
            return -ENOMEM;
        for (size_t k = 0; k < group->row_count; k++)
            drifts.items[drifts.count++] = (struct tenant_drift){
                .group = group->group, .file = group->rows[k].file, .want = group->rows[k].text};
    }
    *ret_drifts = drifts;
    return 0;
}

static int find_drifts(struct tenancy *tenancy, const char *name, struct tenant_drifts *ret_drifts,
                       struct sub_err *err)
{
    if (tenancy->root_fd < 0)
        return all_missing(tenancy, name, ret_drifts);
    return tenant_drifts_find(tenancy->arena, tenancy->root_fd, tenancy->plan, name, ret_drifts,
                              err);
}

static bool is_missing(const struct tenant_drifts *drifts, const char *group)
{
    for (size_t i = 0; i < drifts->count; i++) {
        if (strcmp(drifts->items[i].group, group) == 0)
            return drifts->items[i].have == NULL;
    }
    return false;
}

static const char *state_of(const struct sight *sight)
{
    if (sight->tenancy->root_fd < 0 || is_missing(&sight->drifts, sight->group->group))
        return "not applied";
    return sight->drifts.count > 0 ? "differs" : "applied";
}

static int look(struct tenancy *tenancy, const struct tenant_group *group, struct sight *ret_sight,
                struct sub_err *err)
{
    struct sight sight = {.tenancy = tenancy, .group = group};

    SUBLET_TRY(find_drifts(tenancy, group->tenant->name, &sight.drifts, err));
    if (tenancy->root_fd >= 0)
        sight.containers = tenant_containers(tenancy->root_fd, group->group);
    *ret_sight = sight;
    return 0;
}

static void drifts_text(struct buf *buf, const char *indent, const struct tenant_drifts *drifts)
{
    for (size_t i = 0; i < drifts->count; i++) {
        const struct tenant_drift *drift = &drifts->items[i];

        buf_printf(buf, "%s%s/%s '%s'", indent, drift->group, drift->file, drift->want);
        if (drift->have != NULL)
            buf_printf(buf, ", is '%s'", drift->have);
        buf_putc(buf, '\n');
    }
}

static void drifts_json(struct json_writer *writer, const char *key,
                        const struct tenant_drifts *drifts)
{
    json_write_array(writer, key);
    for (size_t i = 0; i < drifts->count; i++) {
        const struct tenant_drift *drift = &drifts->items[i];

        json_write_object(writer, NULL);
        json_write_string(writer, "group", drift->group);
        json_write_string(writer, "file", drift->file);
        json_write_string(writer, "text", drift->want);
        if (drift->have != NULL)
            json_write_string(writer, "is", drift->have);
        json_write_end(writer);
    }
    json_write_end(writer);
}

static void sums_json(struct json_writer *writer, const struct tenant_sums *sums)
{
    json_write_object(writer, "host");
    json_write_u64(writer, "onlineMilliCpus", sums->online_milli);
    json_write_u64(writer, "pinnedMilliCpus", sums->pinned_milli);
    json_write_u64(writer, "reserveMilliCpus", sums->reserve_milli);
    json_write_u64(writer, "forSaleMilliCpus", sums->for_sale_milli);
    json_write_u64(writer, "soldMilliCpus", sums->sold_milli);
    json_write_u64(writer, "memoryForSaleBytes", sums->memory_for_sale_bytes);
    json_write_u64(writer, "memoryProtectedBytes", sums->protected_bytes);
    json_write_end(writer);
}

#define REMOVED_MAX 2

/* removed: groups, NULL ends them. */
static int show_changes(struct tenancy *tenancy, const char *const *removed,
                        const struct tenant_drifts *drifts, bool json, struct sub_err *err)
{
    OWNED_BUF text = BUF(TEXT_MAX);
    struct json_writer writer;

    if (json) {
        json_writer_init(&writer, &text, 2);
        json_write_object(&writer, NULL);
        sums_json(&writer, &tenancy->plan->sums);
        if (removed[0] != NULL) {
            json_write_array(&writer, "removed");
            for (size_t i = 0; removed[i] != NULL; i++)
                json_write_string(&writer, NULL, removed[i]);
            json_write_end(&writer);
        }
        drifts_json(&writer, "changes", drifts);
        json_write_end(&writer);
        buf_putc(&text, '\n');
    } else {
        buf_printf(&text, "%s\n", tenant_sums_text(tenancy->arena, &tenancy->plan->sums));
        for (size_t i = 0; removed[i] != NULL; i++)
            buf_printf(&text, "%s removed\n", removed[i]);
        drifts_text(&text, "", drifts);
    }
    return say_result(&text, err);
}

int tenancy_show_changes(struct tenancy *tenancy, const char *name, bool json, struct sub_err *err)
{
    const char *const none[] = {NULL};
    struct tenant_drifts drifts;

    SUBLET_TRY(find_drifts(tenancy, name, &drifts, err));
    return show_changes(tenancy, none, &drifts, json, err);
}

int tenancy_show_removal(struct tenancy *tenancy, const char *group, bool json, struct sub_err *err)
{
    const char *removed[REMOVED_MAX + 1] = {group, NULL, NULL};
    struct tenant_drifts drifts = {.arena = tenancy->arena};

    if (tenancy_is_empty(tenancy))
        removed[1] = TENANT_PARENT; /* it goes with the last one */
    else
        SUBLET_TRY(find_drifts(tenancy, NULL, &drifts, err));
    return show_changes(tenancy, removed, &drifts, json, err);
}

static void group_json(struct json_writer *writer, const struct sight *sight)
{
    const struct tenant_group *group = sight->group;

    json_write_object(writer, NULL);
    json_write_string(writer, "name", group->tenant->name);
    json_write_bool(writer, "builtin", group->tenant->builtin);
    json_write_string(writer, "contract", group->contract);
    (void) tenant_encode(group->tenant, writer, "definition"); /* the buffer tells */
    json_write_u64(writer, "entitledUsPerS", group->entitled_us_per_s);
    if (group->cap_us_per_s > 0)
        json_write_u64(writer, "capUsPerS", group->cap_us_per_s);
    if (group->cpus != NULL)
        json_write_string(writer, "cpus", group->cpus);
    json_write_string(writer, "cgroup", group->group);
    json_write_u64(writer, "containers", sight->containers);
    json_write_string(writer, "state", state_of(sight));
    if (sight->tenancy->root_fd < 0)
        json_write_string(writer, "reason", sight->tenancy->unavailable.text);
    drifts_json(writer, "differences", &sight->drifts);
    json_write_end(writer);
}

static void group_row(struct buf *buf, int width, const struct sight *sight)
{
    const struct tenant_contract *contract = &sight->group->tenant->contract;
    const char *pids = "none";

    if (contract->pids != TENANT_UNSET)
        pids = arena_printf(sight->tenancy->arena, "%llu", (unsigned long long) contract->pids);
    buf_printf(buf, "%-*s  %-28s  %-8s  %-8s  %-7s  %-10zu  %s\n", width,
               sight->group->tenant->name, sight->group->contract,
               tenant_size_text(sight->tenancy->arena, contract->memory_bytes[TENANT_MAX]),
               tenant_size_text(sight->tenancy->arena, contract->memory_bytes[TENANT_SWAP]), pids,
               sight->containers, state_of(sight));
}

int tenancy_list(struct tenancy *tenancy, bool json, struct sub_err *err)
{
    const struct tenant_plan *plan = tenancy->plan;
    OWNED_BUF text = BUF(TEXT_MAX);
    struct json_writer writer;
    int width = (int) strlen("NAME");

    for (size_t i = 0; i < plan->count; i++) {
        int length = (int) strlen(plan->groups[i].tenant->name);

        width = length > width ? length : width;
    }
    json_writer_init(&writer, &text, 0);
    if (json)
        json_write_array(&writer, NULL);
    else
        buf_printf(&text, "%-*s  %-28s  %-8s  %-8s  %-7s  %-10s  %s\n", width, "NAME", "CPU",
                   "MEMORY", "SWAP", "PIDS", "CONTAINERS", "STATE");
    for (size_t i = 0; i < plan->count; i++) {
        struct sight sight;

        SUBLET_TRY(look(tenancy, &plan->groups[i], &sight, err));
        if (json)
            group_json(&writer, &sight);
        else
            group_row(&text, width, &sight);
    }
    if (json) {
        json_write_end(&writer);
        buf_putc(&text, '\n');
    }
    return say_result(&text, err);
}

static void memory_text(struct buf *buf, struct arena *arena,
                        const struct tenant_contract *contract)
{
    static const char *const names[TENANT_MEMORIES] = {
        [TENANT_MAX] = "max",   [TENANT_HIGH] = "high",       [TENANT_LOW] = "low",
        [TENANT_SWAP] = "swap", [TENANT_VIRTUAL] = "virtual",
    };
    const char *mark = "";

    buf_puts(buf, "memory:      ");
    for (size_t i = 0; i < TENANT_MEMORIES; i++) {
        if (contract->memory_bytes[i] == TENANT_UNSET)
            continue;
        buf_printf(buf, "%s%s %s", mark, names[i],
                   tenant_size_text(arena, contract->memory_bytes[i]));
        mark = ", ";
    }
    buf_puts(buf, mark[0] == '\0' ? "no limit\n" : "\n");
}

static void limits_text(struct buf *buf, struct arena *arena,
                        const struct tenant_contract *contract)
{
    memory_text(buf, arena, contract);
    for (size_t i = 0; i < contract->io_count; i++) {
        buf_puts(buf, "io:          ");
        say_escape(buf, tenant_io_text(arena, &contract->io[i]));
        if (contract->io[i].found)
            buf_printf(buf, " (disk %u:%u)", contract->io[i].major, contract->io[i].minor);
        buf_putc(buf, '\n');
    }
    if (contract->io_weight != TENANT_UNSET)
        buf_printf(buf, "io weight:   %llu\n", (unsigned long long) contract->io_weight);
    if (contract->pids != TENANT_UNSET)
        buf_printf(buf, "pids:        %llu\n", (unsigned long long) contract->pids);
    buf_printf(buf, "real-time:   %s\n", contract->realtime ? "allowed" : "refused");
}

static void group_text(struct buf *buf, const struct sight *sight)
{
    const struct tenant_group *group = sight->group;
    struct tenancy *tenancy = sight->tenancy;
    struct arena *arena = tenancy->arena;

    buf_printf(buf, "tenant:      %s%s\n", group->tenant->name,
               group->tenant->builtin ? " (built in)" : "");
    buf_printf(buf, "cpu:         %s\n", group->contract);
    if (group->cpus != NULL)
        buf_printf(buf, "cpus:        %s\n", group->cpus);
    buf_printf(buf, "entitled:    %llu us of CPU time a second\n",
               (unsigned long long) group->entitled_us_per_s);
    limits_text(buf, arena, &group->tenant->contract);
    buf_printf(buf, "cgroup:      /%s\n", group->group);
    buf_printf(buf, "containers:  %zu\n", sight->containers);
    buf_printf(buf, "host:        %s\n", tenant_sums_text(arena, &tenancy->plan->sums));
    buf_printf(buf, "state:       %s", state_of(sight));
    if (tenancy->root_fd < 0)
        buf_printf(buf, ": %s", tenancy->unavailable.text);
    else if (sight->drifts.count > 0)
        buf_puts(buf, "; 'sublet tenant apply' writes");
    buf_putc(buf, '\n');
    if (tenancy->root_fd >= 0)
        drifts_text(buf, "  ", &sight->drifts);
}

int tenancy_show(struct tenancy *tenancy, const char *name, bool json, struct sub_err *err)
{
    const struct tenant_group *group = tenancy_find(tenancy, name, err);
    OWNED_BUF text = BUF(TEXT_MAX);
    struct json_writer writer;
    struct sight sight;

    if (group == NULL)
        return -ENOENT;
    SUBLET_TRY(look(tenancy, group, &sight, err));
    json_writer_init(&writer, &text, 2);
    if (json) {
        group_json(&writer, &sight);
        buf_putc(&text, '\n');
    } else {
        group_text(&text, &sight);
    }
    SUBLET_TRY(say_result(&text, err));
    return sight.drifts.count > 0 ? 1 : 0;
}
