/* SPDX-License-Identifier: Apache-2.0 */
/* From a record to its counters, and from two records to what lies in a period. Pure. */
#include <string.h>

#include "summary.h"

enum part { CPU, MEMORY, IO_PRESSURE, PIDS, WINDOWS, PARTS };

struct source {
    enum summary_sum sum;
    enum part part;
    bool meters;
    size_t offset;
};

/* clang-format off */
#define FROM(part, type, member) part, false, offsetof(struct type, member)
#define BY_METER(part, type, member) part, true, offsetof(struct type, member)
static const struct source sources[] = {
    {SUM_USED,              FROM(CPU, ledger_cpu, use)},
    {SUM_USER,              FROM(CPU, ledger_cpu, usr)},
    {SUM_SYSTEM,            FROM(CPU, ledger_cpu, sys)},
    {SUM_ENTITLED,          BY_METER(CPU, ledger_cpu, ent)},
    {SUM_BORROWED,          BY_METER(CPU, ledger_cpu, bor)},
    {SUM_UNUSED,            BY_METER(CPU, ledger_cpu, unu)},
    {SUM_LENT,              BY_METER(CPU, ledger_cpu, lent)},
    {SUM_SHORTFALL,         BY_METER(CPU, ledger_cpu, shrt)},
    {SUM_SHORTFALL_MAX,     BY_METER(CPU, ledger_cpu, shrtmax)},
    {SUM_THROTTLED,         FROM(CPU, ledger_cpu, thr)},
    {SUM_THROTTLED_PERIODS, FROM(CPU, ledger_cpu, nthr)},
    {SUM_PERIODS,           FROM(CPU, ledger_cpu, nper)},
    {SUM_BURST,             FROM(CPU, ledger_cpu, bur)},
    {SUM_CPU_SOME,          FROM(CPU, ledger_cpu, some)},
    {SUM_CPU_FULL,          FROM(CPU, ledger_cpu, full)},
    {SUM_WAITING,           BY_METER(CPU, ledger_cpu, wait)},
    {SUM_SELF_WAIT,         BY_METER(CPU, ledger_cpu, self)},
    {SUM_MEMORY_BYTE_US,    BY_METER(MEMORY, ledger_memory, bytesus)},
    {SUM_MAJOR_FAULTS,      FROM(MEMORY, ledger_memory, majflt)},
    {SUM_REFAULTS_ANON,     FROM(MEMORY, ledger_memory, refa)},
    {SUM_REFAULTS_FILE,     FROM(MEMORY, ledger_memory, reff)},
    {SUM_MEMORY_HIGH,       FROM(MEMORY, ledger_memory, high)},
    {SUM_MEMORY_MAX,        FROM(MEMORY, ledger_memory, max)},
    {SUM_OOM,               FROM(MEMORY, ledger_memory, oom)},
    {SUM_OOM_KILLS,         FROM(MEMORY, ledger_memory, oomkill)},
    {SUM_MEMORY_SOME,       FROM(MEMORY, ledger_memory, some)},
    {SUM_MEMORY_FULL,       FROM(MEMORY, ledger_memory, full)},
    {SUM_IO_SOME,           FROM(IO_PRESSURE, ledger_pressure, some)},
    {SUM_IO_FULL,           FROM(IO_PRESSURE, ledger_pressure, full)},
    {SUM_IO_CAPPED,         BY_METER(IO_PRESSURE, ledger_pressure, cap)},
    {SUM_FORKS_REFUSED,     FROM(PIDS, ledger_pids, refused)},
    {SUM_WINDOWS,                       BY_METER(WINDOWS, ledger_windows, n)},
    {SUM_CLASS + ACCOUNT_IDLE,          BY_METER(WINDOWS, ledger_windows, idle)},
    {SUM_CLASS + ACCOUNT_WITHIN,        BY_METER(WINDOWS, ledger_windows, within)},
    {SUM_CLASS + ACCOUNT_BORROWING,     BY_METER(WINDOWS, ledger_windows, borrowing)},
    {SUM_CLASS + ACCOUNT_AT_CAP,        BY_METER(WINDOWS, ledger_windows, atcap)},
    {SUM_CLASS + ACCOUNT_SQUEEZED,      BY_METER(WINDOWS, ledger_windows, squeezed)},
    {SUM_CLASS + ACCOUNT_VICTIM,        BY_METER(WINDOWS, ledger_windows, victim)},
    {SUM_CLASS + ACCOUNT_HOST_STARVED,  BY_METER(WINDOWS, ledger_windows, starved)},
};
/* clang-format on */

