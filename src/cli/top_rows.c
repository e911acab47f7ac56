/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows, in which order. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "top.h"

static bool is_wanted(const struct top_look *look, const struct top_row *row)
{
    const char *tenant = row->tenant == NULL ? "" : row->tenant;

    if (row->is_container != look->containers)
        return false;
    if (*look->tenant != '\0' && strcmp(look->tenant, tenant) != 0)
        return false;
    return *look->filter == '\0' || strcasestr(row->name, look->filter) != NULL;
}

static int compare_words(const char *a, const char *b)
{
    return strcmp(a == NULL ? "" : a, b == NULL ? "" : b);
}

/* Names upwards, numbers downwards, what is unknown at the end. */
static int compare(const void *a, const void *b, void *context)
{
    const struct top_row *one = *(const struct top_row *const *) a;
    const struct top_row *other = *(const struct top_row *const *) b;
    const struct top_look *look = context;
    int value = top_columns[look->sort].value, order = 0;

    if (value >= 0) {
        enum top_value number = (enum top_value) value;
        bool has_one = top_has(one, number), has_other = top_has(other, number);

        if (has_one != has_other)
            return has_one ? -1 : 1;
        if (has_one)
            order = (one->values[number] < other->values[number]) -
                    (one->values[number] > other->values[number]);
    } else if (value == TOP_STATE) {
        order = compare_words(one->state, other->state);
    } else if (value == TOP_TENANT) {
        order = compare_words(one->tenant, other->tenant);
    } else if (value == TOP_CONTRACT) {
        order = compare_words(one->contract, other->contract);
    }
    if (order == 0)
        order = compare_words(one->name, other->name);
    return look->reverse ? -order : order;
}

size_t top_choose(const struct top_look *look, const struct top_rows *rows,
                  const struct top_row **ret_chosen)
{
    struct top_look copy = *look;
    size_t count = 0;

    for (size_t i = 0; i < rows->count; i++) {
        if (is_wanted(look, &rows->items[i]))
            ret_chosen[count++] = &rows->items[i];
    }
    qsort_r(ret_chosen, count, sizeof(void *), compare, &copy);
    return count;
}
