/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/account/why.h"

#include <stdlib.h>
#include <string.h>

#include "sublet/account/summary.h"
#include "sublet/base/num.h"

#define WINDOWS_MIN 3 /* of a class: fewer come and go */

/* Shares of the time that was metered, in thousandths, above which a cause matters. A disk makes
 * everybody wait a little, and threads of one tenant meet at times. */
static const uint64_t limits_permille[WHY_CAUSES] = {
    [WHY_NEIGHBOUR] = 20, [WHY_HOST] = 20,         [WHY_OWN_CAP] = 20,
    [WHY_CONTRACT] = 50,  [WHY_MEMORY_OWN] = 20,   [WHY_MEMORY_NEIGHBOUR] = 20,
    [WHY_IO_OWN] = 100,   [WHY_IO_NEIGHBOUR] = 50, [WHY_OWN_THREADS] = 100,
    [WHY_IO_LIMIT] = 20,
};

const char *why_cause_name(enum why_cause cause)
{
    static const char *const names[WHY_CAUSES] = {
        [WHY_OOM] = "oom",
        [WHY_TASKS] = "tasks",
        [WHY_NEIGHBOUR] = "neighbour",
        [WHY_HOST] = "host",
        [WHY_OWN_CAP] = "own-cap",
        [WHY_CONTRACT] = "contract",
        [WHY_MEMORY_OWN] = "own-memory-limit",
        [WHY_MEMORY_NEIGHBOUR] = "memory-neighbour",
        [WHY_IO_NEIGHBOUR] = "disk-neighbour",
        [WHY_IO_LIMIT] = "own-disk-limit",
        [WHY_IO_OWN] = "own-disk-use",
        [WHY_OWN_THREADS] = "own-threads",
    };

    return names[cause];
}

/* On the host, or on the others. */
static uint64_t blamed(const struct summary_row *row, enum summary_resource resource, bool host)
{
    uint64_t us = 0;

    for (size_t i = 0; i < row->blame_count; i++) {
        if ((strcmp(row->blame[i].by, "host") == 0) == host)
            us += row->blame[i].us[resource];
    }
    return us;
}

/* Pressure has the time that the own cap held it as well; what is not waiting for others is that.
 * Without pressure the sum over CPUs is spread over as few of them as possible. */
static uint64_t held_by_cap(const uint64_t *sums)
{
    uint64_t spread, throttled_us = sums[SUM_THROTTLED];

    if (throttled_us == 0)
        return 0;
    if (sums[SUM_CPU_FULL] > 0)
        return num_above(sums[SUM_CPU_FULL], sums[SUM_WAITING]);
    spread = sums[SUM_METERED] == 0 ? 1 : throttled_us / sums[SUM_METERED] + 1;
    return throttled_us / spread;
}

/* Who meets its cap in most periods gets nothing more from a neighbour that is not there: it would
 * meet it earlier. */
static bool lives_at_cap(const uint64_t *sums)
{
    return sums[SUM_PERIODS] > 0 && sums[SUM_THROTTLED_PERIODS] >= sums[SUM_PERIODS] / 2;
}

static uint64_t waited_for_more(const uint64_t *sums)
{
    return num_above(sums[SUM_WAITING], sums[SUM_SHORTFALL]);
}

static void add(struct why *why, enum why_cause cause, uint64_t us, uint64_t count)
{
    struct why_finding finding = {.cause = cause, .us = us, .count = count};

    if (us == 0 && count == 0)
        return;
    if (why->metered_us > 0)
        finding.permille = (uint64_t) ((unsigned __int128) us * 1000 / why->metered_us);
    switch (cause) {
    case WHY_OOM:
    case WHY_TASKS:
        finding.matters = count > 0;
        break;
    case WHY_NEIGHBOUR:
    case WHY_HOST:
        finding.matters = us > 0 && (finding.permille >= limits_permille[cause] ||
                                     (count >= WINDOWS_MIN && finding.permille > 0));
        break;
    default:
        finding.matters = why->metered_us > 0 && finding.permille >= limits_permille[cause];
    }
    why->findings[why->count++] = finding;
}

