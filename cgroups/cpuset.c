/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "sublet/base/num.h"

#include "private.h"

#define LIST_NUMBER_MAX 8191 /* NR_CPUS and MAX_NUMNODES stay below in every kernel so far */
#define LIST_TEXT_MAX   4096

static bool take_number(const char **at, uint32_t *ret_value)
{
    uint32_t value = 0;
    const char *c = *at;

    for (; *c >= '0' && *c <= '9' && value <= LIST_NUMBER_MAX; c++)
        value = value * 10 + (uint32_t) (*c - '0');
    if (c == *at || value > LIST_NUMBER_MAX)
        return false;
    *at = c;
    *ret_value = value;
    return true;
}

/* "0-3,7": the common part of what the kernel's list parser takes. */
static bool is_list(const char *text)
{
    for (;;) {
        uint32_t first, last;

        if (!take_number(&text, &first))
            return false;
        last = first;
        if (*text == '-') {
            text++;
            if (!take_number(&text, &last))
                return false;
        }
        if (last < first)
            return false;
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
    }
}

static int add_list(struct cg_rows *rows, const char *path, const char *file, const char *list,
                    struct sub_err *err)
{
    /* "" is what engines send for "no limit"; the file is empty in a new group */
    if (list == NULL || list[0] == '\0')
        return 0;
    if (strlen(list) >= LIST_TEXT_MAX || !is_list(list))
        return sub_fail(err, EINVAL, path, "'%.80s' is not a list as '0-3,7' of numbers up to %d",
                        list, LIST_NUMBER_MAX);
    return cg_rows_put(rows,
                       (struct cg_row){.file = file,
                                       .text = arena_strdup(rows->arena, list),
                                       .path = path,
                                       .controller = CG_CPUSET},
                       err);
}

int cg_cpuset_rows(struct cg_rows *rows, const char *where, const char *cpus, const char *mems,
                   struct sub_err *err)
{
    SUBLET_TRY(add_list(rows, cg_field(rows, where, "cpus"), "cpuset.cpus", cpus, err));
    return add_list(rows, cg_field(rows, where, "mems"), "cpuset.mems", mems, err);
}
