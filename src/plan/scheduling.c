/* SPDX-License-Identifier: Apache-2.0 */
/* process.scheduler and process.ioPriority. */
#include <linux/ioprio.h>
#include <linux/sched.h>

#include "sublet/base/words.h"

#include "planning.h"

#define IO_PRIORITY_MASK 7

static const struct word policy_rows[] = {
    {"SCHED_BATCH",    SCHED_BATCH   },
    {"SCHED_DEADLINE", SCHED_DEADLINE},
    {"SCHED_FIFO",     SCHED_FIFO    },
    {"SCHED_IDLE",     SCHED_IDLE    },
    {"SCHED_OTHER",    SCHED_NORMAL  },
    {"SCHED_RR",       SCHED_RR      },
};
static const struct words policies = WORDS(policy_rows);

static const struct word flag_rows[] = {
    {"SCHED_FLAG_DL_OVERRUN",     SCHED_FLAG_DL_OVERRUN    },
    {"SCHED_FLAG_KEEP_PARAMS",    SCHED_FLAG_KEEP_PARAMS   },
    {"SCHED_FLAG_KEEP_POLICY",    SCHED_FLAG_KEEP_POLICY   },
    {"SCHED_FLAG_RECLAIM",        SCHED_FLAG_RECLAIM       },
    {"SCHED_FLAG_RESET_ON_FORK",  SCHED_FLAG_RESET_ON_FORK },
    {"SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX},
    {"SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN},
};
static const struct words flag_words = WORDS(flag_rows);

static const struct word io_class_rows[] = {
    {"IOPRIO_CLASS_BE",   IOPRIO_CLASS_BE  },
    {"IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE},
    {"IOPRIO_CLASS_RT",   IOPRIO_CLASS_RT  },
};
static const struct words io_classes = WORDS(io_class_rows);

static void decide_scheduler(struct planning *p)
{
    const struct spec_scheduler *spec = p->process->scheduler;

    if (spec == NULL)
        return;
    const struct word *policy = words_find(&policies, spec->policy == NULL ? "" : spec->policy);
    if (policy == NULL) {
        plan_error(p, "process.scheduler.policy",
                   "unknown policy '%s', expected SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, "
                   "SCHED_IDLE or SCHED_DEADLINE",
                   spec->policy == NULL ? "" : spec->policy);
        return;
    }

    struct plan_scheduler *scheduler = arena_alloc(p->arena, sizeof *scheduler);
    if (scheduler == NULL)
        return;
    *scheduler = (struct plan_scheduler){
        .policy = (uint32_t) policy->value,
        .nice = spec->nice,
        .priority = (uint32_t) spec->priority,
        .runtime_ns = spec->runtime_ns,
        .deadline_ns = spec->deadline_ns,
        .period_ns = spec->period_ns,
    };
    for (size_t i = 0; i < spec->flags.count; i++) {
        const struct word *flag = words_find(&flag_words, spec->flags.items[i]);

        if (flag == NULL)
            plan_error(p, arena_printf(p->arena, "process.scheduler.flags[%zu]", i),
                       "unknown flag '%s'", spec->flags.items[i]);
        else
            scheduler->flags |= flag->value;
    }
    p->plan->process.scheduler = scheduler;
}

static void decide_io(struct planning *p)
{
    const struct spec_io_priority *spec = p->process->io_priority;

    if (spec == NULL)
        return;
    const char *name = spec->class == NULL ? "" : spec->class;
    const struct word *class = words_find(&io_classes, name);
    if (class == NULL) {
        plan_error(p, "process.ioPriority.class",
                   "unknown class '%s', expected IOPRIO_CLASS_RT, IOPRIO_CLASS_BE or "
                   "IOPRIO_CLASS_IDLE",
                   name);
    }
    if (class == NULL)
        return;
    p->plan->process.has_io_priority = true;
    p->plan->process.io_priority =
        (int32_t) (class->value << IOPRIO_CLASS_SHIFT) | (spec->priority & IO_PRIORITY_MASK);
}

void plan_decide_scheduling(struct planning *p)
{
    decide_scheduler(p);
    decide_io(p);
}
