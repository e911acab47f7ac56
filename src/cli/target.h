/* SPDX-License-Identifier: Apache-2.0 */
/* The container that a command is about. */
#ifndef SUBLET_CLI_TARGET_H
#define SUBLET_CLI_TARGET_H

#include "sublet/run.h"

#define TARGET_TEXT_MAX ((size_t) 64 << 20) /* what state and list may print */

struct call;
struct sub_err;

/* --root, or /run/sublet, or $XDG_RUNTIME_DIR/sublet without root's powers. Absolute. */
int target_root(const struct call *call, const char **ret_root, struct sub_err *err);

/* --ledger, or the host's own for its root. */
int target_ledger(const struct call *call, struct run_ledger **ret_ledger, struct sub_err *err);
/* As a warning: what could not be written to it. */
void ledger_tell(const struct run_ledger *ledger);

/* The first operand, checked, in that root. */
int target_make(const struct call *call, struct run_target *ret_target, struct sub_err *err);

#endif
