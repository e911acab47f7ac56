/* SPDX-License-Identifier: Apache-2.0 */
/* process.execCPUAffinity. */
#include <string.h>

#include "sublet/base/num.h"

#include "planning.h"

#define CPU_MAX   1048575 /* far above any kernel's NR_CPUS, as spec_check has it */
#define WORD_BITS 64

static bool take_cpu(const char **at, uint64_t *ret_cpu)
{
    char digits[NUM_TEXT];
    size_t length = strspn(*at, "0123456789");

    if (length >= sizeof digits)
        return false;
    memcpy(digits, *at, length);
    digits[length] = '\0';
    *at += length;
    return num_parse_u64(digits, CPU_MAX, ret_cpu) == 0;
}

/* The next "3" or "0-3" of the list. */
static bool take_range(const char **at, uint64_t *ret_first, uint64_t *ret_last)
{
    *at += strspn(*at, " ,");
    if (!take_cpu(at, ret_first))
        return false;
    *ret_last = *ret_first;
    if (**at != '-')
        return true;
    (*at)++;
    return take_cpu(at, ret_last);
}

static size_t words_needed(const char *list)
{
    uint64_t first, last, highest = 0;

    while (take_range(&list, &first, &last))
        highest = last > highest ? last : highest;
    return (size_t) highest / WORD_BITS + 1;
}

/* spec_check has complained about a list that is none. */
static void read_list(struct planning *p, const char *list, struct plan_cpus *ret_cpus)
{
    uint64_t first, last;

    if (list == NULL)
        return;

    size_t count = words_needed(list);
    uint64_t *words = arena_array(p->arena, count, sizeof *words);
    if (words == NULL)
        return;
    while (take_range(&list, &first, &last)) {
        for (uint64_t cpu = first; cpu <= last; cpu++)
            words[cpu / WORD_BITS] |= UINT64_C(1) << cpu % WORD_BITS;
    }
    *ret_cpus = (struct plan_cpus){words, count};
}

void plan_decide_cpus(struct planning *p)
{
    const struct spec_exec_cpu_affinity *affinity = p->process->exec_cpu_affinity;

    if (affinity == NULL)
        return;
    read_list(p, affinity->initial, &p->plan->process.initial_cpus);
    read_list(p, affinity->final, &p->plan->process.final_cpus);
}
