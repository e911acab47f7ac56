/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/mount.h>
#include <linux/sched.h>
#include <string.h>

#include "sublet/base/log.h"
#include "sublet/base/num.h"
#include "sublet/base/path.h"

#include "mount_words.h"
#include "planning.h"

#define ADDED_MOUNTS 2 /* /dev in front, the folder of the notify socket behind */

/* ---- new file systems ---- */

/* File systems in memory, or of which there is one for all: read-only is a property of the mount
 * there. For all others it is one of the file system too, as mount(8) has it: the journal of a
 * device that is asked for read-only must not be replayed. */
static const char *const memory_types[] = {
    "bpf",        "cgroup",    "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs",
    "fusectl",    "hugetlbfs", "mqueue",  "overlay",  "proc",    "pstore", "ramfs",    "resctrl",
    "securityfs", "selinuxfs", "sysfs",   "tmpfs",    "tracefs", NULL,
};

static const char *const acl_types[] = {"btrfs", "ceph", "erofs", "ext2",  "ext3",
                                        "ext4",  "f2fs", "gfs2",  "ocfs2", NULL};

/* Kernel file systems whose files carry labels of their own, or none. */
static const char *const unlabelled_types[] = {"cgroup", "cgroup2", "mqueue",
                                               "proc",   "sysfs",   NULL};

static void add_option(struct plan_mount *mount, const char *key, const char *value)
{
    struct plan_fs_option *options = (struct plan_fs_option *) mount->options;

    options[mount->option_count++] = (struct plan_fs_option){.key = key, .value = value};
}

/* A gid that the user namespace lacks cannot own a terminal: devpts refuses to be mounted. */
static bool is_unmapped_tty_group(const struct planning *p, const struct plan_mount *mount,
                                  const char *word)
{
    if (strcmp(mount->type, "devpts") != 0 || strncmp(word, "gid=", 4) != 0)
        return false;

    uint32_t gid;
    return num_parse_u32(word + 4, UINT32_MAX, &gid) == 0 && !plan_gid_is_mapped(p, gid);
}

static void add_datum(struct planning *p, struct plan_mount *mount, const struct mount_datum *datum)
{
    const char *equals = strchr(datum->word, '=');

    if (datum->is_acl && !plan_is_one_of(mount->type, acl_types)) {
        log_debug("%s: '%s' changes nothing on %s", mount->json, datum->word, mount->type);
        return;
    }
    if (is_unmapped_tty_group(p, mount, datum->word)) {
        plan_warning(p, arena_printf(p->arena, "%s.options[%zu]", mount->json, datum->index),
                     "'%s' is left out: the group is not in linux.gidMappings", datum->word);
        return;
    }
    if (equals == NULL)
        add_option(mount, datum->word, NULL);
    else
        add_option(mount, arena_strndup(p->arena, datum->word, (size_t) (equals - datum->word)),
                   equals + 1);
}

#define LABEL_KIND "run.oci.mount_context_type"
static const char *const label_kinds[] = {"context", "fscontext", "defcontext", "rootcontext",
                                          NULL};

static void check_label_kind(struct planning *p)
{
    const char *kind = plan_annotation(p, LABEL_KIND);

    if (kind != NULL && !plan_is_one_of(kind, label_kinds))
        plan_error(p, "annotations['" LABEL_KIND "']",
                   "unknown kind '%.64s', expected context, fscontext, defcontext or rootcontext",
                   kind);
}

static void add_label(struct planning *p, struct plan_mount *mount)
{
    const char *label = p->plan->root.mount_label;
    const char *kind = plan_annotation(p, LABEL_KIND);

    if (label == NULL || plan_is_one_of(mount->type, unlabelled_types))
        return;
    for (size_t i = 0; i < mount->option_count; i++) {
        if (plan_is_one_of(mount->options[i].key, label_kinds))
            return;
    }
    add_option(mount, kind == NULL ? "context" : kind, label);
}

static void add_options(struct planning *p, const struct mount_request *request,
                        struct plan_mount *mount)
{
    static const struct {
        uint64_t bit;
        const char *key;
    } flags[] = {
        {MOUNT_SUPER_SYNC,     "sync"    },
        {MOUNT_SUPER_DIRSYNC,  "dirsync" },
        {MOUNT_SUPER_LAZYTIME, "lazytime"},
    };

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if ((request->super.set & flags[i].bit) != 0)
            add_option(mount, flags[i].key, NULL);
    }
    for (size_t i = 0; i < request->data_count; i++)
        add_datum(p, mount, &request->data[i]);
}

