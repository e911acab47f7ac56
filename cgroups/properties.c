/* SPDX-License-Identifier: Apache-2.0 */
/* Values of cgroup files as properties of systemd units (systemd.resource-control(5)). */
#include <errno.h>
#include <string.h>

#include "sublet/base/num.h"
#include "sublet/cgroups/systemd.h"

#include "private.h"

#define NO_LIMIT       "18446744073709551615"
#define USEC_PER_SEC   1000000
#define PERCENT_US     (USEC_PER_SEC / 100)
#define PERIOD_US      100000 /* the kernel's, where cpu.max does not say */
#define CPU_NUMBER_MAX 8191   /* CONFIG_NR_CPUS */
#define UNIT_NAME_MAX  255

static int append(struct cg_properties *properties, const struct cg_property *property,
                  struct sub_err *err)
{
    if (properties->count == properties->room) {
        properties->room = properties->room == 0 ? 32 : 2 * properties->room;
        properties->items = arena_grow(properties->arena, properties->items, properties->count,
                                       properties->room, sizeof *property);
        if (properties->items == NULL)
            return sub_fail(err, ENOMEM, property->name, "out of memory");
    }
    properties->items[properties->count++] = *property;
    return 0;
}

int cg_property_set(struct cg_properties *properties, const char *name, const char *type,
                    const char *value, struct sub_err *err)
{
    const struct cg_property property = {.name = name, .type = type, .value = value};

    if (arena_failed(properties->arena) || name == NULL || value == NULL)
        return sub_fail(err, ENOMEM, name, "out of memory");
    if (strpbrk(value, "\n\r") != NULL)
        return sub_fail(err, EINVAL, name, "a property of systemd is one line");
    for (size_t i = 0; i < properties->count; i++) {
        if (strcmp(properties->items[i].name, name) == 0) {
            properties->items[i] = property;
            return 0;
        }
    }
    return append(properties, &property, err);
}

/* One more element of an array. */
static int add(struct cg_properties *properties, const char *name, const char *type,
               const char *element, struct sub_err *err)
{
    for (size_t i = 0; i < properties->count && element != NULL; i++) {
        if (strcmp(properties->items[i].name, name) == 0)
            element = arena_printf(properties->arena, "%s %s", properties->items[i].value, element);
    }
    return cg_property_set(properties, name, type, element, err);
}

static const char *number_text(struct cg_properties *properties, uint64_t number)
{
    return arena_printf(properties->arena, "%llu", (unsigned long long) number);
}

/* ---- one converter a kind of file ---- */

struct conversion {
    const char *file, *property;
    int (*convert)(struct cg_properties *properties, const struct conversion *conversion,
                   const char *text, struct sub_err *err);
    uint64_t least; /* what systemd takes; 0 may be a limit in the file all the same */
};

static int convert_number(struct cg_properties *properties, const struct conversion *conversion,
                          const char *text, struct sub_err *err)
{
    uint64_t number;

    if (strcmp(text, "max") == 0)
        return cg_property_set(properties, conversion->property, "t", NO_LIMIT, err);
    if (num_parse_size(text, &number) < 0)
        return 0;
    if (number < conversion->least)
        number = conversion->least;
    return cg_property_set(properties, conversion->property, "t", number_text(properties, number),
                           err);
}

/* systemd's word for SCHED_IDLE is a weight of 0. */
static int convert_idle(struct cg_properties *properties, const struct conversion *conversion,
                        const char *text, struct sub_err *err)
{
    return strcmp(text, "1") == 0 ? cg_property_set(properties, conversion->property, "t", "0", err)
                                  : 0;
}

/* A unit file of systemd's holds whole percents: rounded up, so that the exact value in the group
 * below is the one that counts. */
static int convert_cpu_max(struct cg_properties *properties, const struct conversion *conversion,
                           const char *text, struct sub_err *err)
{
    size_t length = strcspn(text, " ");
    const char *quota_text = arena_strndup(properties->arena, text, length);
    uint64_t quota_us, period_us = PERIOD_US;

    if (quota_text == NULL)
        return sub_fail(err, ENOMEM, conversion->file, "out of memory");
    if (text[length] == ' ') {
        if (num_parse_u64(text + length + 1, USEC_PER_SEC, &period_us) < 0 || period_us == 0)
            return 0;
        SUBLET_TRY(cg_property_set(properties, "CPUQuotaPeriodUSec", "t",
                                   number_text(properties, period_us), err));
    }
    if (strcmp(quota_text, "max") == 0)
        return cg_property_set(properties, conversion->property, "t", NO_LIMIT, err);
    if (num_parse_u64(quota_text, UINT64_MAX / USEC_PER_SEC, &quota_us) < 0)
        return 0;

    uint64_t per_second_us = (quota_us * USEC_PER_SEC + period_us - 1) / period_us;
    uint64_t percents = (per_second_us + PERCENT_US - 1) / PERCENT_US;
    return cg_property_set(properties, conversion->property, "t",
                           number_text(properties, percents * PERCENT_US), err);
}

