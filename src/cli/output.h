/* SPDX-License-Identifier: Apache-2.0 */
/* A file that a command writes as a whole: under another name first, then in the place of the one
 * before, so that a reader finds either. */
#ifndef SUBLET_CLI_OUTPUT_H
#define SUBLET_CLI_OUTPUT_H

#include <errno.h>
#include <stdbool.h>

struct arena;
struct buf;
struct sub_err;

struct output {
    int folder_fd; /* held open, so that nothing that happens meanwhile moves it */
    const char *name;
};

#define OUTPUT_NONE                       \
    {                                     \
        .folder_fd = -EBADF, .name = NULL \
    }
#define OWNED_OUTPUT __attribute__((cleanup(output_done))) struct output

/* option is how messages call it. Refused: what a rename would replace but nobody meant to be. */
int output_open(struct arena *arena, const char *option, const char *path,
                struct output *ret_output, struct sub_err *err);
void output_done(struct output *output);

/* fresh: the name until then. for_all: other users may read it, whatever the umask says. */
int output_write(const struct output *output, const char *fresh, bool for_all,
                 const struct buf *text);

#endif