static bool make_room(struct planning *p, const struct mount_request *request,
                      struct plan_mount *mount)
{
    size_t room = request->data_count + 5; /* three of super, ro, a label */

    mount->options = arena_array(p->arena, room, sizeof *mount->options);
    return mount->options != NULL;
}

static void decide_new(struct planning *p, const struct mount_request *request,
                       struct plan_mount *mount)
{
    if (!make_room(p, request, mount))
        return;
    if ((mount->attr_set & MOUNT_ATTR_RDONLY) != 0 && !plan_is_one_of(mount->type, memory_types))
        add_option(mount, "ro", NULL);
    add_options(p, request, mount);
    add_label(p, mount);

    if (mount->copy_up && strcmp(mount->type, "tmpfs") != 0)
        plan_error(p, mount->json, "tmpcopyup is for a tmpfs, not for '%s'", mount->type);
    /* sysfs shows the network: the kernel gives a new one only to the owner of the network
     * namespace */
    mount->may_fall_back_to_bind = strcmp(mount->type, "sysfs") == 0 && plan_in_user_namespace(p) &&
                                   (p->plan->ns.create & CLONE_NEWNET) == 0;
}

/* ---- binds ---- */

static void refuse_options(struct planning *p, const struct mount_request *request,
                           const struct plan_mount *mount, const char *of)
{
    for (size_t i = 0; i < request->data_count; i++) {
        const struct mount_datum *datum = &request->data[i];

        if (!datum->is_acl)
            plan_error(p, arena_printf(p->arena, "%s.options[%zu]", mount->json, datum->index),
                       "unknown option '%s' for %s", datum->word, of);
    }
    if (request->super.set != 0)
        plan_warning(p, mount->json,
                     "sync, dirsync and lazytime belong to the whole file system: no effect on %s",
                     of);
}

static void decide_bind(struct planning *p, const struct spec_mount *item,
                        const struct mount_request *request, struct plan_mount *mount)
{
    if (item->source == NULL || item->source[0] == '\0')
        plan_error(p, arena_printf(p->arena, "%s.source", mount->json), "a bind mount needs one");
    else
        mount->source = path_join(p->arena, p->options->bundle, item->source);

    refuse_options(p, request, mount, "a bind mount");
    if (mount->copy_up)
        plan_error(p, mount->json, "tmpcopyup is for a tmpfs, not for a bind mount");
}

/* What stands mounted below the host's /sys (cgroups above all) must not stay writable where /sys
 * was asked for read-only (CVE-2023-25809). */
static void deepen_readonly(struct plan_mount *mount)
{
    if (mount->kind == PLAN_MOUNT_BIND && mount->recursive && path_holds("/sys", mount->target) &&
        (mount->attr_set & MOUNT_ATTR_RDONLY) != 0)
        mount->tree_set |= MOUNT_ATTR_RDONLY;
}

/* ---- changes of an earlier one ---- */

static struct plan_mount *find_earlier(const struct planning *p, const struct plan_mount *mount)
{
    struct plan_mount *items = (struct plan_mount *) p->plan->mounts.items;

    for (size_t i = (size_t) (mount - items); i-- > 0;) {
        struct plan_mount *earlier = &items[i];

        if (earlier->kind != PLAN_MOUNT_REMOUNT && strcmp(earlier->target, mount->target) == 0)
            return earlier;
    }
    return NULL;
}

/* Only a file system that was made for the container takes options: any other is the host's, and
 * used by others. What is not named stays, where mount(2) would take it back. */
static void decide_remount(struct planning *p, const struct mount_request *request,
                           struct plan_mount *mount)
{
    struct plan_mount *earlier = find_earlier(p, mount);
    if (earlier == NULL) {
        plan_error(p, arena_printf(p->arena, "%s.destination", mount->json),
                   "there is nothing to remount: no earlier entry mounts anything at '%s'",
                   mount->target);
        return;
    }
    earlier->is_changed = true;
    if (mount->copy_up)
        plan_error(p, mount->json, "tmpcopyup is for a new tmpfs, not for a remount");
    if (earlier->kind != PLAN_MOUNT_NEW) {
        refuse_options(p, request, mount, "a file system of the host");
    } else if (make_room(p, request, mount)) {
        mount->type = earlier->type;
        add_options(p, request, mount);
    }
}

/* ---- one mount ---- */

