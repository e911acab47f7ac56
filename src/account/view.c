/* SPDX-License-Identifier: Apache-2.0 */
#include "view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/log.h"
#include "sublet/base/num.h"
#include "sublet/sys.h"
#include "sublet/tenant.h"

#define IDLE_PERCENT 10        /* of the capacity: less may be a CPU that some cannot use */
#define OPEN_FILES   (1 << 20) /* the kernel allows no process more by default */

/* The hard limit of a login, or of an init that sets none, is 4096. */
void account_raise_files(void)
{
    const struct rlimit wanted = {OPEN_FILES, OPEN_FILES};
    struct rlimit limit;

    if (sys_getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= OPEN_FILES ||
        (limit.rlim_max < OPEN_FILES && sys_setrlimit(RLIMIT_NOFILE, &wanted) == 0))
        return;
    limit.rlim_cur = limit.rlim_max;
    (void) sys_setrlimit(RLIMIT_NOFILE, &limit);
}

int account_view_open(const char *tenants_dir, struct account_view **ret_view, struct sub_err *err)
{
    OWNED_ACCOUNT_VIEW *view = calloc(1, sizeof *view);

    if (view == NULL)
        return sub_fail(err, ENOMEM, NULL, "%s", sub_strerror(ENOMEM));
    view->tenants_dir = tenants_dir;
    view->cgroup_root_fd = -EBADF;
    arena_init(&view->names, 0);
    SUBLET_TRY(tenant_cgroups_open(&view->cgroup_root_fd, err));
    SUBLET_TRY(view_reload(view, true, err));
    view_still_begin(view); /* before the first group is opened */
    *ret_view = view;
    view = NULL;
    return 0;
}

void account_view_free(struct account_view **place)
{
    struct account_view *view = *place;

    if (view == NULL)
        return;
    for (size_t i = 0; i < view->count; i++)
        view_forget(&view->watched[i]);
    view_still_close(view);
    view_rest_close(view);
    free(view->watched);
    free(view->parties);
    free(view->rows);
    arena_done(&view->names);
    sub_close(&view->cgroup_root_fd);
    free(view);
    *place = NULL;
}

/* ---- one window ---- */

/* The last place is for all who found none. */
void view_blame(struct account_tenant *tenant, const char *name, uint64_t us)
{
    size_t at = 0;

    while (at < tenant->blame_count && strcmp(tenant->blame[at].name, name) != 0)
        at++;
    if (at >= LEDGER_BLAME_MAX - 1) {
        at = LEDGER_BLAME_MAX - 1;
        name = "others";
    }
    if (at >= tenant->blame_count) {
        (void) snprintf(tenant->blame[at].name, sizeof tenant->blame[at].name, "%s", name);
        tenant->blame[at].us = 0;
        tenant->blame_count = at + 1;
    }
    tenant->blame[at].us += us;
}

struct blaming {
    const struct account_view *view;
    struct account_tenant *victim;
};

static void tell(void *context, size_t aggressor, uint64_t us)
{
    struct blaming *blaming = context;
    const char *name =
        aggressor == ACCOUNT_BY_HOST ? "host" : blaming->view->watched[aggressor].public.name;

    view_blame(blaming->victim, name, us);
}

static void add_row(struct account_view *view, size_t index, const struct account_host_row *host)
{
    struct watched *watched = &view->watched[index];
    struct account_tenant *tenant = &watched->public;
    const struct account_row *row = &view->rows[index];
    struct blaming blaming = {view, tenant};
    uint32_t windows = watched->unread + 1;

    tenant->row = *row;
    tenant->sums.entitled_us += row->entitled_us;
    tenant->sums.borrowed_us += row->borrowed_us;
    tenant->sums.unused_us += row->unused_us;
    tenant->sums.lent_us += row->lent_us;
    tenant->sums.shortfall_us += row->shortfall_us;
    tenant->sums.shortfall_max_us += row->shortfall_max_us;
    tenant->sums.waiting_us += row->waiting_us;
    tenant->sums.self_wait_us += row->self_wait_us;
    tenant->sums.windows += windows;
    tenant->sums.of_class[row->class] += windows;
    if (row->class == ACCOUNT_VICTIM)
        (void) account_blame(view->rows, view->count, host, index, tell, &blaming);
    watched->unread = 0;
    watched->unread_us = 0;
}