/* "0-3,7" as bits, the lowest first. */
static int parse_list(const char *text, uint8_t *bits, size_t *ret_size)
{
    size_t size = 0;

    while (*text != '\0') {
        char first_text[NUM_TEXT], last_text[NUM_TEXT];
        uint32_t first, last;
        size_t first_length = strcspn(text, "-,"), last_length;
        const char *last_at = text[first_length] == '-' ? text + first_length + 1 : text;

        last_length = strcspn(last_at, ",");
        if (first_length >= sizeof first_text ||
            (last_at != text && last_length >= sizeof last_text))
            return -EINVAL;
        if (last_at == text)
            last_length = first_length;
        memcpy(first_text, text, first_length);
        memcpy(last_text, last_at, last_length);
        first_text[first_length] = last_text[last_length] = '\0';
        SUBLET_TRY(num_parse_u32(first_text, CPU_NUMBER_MAX, &first));
        SUBLET_TRY(num_parse_u32(last_text, CPU_NUMBER_MAX, &last));
        for (uint32_t i = first; i <= last; i++)
            bits[i / 8] |= (uint8_t) (1u << (i % 8));
        if (last / 8 + 1 > size)
            size = last / 8 + 1;
        text = last_at + last_length;
        text += *text == ',';
    }
    *ret_size = size;
    return 0;
}

static int convert_list(struct cg_properties *properties, const struct conversion *conversion,
                        const char *text, struct sub_err *err)
{
    uint8_t bits[(CPU_NUMBER_MAX + 1) / 8] = {0};
    char hexadecimal[2 * sizeof bits + 1] = "";
    size_t size;

    if (parse_list(text, bits, &size) < 0)
        return 0;
    for (size_t i = 0; i < size; i++) {
        hexadecimal[2 * i] = "0123456789abcdef"[bits[i] >> 4];
        hexadecimal[2 * i + 1] = "0123456789abcdef"[bits[i] & 15];
    }
    hexadecimal[2 * size] = '\0';
    return cg_property_set(properties, conversion->property, "ay",
                           arena_strdup(properties->arena, hexadecimal), err);
}

/* "8:0 rbps=1048576 wiops=max" */
static int convert_device_keys(struct cg_properties *properties,
                               const struct conversion *conversion, const char *text,
                               struct sub_err *err)
{
    static const struct {
        const char *key, *property;
    } keys[] = {
        {"rbps=",   "IOReadBandwidthMax"       },
        {"wbps=",   "IOWriteBandwidthMax"      },
        {"riops=",  "IOReadIOPSMax"            },
        {"wiops=",  "IOWriteIOPSMax"           },
        {"target=", "IODeviceLatencyTargetUSec"},
    };
    size_t device = strcspn(text, " ");

    (void) conversion;
    for (const char *word = text + device; *word == ' '; word += 1 + strcspn(word + 1, " ")) {
        for (size_t i = 0; i < CG_COUNT_OF(keys); i++) {
            size_t length = strlen(keys[i].key);
            const char *value = word + 1 + length;

            if (strncmp(word + 1, keys[i].key, length) != 0)
                continue;
            bool none = strncmp(value, "max", 3) == 0;
            SUBLET_TRY(
                add(properties, keys[i].property, "a(st)",
                    arena_printf(properties->arena, "/dev/block/%.*s %.*s", (int) device, text,
                                 none ? (int) strlen(NO_LIMIT) : (int) strcspn(value, " "),
                                 none ? NO_LIMIT : value),
                    err));
        }
    }
    return 0;
}

/* "default 100", "100", "8:0 100" */
static int convert_io_weight(struct cg_properties *properties, const struct conversion *conversion,
                             const char *text, struct sub_err *err)
{
    size_t length = strcspn(text, " ");
    const char *value = text[length] == ' ' ? text + length + 1 : text;
    uint64_t weight;

    if (num_parse_u64(value, 10000, &weight) < 0)
        return 0;
    if (value == text || strncmp(text, "default ", 8) == 0)
        return cg_property_set(properties, conversion->property, "t",
                               number_text(properties, weight), err);
    return add(properties, "IODeviceWeight", "a(st)",
               arena_printf(properties->arena, "/dev/block/%.*s %llu", (int) length, text,
                            (unsigned long long) weight),
               err);
}

static const struct conversion conversions[] = {
    {"cpu.weight",       "CPUWeight",          convert_number,      1},
    {"cpu.idle",         "CPUWeight",          convert_idle,        0},
    {"cpu.max",          "CPUQuotaPerSecUSec", convert_cpu_max,     0},
    {"cpuset.cpus",      "AllowedCPUs",        convert_list,        0},
    {"cpuset.mems",      "AllowedMemoryNodes", convert_list,        0},
    {"memory.max",       "MemoryMax",          convert_number,      1},
    {"memory.high",      "MemoryHigh",         convert_number,      1},
    {"memory.low",       "MemoryLow",          convert_number,      0},
    {"memory.min",       "MemoryMin",          convert_number,      0},
    {"memory.swap.max",  "MemorySwapMax",      convert_number,      0},
    {"memory.zswap.max", "MemoryZSwapMax",     convert_number,      0},
    {"pids.max",         "TasksMax",           convert_number,      1},
    {"io.max",           NULL,                 convert_device_keys, 0},
    {"io.latency",       NULL,                 convert_device_keys, 0},
    {"io.weight",        "IOWeight",           convert_io_weight,   0},
};

