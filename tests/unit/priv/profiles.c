/* SPDX-License-Identifier: Apache-2.0 */
#include "profiles.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sublet/base/fd.h"
#include "sublet/base/warn.h"
#include "sublet/spec.h"

#include "runner.h"

const struct plan_seccomp *profile_of(struct arena *arena, const char *engine)
{
    struct sub_err err = {0};
    struct findings findings;
    struct host host;
    const struct spec *spec;
    const struct plan *plan;
    char path[512];

    snprintf(path, sizeof path, TEST_DIR "/bundles/%s", engine);
    OWNED_FD dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_msg(dir >= 0, "%s: %s", path, strerror(errno));
    findings_init(&findings, arena);
    ck_ok(spec_load(arena, dir, NULL, &findings, &spec, &err), &err);
    host_example(&host);
    const struct options options = {.id = "test", .bundle = "/bundle"};
    ck_ok(plan_make(arena, &options, spec, &host, &findings, &plan, &err), &err);
    ck_assert_ptr_nonnull(plan->process.seccomp);
    return plan->process.seccomp;
}

struct priv_filter compiled(const struct plan_seccomp *seccomp)
{
    struct priv_filter filter;
    struct sub_err err = {0};

    ck_ok(priv_filter_compile(seccomp, -1, &filter, &err), &err);
    return filter;
}

uint32_t answer(const struct priv_filter *filter, uint32_t audit, uint32_t number,
                const uint64_t args[6])
{
    struct seccomp_data call = {.nr = (int) number, .arch = audit};

    if (args != NULL)
        memcpy(call.args, args, sizeof call.args);
    return priv_filter_run(filter, &call);
}

#define LOW_NUMBERS 1024

struct entry {
    const struct plan_seccomp_rule *rule;
    struct entry *next;
};

struct reference {
    const struct plan_seccomp *seccomp;
    uint32_t base; /* of the numbers: x32 has bit 30 */
    bool names_any;
    uint32_t newest;
    bool wide_args;
    struct entry *entries[LOW_NUMBERS], **ends[LOW_NUMBERS];
};

/* From numbers to names: the other way round libseccomp knows some calls only inside socketcall. */
static void read_names(struct arena *arena, uint32_t token, uint32_t base,
                       const char *ret_names[LOW_NUMBERS])
{
    for (uint32_t i = 0; i < LOW_NUMBERS; i++) {
        char *name = seccomp_syscall_resolve_num_arch(token, (int) (base + i));

        ret_names[i] = name == NULL ? "" : arena_strdup(arena, name);
        free(name);
    }
}

