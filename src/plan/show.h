/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over the plan stands in two files. */
#ifndef SUBLET_PLAN_SHOW_H
#define SUBLET_PLAN_SHOW_H

#include "sublet/plan.h"

#include "show_tree.h"

/* A NULL-terminated vector, one line an item. */
void show_vector(struct show *show, const char *key, char *const *items);

void show_process(struct show *show, const struct plan_process *process, bool console);

void show_memory_policy(struct show *show, const struct plan_memory_policy *policy);

#endif
