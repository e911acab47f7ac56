/* SPDX-License-Identifier: Apache-2.0 */
/* The other fields of a contract and their words. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/num.h"
#include "sublet/base/path.h"

#include "private.h"

#define RATE_TEXT     64
#define IO_WEIGHT_MAX 10000
#define PIDS_MAX      ((uint64_t) 4 << 20) /* PID_MAX_LIMIT */

void tenant_contract_init(struct tenant_contract *contract)
{
    *contract = (struct tenant_contract){.io_weight = TENANT_UNSET, .pids = TENANT_UNSET};
    for (size_t i = 0; i < TENANT_MEMORIES; i++)
        contract->memory_bytes[i] = TENANT_UNSET;
}

static bool is_row(const char *name)
{
    return strcmp(name, "host") == 0 || strcmp(name, "others") == 0;
}

/* The kernel keeps names that begin so, in every group, for its own files. */
static const char *kernel_prefix(const char *name)
{
    static const char *const prefixes[] = {"cgroup.",  "cpu.",  "cpuset.", "dmem.",
                                           "hugetlb.", "io.",   "irq.",    "memory.",
                                           "misc.",    "pids.", "rdma."};

    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return prefixes[i];
    }
    return NULL;
}

bool name_is_reserved(const char *name)
{
    return is_row(name) || kernel_prefix(name) != NULL;
}

int tenant_name_check(const char *name, const char *where, struct sub_err *err)
{
    size_t length = strlen(name);
    bool fine = length > 0 && length <= TENANT_NAME_MAX;

    for (size_t i = 0; fine && i < length; i++) {
        char c = name[i];

        fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               (i > 0 && (c == '_' || c == '.' || c == '-'));
    }
    if (fine && is_row(name)) {
        return sub_fail(err, EINVAL, where,
                        "tenant '%s': in the ledger and in reports this is the name of a row that "
                        "is no tenant's",
                        name);
    }
    const char *prefix = fine ? kernel_prefix(name) : NULL;
    if (prefix != NULL) {
        return sub_fail(err, EINVAL, where,
                        "tenant '%s': a tenant is a cgroup, and names that begin with '%s' are the "
                        "kernel's there",
                        name, prefix);
    }
    if (fine)
        return 0;
    return sub_fail(err, EINVAL, where,
                    "tenant '%.80s': 1 to %d of the characters a-z 0-9 _ . - are allowed, "
                    "beginning with a letter or digit",
                    name, TENANT_NAME_MAX);
}

/* Nothing lives in no memory at all; no swap, and no memory that is spared, are other things. */
static bool may_be_none(enum tenant_memory kind)
{
    return kind == TENANT_SWAP || kind == TENANT_LOW;
}

static int set_memory(enum tenant_memory kind, uint64_t *place, const char *text, const char *where,
                      struct sub_err *err)
{
    uint64_t bytes;

    if (num_parse_size(text, &bytes) < 0)
        return sub_fail(err, EINVAL, where,
                        "'%.32s' is no size: a number with an optional unit K, M, G or T, or none",
                        text);
    if (bytes == 0 && !may_be_none(kind))
        return sub_fail(
            err, EINVAL, where,
            "0 bytes are no limit that a process lives in: a size, or 'none' for no limit");
    *place = bytes;
    return 0;
}

static int set_number(uint64_t *place, uint64_t max, const char *text, const char *where,
                      struct sub_err *err)
{
    uint64_t value;

    if (num_parse_u64(text, max, &value) < 0 || value == 0)
        return sub_fail(err, EINVAL, where, "'%.32s': a number from 1 to %llu, or none", text,
                        (unsigned long long) max);
    *place = value;
    return 0;
}

static int set_bool(bool *place, const char *text, const char *where, struct sub_err *err)
{
    if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
        return sub_fail(err, EINVAL, where, "'%.32s': expected yes or no", text);
    *place = strcmp(text, "yes") == 0;
    return 0;
}

int tenant_contract_set(struct tenant_contract *contract, const char *field, const char *text,
                        const char *where, struct sub_err *err)
{
    static const char *const memories[TENANT_MEMORIES] = {
        [TENANT_MAX] = "memory", [TENANT_HIGH] = "memory-high", [TENANT_LOW] = "memory-low",
        [TENANT_SWAP] = "swap",  [TENANT_VIRTUAL] = "virtual",
    };
    bool none = strcmp(text, "none") == 0;

    for (size_t i = 0; i < TENANT_MEMORIES; i++) {
        if (strcmp(field, memories[i]) != 0)
            continue;
        if (!none)
            return set_memory((enum tenant_memory) i, &contract->memory_bytes[i], text, where, err);
        contract->memory_bytes[i] = TENANT_UNSET;
        return 0;
    }
    if (strcmp(field, "cpu") == 0)
        return tenant_cpu_parse(none ? "elastic 0" : text, where, &contract->cpu, err);
    if (strcmp(field, "realtime") == 0)
        return set_bool(&contract->realtime, text, where, err);

    bool weight = strcmp(field, "io-weight") == 0;
    uint64_t *place = weight ? &contract->io_weight : &contract->pids;
    if (!none)
        return set_number(place, weight ? IO_WEIGHT_MAX : PIDS_MAX, text, where, err);
    *place = TENANT_UNSET;
    return 0;
}

