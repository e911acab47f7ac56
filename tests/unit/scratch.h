/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of its own for one test. */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "runner.h"

static inline int scratch_remove_one(const char *path, const struct stat *st, int kind,
                                     struct FTW *at)
{
    (void) st;
    (void) kind;
    (void) at;
    return remove(path);
}

static inline void scratch_remove(const char *path)
{
    (void) nftw(path, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void scratch_make(char path[64])
{
    (void) snprintf(path, 64, "/tmp/sublet-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(path));
}

#endif
