/* SPDX-License-Identifier: Apache-2.0 */
/* Going on where an earlier meter ended. */
#include <stdio.h>
#include <string.h>

#include "sublet/base/num.h"

#include "view.h"

static void restore_sums(struct account_tenant *tenant, const struct ledger_record *record)
{
    const struct ledger_cpu *cpu = record->cpu;

    tenant->sums = (struct account_sums){
        .entitled_us = cpu->ent,
        .borrowed_us = cpu->bor,
        .unused_us = cpu->unu,
        .lent_us = cpu->lent,
        .shortfall_us = cpu->shrt,
        .shortfall_max_us = cpu->shrtmax,
        .waiting_us = cpu->wait,
        .self_wait_us = cpu->self,
        .io_capped_us = record->iop == NULL ? 0 : record->iop->cap,
    };
    if (record->win != NULL) {
        const struct ledger_windows *win = record->win;
        const uint64_t of_class[ACCOUNT_CLASSES] = {
            [ACCOUNT_IDLE] = win->idle,           [ACCOUNT_WITHIN] = win->within,
            [ACCOUNT_BORROWING] = win->borrowing, [ACCOUNT_AT_CAP] = win->atcap,
            [ACCOUNT_SQUEEZED] = win->squeezed,   [ACCOUNT_VICTIM] = win->victim,
            [ACCOUNT_HOST_STARVED] = win->starved};

        tenant->sums.windows = win->n;
        memcpy(tenant->sums.of_class, of_class, sizeof of_class);
    }
    tenant->blame_count = 0;
    for (size_t i = 0; i < record->blame.count && i < LEDGER_BLAME_MAX; i++) {
        struct account_by *by = &tenant->blame[tenant->blame_count++];

        (void) snprintf(by->name, sizeof by->name, "%s", record->blame.items[i].by);
        by->us = record->blame.items[i].us;
    }
    tenant->memory_byte_us = record->mem == NULL ? 0 : record->mem->bytesus;
}

/* What was used without a witness: one window, whose length is all that is known of it. Pressure
 * is left out, for it was not seen what the neighbours did. */
static void add_gap(struct account_tenant *tenant, const struct ledger_cpu *cpu, uint64_t gap_us)
{
    const struct account_host host = {.window_us = gap_us, .cpus = 1};
    const struct account_party party = {
        .entitled_micro = tenant->entitled_micro,
        .used_us = num_above(tenant->cpu.usage_us, cpu->use),
    };
    struct account_host_row ignored;
    struct account_row row;

    account_window(&host, &party, 1, &row, &ignored);
    tenant->sums.entitled_us += row.entitled_us;
    tenant->sums.borrowed_us += row.borrowed_us;
    tenant->sums.unused_us += row.unused_us;
}

/* Each boot has its own. */
static bool restore_host(struct account_view *view, const struct ledger_record *record)
{
    if (record->host == NULL || view->total_restored)
        return false;
    view->total = *record->host;
    view->total_restored = true;
    return true;
}

/* A definition that nobody can read promised what the last record says. */
static void restore_contract(struct account_tenant *tenant, const struct ledger_record *record)
{
    if (!tenant->undefined || tenant->contract[0] != '\0' || record->contract == NULL)
        return;
    (void) snprintf(tenant->contract, sizeof tenant->contract, "%s", record->contract);
    tenant->entitled_micro = record->entmicro;
}

bool account_view_restore(struct account_view *view, const struct ledger_record *record,
                          const char *boot, const struct ledger_moment *now, uint64_t *ret_gap_us)
{
    uint64_t gap_us = ledger_since_us(record, now);

    if (strcmp(record->boot, boot) != 0)
        return false;
    if (strcmp(record->k, LEDGER_HOST) == 0) {
        if (!restore_host(view, record))
            return false;
        *ret_gap_us = gap_us; /* a round that was cut has tenants and no host */
        return true;
    }

    struct watched *watched = record->tenant == NULL ? NULL : view_find(view, record->tenant);
    if (watched == NULL || record->cpu == NULL || watched->restored)
        return false;
    (void) account_view_fresh(view); /* opens the groups */
    if (!watched->public.open || watched->public.cgroup_id != record->cg)
        return false;
    restore_contract(&watched->public, record);
    restore_sums(&watched->public, record);
    add_gap(&watched->public, record->cpu, gap_us);
    watched->restored = true;
    *ret_gap_us = gap_us;
    return true;
}

size_t account_view_fresh(struct account_view *view)
{
    size_t fresh = 0;

    for (size_t i = 0; i < view->count && !view->has_opened; i++)
        view_read(view, &view->watched[i], ACCOUNT_CPU, 0);
    view->has_opened = true;
    for (size_t i = 0; i < view->count; i++)
        fresh += view->watched[i].public.open && !view->watched[i].restored;
    return fresh;
}
