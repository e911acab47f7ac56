/* SPDX-License-Identifier: Apache-2.0 */
/* Assertions: a metric, an operator, a value. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/base/num.h"

#include "metric.h"

#define PERCENT_MAX 1000000u
#define NAMES_MAX   1024
#define VALUE_TEXT  48

static const struct {
    const char *text;
    enum budget_relation relation;
} operators[] = {
    {"<=", BUDGET_AT_MOST }, /* before what it begins with */
    {">=", BUDGET_AT_LEAST},
    {"==", BUDGET_EQUAL   },
    {"<",  BUDGET_LESS    },
    {">",  BUDGET_MORE    },
};
#define OPERATORS (sizeof operators / sizeof *operators)

/* ---- reading ---- */

/* "status life cpu.{usage user} memory.{peak}": as short as it gets, for it goes into an error. */
static const char *all_names(struct arena *arena)
{
    OWNED_BUF names = BUF(NAMES_MAX);
    const char *part = NULL;

    for (size_t i = 0; i < budget_metric_count; i++) {
        const struct budget_metric *metric = &budget_metrics[i];
        bool begins = metric->part != NULL && (part == NULL || strcmp(metric->part, part) != 0);

        if (begins) {
            buf_printf(&names, "%s %s.{%s", part == NULL ? "" : "}", metric->part, metric->name);
            part = metric->part;
        } else {
            buf_printf(&names, "%s%s", i == 0 ? "" : " ", metric->name);
        }
    }
    buf_putc(&names, '}');
    return arena_strdup(arena, buf_text(&names));
}

/* "memory.peak", or as the report has it, "memory.peak_bytes" */
static bool is_called(const struct budget_metric *metric, const char *name)
{
    char text[METRIC_NAME_TEXT];
    size_t length = strlen(metric_name(metric, text));

    return strncmp(name, text, length) == 0 &&
           (name[length] == '\0' || strcmp(name + length, budget_unit_suffix(metric->unit)) == 0);
}

static const struct budget_metric *find_metric(const char *name)
{
    for (size_t i = 0; i < budget_metric_count; i++) {
        if (is_called(&budget_metrics[i], name))
            return &budget_metrics[i];
    }
    return NULL;
}

static int refuse_metric(struct arena *arena, const char *name, struct sub_err *err)
{
    const char *names = all_names(arena);

    return sub_fail(err, EINVAL, NULL, "no metric '%.24s': %s", name, names == NULL ? "" : names);
}

static int parse_percent(const struct budget_metric *metric, const char *text, size_t length,
                         struct budget *budget, struct sub_err *err)
{
    char number[NUM_TEXT], name[METRIC_NAME_TEXT];
    uint64_t milli;

    if (metric->whole.kind == METRIC_NOWHERE)
        return sub_fail(err, EINVAL, NULL, "there is no whole of which %s could be a percentage",
                        metric_name(metric, name));
    if (length >= sizeof number)
        return -EINVAL;
    memcpy(number, text, length);
    number[length] = '\0';
    if (num_parse_milli(number, (uint64_t) PERCENT_MAX * 1000, &milli) < 0 || milli % 10 != 0)
        return -EINVAL;
    budget->percent = true;
    budget->value = milli / 10;
    return 0;
}

static int parse_value(const char *text, struct budget *budget, struct sub_err *err)
{
    static const char *const wanted[] = {
        [BUDGET_NUMBER] = "a whole number",
        [BUDGET_BYTES] = "a size as '64M', with K, M, G or T",
        [BUDGET_TIME] = "a time as '250ms', with us, ms, s, m or h",
    };
    const struct budget_metric *metric = budget->metric;
    size_t length = strlen(text);
    int rc;

    if (length > 0 && text[length - 1] == '%')
        rc = parse_percent(metric, text, length - 1, budget, err);
    else if (metric->unit == BUDGET_BYTES)
        rc = num_parse_size(text, &budget->value);
    else if (metric->unit == BUDGET_TIME)
        rc = num_parse_duration(text, &budget->value);
    else
        rc = num_parse_u64(text, INT64_MAX, &budget->value);
    if (rc >= 0 || err->code != 0)
        return rc;
    return sub_fail(err, EINVAL, NULL, "'%.32s' is not %s%s", text, wanted[metric->unit],
                    metric->whole.kind == METRIC_NOWHERE ? "" : ", nor a percentage as '80%'");
}

int budget_parse(struct arena *arena, const char *text, struct budget *ret_budget,
                 struct sub_err *err)
{
    struct budget budget = {.text = text};
    size_t length = strcspn(text, "<>=");
    char name[METRIC_NAME_TEXT];
    size_t at = 0;

    while (at < OPERATORS &&
           strncmp(text + length, operators[at].text, strlen(operators[at].text)) != 0)
        at++;
    if (at == OPERATORS || length == 0 || length >= sizeof name) {
        return sub_fail(err, EINVAL, NULL,
                        "'%.64s' is no assertion: METRIC, one of < <= > >= ==, and a value, as "
                        "'memory.peak<=64M'",
                        text);
    }
    memcpy(name, text, length);
    name[length] = '\0';
    budget.relation = operators[at].relation;
    budget.metric = find_metric(name);
    if (budget.metric == NULL)
        return refuse_metric(arena, name, err);
    SUBLET_TRY(parse_value(text + length + strlen(operators[at].text), &budget, err));
    *ret_budget = budget;
    return 0;
}

