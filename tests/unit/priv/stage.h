/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts on show: as text, and carried out by a child that tells what has become of it. */
#ifndef TESTS_UNIT_PRIV_STAGE_H
#define TESTS_UNIT_PRIV_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sublet/base/err.h"
#include "sublet/base/script.h"
#include "sublet/plan/process.h"
#include "sublet/priv.h"

/* One line an operation: "prctl 24 21 | process.capabilities"; pointers are shown as '*'. */
#define SCRIPT_TEXT 8192
void script_text(const struct script *script, char text[SCRIPT_TEXT]);

/* What a child was after its script: lines of its /proc/self/status and more, each "Name:\tvalue",
 * or what its first failure was. */
struct outcome {
    char status[8192];
    struct sub_err failure; /* code 0: the script ran to its end */
};

/* Runs both parts of the script, then looks at itself; with `then_exec` it looks through the eyes
 * of cat(1), which it becomes. */
void carry_out(const struct plan_process *process, const struct priv_filter *filter,
               const struct priv_fds *fds, bool then_exec, struct outcome *ret_outcome);

/* The value of a line, asserted to be there. */
const char *line_of(const struct outcome *outcome, const char *name);
uint64_t mask_of(const struct outcome *outcome, const char *name);

/* What this process has, as the scripts need it: full sets of a root. */
struct plan_caps own_caps(void);

#endif