static void decide_cgroup(struct planning *p, const struct mount_request *request,
                          struct plan_mount *mount)
{
    mount->with_cgroup_namespace = !plan_shares_host(p, CLONE_NEWCGROUP);
    for (size_t i = 0; i < request->data_count; i++)
        plan_warning(
            p, arena_printf(p->arena, "%s.options[%zu]", mount->json, request->data[i].index),
            "'%s' is left out: the cgroup hierarchy belongs to the host", request->data[i].word);
}

static bool choose_kind(struct planning *p, const struct spec_mount *item,
                        const struct mount_request *request, struct plan_mount *mount)
{
    const char *type = item->type == NULL ? "" : item->type;

    if ((request->flags & MOUNT_IS_REMOUNT) != 0) {
        mount->kind = PLAN_MOUNT_REMOUNT;
    } else if ((request->flags & MOUNT_IS_BIND) != 0) {
        mount->kind = PLAN_MOUNT_BIND;
    } else if (strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0) {
        mount->kind = PLAN_MOUNT_CGROUP;
        mount->type = type;
        mount->source = item->source == NULL ? type : item->source;
    } else if (type[0] == '\0' || strcmp(type, "none") == 0 || strcmp(type, "bind") == 0) {
        plan_error(p, arena_printf(p->arena, "%s.type", mount->json),
                   "'%s' needs the option bind or rbind, expected a file system type otherwise",
                   type);
        return false;
    } else {
        mount->kind = PLAN_MOUNT_NEW;
        mount->type = type;
        mount->source = item->source == NULL || item->source[0] == '\0' ? type : item->source;
    }
    return true;
}

/* config.md: a relative one, as old tools wrote it, begins at the root. Clean; spec_check has
 * warned of a ".." in it. */
static const char *destination_of(const struct planning *p, const struct spec_mount *item)
{
    const char *destination = item->destination;

    if (!path_is_absolute(destination))
        destination = arena_printf(p->arena, "/%s", destination);
    return destination == NULL ? NULL : path_clean(p->arena, destination);
}

static void decide_one(struct planning *p, size_t index, struct plan_mount *mount)
{
    const struct spec_mount *item = &p->spec->mounts.items[index];
    struct mount_request request;

    mount->json = arena_printf(p->arena, "mounts[%zu]", index);
    mount->target = destination_of(p, item);
    if (mount->json == NULL || mount->target == NULL || !mount_words_read(p, index, &request))
        return;
    if (!choose_kind(p, item, &request, mount))
        return;

    mount->recursive = request.recursive;
    mount->attr_set = request.own.set;
    mount->attr_clear = request.own.clear;
    mount->tree_set = request.tree.set;
    mount->tree_clear = request.tree.clear;
    mount->propagation = request.propagation;
    mount->propagation_recursive = request.propagation_recursive;
    mount->copy_up = (request.flags & MOUNT_COPY_UP) != 0;
    mount->copy_symlink = (request.flags & MOUNT_COPY_SYMLINK) != 0;
    mount->source_nofollow = (request.flags & MOUNT_SOURCE_NOFOLLOW) != 0;
    mount->target_nofollow = (request.flags & MOUNT_TARGET_NOFOLLOW) != 0;

    switch (mount->kind) {
    case PLAN_MOUNT_BIND:
        decide_bind(p, item, &request, mount);
        break;
    case PLAN_MOUNT_NEW:
        decide_new(p, &request, mount);
        break;
    case PLAN_MOUNT_CGROUP:
        decide_cgroup(p, &request, mount);
        break;
    case PLAN_MOUNT_REMOUNT:
        decide_remount(p, &request, mount);
        break;
    case PLAN_MOUNT_NOTIFY: /* no config can ask for it */
        break;
    }
    plan_decide_idmap(p, index, &request, mount);
    plan_decide_target(p, mount);
    deepen_readonly(mount);
}

/* ---- the list ---- */

/* CVE-2026-41579 and its kin: a /dev of the image is never used. */
static void add_dev(struct planning *p, struct plan_mount *mount)
{
    static const struct plan_fs_option options[] = {
        {"mode", "755"   },
        {"size", "65536k"},
    };
    struct plan_fs_option *list = arena_array(p->arena, 3, sizeof *list);

    if (list == NULL)
        return;
    memcpy(list, options, sizeof options);
    *mount = (struct plan_mount){
        .kind = PLAN_MOUNT_NEW,
        .json = "/dev",
        .target = "/dev",
        .source = "tmpfs",
        .type = "tmpfs",
        .options = list,
        .option_count = 2,
        .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME,
        .attr_clear = MOUNT_ATTR__ATIME,
        .target_no_symlinks = true,
    };
    add_label(p, mount);
    log_debug("the config mounts nothing at /dev: a tmpfs is put there");
}

