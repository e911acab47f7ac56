/* SPDX-License-Identifier: Apache-2.0 */
#include "period.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sublet/base/err.h"
#include "sublet/base/num.h"
#include "sublet/base/time.h"

#include "args.h"

#define SECOND_US UINT64_C(1000000)
#define HOUR_US   (3600 * SECOND_US)
#define DAY_US    (24 * HOUR_US)

/* As durations elsewhere, and days and weeks. */
static int parse_length(const char *text, uint64_t *ret_us)
{
    size_t length = strlen(text);
    char number[NUM_TEXT];
    uint64_t count, unit_us;

    if (length < 2 || (text[length - 1] != 'd' && text[length - 1] != 'w'))
        return num_parse_duration(text, ret_us);
    if (length > sizeof number)
        return -EINVAL;
    unit_us = text[length - 1] == 'd' ? DAY_US : 7 * DAY_US;
    memcpy(number, text, length - 1);
    number[length - 1] = '\0';
    if (num_parse_u64(number, 36500, &count) < 0)
        return -EINVAL;
    *ret_us = count * unit_us;
    return 0;
}

int period_parse(const char *text, uint64_t now_us, uint64_t *ret_us)
{
    uint64_t today_us = now_us / DAY_US * DAY_US, length_us;

    if (strcmp(text, "now") == 0) {
        *ret_us = now_us;
    } else if (strcmp(text, "today") == 0) {
        *ret_us = today_us;
    } else if (strcmp(text, "yesterday") == 0) {
        *ret_us = today_us - DAY_US;
    } else if (text[0] == '-') {
        if (parse_length(text + 1, &length_us) < 0 || length_us > now_us)
            return -EINVAL;
        *ret_us = now_us - length_us;
    } else {
        return time_parse_us(text, ret_us);
    }
    return 0;
}

static int read_one(const struct args *args, const char *option, const char *text, uint64_t now_us,
                    struct sub_err *err)
{
    uint64_t us;

    if (period_parse(text, now_us, &us) == 0)
        return 0;
    return args_refuse(args, err,
                       "'--%s' needs a time like '2026-11-22T10:00Z', '2026-11-22', '-2h', "
                       "'-7d', 'today', 'yesterday' or 'now', not '%s'",
                       option, text);
}

int period_read(const struct args *args, uint64_t default_us, uint64_t *ret_from_us,
                uint64_t *ret_to_us, struct sub_err *err)
{
    uint64_t now_us = time_now_us(CLOCK_REALTIME), to_us = now_us, from_us;

    if (args->asked.to != NULL) {
        SUBLET_TRY(read_one(args, "to", args->asked.to, now_us, err));
        (void) period_parse(args->asked.to, now_us, &to_us);
    }
    from_us = num_above(to_us, default_us);
    if (args->asked.from != NULL) {
        SUBLET_TRY(read_one(args, "from", args->asked.from, now_us, err));
        (void) period_parse(args->asked.from, now_us, &from_us);
    }
    if (from_us >= to_us)
        return args_refuse(args, err, "the period ends before it begins");
    *ret_from_us = from_us;
    *ret_to_us = to_us;
    return 0;
}

char *period_moment(uint64_t us, char *text)
{
    char whole[TIME_TEXT];

    (void) time_format((int64_t) (us / SECOND_US), (uint32_t) (us % SECOND_US) * 1000,
                       us % SECOND_US == 0 ? 0 : 3, whole);
    (void) snprintf(text, PERIOD_TEXT, "%s", whole);
    return text;
}

/* Two units are enough for a person. */
char *period_length(uint64_t us, char *text)
{
    static const struct {
        uint64_t us;
        const char *name;
    } units[] = {
        {DAY_US,         "d"},
        {HOUR_US,        "h"},
        {60 * SECOND_US, "m"},
        {SECOND_US,      "s"},
    };

    if (us < 60 * SECOND_US) {
        (void) snprintf(text, PERIOD_TEXT, us % SECOND_US == 0 ? "%llus" : "%llu.%llus",
                        (unsigned long long) (us / SECOND_US),
                        (unsigned long long) (us % SECOND_US / 100000));
        return text;
    }
    us += SECOND_US / 2; /* to the second */
    for (size_t i = 0; i < 3; i++) {
        uint64_t count = us / units[i].us, rest = us % units[i].us / units[i + 1].us;

        if (count == 0)
            continue;
        if (rest == 0)
            (void) snprintf(text, PERIOD_TEXT, "%llu%s", (unsigned long long) count, units[i].name);
        else
            (void) snprintf(text, PERIOD_TEXT, "%llu%s %llu%s", (unsigned long long) count,
                            units[i].name, (unsigned long long) rest, units[i + 1].name);
        return text;
    }
    return text;
}
