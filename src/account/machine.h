/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUBLET_ACCOUNT_MACHINE_H
#define SUBLET_ACCOUNT_MACHINE_H

#include <stdint.h>

struct sub_err;

struct machine { /* since boot, all CPUs together */
    uint32_t cpus;
    uint64_t idle_us, steal_us;
    uint64_t running; /* tasks that run or want to, now; 0: the kernel does not tell */
};

/* Pure. -EINVAL: no such text. */
int machine_parse(const char *text, uint64_t tick_us, struct machine *ret_machine);
/* What has been since the base, which moves on to now. The kernel's own sums of idle time go back
 * at times, by a tick or more: then the base stays, or the same time would be counted again. */
struct machine machine_advance(struct machine *base, const struct machine *now);
int machine_read(struct machine *ret_machine, struct sub_err *err);

#endif
