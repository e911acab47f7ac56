/* SPDX-License-Identifier: Apache-2.0 */
/* cpu.pressure, memory.pressure, io.pressure, irq.pressure. */
#include <errno.h>
#include <string.h>

#include "counters.h"

#define AT(member) 0, offsetof(struct cg_pressure, member)
static const struct cg_field pressure_rows[] = {
    {"some_avg10_centipercent",  NULL, AT(some.avg10_centipercent),  CG_LEVEL},
    {"some_avg60_centipercent",  NULL, AT(some.avg60_centipercent),  CG_LEVEL},
    {"some_avg300_centipercent", NULL, AT(some.avg300_centipercent), CG_LEVEL},
    {"some_total_us",            NULL, AT(some.total_us),            CG_TOTAL},
    {"full_avg10_centipercent",  NULL, AT(full.avg10_centipercent),  CG_LEVEL},
    {"full_avg60_centipercent",  NULL, AT(full.avg60_centipercent),  CG_LEVEL},
    {"full_avg300_centipercent", NULL, AT(full.avg300_centipercent), CG_LEVEL},
    {"full_total_us",            NULL, AT(full.total_us),            CG_TOTAL},
};
#undef AT
const struct cg_fields cg_pressure_fields = CG_FIELDS(pressure_rows);

#define LINE_FIELDS 4

/* "avg10=0.00 avg60=0.00 avg300=0.00 total=0": the four of one line, in this order. */
static int parse_line(const char **at, uint64_t values[LINE_FIELDS])
{
    static const char *const keys[LINE_FIELDS] = {" avg10=", " avg60=", " avg300=", " total="};

    for (size_t i = 0; i < LINE_FIELDS; i++) {
        size_t length = strlen(keys[i]);

        if (strncmp(*at, keys[i], length) != 0)
            return -EINVAL;
        *at += length;
        if (i + 1 == LINE_FIELDS)
            SUBLET_TRY(cg_take_u64(at, &values[i]));
        else
            SUBLET_TRY(cg_take_centi(at, &values[i]));
        if (i + 1 < LINE_FIELDS && values[i] > 10000)
            return -EINVAL;
    }
    if (**at != '\n' && **at != '\0')
        return -EINVAL;
    *at += **at == '\n';
    return 0;
}

int cg_parse_pressure(const struct cg_place *place, const char *text)
{
    while (*text != '\0') {
        bool full = strncmp(text, "full", 4) == 0;
        uint64_t values[LINE_FIELDS];

        if (!full && strncmp(text, "some", 4) != 0)
            return -EINVAL;
        text += 4;
        SUBLET_TRY(parse_line(&text, values));
        for (size_t i = 0; i < LINE_FIELDS; i++)
            cg_field_set(&pressure_rows[i + (full ? LINE_FIELDS : 0)], place->counters, values[i]);
    }
    return 0;
}
