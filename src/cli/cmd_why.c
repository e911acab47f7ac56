/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "sublet/account/summary.h"
#include "sublet/account/why.h"
#include "sublet/base/buf.h"
#include "sublet/base/err.h"

#include "command.h"
#include "period.h"
#include "say.h"
#include "why.h"

#define HOUR_US  UINT64_C(3600000000)
#define TEXT_MAX ((size_t) 1 << 20)

enum why_format { WHY_TEXT, WHY_JSON };

static const struct word formats[] = {
    {"text", WHY_TEXT},
    {"json", WHY_JSON},
};
static const struct words format_words = WORDS(formats);
static const struct arg_row table[] = {
    {"format", 'f', ARG_WORD, INTO(asked.format), &format_words, NULL,
     "sentences (default) or an object"},
};
static const struct arg_rows rows = ARG_ROWS(table, "Options");

static const struct summary_row *find_row(const struct summary *summary, const char *tenant)
{
    for (size_t i = 0; i < summary->count; i++) {
        if (strcmp(summary->rows[i].tenant, tenant) == 0)
            return &summary->rows[i];
    }
    return NULL;
}

static int why_body(const struct call *call, struct sub_err *err)
{
    const struct args *args = call->args;
    const char *tenant = args->operands[0];
    const char *ledger = args->ledger == NULL ? LEDGER_FOLDER : args->ledger;
    struct summary_query query = {.tenant = tenant};
    OWNED_BUF text = BUF(TEXT_MAX);
    OWNED_SUMMARY *summary = NULL;
    struct why why;

    SUBLET_TRY(period_read(args, HOUR_US, &query.from_us, &query.to_us, err));
    SUBLET_TRY(summary_read(ledger, &query, &summary, err));

    const struct summary_row *row = find_row(summary, tenant);
    if (row == NULL)
        return sub_fail(err, ENOENT, ledger, "no record of tenant '%s' in this period", tenant);
    why_find(row, &why);
    if (args->asked.format == WHY_JSON)
        why_json(&text, summary, row, &why);
    else
        why_text(&text, summary, row, &why);
    return say_result(&text, err);
}

const struct command command_why = {
    .name = "why",
    .summary = "tell whether a tenant was slow in a period, and whose doing it was",
    .usage = "[OPTION...] TENANT",
    .rows = {&rows_period, &rows, &rows_help},
    .operands_min = 1,
    .operands_max = 1,
    .failure = 1,
    .body = why_body,
};
