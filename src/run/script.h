/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces that the scripts of a start and of an exec have in common. */
#ifndef SUBLET_RUN_SCRIPT_H
#define SUBLET_RUN_SCRIPT_H

#include "sublet/base/script.h"

struct start;
struct sub_err;

void put_call(struct script *script, long number, uint64_t a, uint64_t b, uint64_t c,
              const char *text);
void put_wait(struct script *script, int fd, const char *text); /* for one byte */
void put_ready(struct script *script, int channel_fd);
void put_close(const struct start *start, struct script *script); /* all but the channel */
void put_memory_policy(const struct start *start, struct script *script);
void put_exec(const struct start *start, struct script *script);

/* start->image_fd: what the child becomes. */
int image_of_script(struct start *start, struct script *script, struct sub_err *err);

#endif