static int number_of(const char *const names[LOW_NUMBERS], const char *name)
{
    for (int i = 0; i < LOW_NUMBERS; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}

struct reference *reference_new(struct arena *arena, const struct plan_seccomp *seccomp,
                                uint32_t token, bool wide_args)
{
    struct reference *reference = arena_alloc(arena, sizeof *reference);
    static const char *names[LOW_NUMBERS];

    reference->seccomp = seccomp;
    reference->base = token == SCMP_ARCH_X32 ? 0x40000000 : 0;
    reference->wide_args = wide_args;
    for (size_t i = 0; i < LOW_NUMBERS; i++)
        reference->ends[i] = &reference->entries[i];
    read_names(arena, token, reference->base, names);
    for (size_t i = 0; i < seccomp->rule_count; i++) {
        const struct plan_seccomp_rule *rule = &seccomp->rules[i];

        for (size_t j = 0; j < rule->name_count; j++) {
            int low = number_of(names, rule->names[j]);

            if (low < 0)
                continue;
            reference->names_any = true;
            /* x32 has 36 calls of its own from 512 on, a closed list */
            if ((reference->base == 0 || low < 512) && (uint32_t) low > reference->newest)
                reference->newest = (uint32_t) low;

            struct entry *entry = arena_alloc(arena, sizeof *entry);
            entry->rule = rule;
            *reference->ends[low] = entry;
            reference->ends[low] = &entry->next;
        }
    }
    return reference;
}

static bool holds(const struct reference *reference, const struct plan_seccomp_arg *arg,
                  const uint64_t args[6])
{
    uint64_t width = reference->wide_args ? UINT64_MAX : UINT32_MAX;
    uint64_t value = args[arg->index] & width, first = arg->value & width;

    switch (arg->op) {
    case PLAN_CMP_NE:
        return value != first;
    case PLAN_CMP_LT:
        return value < first;
    case PLAN_CMP_LE:
        return value <= first;
    case PLAN_CMP_EQ:
        return value == first;
    case PLAN_CMP_GE:
        return value >= first;
    case PLAN_CMP_GT:
        return value > first;
    default:
        return (value & first) == (arg->value_two & first); /* the mask is for both */
    }
}

static bool matches(const struct reference *reference, const struct plan_seccomp_rule *rule,
                    const uint64_t args[6])
{
    for (size_t i = 0; i < rule->arg_count; i++) {
        if (!holds(reference, &rule->args[i], args))
            return false;
    }
    return true;
}

static uint32_t default_for(const struct reference *reference, uint32_t low)
{
    uint32_t action = reference->seccomp->default_action & SECCOMP_RET_ACTION_FULL;
    bool refuses = action == SECCOMP_RET_ERRNO || action == SECCOMP_RET_TRAP ||
                   action == SECCOMP_RET_KILL_THREAD || action == SECCOMP_RET_KILL_PROCESS;
    bool newer =
        reference->names_any && low > reference->newest && (reference->base == 0 || low < 512);

    return refuses && newer ? ERRNO(ENOSYS) : reference->seccomp->default_action;
}

uint32_t reference_answer(const struct reference *reference, uint32_t number,
                          const uint64_t args[6])
{
    uint32_t low = number - reference->base;
    uint32_t default_action = reference->seccomp->default_action;

    if (low >= LOW_NUMBERS)
        return default_for(reference, low);
    for (const struct entry *e = reference->entries[low]; e != NULL; e = e->next) {
        if (e->rule->arg_count == 0 && e->rule->action != default_action)
            return e->rule->action;
    }
    for (const struct entry *e = reference->entries[low]; e != NULL; e = e->next) {
        if (e->rule->action != default_action && matches(reference, e->rule, args))
            return e->rule->action;
    }
    return default_for(reference, low);
}

bool reference_knows(const struct reference *reference, uint32_t number)
{
    uint32_t low = number - reference->base;

    return low < LOW_NUMBERS && reference->entries[low] != NULL;
}

static size_t add_samples(const struct plan_seccomp_arg *arg, size_t count,
                          uint64_t samples[SAMPLES_MAX][6])
{
    const uint64_t high = UINT64_C(1) << 32;
    const uint64_t values[] = {arg->value,        arg->value + 1,          arg->value - 1,
                               arg->value ^ high, arg->value_two,          arg->value_two ^ 1,
                               ~arg->value,       arg->value & -arg->value};
    size_t before = count;

    /* each value of this condition with all that the earlier ones have made */
    for (size_t i = 0; i < before; i++) {
        for (size_t k = 0; k < NUMBER(values) && count < SAMPLES_MAX; k++) {
            memcpy(samples[count], samples[i], sizeof samples[i]);
            samples[count++][arg->index] = values[k];
        }
    }
    return count;
}

size_t reference_samples(const struct reference *reference, uint32_t number,
                         uint64_t ret_samples[SAMPLES_MAX][6])
{
    uint32_t low = number - reference->base;
    size_t count = 2;

    memset(ret_samples[0], 0, sizeof ret_samples[0]);
    memset(ret_samples[1], 0xff, sizeof ret_samples[1]);
    if (low >= LOW_NUMBERS)
        return count;
    for (const struct entry *e = reference->entries[low]; e != NULL; e = e->next) {
        for (size_t i = 0; i < e->rule->arg_count; i++)
            count = add_samples(&e->rule->args[i], count, ret_samples);
    }
    return count;
}
