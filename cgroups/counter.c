/* SPDX-License-Identifier: Apache-2.0 */
/* The two general forms of cgroup files: flat keys ("key 123") and pressure. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/num.h"

#include "private.h"

static int parse_number(const char *text, size_t length, uint64_t *ret_value)
{
    char copy[NUM_TEXT];

    if (length >= sizeof copy)
        return -EINVAL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return num_parse_u64(copy, UINT64_MAX, ret_value) < 0 ? -EINVAL : 0;
}

static const struct cg_counter *find_key(const struct cg_counter *table, size_t count,
                                         const char *key, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strncmp(table[i].key, key, length) == 0 && table[i].key[length] == '\0')
            return &table[i];
    return NULL;
}

int cg_counters_parse(const char *text, const struct cg_counter *table, size_t count,
                      void *counters, uint32_t *ret_present)
{
    uint32_t present = 0;

    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n"), key_length = strcspn(line, " \n");
        const struct cg_counter *row = find_key(table, count, line, key_length);

        if (key_length == 0 || key_length >= length)
            return -EINVAL;
        if (row != NULL) {
            uint64_t value;

            SUBLET_TRY(parse_number(line + key_length + 1, length - key_length - 1, &value));
            memcpy((char *) counters + row->offset, &value, sizeof value);
            present |= row->present;
        }
        line += length + (line[length] == '\n');
    }
    *ret_present = present;
    return 0;
}

/* "12.34" -> 1234. The kernel prints two decimals, always. */
static int parse_percent(const char *text, size_t length, uint32_t *ret_centipercent)
{
    uint64_t whole, hundredths;

    if (length < 4 || text[length - 3] != '.')
        return -EINVAL;
    SUBLET_TRY(parse_number(text, length - 3, &whole));
    /* "05" is no number of num_parse_u64: the digits one by one */
    for (size_t i = length - 2; i < length; i++)
        if (text[i] < '0' || text[i] > '9')
            return -EINVAL;
    hundredths = (uint64_t) (text[length - 2] - '0') * 10 + (uint64_t) (text[length - 1] - '0');
    if (whole > 100)
        return -EINVAL;
    *ret_centipercent = (uint32_t) (whole * 100 + hundredths);
    return 0;
}

static int parse_pressure_pair(const char *pair, size_t length, struct cg_pressure_line *line,
                               unsigned *seen)
{
    static const char *const keys[] = {"avg10=", "avg60=", "avg300=", "total="};
    uint32_t *const averages[] = {&line->avg10_centipercent, &line->avg60_centipercent,
                                  &line->avg300_centipercent};

    for (unsigned i = 0; i < CG_COUNT_OF(keys); i++) {
        size_t key_length = strlen(keys[i]);

        if (length < key_length || strncmp(pair, keys[i], key_length) != 0)
            continue;
        *seen |= 1u << i;
        if (i == CG_COUNT_OF(averages))
            return parse_number(pair + key_length, length - key_length, &line->total_us);
        return parse_percent(pair + key_length, length - key_length, averages[i]);
    }
    return 0;
}

static int parse_pressure_line(const char *text, size_t length, struct cg_pressure_line *ret_line)
{
    struct cg_pressure_line line = {0};
    unsigned seen = 0;

    for (size_t at = 0; at < length;) {
        size_t pair = 0;

        while (at + pair < length && text[at + pair] != ' ')
            pair++;
        SUBLET_TRY(parse_pressure_pair(text + at, pair, &line, &seen));
        at += pair + 1;
    }
    if (seen != 0xf)
        return -EINVAL;
    *ret_line = line;
    return 0;
}

int cg_parse_pressure(const char *text, struct cg_pressure *ret_pressure)
{
    struct cg_pressure pressure = {0};

    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");

        if (strncmp(line, "some ", 5) == 0) {
            SUBLET_TRY(parse_pressure_line(line + 5, length - 5, &pressure.some));
            pressure.present |= CG_HAS_SOME;
        } else if (strncmp(line, "full ", 5) == 0) {
            SUBLET_TRY(parse_pressure_line(line + 5, length - 5, &pressure.full));
            pressure.present |= CG_HAS_FULL;
        } else
            return -EINVAL;
        line += length + (line[length] == '\n');
    }
    *ret_pressure = pressure;
    return 0;
}

int cgroup_read_pressure(int dir_fd, const char *resource, struct cg_pressure *ret_pressure)
{
    char file[32], text[512];

    if (snprintf(file, sizeof file, "%s.pressure", resource) >= (int) sizeof file)
        return -EINVAL;

    ssize_t n = knob_read(dir_fd, file, text, sizeof text);
    /* EOPNOTSUPP: a kernel built with PSI and booted with psi=0 */
    if (n == -ENOENT || n == -EOPNOTSUPP) {
        *ret_pressure = (struct cg_pressure){0};
        return 0;
    }
    return n < 0 ? (int) n : cg_parse_pressure(text, ret_pressure);
}
