/* SPDX-License-Identifier: Apache-2.0 */
#include "bundleless.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/num.h"
#include "sublet/base/path.h"
#include "sublet/spec.h"

#include "args.h"
#include "process.h"

#define LOWERS_MAX 500 /* overlayfs: OVL_MAX_STACK */

#define LIST(table)                              \
    {                                            \
        (table), sizeof(table) / sizeof *(table) \
    }

/* What a person who is root expects to be able to do inside, without power over the host. */
static const char *const capability_names[] = {
    "CAP_CHOWN",  "CAP_DAC_OVERRIDE", "CAP_FOWNER",  "CAP_FSETID",     "CAP_KILL",
    "CAP_SETGID", "CAP_SETUID",       "CAP_SETPCAP", "CAP_SETFCAP",    "CAP_NET_BIND_SERVICE",
    "CAP_MKNOD",  "CAP_AUDIT_WRITE",  "CAP_NET_RAW", "CAP_SYS_CHROOT",
};
static const struct spec_capabilities capabilities = {
    .bounding = LIST(capability_names),
    .effective = LIST(capability_names),
    .permitted = LIST(capability_names),
};
static const char *const sysfs_options[] = {"nosuid", "noexec", "nodev", "ro"};
static const struct spec_mount own_sysfs = {
    .destination = "/sys", .type = "sysfs", .source = "sysfs", .options = LIST(sysfs_options)};

/* TERM is for a terminal. */
static int make_env(struct arena *arena, const struct args *args, const struct spec_strings *base,
                    struct spec_strings *ret_env, struct sub_err *err)
{
    const char **items = arena_array(arena, base->count, sizeof *items);
    struct spec_strings kept = {items, 0};

    if (items == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < base->count; i++) {
        if (args->tty || strncmp(base->items[i], "TERM=", 5) != 0)
            items[kept.count++] = base->items[i];
    }
    return env_add(arena, &kept, &args->env, ret_env, err);
}

static int make_process(struct arena *arena, const struct args *args, struct spec *spec,
                        struct sub_err *err)
{
    struct spec_process *process = arena_alloc(arena, sizeof *process);

    if (process == NULL)
        return -ENOMEM;
    *process = *spec->process;
    process->terminal = args->tty;
    process->args =
        (struct spec_strings){(const char *const *) args->operands, args->operand_count};
    process->cwd = args->cwd == NULL ? "/" : args->cwd;
    process->capabilities = &capabilities;
    process->rlimits = (struct spec_rlimits){0}; /* the caller's own */
    if (args->user != NULL)
        SUBLET_TRY(user_parse(args->user, &process->user, err));
    SUBLET_TRY(make_env(arena, args, &spec->process->env, &process->env, err));
    spec->process = process;
    return 0;
}

static int make_root(struct arena *arena, const struct args *args, const char *folder,
                     struct spec *spec)
{
    struct spec_root *root = arena_alloc(arena, sizeof *root);

    if (root == NULL)
        return -ENOMEM;
    /* With --overlay the layers take the place of the path. */
    *root = (struct spec_root){.path = "rootfs", .readonly = false};
    if (args->rootfs != NULL)
        root->path = path_join(arena, folder, args->rootfs);
    spec->root = root;
    return root->path == NULL ? -ENOMEM : 0;
}

static bool is_type(const struct spec_namespace *item, const char *type)
{
    return strcmp(item->type, type) == 0;
}

/* A rootless default shares the host's network and binds its /sys; a network of its own brings
 * the right to mount a /sys that shows it. */
static int make_network(struct arena *arena, bool own, struct spec *spec, struct spec_linux *linux_)
{
    const struct spec_namespaces *from = &linux_->namespaces;
    struct spec_namespace *items = arena_array(arena, from->count + 1, sizeof *items);
    struct spec_mount *mounts = arena_array(arena, spec->mounts.count, sizeof *mounts);
    bool shared = true;
    size_t count = 0;

    if (items == NULL || mounts == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < from->count; i++) {
        shared = shared && !is_type(&from->items[i], "network");
        if (own || !is_type(&from->items[i], "network"))
            items[count++] = from->items[i];
    }
    if (own && shared)
        items[count++] = (struct spec_namespace){.type = "network"};
    linux_->namespaces = (struct spec_namespaces){items, count};

    for (size_t i = 0; i < spec->mounts.count; i++) {
        mounts[i] = spec->mounts.items[i];
        if (own && strcmp(mounts[i].destination, "/sys") == 0)
            mounts[i] = own_sysfs;
    }
    spec->mounts.items = mounts;
    return 0;
}

int bundleless_spec(struct arena *arena, const struct args *args, const struct bundleless *facts,
                    struct spec **ret_spec, struct sub_err *err)
{
    struct spec_linux *linux_ = arena_alloc(arena, sizeof *linux_);
    struct spec *spec;

    if (linux_ == NULL)
        return -ENOMEM;
    SUBLET_TRY(spec_default(arena, facts->rootless, &spec));
    *linux_ = *spec->linux_;
    if (facts->rootless) { /* all the ids that there are, not the one of a config for everywhere */
        linux_->uid_mappings = (struct spec_id_mappings){0};
        linux_->gid_mappings = (struct spec_id_mappings){0};
    }
    spec->linux_ = linux_;
    spec->hostname = arena_strndup(arena, facts->id, strnlen(facts->id, SPEC_HOSTNAME_MAX));
    if (args->hostname != NULL)
        spec->hostname = args->hostname;
    SUBLET_TRY(make_process(arena, args, spec, err));
    SUBLET_TRY(make_root(arena, args, facts->folder, spec));
    SUBLET_TRY(make_network(arena, args->net != ARGS_NET_HOST, spec, linux_));
    SUBLET_TRY(bundleless_limits(arena, args, facts, linux_, err));
    *ret_spec = spec;
    return arena_failed(arena) ? -ENOMEM : 0;
}

/* One name up to a bare colon; moves *at behind it, *ret_more tells whether there was one. */
static char *take_lower(struct arena *arena, const char **at, bool *ret_more)
{
    char *name = arena_strdup(arena, *at), *to = name;

    *ret_more = false;
    if (name == NULL)
        return NULL;
    for (; **at != '\0' && **at != ':'; (*at)++) {
        if ((*at)[0] == '\\' && (*at)[1] == ':')
            (*at)++;
        *to++ = **at;
    }
    *to = '\0';
    *ret_more = **at == ':';
    *at += *ret_more;
    return name;
}

int overlay_split(struct arena *arena, const char *text, const char *folder,
                  const char *const **ret_lowers, size_t *ret_count, struct sub_err *err)
{
    const char **lowers = arena_array(arena, LOWERS_MAX + 1, sizeof *lowers);
    size_t count = 0;
    bool more = lowers != NULL;

    while (more) {
        char *name = take_lower(arena, &text, &more);

        if (count == LOWERS_MAX)
            return sub_fail(err, ARGS_USAGE, "--overlay", "more than %d layers", LOWERS_MAX);
        if (name != NULL && *name == '\0')
            return sub_fail(err, ARGS_USAGE, "--overlay", "layer %zu has no name", count + 1);
        lowers[count++] = name == NULL ? NULL : path_join(arena, folder, name);
    }
    if (arena_failed(arena))
        return -ENOMEM;
    *ret_lowers = lowers;
    *ret_count = count;
    return 0;
}