int cg_properties_of_rows(struct cg_properties *properties, const struct cg_row *rows, size_t count,
                          struct sub_err *err)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < CG_COUNT_OF(conversions); j++) {
            if (strcmp(rows[i].file, conversions[j].file) == 0)
                SUBLET_TRY(conversions[j].convert(properties, &conversions[j], rows[i].text, err));
        }
    }
    return 0;
}

/* ---- devices ---- */

static bool is_everything(const struct cg_device_rule *rule)
{
    return rule->type == 'a' && rule->major < 0 && rule->minor < 0 && rule->access == CG_DEVICE_ALL;
}

static int allow(struct cg_properties *properties, const struct cg_device_rule *rule, char type,
                 struct sub_err *err)
{
    const char *class = type == 'c' ? "char" : "block";
    const char *access =
        arena_printf(properties->arena, "%s%s%s", (rule->access & CG_DEVICE_READ) != 0 ? "r" : "",
                     (rule->access & CG_DEVICE_WRITE) != 0 ? "w" : "",
                     (rule->access & CG_DEVICE_MKNOD) != 0 ? "m" : "");
    const char *element;

    if (access == NULL)
        return sub_fail(err, ENOMEM, "DeviceAllow", "out of memory");
    if (rule->major < 0)
        element = arena_printf(properties->arena, "%s-* %s", class, access);
    else if (rule->minor < 0)
        element =
            arena_printf(properties->arena, "%s-%lld %s", class, (long long) rule->major, access);
    else
        element = arena_printf(properties->arena, "/dev/%s/%lld:%lld %s", class,
                               (long long) rule->major, (long long) rule->minor, access);
    return add(properties, "DeviceAllow", "a(ss)", element, err);
}

int cg_properties_of_devices(struct cg_properties *properties, const struct cg_device_rule *rules,
                             size_t count, struct sub_err *err)
{
    size_t first = count;

    for (size_t i = 0; i < count; i++) {
        if (is_everything(&rules[i]))
            first = rules[i].allow ? count : i;
    }
    if (first == count) /* what is not named is allowed: systemd has no such list */
        return 0;
    SUBLET_TRY(cg_property_set(properties, "DevicePolicy", "s", "strict", err));
    for (size_t i = first; i < count; i++) {
        if (rules[i].allow && rules[i].type != 'b')
            SUBLET_TRY(allow(properties, &rules[i], 'c', err));
        if (rules[i].allow && rules[i].type != 'c')
            SUBLET_TRY(allow(properties, &rules[i], 'b', err));
    }
    return 0;
}

int cg_properties_renew_devices(struct cg_properties *properties,
                                const struct cg_device_rule *rules, size_t count,
                                struct sub_err *err)
{
    static const struct cg_property none = {.name = "DeviceAllow", .type = "a(ss)", .value = ""};
    struct cg_properties fresh = {.arena = properties->arena};

    SUBLET_TRY(cg_properties_of_devices(&fresh, rules, count, err));
    if (fresh.count == 0)
        SUBLET_TRY(cg_property_set(&fresh, "DevicePolicy", "s", "auto", err));
    SUBLET_TRY(append(properties, &none, err));
    for (size_t i = 0; i < fresh.count; i++)
        SUBLET_TRY(append(properties, &fresh.items[i], err));
    return 0;
}

/* ---- names ---- */

bool cg_unit_is_name(const char *name, const char *suffix)
{
    size_t length = strlen(name), tail = strlen(suffix);

    return length > tail && length <= UNIT_NAME_MAX && name[0] != '.' &&
           strcmp(name + length - tail, suffix) == 0 &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                             ":-_.\\@")] == '\0';
}

/* systemd.slice(5) */
const char *cg_slice_path(struct arena *arena, const char *slice)
{
    char *path = arena_strdup(arena, "");

    if (!cg_unit_is_name(slice, ".slice"))
        return NULL;
    if (strcmp(slice, "-.slice") == 0)
        return path;

    size_t length = strlen(slice) - strlen(".slice");
    for (size_t i = 0; i <= length && path != NULL; i++) {
        bool end = i == length || slice[i] == '-';

        if (end && (i == 0 || slice[i - 1] == '-'))
            return NULL;
        if (end)
            path = arena_printf(arena, "%s%s%.*s.slice", path, path[0] == '\0' ? "" : "/", (int) i,
                                slice);
    }
    return path;
}
