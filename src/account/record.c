/* SPDX-License-Identifier: Apache-2.0 */
/* A record <-> its line. Short keys: a host of a thousand tenants writes many. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/json.h"

#include "ledger.h"

#define CRC_KEY ",\"crc\":\""
#define CRC_END (sizeof CRC_KEY - 1 + 8 + 2) /* ,"crc":"9f3a01c2"} */

/* clang-format off */
#define U64(type, member) {.key = #member, .kind = JSON_U64, .offset = offsetof(struct type, member)}
#define SHAPE(type, table) {JSON_FIELDS(table), .size = sizeof(struct type)}

static const struct json_field cpu_fields[] = {
    U64(ledger_cpu, use), U64(ledger_cpu, usr), U64(ledger_cpu, sys), U64(ledger_cpu, ent),
    U64(ledger_cpu, bor), U64(ledger_cpu, unu), U64(ledger_cpu, lent),
    {.key = "short", .kind = JSON_U64, .offset = offsetof(struct ledger_cpu, shrt)},
    {.key = "shortmax", .kind = JSON_U64, .offset = offsetof(struct ledger_cpu, shrtmax)},
    U64(ledger_cpu, thr), U64(ledger_cpu, nthr), U64(ledger_cpu, nper), U64(ledger_cpu, bur),
    U64(ledger_cpu, some), U64(ledger_cpu, full), U64(ledger_cpu, wait), U64(ledger_cpu, self),
};
static const struct json_shape cpu_shape = SHAPE(ledger_cpu, cpu_fields);

static const struct json_field memory_fields[] = {
    U64(ledger_memory, cur), U64(ledger_memory, peak), U64(ledger_memory, swap),
    U64(ledger_memory, anon), U64(ledger_memory, file), U64(ledger_memory, kern),
    U64(ledger_memory, bytesus), U64(ledger_memory, majflt), U64(ledger_memory, refa),
    U64(ledger_memory, reff), U64(ledger_memory, high), U64(ledger_memory, max),
    U64(ledger_memory, oom), U64(ledger_memory, oomkill), U64(ledger_memory, some),
    U64(ledger_memory, full),
};
static const struct json_shape memory_shape = SHAPE(ledger_memory, memory_fields);

static const struct json_field device_fields[] = {
    {.key = "d", .kind = JSON_STRING, .offset = offsetof(struct ledger_device, d), .presence = JSON_REQUIRED},
    U64(ledger_device, rb), U64(ledger_device, wb), U64(ledger_device, ro), U64(ledger_device, wo),
    U64(ledger_device, cost),
};
static const struct json_shape device_shape = SHAPE(ledger_device, device_fields);

static const struct json_field pressure_fields[] = {
    U64(ledger_pressure, some), U64(ledger_pressure, full), U64(ledger_pressure, cap),
};
static const struct json_shape pressure_shape = SHAPE(ledger_pressure, pressure_fields);

static const struct json_field pids_fields[] = {
    U64(ledger_pids, cur), U64(ledger_pids, peak), U64(ledger_pids, refused),
};
static const struct json_shape pids_shape = SHAPE(ledger_pids, pids_fields);

static const struct json_field by_fields[] = {
    {.key = "by", .kind = JSON_STRING, .offset = offsetof(struct ledger_by, by), .presence = JSON_REQUIRED},
    U64(ledger_by, us),
};
static const struct json_shape by_shape = SHAPE(ledger_by, by_fields);

static const struct json_field windows_fields[] = {
    U64(ledger_windows, n), U64(ledger_windows, idle), U64(ledger_windows, within),
    U64(ledger_windows, borrowing), U64(ledger_windows, atcap), U64(ledger_windows, squeezed),
    U64(ledger_windows, victim), U64(ledger_windows, starved),
};
static const struct json_shape windows_shape = SHAPE(ledger_windows, windows_fields);

static const struct json_field total_fields[] = {
    U64(ledger_total, cap), U64(ledger_total, res), U64(ledger_total, ten), U64(ledger_total, own),
    U64(ledger_total, idle), U64(ledger_total, steal), U64(ledger_total, cpus),
};
static const struct json_shape total_shape = SHAPE(ledger_total, total_fields);

static const struct json_field group_fields[] = {
    U64(ledger_group, cg), U64(ledger_group, use), U64(ledger_group, usr), U64(ledger_group, sys),
};
static const struct json_shape group_shape = SHAPE(ledger_group, group_fields);

