/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/mount.h>
#include <string.h>

#include "sublet/base/path.h"
#include "sublet/base/words.h"

#include "planning.h"

#define RECURSIVE ((uint64_t) 1 << 63) /* of the table's values, no MS_ bit */

static const struct word propagation_rows[] = {
    {"private",     MS_PRIVATE               },
    {"rprivate",    MS_PRIVATE | RECURSIVE   },
    {"rshared",     MS_SHARED | RECURSIVE    },
    {"rslave",      MS_SLAVE | RECURSIVE     },
    {"runbindable", MS_UNBINDABLE | RECURSIVE},
    {"shared",      MS_SHARED                },
    {"slave",       MS_SLAVE                 },
    {"unbindable",  MS_UNBINDABLE            },
};
static const struct words propagations = WORDS(propagation_rows);

static void decide_propagation(struct planning *p)
{
    const char *name = p->linux_->rootfs_propagation;
    const struct word *word = NULL;

    if (name == NULL || name[0] == '\0')
        return;
    word = words_find(&propagations, name);
    if (word == NULL) {
        plan_error(p, "linux.rootfsPropagation",
                   "unknown propagation '%s', expected shared, slave, private or unbindable, or "
                   "one of them with r in front",
                   name);
        return;
    }
    p->plan->root.propagation = word->value & ~RECURSIVE;
    p->plan->root.propagation_recursive = (word->value & RECURSIVE) != 0;
}

static void decide_path(struct planning *p)
{
    const struct spec_root *root = p->spec->root;

    if (root == NULL || root->path[0] == '\0') /* spec_check has told */
        return;

    char *path = path_join(p->arena, p->options->bundle, root->path);
    char *clean = path == NULL ? NULL : path_clean(p->arena, path);
    if (clean == NULL)
        return;
    if (strcmp(clean, "/") == 0)
        plan_error(p, "root.path", "'%s' is the host's own root", root->path);
    p->plan->root.path = path;
}

/* They know the root by the path in config.json, and some mount into it from there. */
static bool has_hooks_before_pivot(const struct planning *p)
{
    const struct spec_hooks *hooks = p->spec->hooks;

    return hooks != NULL && (hooks->prestart.count > 0 || hooks->create_runtime.count > 0 ||
                             hooks->create_container.count > 0);
}

void plan_decide_root(struct planning *p)
{
    const struct options *options = p->options;
    struct plan_root *root = &p->plan->root;

    root->readonly = p->spec->root != NULL && p->spec->root->readonly;
    root->no_pivot = options->no_pivot;
    if (options->overlay_lower_count > 0) {
        root->lowers = options->overlay_lowers;
        root->lower_count = options->overlay_lower_count;
        root->upper = options->overlay_upper;
    } else {
        decide_path(p);
        root->at_path = has_hooks_before_pivot(p);
        if (options->overlay_upper != NULL)
            plan_error(p, "--upper", "needs --overlay");
    }
    decide_propagation(p);

    const char *label = p->linux_->mount_label;
    if (label == NULL || label[0] == '\0')
        return;
    if (!p->host->selinux)
        plan_error(p, "linux.mountLabel", "SELinux is not enabled on this host");
    root->mount_label = label;
}
