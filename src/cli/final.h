/* SPDX-License-Identifier: Apache-2.0 */
/* `run --report` and `--assert`: the final account of a container, written and held to budgets. */
#ifndef SUBLET_CLI_FINAL_H
#define SUBLET_CLI_FINAL_H

#include <stddef.h>

#include "sublet/run.h"

#include "output.h"

struct budget;
struct call;
struct sub_err;

#define STATUS_ASSERTION 124

struct final {
    struct output report; /* OUTPUT_NONE: none is asked for */
    const struct budget *budgets;
    size_t budget_count;
    struct run_final account;
};
#define FINAL_NONE ((struct final){.report = OUTPUT_NONE})
void final_done(struct final *final);
#define OWNED_FINAL __attribute__((cleanup(final_done))) struct final

/* All that can be refused before anything starts. */
int final_open(const struct call *call, struct final *ret_final, struct sub_err *err);

/* Whether somebody asks for the account. */
bool final_is_wanted(const struct final *final);

/* Writes the report; tells each assertion that does not hold. The exit status: that of the command,
 * or STATUS_ASSERTION where that was 0. */
int final_tell(const struct final *final, const char *id, int status, struct sub_err *err);

#endif
