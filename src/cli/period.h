/* SPDX-License-Identifier: Apache-2.0 */
/* Periods as people say them: "2026-11-22T10:00Z", "-2h", "yesterday". Days are those of UTC. */
#ifndef SUBLET_CLI_PERIOD_H
#define SUBLET_CLI_PERIOD_H

#include <stdint.h>

#define PERIOD_TEXT 32

struct args;
struct sub_err;

/* Pure. -EINVAL: no such time. */
int period_parse(const char *text, uint64_t now_us, uint64_t *ret_us);

/* --from and --to of args; without them the last default_us. Complains as a wrong command line. */
int period_read(const struct args *args, uint64_t default_us, uint64_t *ret_from_us,
                uint64_t *ret_to_us, struct sub_err *err);

/* "2026-11-22T10:00:00Z", and "2h 5m", "12.3s"; text has room for PERIOD_TEXT bytes. */
char *period_moment(uint64_t us, char *text);
char *period_length(uint64_t us, char *text);

#endif
