/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `run` without a bundle: command line words become a spec, which then goes the way of any bundle.
 * Pure: asks nothing of the machine.
 */
#ifndef SUBLET_CLI_BUNDLELESS_H
#define SUBLET_CLI_BUNDLELESS_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct args;
struct spec;
struct spec_linux;
struct tenant_io;
struct sub_err;

struct bundleless {
    const char *id;
    const char *folder; /* relative paths start here; absolute */
    bool rootless;
    const struct tenant_io *io; /* --io, with the disks found */
    size_t io_count;
};

/* --cpu, --memory, --swap, --pids, --io. */
int bundleless_limits(struct arena *arena, const struct args *args, const struct bundleless *facts,
                      struct spec_linux *linux_, struct sub_err *err);

int bundleless_spec(struct arena *arena, const struct args *args, const struct bundleless *facts,
                    struct spec **ret_spec, struct sub_err *err);

/* "LOWER:LOWER" with "\:" for a colon in a name; relative ones below folder. NULL-terminated. */
int overlay_split(struct arena *arena, const char *text, const char *folder,
                  const char *const **ret_lowers, size_t *ret_count, struct sub_err *err);

#endif
