/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUBLET_ACCOUNT_LEDGER_PRIVATE_H
#define SUBLET_ACCOUNT_LEDGER_PRIVATE_H

#include "sublet/account/ledger.h"

struct buf;
struct dirent;

/* The line with its newline. -E2BIG: longer than the buffer's maximum. */
int ledger_encode(const struct ledger_record *record, struct buf *line);

/* sealed.c: "ledger-0000000012-2026-11-22T11:02:00.000123Z-72915d91.jsonl": the number gives the
 * order, even if the clock was set back; the moment is the latest in the file. */
#define SEALED_NAME 128
int sealed_name(int folder_fd, int fd, const char *boot, char name[SEALED_NAME]);
/* Their names, in order, to be freed one by one; the count or -errno. */
int sealed_list(int folder_fd, struct dirent ***ret_names);
bool sealed_ends_before(const char *name, uint64_t us);

#endif