/* ---- comparing ---- */

static bool compare(enum budget_relation relation, uint64_t value, uint64_t allowed)
{
    switch (relation) {
    case BUDGET_LESS:
        return value < allowed;
    case BUDGET_AT_MOST:
        return value <= allowed;
    case BUDGET_MORE:
        return value > allowed;
    case BUDGET_AT_LEAST:
        return value >= allowed;
    default:
        return value == allowed;
    }
}

/* value against value_percent of the whole, exactly: value * 10000 against percent * whole. */
static bool compare_share(const struct budget *budget, uint64_t value, uint64_t whole)
{
    unsigned __int128 have = (unsigned __int128) value * 10000;
    unsigned __int128 allowed = (unsigned __int128) budget->value * whole;
    uint64_t side = have < allowed ? 0 : have == allowed ? 1 : 2;

    return compare(budget->relation, side, 1);
}

struct unit_step {
    const char *name;
    uint64_t size;
};
static const struct unit_step size_steps[] = {
    {"T", (uint64_t) 1 << 40},
    {"G", (uint64_t) 1 << 30},
    {"M", (uint64_t) 1 << 20},
    {"K", (uint64_t) 1 << 10},
    {"",  1                 },
};
static const struct unit_step time_steps[] = {
    {"s",  1000000},
    {"ms", 1000   },
    {"us", 1      },
};

/* At most three decimals, cut: no value looks larger than it is. */
static void format_steps(const struct unit_step *steps, uint64_t value, char text[VALUE_TEXT])
{
    while (steps->size > 1 && value < steps->size)
        steps++;

    uint64_t milli = (uint64_t) ((unsigned __int128) (value % steps->size) * 1000 / steps->size);
    int n = snprintf(text, VALUE_TEXT, "%llu", (unsigned long long) (value / steps->size));
    if (milli > 0) {
        n += snprintf(text + n, VALUE_TEXT - (size_t) n, ".%03u", (unsigned) milli);
        while (text[n - 1] == '0')
            n--;
    }
    (void) snprintf(text + n, VALUE_TEXT - (size_t) n, "%s", steps->name);
}

static void format_value(enum budget_unit unit, uint64_t value, char text[VALUE_TEXT])
{
    if (unit == BUDGET_BYTES)
        format_steps(size_steps, value, text);
    else if (unit == BUDGET_TIME)
        format_steps(time_steps, value, text);
    else
        (void) snprintf(text, VALUE_TEXT, "%llu", (unsigned long long) value);
}

static const char *allowed_text(const struct budget *budget)
{
    return budget->text + strcspn(budget->text, "<>=");
}

static bool tell(const struct budget *budget, const char *is, struct sub_err *err)
{
    char name[METRIC_NAME_TEXT];

    (void) sub_fail(err, ERANGE, NULL, "%s is %s, allowed %s", metric_name(budget->metric, name),
                    is, allowed_text(budget));
    return false;
}

static bool holds_share(const struct budget *budget, const struct budget_account *account,
                        uint64_t value, struct sub_err *err)
{
    char value_text[VALUE_TEXT], whole_text[VALUE_TEXT], text[3 * VALUE_TEXT];
    uint64_t whole;

    if (!metric_value(&budget->metric->whole, account, &whole) || whole == UINT64_MAX ||
        (whole == 0 && value > 0))
        return tell(budget, "not limited, so that there is no percentage of it", err);
    if (compare_share(budget, value, whole))
        return true;
    format_value(budget->metric->unit, value, value_text);
    format_value(budget->metric->unit, whole, whole_text);
    uint64_t percent = whole == 0 ? 0 : (uint64_t) ((unsigned __int128) value * 10000 / whole);
    (void) snprintf(text, sizeof text, "%s, %llu.%02u%% of %s", value_text,
                    (unsigned long long) (percent / 100), (unsigned) (percent % 100), whole_text);
    return tell(budget, text, err);
}

/* Where cut decimals would hide the difference, the plain number is told. */
static bool holds_value(const struct budget *budget, uint64_t value, struct sub_err *err)
{
    char text[VALUE_TEXT], allowed[VALUE_TEXT];

    if (compare(budget->relation, value, budget->value))
        return true;
    format_value(budget->metric->unit, value, text);
    format_value(budget->metric->unit, budget->value, allowed);
    if (strcmp(text, allowed) == 0 && value != budget->value)
        (void) snprintf(text, sizeof text, "%llu%s", (unsigned long long) value,
                        budget->metric->unit == BUDGET_TIME ? "us" : "");
    return tell(budget, text, err);
}

bool budget_holds(const struct budget *budget, const struct budget_account *account,
                  struct sub_err *err)
{
    uint64_t value;

    if (!metric_value(&budget->metric->place, account, &value)) {
        const char *is = account->sample == NULL
                             ? "not known, for the container had no cgroup to be counted in"
                             : "not counted by this kernel, or its controller is not enabled";

        return tell(budget, is, err);
    }
    return budget->percent ? holds_share(budget, account, value, err)
                           : holds_value(budget, value, err);
}
