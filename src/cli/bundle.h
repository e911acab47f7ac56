/* SPDX-License-Identifier: Apache-2.0 */
/* From the words of the command line to a spec, options and a plan. Touches nothing. */
#ifndef SUBLET_CLI_BUNDLE_H
#define SUBLET_CLI_BUNDLE_H

#include "sublet/base/buf.h"
#include "sublet/base/warn.h"
#include "sublet/plan.h"
#include "sublet/spec.h"

struct arena;
struct call;
struct sub_err;

struct bundle {
    struct findings findings; /* every error and warning met on the way */
    struct options options;
    const struct spec *spec;
    const struct plan *plan;
    struct buf config; /* the text of config.json */
    bool invented;     /* there is no file that `sublet plan` could check */
};

void bundle_done(struct bundle *bundle);
#define OWNED_BUNDLE __attribute__((cleanup(bundle_done))) struct bundle

/* path, or path below the current folder. */
int absolute_path(struct arena *arena, const char *path, const char **ret_path,
                  struct sub_err *err);

/* $NOTIFY_SOCKET, or NULL. */
const char *notify_socket(void);

/* Reads the bundle that args name. -EINVAL: findings hold all errors, err the first. */
int bundle_load(const struct call *call, const char *id, struct bundle *bundle,
                struct sub_err *err);

/* The same for `run` without a bundle. */
int bundle_invent(const struct call *call, const char *id, struct bundle *bundle,
                  struct sub_err *err);

/* Where there are more errors than the one in err, adds to it how to see them. */
void bundle_mention_more(const struct bundle *bundle, struct sub_err *err);

#endif
