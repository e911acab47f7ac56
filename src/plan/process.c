/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>

#include "sublet/base/words.h"

#include "planning.h"

#define UMASK_DEFAULT 0022 /* as crun and runc: images are built for it */
#define KEEP_GROUPS   "run.oci.keep_original_groups"

static const struct word rlimit_rows[] = {
    {"RLIMIT_AS",         RLIMIT_AS        },
    {"RLIMIT_CORE",       RLIMIT_CORE      },
    {"RLIMIT_CPU",        RLIMIT_CPU       },
    {"RLIMIT_DATA",       RLIMIT_DATA      },
    {"RLIMIT_FSIZE",      RLIMIT_FSIZE     },
    {"RLIMIT_LOCKS",      RLIMIT_LOCKS     },
    {"RLIMIT_MEMLOCK",    RLIMIT_MEMLOCK   },
    {"RLIMIT_MSGQUEUE",   RLIMIT_MSGQUEUE  },
    {"RLIMIT_NICE",       RLIMIT_NICE      },
    {"RLIMIT_NOFILE",     RLIMIT_NOFILE    },
    {"RLIMIT_NPROC",      RLIMIT_NPROC     },
    {"RLIMIT_RSS",        RLIMIT_RSS       },
    {"RLIMIT_RTPRIO",     RLIMIT_RTPRIO    },
    {"RLIMIT_RTTIME",     RLIMIT_RTTIME    },
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    {"RLIMIT_STACK",      RLIMIT_STACK     },
};
const struct words plan_rlimits = WORDS(rlimit_rows);

static const struct word personality_rows[] = {
    {"LINUX",   PER_LINUX  },
    {"LINUX32", PER_LINUX32},
};
static const struct words personalities = WORDS(personality_rows);

char *const *plan_strings(struct arena *arena, const struct spec_strings *strings)
{
    const char **items = arena_array(arena, strings->count + 1, sizeof *items);

    if (items != NULL && strings->count > 0)
        memcpy(items, strings->items, strings->count * sizeof *items);
    return (char *const *) items;
}

static void decide_terminal(struct planning *p)
{
    const struct spec_process *spec = p->process;
    const struct options *options = p->options;
    struct plan_process *process = &p->plan->process;

    process->terminal = spec->terminal;
    if (!spec->terminal) {
        if (options->console_socket != NULL)
            plan_error(p, "process.terminal", "--console-socket is given, but this is false");
        return;
    }
    if (options->console_socket == NULL && !options->terminal_here)
        plan_error(p, "process.terminal",
                   "a terminal needs --console-socket, or run in the foreground");
    process->console_socket = options->console_socket;

    const struct spec_console_size *size = spec->console_size;
    if (size == NULL)
        return;
    process->rows = (uint16_t) size->height_rows;
    process->columns = (uint16_t) size->width_columns;
}

static void decide_groups(struct planning *p)
{
    const struct spec_user *user = &p->process->user;
    const char *keep = plan_annotation(p, KEEP_GROUPS);
    struct plan_process *process = &p->plan->process;

    process->groups = user->additional_gids.items;
    process->group_count = user->additional_gids.count;
    /* denied for a namespace is denied for all below it */
    if (p->plan->ns.deny_setgroups || (p->host->setgroups_denied && !p->plan->ns.join_user)) {
        process->keep_groups = true;
        if (process->group_count > 0)
            plan_warning(p, "process.user.additionalGids",
                         "cannot be set: one mapped group and no right to setgroups(2)");
        return;
    }
    if (keep == NULL || strcmp(keep, "0") == 0)
        return;
    /* an annotation must not grant anything, and the groups of the host's root are worth having */
    if (p->host->rootless)
        process->keep_groups = true;
    else
        plan_warning(p, "annotations['" KEEP_GROUPS "']",
                     "is for rootless containers; the groups of this one are those of "
                     "process.user.additionalGids");
}

