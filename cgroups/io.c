/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "sublet/base/num.h"

#include "private.h"

#define WEIGHT_MIN  10
#define WEIGHT_MAX  1000
#define DEVICES_MAX 256 /* different disks in the throttle lists */
#define MAJOR_MAX   4095
#define MINOR_MAX   1048575

static const struct {
    const char *field, *key;
} kinds[CG_IO_KINDS] = {
    [CG_IO_RBPS] = {"throttleReadBpsDevice",   "rbps" },
    [CG_IO_WBPS] = {"throttleWriteBpsDevice",  "wbps" },
    [CG_IO_RIOPS] = {"throttleReadIOPSDevice",  "riops"},
    [CG_IO_WIOPS] = {"throttleWriteIOPSDevice", "wiops"},
};

uint64_t cg_io_weight(uint16_t weight)
{
    return 1 + ((uint64_t) weight - WEIGHT_MIN) * 9999 / (WEIGHT_MAX - WEIGHT_MIN);
}

static int check_weight(const char *path, uint16_t weight, struct sub_err *err)
{
    if (weight >= WEIGHT_MIN && weight <= WEIGHT_MAX)
        return 0;
    return sub_fail(err, ERANGE, path, "%u: %d to %d are allowed", weight, WEIGHT_MIN, WEIGHT_MAX);
}

static int check_device(const char *path, int64_t major, int64_t minor, struct sub_err *err)
{
    if (major < 0 || major > MAJOR_MAX)
        return sub_fail(err, ERANGE, path, "major %lld: 0 to %d are allowed", (long long) major,
                        MAJOR_MAX);
    if (minor < 0 || minor > MINOR_MAX)
        return sub_fail(err, ERANGE, path, "minor %lld: 0 to %d are allowed", (long long) minor,
                        MINOR_MAX);
    return 0;
}

/*
 * Two schedulers know weights: BFQ in the range of v1, and io.cost in that of v2. Which one a disk
 * has, and will have after the next udev event, is not known here: each is told where it exists.
 */
static int add_weights(struct cg_rows *rows, const char *path, const char *bfq, const char *cost,
                       struct sub_err *err)
{
    SUBLET_TRY(cg_rows_put(rows,
                           (struct cg_row){.file = "io.bfq.weight",
                                           .text = bfq,
                                           .path = path,
                                           .controller = CG_IO,
                                           .absent = CG_ABSENT_IS_FINE},
                           err));
    return cg_rows_put(rows,
                       (struct cg_row){.file = "io.weight",
                                       .text = cost,
                                       .path = path,
                                       .controller = CG_IO,
                                       .absent = CG_ABSENT_IF_PREVIOUS},
                       err);
}

static int add_default_weight(struct cg_rows *rows, const char *where,
                              const struct cg_io_limits *limits, struct sub_err *err)
{
    const char *path = cg_field(rows, where, "weight");

    if (!limits->weight_set || limits->weight == 0)
        return 0;
    SUBLET_TRY(check_weight(path, limits->weight, err));
    return add_weights(rows, path, arena_printf(rows->arena, "%u", limits->weight),
                       arena_printf(rows->arena, "default %llu",
                                    (unsigned long long) cg_io_weight(limits->weight)),
                       err);
}

static int add_device_weights(struct cg_rows *rows, const char *where,
                              const struct cg_io_limits *limits, struct sub_err *err)
{
    for (size_t i = 0; i < limits->device_weight_count; i++) {
        const struct cg_io_device_weight *entry = &limits->device_weights[i];
        const char *path = arena_printf(rows->arena, "%s.weightDevice[%zu]", where, i);

        if (path == NULL)
            return sub_fail(err, ENOMEM, where, "out of memory");
        SUBLET_TRY(check_device(path, entry->major, entry->minor, err));
        SUBLET_TRY(check_weight(path, entry->weight, err));
        SUBLET_TRY(add_weights(rows, path,
                               arena_printf(rows->arena, "%lld:%lld %u", (long long) entry->major,
                                            (long long) entry->minor, entry->weight),
                               arena_printf(rows->arena, "%lld:%lld %llu", (long long) entry->major,
                                            (long long) entry->minor,
                                            (unsigned long long) cg_io_weight(entry->weight)),
                               err));
    }
    return 0;
}

/* One line a disk with all its keys: one write instead of four. */
struct throttle {
    int64_t major, minor;
    const char *path, *text;
};

struct throttles {
    struct throttle rows[DEVICES_MAX];
    size_t count;
};

static struct throttle *find_throttle(struct throttles *all, const struct cg_io_rate *rate,
                                      struct arena *arena, const char *path)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->rows[i].major == rate->major && all->rows[i].minor == rate->minor)
            return &all->rows[i];
    if (all->count == DEVICES_MAX)
        return NULL;

    struct throttle *added = &all->rows[all->count++];
    *added = (struct throttle){
        .major = rate->major,
        .minor = rate->minor,
        .path = path,
        .text = arena_printf(arena, "%lld:%lld", (long long) rate->major, (long long) rate->minor)};
    return added;
}

static int collect(struct cg_rows *rows, struct throttles *all, const char *path,
                   enum cg_io_kind kind, const struct cg_io_rate *rate, struct sub_err *err)
{
    char number[NUM_TEXT];

    SUBLET_TRY(check_device(path, rate->major, rate->minor, err));

    struct throttle *throttle = find_throttle(all, rate, rows->arena, path);
    if (throttle == NULL)
        return sub_fail(err, E2BIG, path, "more than %d different devices", DEVICES_MAX);
    throttle->text =
        arena_printf(rows->arena, "%s %s=%s", throttle->text == NULL ? "" : throttle->text,
                     kinds[kind].key, rate->rate == 0 ? "max" : num_format_u64(rate->rate, number));
    return 0;
}

static int add_throttles(struct cg_rows *rows, const char *where, const struct cg_io_limits *limits,
                         struct sub_err *err)
{
    struct throttles *all = arena_alloc(rows->arena, sizeof *all);

    if (all == NULL)
        return sub_fail(err, ENOMEM, where, "out of memory");
    for (int kind = 0; kind < CG_IO_KINDS; kind++) {
        for (size_t i = 0; i < limits->rate_counts[kind]; i++) {
            const char *path = arena_printf(rows->arena, "%s.%s[%zu]", where, kinds[kind].field, i);

            if (path == NULL)
                return sub_fail(err, ENOMEM, where, "out of memory");
            SUBLET_TRY(
                collect(rows, all, path, (enum cg_io_kind) kind, &limits->rates[kind][i], err));
        }
    }
    for (size_t i = 0; i < all->count; i++) {
        SUBLET_TRY(cg_rows_put(rows,
                               (struct cg_row){.file = "io.max",
                                               .text = all->rows[i].text,
                                               .path = all->rows[i].path,
                                               .controller = CG_IO},
                               err));
    }
    return 0;
}

int cg_io_rows(struct cg_rows *rows, const char *where, const struct cg_io_limits *limits,
               struct sub_err *err)
{
    bool throttled = false;

    SUBLET_TRY(add_default_weight(rows, where, limits, err));
    SUBLET_TRY(add_device_weights(rows, where, limits, err));
    for (int kind = 0; kind < CG_IO_KINDS; kind++)
        throttled |= limits->rate_counts[kind] > 0;
    return throttled ? add_throttles(rows, where, limits, err) : 0;
}
