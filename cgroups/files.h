/* SPDX-License-Identifier: Apache-2.0 */
/* The table of files with counters. */
#ifndef CGROUPS_FILES_H
#define CGROUPS_FILES_H

#include "counters.h"

#define CG_SIZE_TEXT 8  /* "9999MB" and its NUL */
#define CG_FILE_TEXT 64 /* the longest name of all */

bool cg_file_is_huge(enum cg_file file);
/* Its name in the directory, perhaps in text; size: of a huge page, where it is one of those. */
const char *cg_file_path(enum cg_file file, const char *size, char text[CG_FILE_TEXT]);

#endif
