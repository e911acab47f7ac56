/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <stdio.h>
#include <string.h>

#include "sublet/base/buf.h"
#include "sublet/base/num.h"

#include "period.h"
#include "say.h"

#define SECOND_US  UINT64_C(1000000)
#define HOUR_US    (3600 * SECOND_US)
#define HOURS_FROM (2 * HOUR_US)

const char *const report_limits[] = {
    "Windows are a second long: bursts within one are not seen, so what was borrowed is a lower "
    "bound.",
    "Blame divides what a tenant did not get over those who borrowed at that time; it shows who "
    "took part, not what they meant to do.",
    "It is about CPU time and waiting alone: caches, memory bandwidth and hyperthreads that are "
    "shared slow down in ways no counter here can see. Network traffic is not accounted.",
    NULL,
};

struct report_closing report_close(const struct summary *summary)
{
    const struct summary_host *host = &summary->host;
    uint64_t all_us = summary->all[SUM_USED], shown_us = summary->total[SUM_USED];
    struct report_closing closing = {
        .shown_us = shown_us,
        .others_us = num_above(all_us, shown_us),
        .own_us = host->own_us,
        .idle_us = host->idle_us,
        .steal_us = host->steal_us,
        .capacity_us = summary->capacity_us,
    };

    closing.unknown_us = (int64_t) (closing.capacity_us - closing.shown_us - closing.others_us -
                                    closing.own_us - closing.idle_us - closing.steal_us);
    return closing;
}

uint64_t report_unit(uint64_t largest_us)
{
    return largest_us >= HOURS_FROM ? HOUR_US : SECOND_US;
}

void report_amount(struct buf *buf, int width, uint64_t us, uint64_t unit_us)
{
    char text[32];
    uint64_t milli = (us + unit_us / 2000) / (unit_us / 1000);

    (void) snprintf(text, sizeof text, "%llu.%03llu", (unsigned long long) (milli / 1000),
                    (unsigned long long) (milli % 1000));
    buf_printf(buf, "%*s", width, text);
}

char *report_bytes(uint64_t bytes, char *text)
{
    static const char units[] = "KMGTPE";
    unsigned unit = 0;
    uint64_t tenths = bytes * 10;

    if (bytes < 1024) {
        (void) snprintf(text, 16, "%llu", (unsigned long long) bytes);
        return text;
    }
    if (bytes > UINT64_MAX / 10)
        tenths = UINT64_MAX / 10 * 10;
    for (tenths = (tenths + 512) / 1024; tenths >= 10240 && units[unit + 1] != '\0'; unit++)
        tenths = (tenths + 512) / 1024;
    if (tenths >= 1000)
        (void) snprintf(text, 16, "%llu%c", (unsigned long long) ((tenths + 5) / 10), units[unit]);
    else
        (void) snprintf(text, 16, "%llu.%llu%c", (unsigned long long) (tenths / 10),
                        (unsigned long long) (tenths % 10), units[unit]);
    return text;
}

const char *report_sum_name(enum summary_sum sum)
{
    return sum == SUM_MEMORY_BYTE_US ? "memory_byte_seconds" : summary_sum_name(sum);
}

uint64_t report_sum(const uint64_t *sums, enum summary_sum sum)
{
    return sum == SUM_MEMORY_BYTE_US ? sums[sum] / SECOND_US : sums[sum];
}

uint64_t report_mean_bytes(const uint64_t *sums)
{
    return sums[SUM_MEMORY_TIME] == 0 ? 0 : sums[SUM_MEMORY_BYTE_US] / sums[SUM_MEMORY_TIME];
}

/* ---- what is not known ---- */

static void tell_gap(const struct summary_gap *gap, void (*tell)(void *context, const char *text),
                     void *context)
{
    static const char *const why[] = {
        [GAP_BEFORE] = "the meter's first record is later",
        [GAP_METER] = "no meter ran: totals of tenants are whole, windows are not",
        [GAP_AFTER] = "the meter has written no record since",
    };
    char text[256], from[PERIOD_TEXT], to[PERIOD_TEXT], length[PERIOD_TEXT];

    (void) snprintf(text, sizeof text, "gap from %s to %s (%s): %s",
                    period_moment(gap->from_us, from), period_moment(gap->to_us, to),
                    period_length(gap->to_us - gap->from_us, length), why[gap->kind]);
    tell(context, text);
}

static void tell_count(uint64_t count, const char *one, const char *many,
                       void (*tell)(void *context, const char *text), void *context)
{
    char text[256];

    if (count == 0)
        return;
    (void) snprintf(text, sizeof text, "%llu %s", (unsigned long long) count,
                    count == 1 ? one : many);
    tell(context, text);
}

static void tell_events(const struct summary *summary,
                        void (*tell)(void *context, const char *text), void *context)
{
    for (size_t i = 0; i < summary->event_count && i < SUMMARY_EVENTS_MAX; i++) {
        const struct summary_event *event = &summary->events[i];
        char text[512], at[PERIOD_TEXT], count[32] = "";

        if (event->count > 0)
            (void) snprintf(count, sizeof count, " (%llu)", (unsigned long long) event->count);
        (void) snprintf(text, sizeof text, "%s %s%s%s%s", period_moment(event->us, at),
                        event->tenant == NULL ? "" : event->tenant,
                        event->tenant == NULL ? "" : ": ", event->text == NULL ? "" : event->text,
                        count);
        tell(context, text);
    }
    if (summary->event_count > SUMMARY_EVENTS_MAX)
        tell_count(summary->event_count - SUMMARY_EVENTS_MAX, "more note", "more notes", tell,
                   context);
}

void report_caveats(const struct summary *summary, void (*tell)(void *context, const char *text),
                    void *context)
{
    const struct ledger_stats *ledger = &summary->ledger;

    if (summary->first_us == 0)
        tell(context, "the ledger has no records");
    for (size_t i = 0; i < summary->gap_count && i < SUMMARY_GAPS_MAX; i++)
        tell_gap(&summary->gaps[i], tell, context);
    if (summary->gap_count > SUMMARY_GAPS_MAX)
        tell_count(summary->gap_count - SUMMARY_GAPS_MAX, "more gap", "more gaps", tell, context);
    tell_count(ledger->torn, "line of the ledger is torn: its record is lost, totals are not",
               "lines of the ledger are torn: their records are lost, totals are not", tell,
               context);
    tell_count(ledger->unfinished, "last line is unfinished: torn, or being written",
               "last lines are unfinished: torn, or being written", tell, context);
    tell_count(ledger->missing, "record is missing, by the numbers of the others",
               "records are missing, by the numbers of the others", tell, context);
    tell_count(ledger->doubled, "record stands twice and was counted once",
               "records stand twice and were counted once", tell, context);
    tell_count(ledger->newer, "record is of another version of the ledger and was left out",
               "records are of another version of the ledger and were left out", tell, context);
    tell_events(summary, tell, context);
}