/* "read:50MB/s", "500iops": into the rates of one or both directions. */
static int parse_rate(const char *text, uint64_t rates[CG_IO_KINDS])
{
    bool reads = strncmp(text, "write:", 6) != 0, writes = strncmp(text, "read:", 5) != 0;
    char number[RATE_TEXT];
    uint64_t rate;

    if (!reads || !writes)
        text = strchr(text, ':') + 1;

    size_t length = strlen(text);
    bool ops = length > 4 && strcmp(text + length - 4, "iops") == 0;
    bool bytes = length > 2 && strcmp(text + length - 2, "/s") == 0;
    if ((!ops && !bytes) || length >= sizeof number)
        return -EINVAL;
    memcpy(number, text, length + 1);
    number[length - (ops ? 4 : 2)] = '\0';
    SUBLET_TRY(ops ? num_parse_u64(number, UINT32_MAX - 1, &rate) : num_parse_size(number, &rate));
    if (rate == 0)
        return -EINVAL;
    if (reads)
        rates[ops ? CG_IO_RIOPS : CG_IO_RBPS] = rate;
    if (writes)
        rates[ops ? CG_IO_WIOPS : CG_IO_WBPS] = rate;
    return 0;
}

int tenant_io_parse(struct arena *arena, const char *text, const char *where,
                    struct tenant_io *ret_io, struct sub_err *err)
{
    const char *equal = strrchr(text, '=');
    struct tenant_io io = {0};
    char *rates = equal == NULL ? NULL : arena_strdup(arena, equal + 1);
    bool fine = rates != NULL && text[0] == '/';
    size_t count = 0;

    for (char *rate = fine ? strtok_r(rates, ",", &rates) : NULL; fine && rate != NULL;
         rate = strtok_r(NULL, ",", &rates)) {
        fine = parse_rate(rate, io.rates) == 0;
        count++;
    }
    if (!fine || count == 0) {
        return sub_fail(err, EINVAL, where,
                        "'%.80s': expected /PATH=RATE[,RATE...] with rates as 50MB/s, 500iops, "
                        "read:10MB/s, write:100iops",
                        text);
    }
    io.path = arena_strndup(arena, text, (size_t) (equal - text));
    *ret_io = io;
    return io.path == NULL ? -ENOMEM : 0;
}

int tenant_contract_add_io(struct arena *arena, struct tenant_contract *contract, const char *text,
                           const char *where, struct sub_err *err)
{
    struct tenant_io io;
    size_t place = 0;

    SUBLET_TRY(tenant_io_parse(arena, text, where, &io, err));
    while (place < contract->io_count && strcmp(contract->io[place].path, io.path) != 0)
        place++;
    if (place == TENANT_IO_MAX)
        return sub_fail(err, E2BIG, where, "more than %d paths", TENANT_IO_MAX);
    contract->io[place] = io;
    contract->io_count += place == contract->io_count;
    return 0;
}

const char *tenant_size_text(struct arena *arena, uint64_t bytes)
{
    static const char units[] = "\0KMGT";
    unsigned unit = 0;

    if (bytes == TENANT_UNSET)
        return "none";
    while (unit < 4 && bytes >= 1024 && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    return arena_printf(arena, "%llu%.1s", (unsigned long long) bytes, &units[unit]);
}

static const char *rate_text(struct arena *arena, uint64_t rate, bool ops)
{
    if (ops)
        return arena_printf(arena, "%lluiops", (unsigned long long) rate);

    const char *size = tenant_size_text(arena, rate);
    bool unit = size != NULL && !isdigit((unsigned char) size[strlen(size) - 1]);
    return arena_printf(arena, "%s%s/s", size, unit ? "B" : "");
}

const char *tenant_io_text(struct arena *arena, const struct tenant_io *io)
{
    static const struct {
        enum cg_io_kind read, write;
        bool ops;
    } pairs[] = {
        {CG_IO_RBPS,  CG_IO_WBPS,  false},
        {CG_IO_RIOPS, CG_IO_WIOPS, true },
    };
    const char *text = arena_printf(arena, "%s", io->path);
    const char *mark = "=";

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        uint64_t read = io->rates[pairs[i].read], write = io->rates[pairs[i].write];
        bool both = read == write;

        if (read > 0) {
            text = arena_printf(arena, "%s%s%s%s", text, mark,
                                both ? "" : "read:", rate_text(arena, read, pairs[i].ops));
            mark = ",";
        }
        if (write > 0 && !both) {
            text = arena_printf(arena, "%s%swrite:%s", text, mark,
                                rate_text(arena, write, pairs[i].ops));
            mark = ",";
        }
    }
    return text;
}
