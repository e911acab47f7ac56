/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "counters.h"

#define ROW(member, file, key, kind) CG_FIELD(struct cg_io_counters, member, file, key, kind)
static const struct cg_field io_rows[] = {
    ROW(read_bytes, IO_STAT, "rbytes", TOTAL),
    ROW(written_bytes, IO_STAT, "wbytes", TOTAL),
    ROW(reads, IO_STAT, "rios", TOTAL),
    ROW(writes, IO_STAT, "wios", TOTAL),
    ROW(discarded_bytes, IO_STAT, "dbytes", TOTAL),
    ROW(discards, IO_STAT, "dios", TOTAL),
    ROW(cost_rate_centipercent, IO_STAT, "cost.vrate", LEVEL),
    ROW(cost_usage_us, IO_STAT, "cost.usage", TOTAL),
    ROW(cost_wait_us, IO_STAT, "cost.wait", TOTAL),
    ROW(cost_indebt_us, IO_STAT, "cost.indebt", TOTAL),
    ROW(cost_indelay_us, IO_STAT, "cost.indelay", TOTAL),
    ROW(delay_users, IO_STAT, "use_delay", LEVEL),
    ROW(delay_ns, IO_STAT, "delay_nsec", LEVEL),
};
#undef ROW
const struct cg_fields cg_io_fields = CG_FIELDS(io_rows);

static const struct cg_field *find_key(const char *key, size_t length)
{
    for (size_t i = 0; i < CG_COUNT_OF(io_rows); i++)
        if (strncmp(io_rows[i].key, key, length) == 0 && io_rows[i].key[length] == '\0')
            return &io_rows[i];
    return NULL;
}

static int parse_pair(const char **at, struct cg_io_counters *counters)
{
    size_t length = strcspn(*at, "= \n");
    const struct cg_field *field = find_key(*at, length);
    uint64_t value;

    *at += length;
    if (**at != '=')
        return 0; /* debug builds print bare words */
    (*at)++;
    /* use_delay is -1 where the delay is another group's doing */
    if (field == NULL || **at == '-') {
        *at += strcspn(*at, " \n");
        return field == NULL || field->kind == CG_LEVEL ? 0 : -EINVAL;
    }
    if (field->offset == offsetof(struct cg_io_counters, cost_rate_centipercent))
        SUBLET_TRY(cg_take_centi(at, &value));
    else
        SUBLET_TRY(cg_take_u64(at, &value));
    if (**at != ' ' && **at != '\n' && **at != '\0')
        return -EINVAL;
    cg_field_set(field, counters, value);
    return 0;
}

static int parse_line(const char **at, struct cg_io_counters *counters)
{
    uint64_t major, minor;

    SUBLET_TRY(cg_take_u64(at, &major));
    if (**at != ':' || major > UINT32_MAX)
        return -EINVAL;
    (*at)++;
    SUBLET_TRY(cg_take_u64(at, &minor));
    if (minor > UINT32_MAX || (**at != ' ' && **at != '\n' && **at != '\0'))
        return -EINVAL;
    counters->major = (uint32_t) major;
    counters->minor = (uint32_t) minor;
    for (;;) {
        *at += strspn(*at, " ");
        if (**at == '\0' || **at == '\n')
            return 0;
        SUBLET_TRY(parse_pair(at, counters));
    }
}

/* A disk without a counter (a loop device nobody reads prints its bare number) is left out. */
int cg_parse_io_stat(const struct cg_place *place, const char *text)
{
    struct cgroup_sample *sample = place->sample;

    sample->io_known = true;
    for (; *text != '\0'; text += *text == '\n') {
        struct cg_io_counters counters = {.present = 0};

        SUBLET_TRY(parse_line(&text, &counters));
        if (counters.present == 0)
            continue;
        if (sample->io_count == CG_IO_MAX)
            return -E2BIG;
        sample->io[sample->io_count++] = counters;
    }
    return 0;
}
