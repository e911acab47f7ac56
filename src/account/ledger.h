/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUBLET_ACCOUNT_LEDGER_PRIVATE_H
#define SUBLET_ACCOUNT_LEDGER_PRIVATE_H

#include "sublet/account/ledger.h"

struct buf;

/* The line with its newline. -E2BIG: longer than the buffer's maximum. */
int ledger_encode(const struct ledger_record *record, struct buf *line);

#endif
