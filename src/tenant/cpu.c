/* SPDX-License-Identifier: Apache-2.0 */
/* The CPU part of a contract and its words: "elastic 0.5 ceiling 1 burst 50ms". */
#include <errno.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/num.h"
#include "sublet/base/words.h"

#include "private.h"

#define TEXT_MAX  128
#define WORDS_MAX 6

static const struct word kind_rows[] = {
    {"elastic", TENANT_ELASTIC},
    {"fixed",   TENANT_FIXED  },
    {"pinned",  TENANT_PINNED },
};
static const struct words kinds = WORDS(kind_rows);

/* Cuts text, which is changed, at its blanks. More words than room are counted, too. */
static size_t split(char *text, char *words[WORDS_MAX])
{
    size_t count = 0;

    for (char *word = strtok_r(text, " ", &text); word != NULL; word = strtok_r(NULL, " ", &text)) {
        if (count < WORDS_MAX)
            words[count] = word;
        count++;
    }
    return count;
}

static int parse_cpus(const char *text, const char *where, uint32_t *ret_milli, struct sub_err *err)
{
    uint64_t milli;

    if (num_parse_milli(text, TENANT_MILLI_MAX, &milli) < 0)
        return sub_fail(err, EINVAL, where,
                        "'%.32s' is no number of CPUs: at most three decimals, up to %d", text,
                        TENANT_CPUS_MAX);
    if (milli > 0 && milli < CPU_MILLI_MIN)
        return sub_fail(err, ERANGE, where, "%.32s CPUs: at least 0.01 is what the kernel can give",
                        text);
    *ret_milli = (uint32_t) milli;
    return 0;
}

static int parse_option(const char *name, const char *value, const char *where,
                        struct tenant_cpu *cpu, struct sub_err *err)
{
    if (strcmp(name, "ceiling") == 0 && cpu->kind == TENANT_ELASTIC && cpu->ceiling_milli == 0) {
        SUBLET_TRY(parse_cpus(value, where, &cpu->ceiling_milli, err));
        if (cpu->ceiling_milli == 0 || cpu->ceiling_milli < cpu->milli)
            return sub_fail(err, ERANGE, where, "ceiling %.32s is below what is promised", value);
        return 0;
    }
    if (strcmp(name, "burst") == 0 && cpu->kind != TENANT_PINNED && cpu->burst_us == 0) {
        if (num_parse_duration(value, &cpu->burst_us) < 0 || cpu->burst_us == 0)
            return sub_fail(err, EINVAL, where, "burst '%.32s' is no time, as '50ms'", value);
        return 0;
    }
    return sub_fail(err, EINVAL, where, "'%.32s' does not go with %s", name,
                    words_name(&kinds, cpu->kind));
}

static int check(const struct tenant_cpu *cpu, const char *where, struct sub_err *err)
{
    uint64_t cap_milli = tenant_cap_milli(cpu);

    if (cpu->milli == 0 && cpu->kind != TENANT_ELASTIC)
        return sub_fail(err, ERANGE, where, "%s 0 promises nothing; 'elastic 0' is best effort",
                        words_name(&kinds, cpu->kind));
    if (cpu->kind == TENANT_PINNED && cpu->milli % 1000 != 0)
        return sub_fail(err, EINVAL, where, "pinned takes whole CPUs");
    if (cpu->burst_us > 0 && cap_milli == 0)
        return sub_fail(err, EINVAL, where, "burst needs a ceiling to go beyond");
    if (cpu->burst_us > cap_milli * (PERIOD_US / 1000)) {
        return sub_fail(err, ERANGE, where,
                        "burst %llu us: at most the %llu us that the cap allows in %d ms",
                        (unsigned long long) cpu->burst_us,
                        (unsigned long long) (cap_milli * (PERIOD_US / 1000)), PERIOD_US / 1000);
    }
    return 0;
}

int tenant_cpu_parse(const char *text, const char *where, struct tenant_cpu *ret_cpu,
                     struct sub_err *err)
{
    char copy[TEXT_MAX], *words[WORDS_MAX];
    struct tenant_cpu cpu = {0};
    size_t length = strlen(text);

    if (length >= sizeof copy)
        return sub_fail(err, EINVAL, where, "a contract of %zu characters", length);
    memcpy(copy, text, length + 1);

    size_t count = split(copy, words);
    const struct word *kind = count == 0 ? NULL : words_find(&kinds, words[0]);
    if (kind == NULL || count < 2 || count > WORDS_MAX || count % 2 != 0) {
        return sub_fail(err, EINVAL, where,
                        "'%.64s': expected fixed N [burst TIME], elastic N [ceiling M] [burst "
                        "TIME] or pinned N",
                        text);
    }
    cpu.kind = (enum tenant_cpu_kind) kind->value;
    SUBLET_TRY(parse_cpus(words[1], where, &cpu.milli, err));
    for (size_t i = 2; i < count; i += 2)
        SUBLET_TRY(parse_option(words[i], words[i + 1], where, &cpu, err));
    SUBLET_TRY(check(&cpu, where, err));
    *ret_cpu = cpu;
    return 0;
}

uint64_t tenant_cap_milli(const struct tenant_cpu *cpu)
{
    return cpu->kind == TENANT_FIXED     ? cpu->milli
           : cpu->kind == TENANT_ELASTIC ? cpu->ceiling_milli
                                         : 0;
}

const char *tenant_milli_text(struct arena *arena, uint64_t milli)
{
    unsigned rest = (unsigned) (milli % 1000);
    unsigned long long whole = milli / 1000;

    if (rest == 0)
        return arena_printf(arena, "%llu", whole);
    if (rest % 100 == 0)
        return arena_printf(arena, "%llu.%u", whole, rest / 100);
    if (rest % 10 == 0)
        return arena_printf(arena, "%llu.%02u", whole, rest / 10);
    return arena_printf(arena, "%llu.%03u", whole, rest);
}

static const char *duration_text(struct arena *arena, uint64_t us)
{
    if (us % 1000 == 0)
        return arena_printf(arena, "%llums", (unsigned long long) us / 1000);
    return arena_printf(arena, "%lluus", (unsigned long long) us);
}

const char *tenant_cpu_text(struct arena *arena, const struct tenant_cpu *cpu)
{
    bool ceiling = cpu->kind == TENANT_ELASTIC && cpu->ceiling_milli > 0;

    return arena_printf(arena, "%s %s%s%s%s%s", words_name(&kinds, cpu->kind),
                        tenant_milli_text(arena, cpu->milli), ceiling ? " ceiling " : "",
                        ceiling ? tenant_milli_text(arena, cpu->ceiling_milli) : "",
                        cpu->burst_us > 0 ? " burst " : "",
                        cpu->burst_us > 0 ? duration_text(arena, cpu->burst_us) : "");
}
