/* SPDX-License-Identifier: Apache-2.0 */
#include "final.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sublet/account/budget.h"
#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/cgroups/reader.h"
#include "sublet/json.h"
#include "sublet/sys.h"

#include "command.h"
#include "say.h"

#define OPTION         "--report"
#define REPORT_MAX     ((size_t) 1 << 20)
#define REPORT_VERSION 1
#define SIGNALLED      128 /* 128+n: the shell's way to tell signal n */

void final_done(struct final *final)
{
    output_done(&final->report);
}

/* ---- before the start ---- */

static int parse_budgets(struct arena *arena, const struct arg_list *given, struct final *final,
                         struct sub_err *err)
{
    struct budget *budgets = arena_array(arena, given->count, sizeof *budgets);

    if (budgets == NULL && given->count > 0)
        return -ENOMEM;
    for (size_t i = 0; i < given->count; i++) {
        struct sub_err cause = {.code = 0};

        if (budget_parse(arena, given->items[i], &budgets[i], &cause) < 0)
            return sub_fail(err, ARGS_USAGE, "--assert", "%s", cause.text);
    }
    final->budgets = budgets;
    final->budget_count = given->count;
    return 0;
}

bool final_is_wanted(const struct final *final)
{
    return final->report.folder_fd >= 0 || final->budget_count > 0;
}

int final_open(const struct call *call, struct final *ret_final, struct sub_err *err)
{
    const struct args *args = call->args;
    OWNED_FINAL final = FINAL_NONE;

    if (args->detach && (args->report != NULL || args->asserts.count > 0))
        return args_refuse(args, err, "option '--%s' goes without '--detach'",
                           args->report != NULL ? "report" : "assert");
    SUBLET_TRY(parse_budgets(call->arena, &args->asserts, &final, err));
    if (args->report != NULL)
        SUBLET_TRY(output_open(call->arena, OPTION, args->report, &final.report, err));
    if (final_is_wanted(&final)) {
        final.account.sample = arena_alloc(call->arena, sizeof *final.account.sample);
        if (final.account.sample == NULL)
            return -ENOMEM;
    }
    *ret_final = final;
    final.report.folder_fd = -EBADF; /* moved */
    return 0;
}

/* ---- after the end ---- */

static struct budget_account budget_account(const struct final *final, int status)
{
    return (struct budget_account){
        .sample = final->account.counted ? final->account.sample : NULL,
        .life_us = final->account.life_us,
        .status = status,
    };
}

static void write_limit(struct json_writer *writer, const char *key, bool known, uint64_t value)
{
    if (known && value != UINT64_MAX)
        json_write_u64(writer, key, value);
}

/* What the container was held to at its end; without a limit there is no member. */
static void write_limits(struct json_writer *writer, const struct cgroup_sample *sample)
{
    const struct cg_cpu_counters *cpu = &sample->cpu;
    const struct cg_memory_counters *memory = &sample->memory;

    json_write_object(writer, "limits");
    write_limit(writer, "cpu_quota_us", cg_has(cpu, quota_us), cpu->quota_us);
    write_limit(writer, "cpu_period_us", cg_has(cpu, quota_us) && cpu->quota_us != UINT64_MAX,
                cpu->period_us);
    write_limit(writer, "cpu_weight", cg_has(cpu, weight), cpu->weight);
    write_limit(writer, "memory_bytes", cg_has(memory, limit_bytes), memory->limit_bytes);
    write_limit(writer, "memory_high_bytes", cg_has(memory, high_bytes), memory->high_bytes);
    write_limit(writer, "swap_bytes", cg_has(memory, swap_limit_bytes), memory->swap_limit_bytes);
    write_limit(writer, "pids", cg_has(&sample->pids, limit), sample->pids.limit);
    json_write_end(writer);
}

static void write_assertions(struct json_writer *writer, const struct final *final,
                             const struct budget_account *account)
{
    json_write_array(writer, "assertions");
    for (size_t i = 0; i < final->budget_count; i++) {
        struct sub_err why = {.code = 0};
        bool holds = budget_holds(&final->budgets[i], account, &why);

        json_write_object(writer, NULL);
        json_write_string(writer, "assertion", final->budgets[i].text);
        json_write_bool(writer, "holds", holds);
        if (!holds)
            json_write_string(writer, "why", why.text);
        json_write_end(writer);
    }
    json_write_end(writer);
}

static void write_name(struct json_writer *writer, const char *key, const char *text)
{
    if (text != NULL)
        json_write_string(writer, key, text);
}

static void write_report(struct json_writer *writer, const struct final *final, const char *id,
                         const struct budget_account *account)
{
    const struct run_final *run = &final->account;

    json_write_object(writer, NULL);
    json_write_u64(writer, "version", REPORT_VERSION);
    json_write_string(writer, "id", id);
    write_name(writer, "created", run->created);
    write_name(writer, "tenant", run->tenant);
    if (run->tenant != NULL)
        json_write_bool(writer, "tenant_outside", run->tenant_outside);
    write_name(writer, "cgroup", run->cgroup_path);
    if (account->status > SIGNALLED)
        json_write_i64(writer, "signal", account->status - SIGNALLED);
    budget_write(writer, account);
    if (account->sample != NULL)
        write_limits(writer, account->sample);
    write_assertions(writer, final, account);
    json_write_end(writer);
}

static int report(const struct final *final, const char *id, const struct budget_account *account,
                  struct sub_err *err)
{
    OWNED_BUF text = BUF(REPORT_MAX);
    struct json_writer writer;
    char fresh[64];

    if (final->report.folder_fd < 0)
        return 0;
    json_writer_init(&writer, &text, 2);
    write_report(&writer, final, id, account);
    buf_putc(&text, '\n');

    (void) snprintf(fresh, sizeof fresh, ".sublet-report-%d", (int) getpid());
    int rc = buf_failed(&text) ? -ENOMEM : output_write(&final->report, fresh, false, &text);
    if (rc < 0)
        return sub_fail(err, -rc, OPTION, "cannot write '%s': %s", final->report.name,
                        sub_strerror(-rc));
    return 0;
}

int final_tell(const struct final *final, const char *id, int status, struct sub_err *err)
{
    const struct budget_account account = budget_account(final, status);
    bool broken = false;

    SUBLET_TRY(report(final, id, &account, err));
    for (size_t i = 0; i < final->budget_count; i++) {
        struct sub_err why = {.code = 0};

        if (budget_holds(&final->budgets[i], &account, &why))
            continue;
        sub_err_wrap(&why, "assertion failed");
        say_error(&why);
        broken = true;
    }
    return broken && status == 0 ? STATUS_ASSERTION : status;
}
