/* SPDX-License-Identifier: Apache-2.0 */
/* A process that joins a container: what its own object leaves open, and its rules. */
#include <errno.h>

#include "check.h"

#define INHERIT(member)                    \
    do {                                   \
        if (process->member == NULL)       \
            process->member = own->member; \
    } while (0)

void spec_process_inherit(struct spec_process *process, const struct spec_process *own)
{
    if ((process->has & SPEC_PROCESS_ENV) == 0)
        process->env = own->env;
    if ((process->has & SPEC_PROCESS_USER) == 0)
        process->user = own->user;
    if ((process->has & SPEC_PROCESS_OOM_SCORE_ADJ) == 0) {
        process->has |= own->has & SPEC_PROCESS_OOM_SCORE_ADJ;
        process->oom_score_adj = own->oom_score_adj;
    }
    if (process->rlimits.count == 0)
        process->rlimits = own->rlimits;
    INHERIT(capabilities);
    INHERIT(apparmor_profile);
    INHERIT(selinux_label);
    INHERIT(scheduler);
    INHERIT(io_priority);
    INHERIT(exec_cpu_affinity);
}

int spec_check_exec(const struct spec *spec, struct findings *findings)
{
    (void) spec_check_process(spec->process, findings); /* the count below decides */
    check_ids_of_process(spec, findings);
    return findings->error_count > 0 ? -EINVAL : 0;
}
