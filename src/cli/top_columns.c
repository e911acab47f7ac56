/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "top.h"
#include "usage.h"

#define NAME_WIDTH_MIN 12u
#define GAP            1u

/* In the order of the screen: whose it is, use, saturation, errors. */
/* clang-format off */
const struct top_column top_columns[] = {
    {"NAME", "name of the tenant or container", 'n', TOP_NAME, 0, 0},
    {"TENANT", "tenant of a container; (outside): its contract does not hold", 0, TOP_TENANT, 16, 1},
    {"STATE", "a tenant's class in this interval: idle, within, borrowing, at-cap (its own limit), "
     "squeezed (has its own and wants more), victim, host-starved; a container's status", 0, TOP_STATE, 12, 0},
    {"ENTL", "CPUs that the contract promises", 'e', TOP_ENTITLED, 6, 2},
    {"USED", "CPUs used", 'u', TOP_USED, 6, 0},
    {"UTIL%", "used, of what is promised", 0, TOP_UTILISED, 6, 13},
    {"BORR", "CPUs used beyond the promise, of what was idle", 'b', TOP_BORROWED, 6, 3},
    {"LENT", "CPUs promised, not used, and borrowed by others", 0, TOP_LENT, 6, 14},
    {"SHORT", "CPUs promised, asked for and not given", 's', TOP_SHORT, 6, 4},
    {"WAIT%", "time in which work waited for others (containers: in which none of theirs ran)", 'w', TOP_WAITING, 6, 5},
    {"THR%", "time that its own limit took away, summed over CPUs", 't', TOP_THROTTLED, 6, 6},
    {"CPU%", "time in which a task waited for a CPU: pressure 'some'", 'p', TOP_CPU_SOME, 6, 11},
    {"MEM%", "time in which a task waited for memory", 0, TOP_MEMORY_SOME, 6, 12},
    {"IO%", "time in which a task waited for I/O", 0, TOP_IO_SOME, 6, 10},
    {"MEMORY", "main memory now, with page cache", 'm', TOP_MEMORY, 7, 1},
    {"LIMIT", "limit of it", 0, TOP_LIMIT, 7, 15},
    {"FULL%", "memory, of its limit", 0, TOP_FILLED, 6, 9},
    {"SWAP", "swap now", 0, TOP_SWAP, 7, 16},
    {"READ/s", "bytes read from disks a second", 'i', TOP_READ, 7, 7},
    {"WRIT/s", "bytes written to disks a second", 'o', TOP_WRITTEN, 7, 8},
    {"OPS/s", "reads and writes of disks a second", 0, TOP_OPERATIONS, 7, 17},
    {"TASKS", "processes and threads", 0, TOP_TASKS, 6, 18},
    {"OOM", "processes killed because memory ran out", 'x', TOP_OOM, 4, 5},
    {"REFUS", "forks refused by the limit of tasks", 0, TOP_REFUSED, 5, 19},
    {"CONTRACT", "the CPU contract", 0, TOP_CONTRACT, 24, 20},
};
/* clang-format on */
const size_t top_column_count = sizeof top_columns / sizeof *top_columns;

_Static_assert(sizeof top_columns / sizeof *top_columns <= TOP_COLUMNS_MAX, "room for all");

unsigned top_column_of(int value)
{
    unsigned at = 0;

    while (top_columns[at].value != value)
        at++;
    return at;
}

/* ---- which ---- */

/* Those of tenants tell nothing of containers, and the other way round. */
static bool is_of(const struct top_look *look, const struct top_column *column)
{
    switch (column->value) {
    case TOP_TENANT:
        return look->containers && *look->tenant == '\0';
    case TOP_CONTRACT:
    case TOP_ENTITLED:
    case TOP_UTILISED:
    case TOP_BORROWED:
    case TOP_LENT:
    case TOP_SHORT:
        return !look->containers;
    default:
        return true;
    }
}

static unsigned width_up_to(const struct top_look *look, unsigned rank)
{
    unsigned width = NAME_WIDTH_MIN;

    for (size_t i = 1; i < top_column_count; i++) {
        if (top_columns[i].rank <= rank && is_of(look, &top_columns[i]))
            width += GAP + top_columns[i].width;
    }
    return width;
}

static unsigned greatest_rank(const struct top_look *look, unsigned width)
{
    unsigned rank = 0;

    if (width == 0)
        return UINT8_MAX;
    while (rank < TOP_COLUMNS_MAX && width_up_to(look, rank + 1) <= width)
        rank++;
    return rank;
}

size_t top_fit(const struct top_look *look, unsigned width, const struct top_column **ret_columns,
               unsigned *ret_name_width)
{
    unsigned rank = greatest_rank(look, width), used = 0;
    size_t count = 0;

    for (size_t i = 0; i < top_column_count; i++) {
        if (top_columns[i].rank > rank || !is_of(look, &top_columns[i]))
            continue;
        ret_columns[count++] = &top_columns[i];
        used += i == 0 ? 0 : GAP + top_columns[i].width;
    }
    *ret_name_width = width > used + NAME_WIDTH_MIN ? width - used : NAME_WIDTH_MIN;
    return count;
}

/* ---- cells ---- */

void top_cpus(uint64_t micro, char text[TOP_NAME_TEXT])
{
    uint64_t centi = (micro + 5000) / 10000;

    if (centi < 100000)
        (void) snprintf(text, TOP_NAME_TEXT, "%llu.%02llu", (unsigned long long) (centi / 100),
                        (unsigned long long) (centi % 100));
    else
        (void) snprintf(text, TOP_NAME_TEXT, "%llu", (unsigned long long) (centi / 100));
}

static void cell_of_percent(uint64_t centi, char *text)
{
    uint64_t tenths = (centi + 5) / 10;

    if (tenths < 10000)
        (void) snprintf(text, TOP_NAME_TEXT, "%llu.%llu", (unsigned long long) (tenths / 10),
                        (unsigned long long) (tenths % 10));
    else
        (void) snprintf(text, TOP_NAME_TEXT, "%llu", (unsigned long long) (tenths / 10));
}

static void cell_of_value(enum top_value value, uint64_t number, char *text)
{
    switch (value) {
    case TOP_ENTITLED:
    case TOP_USED:
    case TOP_BORROWED:
    case TOP_LENT:
    case TOP_SHORT:
        top_cpus(number, text);
        break;
    case TOP_MEMORY:
    case TOP_LIMIT:
    case TOP_SWAP:
    case TOP_READ:
    case TOP_WRITTEN:
        usage_size(number, text, TOP_NAME_TEXT);
        break;
    case TOP_OPERATIONS:
    case TOP_TASKS:
    case TOP_OOM:
    case TOP_REFUSED:
        (void) snprintf(text, TOP_NAME_TEXT, "%llu", (unsigned long long) number);
        break;
    default:
        cell_of_percent(number, text);
    }
}

void top_cell(const struct top_column *column, const struct top_row *row, char text[TOP_NAME_TEXT])
{
    const char *words = "-";

    switch (column->value) {
    case TOP_NAME:
        words = row->name;
        break;
    case TOP_TENANT:
        words = row->outside ? "(outside)" : row->tenant;
        break;
    case TOP_STATE:
        words = row->state;
        break;
    case TOP_CONTRACT:
        words = row->contract;
        break;
    default:
        if (top_has(row, (enum top_value) column->value)) {
            cell_of_value((enum top_value) column->value, row->values[column->value], text);
            return;
        }
    }
    (void) snprintf(text, TOP_NAME_TEXT, "%s", words == NULL ? "-" : words);
}
