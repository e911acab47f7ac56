/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles to compile, and what they mean, said a second time without libseccomp's generator. */
#ifndef TESTS_UNIT_PRIV_PROFILES_H
#define TESTS_UNIT_PRIV_PROFILES_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sublet/base/arena.h"
#include "sublet/plan.h"
#include "sublet/priv.h"

#define ALLOW     SECCOMP_RET_ALLOW
#define ERRNO(n)  (SECCOMP_RET_ERRNO | (n))
#define NUMBER(a) (sizeof(a) / sizeof *(a))

/* The profile of an engine's bundle (tests/bundles), by way of spec and plan. */
const struct plan_seccomp *profile_of(struct arena *arena, const char *engine);

/* Compiles without a cache and asserts success. */
struct priv_filter compiled(const struct plan_seccomp *seccomp);

/* What the filter answers to that call. */
uint32_t answer(const struct priv_filter *filter, uint32_t audit, uint32_t number,
                const uint64_t args[6]);

/* The meaning of a profile for one architecture, computed rule by rule: of the rules without
 * conditions for a call the first one decides, then the first one whose conditions hold. */
struct reference;
struct reference *reference_new(struct arena *arena, const struct plan_seccomp *seccomp,
                                uint32_t token, bool wide_args);
uint32_t reference_answer(const struct reference *reference, uint32_t number,
                          const uint64_t args[6]);
bool reference_knows(const struct reference *reference, uint32_t number);

/* Argument vectors that make the conditions of the call true and false, one bit away from it. */
#define SAMPLES_MAX 256
size_t reference_samples(const struct reference *reference, uint32_t number,
                         uint64_t ret_samples[SAMPLES_MAX][6]);

#endif
