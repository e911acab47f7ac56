/* SPDX-License-Identifier: Apache-2.0 */
/* A definition's text and its meaning; which file it comes from is store.c's. */
#ifndef SUBLET_SRC_TENANT_FILE_H
#define SUBLET_SRC_TENANT_FILE_H

#include "private.h"

/* name: the file, as errors call it. */
int tenant_decode(struct arena *arena, const char *name, const char *text, size_t size,
                  struct tenant_contract *ret_contract, struct sub_err *err);

#endif
