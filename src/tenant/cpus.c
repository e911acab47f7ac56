/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of CPUs, and which of them pinned tenants get. */
#include <errno.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/err.h"

#include "private.h"

#define LIST_MAX 4096

bool cpus_has(const uint64_t *cpus, unsigned cpu)
{
    return (cpus[cpu / 64] & (uint64_t) 1 << cpu % 64) != 0;
}

void cpus_add(uint64_t *cpus, unsigned cpu)
{
    cpus[cpu / 64] |= (uint64_t) 1 << cpu % 64;
}

unsigned cpus_count(const uint64_t *cpus)
{
    unsigned count = 0;

    for (size_t i = 0; i < CPU_WORDS; i++)
        count += (unsigned) __builtin_popcountll(cpus[i]);
    return count;
}

static int take_number(const char **at, unsigned *ret_number)
{
    unsigned number = 0;
    const char *first = *at;

    for (; **at >= '0' && **at <= '9' && number < TENANT_CPUS_MAX; (*at)++)
        number = number * 10 + (unsigned) (**at - '0');
    if (*at == first || number >= TENANT_CPUS_MAX)
        return -EINVAL;
    *ret_number = number;
    return 0;
}

int cpus_parse(const char *text, uint64_t *cpus)
{
    memset(cpus, 0, CPU_WORDS * sizeof *cpus);
    while (*text != '\0' && *text != '\n') {
        unsigned first, last;

        SUBLET_TRY(take_number(&text, &first));
        last = first;
        if (*text == '-') {
            text++;
            SUBLET_TRY(take_number(&text, &last));
        }
        for (unsigned cpu = first; cpu <= last; cpu++)
            cpus_add(cpus, cpu);
        if (*text == ',')
            text++;
        else if (*text != '\0' && *text != '\n')
            return -EINVAL;
    }
    return 0;
}

const char *cpus_text(struct arena *arena, const uint64_t *cpus)
{
    OWNED_BUF text = BUF(LIST_MAX);

    for (unsigned cpu = 0; cpu < TENANT_CPUS_MAX; cpu++) {
        unsigned first = cpu;

        if (!cpus_has(cpus, cpu))
            continue;
        while (cpu + 1 < TENANT_CPUS_MAX && cpus_has(cpus, cpu + 1))
            cpu++;
        buf_printf(&text, first == cpu ? "%s%u" : "%s%u-%u", text.length == 0 ? "" : ",", first,
                   cpu);
    }
    return buf_failed(&text) ? NULL : arena_strdup(arena, buf_text(&text));
}

static bool overlap(const uint64_t *a, const uint64_t *b)
{
    for (size_t i = 0; i < CPU_WORDS; i++) {
        if ((a[i] & b[i]) != 0)
            return true;
    }
    return false;
}

static bool is_part(const uint64_t *part, const uint64_t *whole)
{
    for (size_t i = 0; i < CPU_WORDS; i++) {
        if ((part[i] & ~whole[i]) != 0)
            return false;
    }
    return true;
}

static void merge(uint64_t *into, const uint64_t *cpus)
{
    for (size_t i = 0; i < CPU_WORDS; i++)
        into[i] |= cpus[i];
}

/* From the top: interrupts and the host's own work gather at the first ones. */
static void take_highest(const uint64_t *online, uint64_t *taken, unsigned wanted, uint64_t *cpus)
{
    for (unsigned cpu = TENANT_CPUS_MAX; cpu-- > 0 && wanted > 0;) {
        if (!cpus_has(online, cpu) || cpus_has(taken, cpu))
            continue;
        cpus_add(cpus, cpu);
        cpus_add(taken, cpu);
        wanted--;
    }
}

static unsigned wanted_cpus(const struct tenant *tenant)
{
    return tenant->contract.cpu.kind == TENANT_PINNED ? tenant->contract.cpu.milli / 1000 : 0;
}

void pins_choose(const struct tenant_host *host, const struct tenants *tenants,
                 uint64_t (*cpus)[CPU_WORDS])
{
    uint64_t taken[CPU_WORDS] = {0};
    unsigned online = cpus_count(host->online), reserve = (host->reserve_milli + 999) / 1000;
    unsigned left = online > reserve ? online - reserve : 0;

    for (size_t i = 0; i < tenants->count; i++) {
        const uint64_t *held = tenants->items[i].held_cpus;
        unsigned wanted = wanted_cpus(&tenants->items[i]);

        memset(cpus[i], 0, sizeof cpus[i]);
        if (wanted == 0 || wanted > left || held == NULL || cpus_count(held) != wanted ||
            !is_part(held, host->online) || overlap(held, taken))
            continue;
        memcpy(cpus[i], held, sizeof cpus[i]);
        merge(taken, held);
        left -= wanted;
    }
    for (size_t i = 0; i < tenants->count; i++) {
        unsigned wanted = wanted_cpus(&tenants->items[i]);

        if (wanted == 0 || wanted > left || cpus_count(cpus[i]) > 0)
            continue;
        take_highest(host->online, taken, wanted, cpus[i]);
        left -= wanted;
    }
}
