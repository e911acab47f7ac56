/* SPDX-License-Identifier: Apache-2.0 */
/* One definition as JSON: the words of the command line, in the fields that they belong to. */
#include "file.h"

#include <errno.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/json.h"

struct file_strings {
    const char *const *items;
    size_t count;
};

struct file_memory {
    const char *sizes[TENANT_MEMORIES];
};

struct file_io {
    struct file_strings limits;
    uint64_t weight;
    uint64_t has;
};

struct file_tenant {
    const char *cpu;
    struct file_memory memory;
    struct file_io io;
    uint64_t pids;
    bool realtime;
    uint64_t has;
};

#define HAS_WEIGHT 1u
#define HAS_PIDS   1u

/* clang-format off */
#define AT(index) offsetof(struct file_memory, sizes[index])
static const struct json_field memory_fields[] = {
    {.key = "max", .kind = JSON_TEXT, .offset = AT(TENANT_MAX)},
    {.key = "high", .kind = JSON_TEXT, .offset = AT(TENANT_HIGH)},
    {.key = "low", .kind = JSON_TEXT, .offset = AT(TENANT_LOW)},
    {.key = "swap", .kind = JSON_TEXT, .offset = AT(TENANT_SWAP)},
    {.key = "virtual", .kind = JSON_TEXT, .offset = AT(TENANT_VIRTUAL)},
};
#undef AT
static const struct json_shape memory_shape = {
    JSON_FIELDS(memory_fields), .size = sizeof(struct file_memory), .closed = true};

#define AT(member) offsetof(struct file_io, member)
static const struct json_field io_fields[] = {
    {.key = "limits", .kind = JSON_STRINGS, .offset = AT(limits)},
    {.key = "weight", .kind = JSON_U64, .offset = AT(weight), .presence = HAS_WEIGHT},
};
static const struct json_shape io_shape = {
    JSON_FIELDS(io_fields), .size = sizeof(struct file_io), .has_offset = AT(has), .closed = true};
#undef AT

#define AT(member) offsetof(struct file_tenant, member)
static const struct json_field tenant_fields[] = {
    {.key = "cpu", .kind = JSON_TEXT, .offset = AT(cpu), .presence = JSON_REQUIRED},
    {.key = "memory", .kind = JSON_INLINE, .offset = AT(memory), .shape = &memory_shape},
    {.key = "io", .kind = JSON_INLINE, .offset = AT(io), .shape = &io_shape},
    {.key = "pids", .kind = JSON_U64, .offset = AT(pids), .presence = HAS_PIDS},
    {.key = "realtime", .kind = JSON_BOOL, .offset = AT(realtime)},
};
static const struct json_shape tenant_shape = {
    JSON_FIELDS(tenant_fields), .size = sizeof(struct file_tenant), .has_offset = AT(has),
    .closed = true};
#undef AT
/* clang-format on */

/* Field of a contract, and where it stands in the file. */
static const struct {
    const char *field, *path;
    enum tenant_memory memory;
} memories[] = {
    {"memory",      "memory.max",     TENANT_MAX    },
    {"memory-high", "memory.high",    TENANT_HIGH   },
    {"memory-low",  "memory.low",     TENANT_LOW    },
    {"swap",        "memory.swap",    TENANT_SWAP   },
    {"virtual",     "memory.virtual", TENANT_VIRTUAL},
};
#define MEMORY_COUNT (sizeof memories / sizeof *memories)

static int set_number(struct arena *arena, struct tenant_contract *contract, const char *field,
                      uint64_t number, const char *where, struct sub_err *err)
{
    const char *text = arena_printf(arena, "%llu", (unsigned long long) number);

    return text == NULL ? -ENOMEM : tenant_contract_set(contract, field, text, where, err);
}

/* Meanings, each named by file and JSON path as the decoder names a wrong type. */
static int read_meaning(struct arena *arena, const char *name, const struct file_tenant *file,
                        struct tenant_contract *contract, struct sub_err *err)
{
    SUBLET_TRY(tenant_contract_set(contract, "cpu", file->cpu == NULL ? "" : file->cpu,
                                   arena_printf(arena, "%s: cpu", name), err));
    for (size_t i = 0; i < MEMORY_COUNT; i++) {
        const char *size = file->memory.sizes[memories[i].memory];

        if (size != NULL)
            SUBLET_TRY(tenant_contract_set(contract, memories[i].field, size,
                                           arena_printf(arena, "%s: %s", name, memories[i].path),
                                           err));
    }
    for (size_t i = 0; i < file->io.limits.count; i++)
        SUBLET_TRY(tenant_contract_add_io(arena, contract, file->io.limits.items[i],
                                          arena_printf(arena, "%s: io.limits[%zu]", name, i), err));
    if ((file->io.has & HAS_WEIGHT) != 0)
        SUBLET_TRY(set_number(arena, contract, "io-weight", file->io.weight,
                              arena_printf(arena, "%s: io.weight", name), err));
    if ((file->has & HAS_PIDS) != 0)
        SUBLET_TRY(set_number(arena, contract, "pids", file->pids,
                              arena_printf(arena, "%s: pids", name), err));
    contract->realtime = file->realtime;
    return 0;
}

int tenant_decode(struct arena *arena, const char *name, const char *text, size_t size,
                  struct tenant_contract *ret_contract, struct sub_err *err)
{
    const struct json_source source = {.name = name, .text = text, .size = size};
    struct tenant_contract contract;
    struct file_tenant file = {0};

    SUBLET_TRY(json_decode(arena, &source, &tenant_shape, NULL, &file, err));
    tenant_contract_init(&contract);
    SUBLET_TRY(read_meaning(arena, name, &file, &contract, err));
    *ret_contract = contract;
    return 0;
}

static int encode(struct arena *arena, const struct tenant *tenant, struct json_writer *writer,
                  const char *key)
{
    const struct tenant_contract *contract = &tenant->contract;
    const char *limits[TENANT_IO_MAX];
    struct file_tenant file = {
        .cpu = tenant_cpu_text(arena, &contract->cpu),
        .io = {.limits = {limits, contract->io_count}, .weight = contract->io_weight},
        .pids = contract->pids,
        .realtime = contract->realtime,
    };

    for (size_t i = 0; i < TENANT_MEMORIES; i++) {
        uint64_t bytes = contract->memory_bytes[i];

        file.memory.sizes[i] = bytes == TENANT_UNSET ? NULL : tenant_size_text(arena, bytes);
    }
    for (size_t i = 0; i < contract->io_count; i++)
        limits[i] = tenant_io_text(arena, &contract->io[i]);
    file.io.has = contract->io_weight == TENANT_UNSET ? 0 : HAS_WEIGHT;
    file.has = contract->pids == TENANT_UNSET ? 0 : HAS_PIDS;
    if (arena_failed(arena))
        return -ENOMEM;
    json_encode(writer, key, &tenant_shape, &file);
    return buf_failed(writer->buf) ? -ENOMEM : 0;
}

int tenant_encode(const struct tenant *tenant, struct json_writer *writer, const char *key)
{
    OWNED_ARENA arena;

    arena_init(&arena, TENANT_FILE_MAX * 4);
    return encode(&arena, tenant, writer, key);
}