/* The container talks to a socket of its own, which the runtime reads: pids mean something else
 * inside, and the manager has to see a sender that it knows. */
static void add_notify_folder(struct planning *p, struct plan_mounts *mounts)
{
    struct plan_mount *items = (struct plan_mount *) mounts->items;

    if (p->options->notify_socket == NULL)
        return;
    items[mounts->count++] = (struct plan_mount){
        .kind = PLAN_MOUNT_NOTIFY,
        .json = "NOTIFY_SOCKET",
        .target = PLAN_NOTIFY_FOLDER,
        .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
    };
}

static bool has_dev(struct planning *p)
{
    for (size_t i = 0; i < p->spec->mounts.count; i++) {
        const char *destination = destination_of(p, &p->spec->mounts.items[i]);

        if (destination != NULL && strcmp(destination, "/dev") == 0)
            return true;
    }
    return false;
}

void plan_decide_mounts(struct planning *p)
{
    const struct spec_linux *linux_ = p->linux_;
    struct plan_mounts *mounts = &p->plan->mounts;
    struct plan_mount *items =
        arena_array(p->arena, p->spec->mounts.count + ADDED_MOUNTS, sizeof *items);

    if (items == NULL)
        return;
    mounts->items = items;
    mounts->idmaps = arena_array(p->arena, p->spec->mounts.count + 1, sizeof *mounts->idmaps);
    if (mounts->idmaps == NULL)
        return;
    check_label_kind(p);
    if (!has_dev(p))
        add_dev(p, &items[mounts->count++]);
    for (size_t i = 0; i < p->spec->mounts.count; i++)
        decide_one(p, i, &items[mounts->count++]);
    add_notify_folder(p, mounts);

    /* the child may have no right to search the host's folders, or be in another mount namespace
     * by then; where the caller has no rights itself, the child's are the better ones */
    mounts->sources_by_parent =
        ((p->plan->ns.new_user || p->plan->ns.join_user) && !p->host->rootless) ||
        (p->plan->ns.create & CLONE_NEWNS) == 0;

    mounts->masked = linux_->masked_paths.items;
    mounts->masked_count = linux_->masked_paths.count;
    mounts->readonly = linux_->readonly_paths.items;
    mounts->readonly_count = linux_->readonly_paths.count;
    mounts->console = p->process->terminal;
}

/* ---- into a container that is there ---- */

/* Who mounts these sees its own processes, devices or groups in them: not the container's. */
static const char *const namespace_types[] = {"proc", "sysfs", "mqueue", NULL};

static void check_added(struct planning *p, const struct plan_mount *mount)
{
    if (mount->kind == PLAN_MOUNT_REMOUNT)
        plan_error(p, mount->json, "a remount can only come with the container");
    if (mount->kind == PLAN_MOUNT_CGROUP ||
        (mount->kind == PLAN_MOUNT_NEW && plan_is_one_of(mount->type, namespace_types)))
        plan_error(p, arena_printf(p->arena, "%s.type", mount->json),
                   "'%s' shows the namespaces it was made in: it can only come with the container",
                   mount->type);
    if (mount->copy_symlink)
        plan_error(p, mount->json, "copy-symlink makes a link, which is no mount");
    if (mount->idmap != 0)
        plan_error(p, mount->json, "an id-mapped mount can only come with the container");
    if (mount->copy_up && ((mount->attr_set | mount->tree_set) & MOUNT_ATTR_RDONLY) != 0)
        plan_error(p, mount->json,
                   "tmpcopyup and ro can only be combined when it comes with the "
                   "container");
}

void plan_decide_added_mounts(struct planning *p)
{
    struct plan_mounts *mounts = &p->plan->mounts;
    struct plan_mount *items = arena_array(p->arena, p->spec->mounts.count + 1, sizeof *items);

    if (items == NULL)
        return;
    mounts->items = items;
    for (size_t i = 0; i < p->spec->mounts.count; i++) {
        decide_one(p, i, &items[i]);
        check_added(p, &items[i]);
    }
    mounts->count = p->spec->mounts.count;
    mounts->sources_by_parent = !p->host->rootless;
}