#define AT(member) .offset = offsetof(struct ledger_record, member)
static const struct json_field record_fields[] = {
    {.key = "v", .kind = JSON_U32, AT(v), .presence = JSON_REQUIRED},
    {.key = "k", .kind = JSON_STRING, AT(k), .presence = JSON_REQUIRED},
    {.key = "seq", .kind = JSON_U64, AT(seq), .presence = JSON_REQUIRED},
    {.key = "t", .kind = JSON_STRING, AT(t), .presence = JSON_REQUIRED},
    {.key = "us", .kind = JSON_U64, AT(us), .presence = JSON_REQUIRED},
    {.key = "mono", .kind = JSON_U64, AT(mono)},
    {.key = "boot", .kind = JSON_STRING, AT(boot), .presence = JSON_REQUIRED},
    {.key = "cg", .kind = JSON_U64, AT(cg)},
    {.key = "tenant", .kind = JSON_STRING, AT(tenant)},
    {.key = "id", .kind = JSON_STRING, AT(id)},
    {.key = "created", .kind = JSON_STRING, AT(created)},
    {.key = "outside", .kind = JSON_BOOL, AT(outside)},
    {.key = "contract", .kind = JSON_STRING, AT(contract)},
    {.key = "entmicro", .kind = JSON_U64, AT(entmicro)},
    {.key = "winus", .kind = JSON_U64, AT(winus)},
    {.key = "status", .kind = JSON_I32, AT(status), .presence = LEDGER_HAS_STATUS},
    {.key = "count", .kind = JSON_U64, AT(count), .presence = LEDGER_HAS_COUNT},
    {.key = "cls", .kind = JSON_STRING, AT(cls)},
    {.key = "kernel", .kind = JSON_STRING, AT(kernel)},
    {.key = "text", .kind = JSON_STRING, AT(text)},
    {.key = "cpu", .kind = JSON_OBJECT, AT(cpu), .shape = &cpu_shape},
    {.key = "mem", .kind = JSON_OBJECT, AT(mem), .shape = &memory_shape},
    {.key = "io", .kind = JSON_LIST, AT(io), .shape = &device_shape},
    {.key = "iop", .kind = JSON_OBJECT, AT(iop), .shape = &pressure_shape},
    {.key = "pids", .kind = JSON_OBJECT, AT(pids), .shape = &pids_shape},
    {.key = "win", .kind = JSON_OBJECT, AT(win), .shape = &windows_shape},
    {.key = "blame", .kind = JSON_LIST, AT(blame), .shape = &by_shape},
    {.key = "host", .kind = JSON_OBJECT, AT(host), .shape = &total_shape},
    {.key = "group", .kind = JSON_OBJECT, AT(group), .shape = &group_shape},
};
/* clang-format on */
#undef AT

static const struct json_shape record_shape = {JSON_FIELDS(record_fields),
                                               .size = sizeof(struct ledger_record),
                                               .has_offset = offsetof(struct ledger_record, has)};

int ledger_encode(const struct ledger_record *record, struct buf *line)
{
    struct json_writer writer;
    char tail[CRC_END + 2];

    json_writer_init(&writer, line, 0);
    json_encode(&writer, NULL, &record_shape, record);
    if (buf_failed(line) || line->length == 0 || line->data[line->length - 1] != '}')
        return -E2BIG;
    line->data[--line->length] = '\0';
    (void) snprintf(tail, sizeof tail, CRC_KEY "%08x\"}\n", ledger_crc(line->data, line->length));
    buf_puts(line, tail);
    return buf_failed(line) ? -E2BIG : 0;
}

static bool sum_is_right(const char *line, size_t size)
{
    char tail[CRC_END + 1];

    if (size <= CRC_END || size > LEDGER_LINE_MAX)
        return false;
    (void) snprintf(tail, sizeof tail, CRC_KEY "%08x\"}", ledger_crc(line, size - CRC_END));
    return memcmp(line + size - CRC_END, tail, CRC_END) == 0;
}

/* Of another version nothing but its number is known to be where it was. */
static bool is_newer(struct arena *arena, const struct json_source *source)
{
    static const struct json_field fields[] = {
        {.key = "v", .kind = JSON_U32, .presence = JSON_REQUIRED},
    };
    static const struct json_shape shape = {JSON_FIELDS(fields), .size = sizeof(uint32_t)};
    struct sub_err ignored = {.code = 0};
    uint32_t version;

    return json_decode(arena, source, &shape, NULL, &version, &ignored) == 0 &&
           version != LEDGER_VERSION;
}

int ledger_decode(struct arena *arena, const char *line, size_t size,
                  struct ledger_record *ret_record)
{
    struct json_source source = {.name = LEDGER_FILE, .text = line, .size = size};
    struct sub_err ignored = {.code = 0};

    if (!sum_is_right(line, size))
        return -EINVAL;

    struct ledger_record record;
    int rc = json_decode(arena, &source, &record_shape, NULL, &record, &ignored);
    if (rc == 0 && record.v == LEDGER_VERSION) {
        *ret_record = record;
        return 0;
    }
    return is_newer(arena, &source) ? -EPROTONOSUPPORT : -EINVAL;
}
