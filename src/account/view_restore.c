/* SPDX-License-Identifier: Apache-2.0 */
/* Going on where an earlier meter ended. */
#include <stdio.h>
#include <string.h>

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
        .used_us = tenant->cpu.usage_us > cpu->use ? tenant->cpu.usage_us - cpu->use : 0,
    };
    struct account_host_row ignored;
    struct account_row row;

    account_window(&host, &party, 1, &row, &ignored);
    tenant->sums.entitled_us += row.entitled_us;
    tenant->sums.borrowed_us += row.borrowed_us;
    tenant->sums.unused_us += row.unused_us;
}

uint64_t account_view_restore(struct account_view *view, const struct ledger_record *record,
                              const char *boot, uint64_t now_us)
{
    struct watched *watched = record->tenant == NULL ? NULL : view_find(view, record->tenant);
    uint64_t gap_us = now_us > record->us ? now_us - record->us : 0; /* 0: the clock was set back */

    if (watched == NULL || record->cpu == NULL || strcmp(record->boot, boot) != 0)
        return 0;
    if (!watched->based) /* once: the ledger has many records of a tenant */
        view_read(view, watched, false, 0);
    if (!watched->public.open || watched->public.cgroup_id != record->cg)
        return 0;
    restore_sums(&watched->public, record);
    add_gap(&watched->public, record->cpu, gap_us);
    return gap_us;
}