static void measure(struct account_view *view, const struct machine *machine, uint64_t window_us)
{
    const struct machine since = machine_advance(&view->machine, machine);
    uint64_t used_us = 0;
    const struct account_host host = {
        .window_us = window_us,
        .cpus = machine->cpus,
        .reserve_micro = view->reserve_micro,
        .idle_us = since.idle_us,
        .steal_us = since.steal_us,
        .owed_us = view->host.owed_us,
        .unread_us = (int64_t) view->unread_us - (int64_t) view->told_us,
    };

    for (size_t i = 0; i < view->count; i++) {
        view->parties[i] = view->watched[i].party;
        used_us += view->parties[i].used_us;
    }
    account_window(&host, view->parties, view->count, view->rows, &view->host);
    view->told_us += view->host.tenants_us - used_us;
    for (size_t i = 0; i < view->count; i++) {
        view->watched[i].public.unrecorded_us += window_us;
        if (view->watched[i].public.measured)
            add_row(view, i, &view->host);
    }
    view->total.cap += view->host.capacity_us;
    view->total.res +=
        (uint64_t) ((unsigned __int128) window_us * view->reserve_micro / ACCOUNT_MICRO);
    view->total.ten += view->host.tenants_us;
    view->total.own += view->host.own_us;
    view->total.idle += view->host.idle_us;
    view->total.steal += view->host.steal_us;
    view->total.cpus = machine->cpus;
    view->window_us = window_us;
}

/* Tenants that are known are watched on while their folder cannot be read. */
static int follow_tenants(struct account_view *view, bool closely, struct sub_err *err)
{
    int rc = view_reload(view, closely, err);

    if (rc < 0 && view->has_loaded) {
        log_debug("tenants: %s", err->text);
        sub_err_clear(err);
        return 0;
    }
    return rc;
}

/* A task that wants to run finds a CPU, and its group has used some of it. */
static bool has_idle(const struct account_view *view, const struct machine *now, uint64_t window_us)
{
    return num_above(now->idle_us, view->machine.idle_us) >=
           window_us * now->cpus * IDLE_PERCENT / 100;
}

int account_view_sample(struct account_view *view, enum account_depth depth, struct sub_err *err)
{
    struct machine machine;
    bool measured = view->begun;

    SUBLET_TRY(follow_tenants(view, depth > ACCOUNT_CPU, err));
    view_still_begin(view);
    const struct ledger_moment now = ledger_now();

    SUBLET_TRY(machine_read(&machine, err));
    if (!measured)
        depth = ACCOUNT_ALL;
    view->number++;
    view->length_us = measured ? now.mono - view->moment.mono : 0;
    view->has_idle = measured && has_idle(view, &machine, view->length_us);
    view_read_all(view, &machine, depth, view->slow_us == 0 ? 0 : now.mono - view->slow_us);
    if (measured) {
        measure(view, &machine, view->length_us);
        view->clock_step_us = ledger_clock_step_us(&view->moment, &now);
    } else {
        view->machine = machine;
    }
    view->moment = now;
    view->slow_us = depth > ACCOUNT_CPU ? now.mono : view->slow_us;
    view->begun = true;
    return measured;
}

/* ---- what was seen ---- */

size_t account_view_count(const struct account_view *view)
{
    return view->count;
}

const struct account_tenant *account_view_tenant(const struct account_view *view, size_t index)
{
    return &view->watched[index].public;
}

void account_view_recorded(struct account_view *view, size_t index)
{
    view->watched[index].public.unrecorded_us = 0;
}

const struct findings *account_view_findings(struct account_view *view)
{
    bool are_new = view->findings_are_new;

    view->findings_are_new = false;
    return are_new ? &view->findings : NULL;
}

const struct account_host_row *account_view_host(const struct account_view *view)
{
    return &view->host;
}

const struct ledger_total *account_view_total(const struct account_view *view)
{
    return &view->total;
}

uint64_t account_view_window_us(const struct account_view *view)
{
    return view->window_us;
}

int64_t account_view_clock_step_us(const struct account_view *view)
{
    return view->clock_step_us;
}
