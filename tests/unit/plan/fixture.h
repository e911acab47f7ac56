/* SPDX-License-Identifier: Apache-2.0 */
/* A plan from a config's text: what the tests of the planner share. */
#ifndef TESTS_UNIT_PLAN_FIXTURE_H
#define TESTS_UNIT_PLAN_FIXTURE_H

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/warn.h"
#include "sublet/plan.h"
#include "sublet/spec.h"

struct fixture {
    struct arena arena;
    struct findings findings;
    struct options options; /* id c1, bundle /b */
    struct host host;       /* host_example */
    struct spec *spec;
    const struct plan *plan; /* NULL where it failed */
    struct sub_err err;
};

void fixture_init(struct fixture *fixture);
void fixture_done(struct fixture *fixture);
#define OWNED_FIXTURE __attribute__((cleanup(fixture_done))) struct fixture

/* spec_parse, spec_check and plan_make; returns what plan_make did. */
int fixture_make(struct fixture *fixture, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same; process and linux are the objects' insides, mounts those of the array. */
int fixture_make_parts(struct fixture *fixture, const char *process, const char *linux_,
                       const char *mounts);

/* A mount by its target, which must be there. */
const struct plan_mount *fixture_mount(const struct fixture *fixture, const char *target);

#endif
