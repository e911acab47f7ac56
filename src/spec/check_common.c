/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sublet/base/num.h"

#include "check.h"

#define CPU_MAX 1048575 /* far above any kernel's NR_CPUS */

const char *where_print(struct where *where, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void) vsnprintf(where->text, sizeof where->text, format, args);
    va_end(args);
    return where->text;
}

/* "A, B, C", ended by "..." where the room does not hold all. */
static void list_words(const struct vocabulary *vocabulary, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < vocabulary->count; i++) {
        const char *word = vocabulary->words[i];
        bool fits = used + strlen(word) + strlen(", ...") < size;
        int length =
            snprintf(text + used, size - used, "%s%s", i > 0 ? ", " : "", fits ? word : "...");

        if (length < 0 || !fits)
            return;
        used += (size_t) length;
    }
}

bool check_word(const struct vocabulary *vocabulary, const char *word, const char *path,
                struct findings *findings)
{
    char allowed[220];

    for (size_t i = 0; i < vocabulary->count; i++) {
        if (strcmp(vocabulary->words[i], word) == 0)
            return true;
    }
    list_words(vocabulary, allowed, sizeof allowed);
    findings_error(findings, path, "unknown %s " QUOTED ", expected %s%s", vocabulary->noun, word,
                   vocabulary->count > 1 ? "one of " : "", allowed);
    return false;
}

bool check_range(int64_t value, int64_t min, int64_t max, const char *path,
                 struct findings *findings)
{
    if (value >= min && value <= max)
        return true;
    findings_error(findings, path, "%lld is out of range, expected %lld to %lld", (long long) value,
                   (long long) min, (long long) max);
    return false;
}

/* Decimal digits at *at, as strict as every number here; moves *at behind them. */
static bool take_cpu(const char **at, uint64_t *ret_cpu)
{
    char digits[NUM_TEXT];
    size_t length = 0;

    while (isdigit((unsigned char) (*at)[length]) && length < sizeof digits - 1) {
        digits[length] = (*at)[length];
        length++;
    }
    digits[length] = '\0';
    *at += length;
    return num_parse_u64(digits, CPU_MAX, ret_cpu) == 0;
}

static bool is_cpu_list(const char *at)
{
    for (;;) {
        uint64_t first, last;

        at += strspn(at, " ");
        if (!take_cpu(&at, &first))
            return false;
        if (*at == '-') {
            at++;
            if (!take_cpu(&at, &last) || last < first)
                return false;
        }
        at += strspn(at, " ");
        if (*at == '\0')
            return true;
        if (*at != ',')
            return false;
        at++;
    }
}

bool check_cpu_list(const char *list, const char *path, struct findings *findings)
{
    if (is_cpu_list(list))
        return true;
    findings_error(findings, path,
                   QUOTED " is not a list, expected numbers and rising ranges such as '0-3,7'",
                   list);
    return false;
}

bool has_control_character(const char *text)
{
    for (; *text != '\0'; text++) {
        if (iscntrl((unsigned char) *text))
            return true;
    }
    return false;
}

bool named_equal(const struct named *left, const struct named *right)
{
    return left->length == right->length && memcmp(left->name, right->name, left->length) == 0;
}

static int compare_named(const void *left_place, const void *right_place)
{
    const struct named *left = left_place;
    const struct named *right = right_place;
    size_t shorter = left->length < right->length ? left->length : right->length;
    int order = memcmp(left->name, right->name, shorter);

    if (order != 0)
        return order;
    if (left->length != right->length)
        return left->length < right->length ? -1 : 1;
    return left->index < right->index ? -1 : left->index > right->index;
}

void named_sort(struct named *names, size_t count)
{
    qsort(names, count, sizeof *names, compare_named);
}