const char *summary_sum_name(enum summary_sum sum)
{
    static const char *const names[SUM_COUNT] = {
        [SUM_USED] = "used_us",
        [SUM_USER] = "user_us",
        [SUM_SYSTEM] = "system_us",
        [SUM_ENTITLED] = "entitled_us",
        [SUM_BORROWED] = "borrowed_us",
        [SUM_UNUSED] = "unused_us",
        [SUM_LENT] = "lent_us",
        [SUM_SHORTFALL] = "shortfall_us",
        [SUM_SHORTFALL_MAX] = "shortfall_max_us",
        [SUM_UNMETERED] = "unmetered_us",
        [SUM_OUTSIDE] = "outside_us",
        [SUM_THROTTLED] = "throttled_us",
        [SUM_THROTTLED_PERIODS] = "throttled_periods",
        [SUM_PERIODS] = "periods",
        [SUM_BURST] = "burst_us",
        [SUM_CPU_SOME] = "cpu_some_wall_us",
        [SUM_CPU_FULL] = "cpu_full_wall_us",
        [SUM_WAITING] = "waiting_wall_us",
        [SUM_SELF_WAIT] = "self_wait_wall_us",
        [SUM_MEMORY_BYTE_US] = "memory_byte_us",
        [SUM_MEMORY_TIME] = "memory_watched_wall_us",
        [SUM_MAJOR_FAULTS] = "major_faults",
        [SUM_REFAULTS_ANON] = "refaults_anon",
        [SUM_REFAULTS_FILE] = "refaults_file",
        [SUM_MEMORY_HIGH] = "memory_high_events",
        [SUM_MEMORY_MAX] = "memory_max_events",
        [SUM_OOM] = "oom_events",
        [SUM_OOM_KILLS] = "oom_kills",
        [SUM_MEMORY_SOME] = "memory_some_wall_us",
        [SUM_MEMORY_FULL] = "memory_full_wall_us",
        [SUM_READ_BYTES] = "read_bytes",
        [SUM_WRITTEN_BYTES] = "written_bytes",
        [SUM_READS] = "reads",
        [SUM_WRITES] = "writes",
        [SUM_IO_COST] = "io_cost_us",
        [SUM_IO_SOME] = "io_some_wall_us",
        [SUM_IO_FULL] = "io_full_wall_us",
        [SUM_IO_CAPPED] = "io_capped_wall_us",
        [SUM_FORKS_REFUSED] = "forks_refused",
        [SUM_WINDOWS] = "windows",
        [SUM_CLASS + ACCOUNT_IDLE] = "windows_idle",
        [SUM_CLASS + ACCOUNT_WITHIN] = "windows_within",
        [SUM_CLASS + ACCOUNT_BORROWING] = "windows_borrowing",
        [SUM_CLASS + ACCOUNT_AT_CAP] = "windows_at_cap",
        [SUM_CLASS + ACCOUNT_SQUEEZED] = "windows_squeezed",
        [SUM_CLASS + ACCOUNT_VICTIM] = "windows_victim",
        [SUM_CLASS + ACCOUNT_HOST_STARVED] = "windows_host_starved",
        [SUM_STARTED] = "containers_started",
        [SUM_ENDED] = "containers_ended",
        [SUM_FAILED] = "containers_failed",
        [SUM_METERED] = "metered_wall_us",
    };

    return names[sum];
}

void vector_of_record(const struct ledger_record *record, uint64_t *ret_vector)
{
    const void *const parts[PARTS] = {
        [CPU] = record->cpu,   [MEMORY] = record->mem,  [IO_PRESSURE] = record->iop,
        [PIDS] = record->pids, [WINDOWS] = record->win,
    };

    memset(ret_vector, 0, SUM_COUNT * sizeof *ret_vector);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        const char *part = parts[sources[i].part];

        if (part != NULL)
            memcpy(&ret_vector[sources[i].sum], part + sources[i].offset, sizeof *ret_vector);
    }
}

bool vector_is_meters(enum summary_sum sum)
{
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        if (sources[i].sum == sum)
            return sources[i].meters;
    }
    return false;
}

/* How much had come together at that moment, if it came evenly. */
static uint64_t until(const struct span *span, uint64_t amount, uint64_t us)
{
    if (us >= span->to_us)
        return amount;
    if (us <= span->from_us)
        return 0;
    return (uint64_t) ((unsigned __int128) amount * (us - span->from_us) /
                       (span->to_us - span->from_us));
}

/* By differences of rounded sums, so that parts of a span make up the whole. What happened in no
 * time is of the part that it lies in, with the end as the next part's. */
uint64_t span_part(const struct span *span, uint64_t amount, uint64_t from_us, uint64_t to_us)
{
    if (span->from_us >= span->to_us)
        return span->to_us >= from_us && span->to_us < to_us ? amount : 0;
    return to_us <= from_us ? 0 : until(span, amount, to_us) - until(span, amount, from_us);
}

/* What was used within the entitlement, and the three amounts that are outside of it, are divided;
 * what they make up follows. */
void span_add(const struct span *span, uint64_t from_us, uint64_t to_us, uint64_t *sums)
{
    const uint64_t *delta = span->delta;
    uint64_t inside = delta[SUM_ENTITLED] - delta[SUM_UNUSED];

    for (size_t i = 0; i < SUM_COUNT; i++) {
        if (delta[i] > 0 && i != SUM_USED && i != SUM_ENTITLED)
            sums[i] += span_part(span, delta[i], from_us, to_us);
    }
    inside = span_part(span, inside, from_us, to_us);
    sums[SUM_ENTITLED] += inside + span_part(span, delta[SUM_UNUSED], from_us, to_us);
    sums[SUM_USED] += inside + span_part(span, delta[SUM_BORROWED], from_us, to_us) +
                      span_part(span, delta[SUM_UNMETERED], from_us, to_us);
}