static void decide_rlimit(struct planning *p, size_t index, struct plan_rlimit *ret_limit)
{
    const struct spec_rlimit *item = &p->process->rlimits.items[index];
    const struct word *word = words_find(&plan_rlimits, item->type);
    const char *path = arena_printf(p->arena, "process.rlimits[%zu]", index);

    *ret_limit = (struct plan_rlimit){.soft = item->soft, .hard = item->hard, .json = path};
    if (word == NULL) {
        plan_error(p, arena_printf(p->arena, "%s.type", path), "unknown limit '%s'", item->type);
        return;
    }
    ret_limit->resource = (int) word->value;
    if (ret_limit->resource == RLIMIT_NOFILE && p->host->nr_open > 0 &&
        item->hard > p->host->nr_open)
        plan_error(p, arena_printf(p->arena, "%s.hard", path),
                   "%" PRIu64 " is above this host's fs.nr_open, %" PRIu64, item->hard,
                   p->host->nr_open);
}

static void decide_rlimits(struct planning *p)
{
    const struct spec_rlimits *rlimits = &p->process->rlimits;
    struct plan_rlimit *items = arena_array(p->arena, rlimits->count, sizeof *items);

    if (items == NULL)
        return;
    for (size_t i = 0; i < rlimits->count; i++)
        decide_rlimit(p, i, &items[i]);
    p->plan->process.rlimits = items;
    p->plan->process.rlimit_count = rlimits->count;
}

/* A control that was asked for and cannot be had is an error, never silence. "unconfined" asks for
 * nothing. */
static void decide_labels(struct planning *p)
{
    const char *apparmor = p->process->apparmor_profile;
    const char *selinux = p->process->selinux_label;

    if (apparmor != NULL && apparmor[0] != '\0') {
        if (p->host->apparmor)
            p->plan->process.apparmor = apparmor;
        else if (strcmp(apparmor, "unconfined") != 0)
            plan_error(p, "process.apparmorProfile", "AppArmor is not enabled on this host");
    }
    if (selinux != NULL && selinux[0] != '\0') {
        if (!p->host->selinux)
            plan_error(p, "process.selinuxLabel", "SELinux is not enabled on this host");
        p->plan->process.selinux = selinux;
    }
}

static void decide_personality(struct planning *p)
{
    const struct spec_personality *personality = p->linux_->personality;

    if (personality == NULL)
        return;
    const struct word *word =
        words_find(&personalities, personality->domain == NULL ? "" : personality->domain);
    if (word == NULL)
        plan_error(p, "linux.personality.domain", "unknown domain '%s', expected LINUX or LINUX32",
                   personality->domain == NULL ? "" : personality->domain);
    p->plan->process.has_personality = true;
    p->plan->process.personality = word == NULL ? 0 : word->value;
}

void plan_decide_process(struct planning *p)
{
    const struct spec_process *spec = p->process;
    struct plan_process *process = &p->plan->process;

    process->args = plan_strings(p->arena, &spec->args);
    process->cwd = spec->cwd;
    process->uid = spec->user.uid;
    process->gid = spec->user.gid;
    process->umask = (spec->user.has & SPEC_USER_UMASK) != 0 ? spec->user.umask : UMASK_DEFAULT;
    process->no_new_privileges = spec->no_new_privileges;
    process->has_oom_score_adj = (spec->has & SPEC_PROCESS_OOM_SCORE_ADJ) != 0;
    process->oom_score_adj = spec->oom_score_adj;
    process->preserve_fds = p->options->preserve_fds + p->options->listen_fds;
    process->listen_fds = p->options->listen_fds;
    process->notify_socket = p->options->notify_socket;
    if (!p->options->no_new_keyring)
        process->keyring = p->options->id;

    decide_terminal(p);
    decide_groups(p);
    decide_rlimits(p);
    decide_labels(p);
    decide_personality(p);
}