/* Of little weight beside what its own threads take from each other. */
static void add_contract(struct why *why, const uint64_t *sums)
{
    uint64_t us = waited_for_more(sums);
    size_t before = why->count;

    if (sums[SUM_CLASS + ACCOUNT_SQUEEZED] > 0 && !lives_at_cap(sums))
        add(why, WHY_CONTRACT, us, sums[SUM_CLASS + ACCOUNT_SQUEEZED]);
    if (why->count > before && us < sums[SUM_SELF_WAIT] / 2)
        why->findings[before].matters = false;
}

static void add_cpu(struct why *why, const uint64_t *sums, const struct summary_row *row)
{
    uint64_t victim = sums[SUM_CLASS + ACCOUNT_VICTIM];
    uint64_t starved = sums[SUM_CLASS + ACCOUNT_HOST_STARVED];
    uint64_t others_us = blamed(row, SUMMARY_CPU, false), host_us = blamed(row, SUMMARY_CPU, true);

    /* what nobody borrowed and fell short all the same */
    if (starved > 0)
        host_us += num_above(sums[SUM_SHORTFALL], others_us + host_us);
    add(why, WHY_NEIGHBOUR, others_us, others_us > 0 ? victim : 0);
    add(why, WHY_HOST, host_us, host_us > 0 ? starved + (others_us == 0 ? victim : 0) : 0);
    add(why, WHY_OWN_CAP, held_by_cap(sums) + (lives_at_cap(sums) ? waited_for_more(sums) : 0),
        sums[SUM_CLASS + ACCOUNT_AT_CAP]);
    add_contract(why, sums);
    add(why, WHY_OWN_THREADS, sums[SUM_SELF_WAIT], 0);
}

static void add_rest(struct why *why, const uint64_t *sums, const struct summary_row *row)
{
    uint64_t limit_events = sums[SUM_MEMORY_HIGH] + sums[SUM_MEMORY_MAX];
    uint64_t io_us = blamed(row, SUMMARY_IO, false);
    uint64_t memory_us = blamed(row, SUMMARY_MEMORY, false) + blamed(row, SUMMARY_MEMORY, true);

    add(why, WHY_OOM, 0, sums[SUM_OOM_KILLS]);
    add(why, WHY_TASKS, 0, sums[SUM_FORKS_REFUSED]);
    if (limit_events > 0)
        add(why, WHY_MEMORY_OWN, num_above(sums[SUM_MEMORY_FULL], memory_us), limit_events);
    add(why, WHY_MEMORY_NEIGHBOUR, memory_us, 0);
    add(why, WHY_IO_NEIGHBOUR, io_us, 0);
    add(why, WHY_IO_LIMIT, sums[SUM_IO_CAPPED], 0);
    /* reading again what memory was too small for is told there */
    add(why, WHY_IO_OWN,
        num_above(sums[SUM_IO_FULL], io_us + sums[SUM_IO_CAPPED] + sums[SUM_MEMORY_FULL]), 0);
}

/* Threads wait for each other whenever CPU is short: that is a cause where nothing else is. */
static int by_weight(const void *a, const void *b)
{
    const struct why_finding *x = a, *y = b;
    bool last_x = x->cause == WHY_OWN_THREADS, last_y = y->cause == WHY_OWN_THREADS;
    bool first_x = x->cause <= WHY_TASKS, first_y = y->cause <= WHY_TASKS;

    if (x->matters != y->matters)
        return x->matters ? -1 : 1;
    if (last_x != last_y)
        return last_x ? 1 : -1;
    if (first_x != first_y)
        return first_x ? -1 : 1;
    if (x->us != y->us)
        return x->us < y->us ? 1 : -1;
    return (int) x->cause - (int) y->cause;
}

void why_find(const struct summary_row *row, struct why *ret_why)
{
    struct why why = {.metered_us = row->sums[SUM_METERED]};

    add_cpu(&why, row->sums, row);
    add_rest(&why, row->sums, row);
    qsort(why.findings, why.count, sizeof *why.findings, by_weight);
    while (why.matter_count < why.count && why.findings[why.matter_count].matters)
        why.matter_count++;
    if (why.matter_count > 0)
        why.verdict = WHY_SLOW;
    else
        why.verdict = why.metered_us > 0 ? WHY_FINE : WHY_UNKNOWN;
    *ret_why = why;
}
