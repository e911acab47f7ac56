/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a group. The common start (parents exist, their controllers are enabled) costs mkdir,
 * openat2, one read of cgroup.events (populated and frozen; a frozen ancestor shows in a new
 * group as well), and with limits one read of cgroup.controllers, which is the parent's
 * cgroup.subtree_control: 5 or 8 system calls. Nothing is asked of an ancestor that needs nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "sublet/base/buf.h"
#include "sublet/base/fd.h"
#include "sublet/cgroups/update.h"
#include "sublet/sys.h"

#include "private.h"

#define GROUP_MODE   0755
#define RACE_RETRIES 64 /* a parallel runtime removes parents we are about to use */

struct making {
    int root_fd;
    struct cg_path *path;
    const char *where;
    unsigned first_made; /* index of the topmost component made by us; depth: none */
    struct cgroup group;
};

void cgroup_done(struct cgroup *group)
{
    sub_close(&group->dir_fd);
}

static int make_error(const struct making *making, int rc, struct sub_err *err)
{
    const char *path = making->path->text;

    if (rc == -EAGAIN) {
        return sub_fail(err, EAGAIN, making->where,
                        "cannot make cgroup '/%s': cgroup.max.depth or cgroup.max.descendants of "
                        "a group above is reached",
                        path);
    }
    return sub_fail(err, -rc, making->where, "cannot make cgroup '/%s': %s", path,
                    sub_strerror(-rc));
}

/* From the top down; 0 too when a parallel removal took one away again. */
static int make_parents(struct making *making, struct sub_err *err)
{
    for (unsigned i = 0; i + 1 < making->path->depth; i++) {
        int rc = sys_mkdirat(making->root_fd, cg_path_first(making->path, i + 1), GROUP_MODE);

        if (rc == 0 && i < making->first_made)
            making->first_made = i;
        if (cg_is_gone(rc))
            return 0;
        if (rc < 0 && rc != -EEXIST)
            return make_error(making, rc, err);
    }
    return 0;
}

/*
 * mkdir of the whole path at once: the path is canonical, and cgroupfs has neither symbolic links
 * nor renames that could lead it elsewhere. That nothing is mounted over a component is checked
 * by openat2 (RESOLVE_NO_XDEV), before the group is used.
 */
static int make_directories(struct making *making, struct sub_err *err)
{
    const char *whole = cg_path_first(making->path, making->path->depth);

    for (int i = 0; i < RACE_RETRIES; i++) {
        int rc = sys_mkdirat(making->root_fd, whole, GROUP_MODE);

        if (cg_is_gone(rc)) {
            SUBLET_TRY(make_parents(making, err));
            whole = cg_path_first(making->path, making->path->depth);
            continue;
        }
        if (rc < 0 && rc != -EEXIST)
            return make_error(making, rc, err);
        making->group.created = rc == 0;

        rc = sys_open_beneath(making->root_fd, whole, O_PATH | O_DIRECTORY, 0);
        if (rc >= 0) {
            making->group.dir_fd = rc;
            return 0;
        }
        if (!cg_is_gone(rc))
            return sub_fail(err, -rc, making->where, "cannot open cgroup '/%s': %s", whole,
                            sub_strerror(-rc));
    }
    return sub_fail(err, EAGAIN, making->where, "cgroup '/%s' is removed as fast as it is made",
                    whole);
}

static int check_type(const struct making *making, struct sub_err *err)
{
    char type[32];
    ssize_t n = knob_read(making->group.dir_fd, "cgroup.type", type, sizeof type);

    if (n < 0)
        return sub_fail(err, (int) -n, making->where, "cannot read cgroup.type of '/%s': %s",
                        making->path->text, sub_strerror((int) -n));
    if (strcmp(type, "domain") != 0 && strcmp(type, "domain threaded") != 0)
        return sub_fail(err, EOPNOTSUPP, making->where,
                        "cgroup '/%s' is '%s': only a domain can hold a container",
                        making->path->text, type);
    return 0;
}

/* A group that was there before may hold anything; a new one is a domain or clone says so. */
static int check_state(const struct making *making, struct sub_err *err)
{
    struct cg_events events;
    int rc = cg_events_read(making->group.dir_fd, &events);

    if (rc < 0)
        return sub_fail(err, -rc, making->where, "cannot read cgroup.events of '/%s': %s",
                        making->path->text, sub_strerror(-rc));
    if (events.populated) {
        char text[128];

        cgroup_remaining(making->group.dir_fd, text, sizeof text);
        return sub_fail(err, EBUSY, making->where, "cgroup '/%s' is in use by %s",
                        making->path->text, text[0] == '\0' ? "processes" : text);
    }
    if (events.frozen) {
        return sub_fail(err, EAGAIN, making->where,
                        "cgroup '/%s' or one above it is frozen: a process started in it would "
                        "hang",
                        making->path->text);
    }
    return making->group.created ? 0 : check_type(making, err);
}

static void list_controllers(uint32_t bits, const char *prefix, char *text, size_t size)
{
    OWNED_BUF buf;

    buf_init(&buf, size);
    for (uint32_t bit = 1; bit != 0 && bit <= bits; bit <<= 1)
        if ((bits & bit) != 0)
            buf_printf(&buf, "%s%s%s", buf.length > 0 ? " " : "", prefix, cg_controller_name(bit));

    const char *list = buf_text(&buf);
    size_t length = strnlen(list, size - 1);
    memcpy(text, list, length);
    text[length] = '\0';
}

struct ancestor {
    int dir_fd;
    const char *path; /* "" for the root of the mount */
};

static int enable_error(const struct making *making, const struct ancestor *ancestor,
                        uint32_t wanted, int rc, struct sub_err *err)
{
    char names[128], have[256];

    /* ENOENT: not enabled here; EINVAL: no such controller in this kernel */
    if ((rc == -ENOENT || rc == -EINVAL) &&
        knob_read(ancestor->dir_fd, "cgroup.controllers", have, sizeof have) >= 0) {
        list_controllers(wanted & ~cg_controllers_parse(have), "", names, sizeof names);
        return sub_fail(err, EOPNOTSUPP, making->where,
                        "cgroup '/%s' has no controller '%s', it has '%s'", ancestor->path, names,
                        have);
    }
    list_controllers(wanted, "", names, sizeof names);
    if (rc == -EBUSY) {
        char remaining[128];

        cgroup_remaining(ancestor->dir_fd, remaining, sizeof remaining);
        return sub_fail(err, EBUSY, making->where,
                        "cgroup '/%s' cannot give '%s' to groups below: processes live in it (%s)",
                        ancestor->path, names, remaining);
    }
    return sub_fail(err, -rc, making->where, "cgroup '/%s' cannot give '%s' to groups below: %s",
                    ancestor->path, names, sub_strerror(-rc));
}

static int enable_in(const struct making *making, const struct ancestor *ancestor, uint32_t wanted,
                     struct sub_err *err)
{
    char text[256];
    ssize_t n = knob_read(ancestor->dir_fd, "cgroup.subtree_control", text, sizeof text);

    if (n < 0)
        return enable_error(making, ancestor, wanted, (int) n, err);
    wanted &= ~cg_controllers_parse(text);
    if (wanted == 0)
        return 0;

    bool absent = false;
    list_controllers(wanted, "+", text, sizeof text);
    int rc = knob_put(ancestor->dir_fd, "cgroup.subtree_control", text, &absent);
    return rc < 0 ? enable_error(making, ancestor, wanted, rc, err) : 0;
}

/* A child can be given only what its parent has: from the root down. */
static int enable_in_ancestors(struct making *making, uint32_t wanted, struct sub_err *err)
{
    for (unsigned i = 0; i < making->path->depth; i++) {
        const char *path = cg_path_first(making->path, i);
        OWNED_FD fd = sys_open_beneath(making->root_fd, path, O_PATH | O_DIRECTORY, 0);

        if (fd < 0)
            return sub_fail(err, -fd, making->where, "cannot open cgroup '/%s': %s", path,
                            sub_strerror(-fd));

        struct ancestor ancestor = {.dir_fd = fd, .path = i == 0 ? "" : path};
        SUBLET_TRY(enable_in(making, &ancestor, wanted, err));
    }
    return 0;
}

static int enable_controllers(struct making *making, uint32_t wanted, struct sub_err *err)
{
    char text[256];
    ssize_t n = knob_read(making->group.dir_fd, "cgroup.controllers", text, sizeof text);

    if (n < 0)
        return sub_fail(err, (int) -n, making->where, "cannot read cgroup.controllers: %s",
                        sub_strerror((int) -n));
    if ((wanted & ~cg_controllers_parse(text)) == 0)
        return 0;
    SUBLET_TRY(enable_in_ancestors(making, wanted, err));
    return 1;
}

static int make_all(struct making *making, uint32_t wanted, struct sub_err *err)
{
    SUBLET_TRY(make_directories(making, err));
    SUBLET_TRY(check_state(making, err));
    if (wanted != 0)
        SUBLET_TRY(enable_controllers(making, wanted, err));
    return 0;
}

int cgroup_make(int root_fd, const char *path, uint32_t wanted, const char *where,
                struct cgroup *ret_group, struct sub_err *err)
{
    struct cg_path parsed;

    SUBLET_TRY(cg_path_parse(&parsed, path, where, err));

    struct making making = {.root_fd = root_fd,
                            .path = &parsed,
                            .where = where,
                            .first_made = parsed.depth,
                            .group = CGROUP_NONE};
    int rc = make_all(&making, wanted, err);
    if (making.first_made < parsed.depth)
        making.group.made_ancestors = parsed.depth - 1 - making.first_made;
    if (rc < 0) {
        /* the failure is what the caller must hear of, not what the tidying met */
        cgroup_done(&making.group);
        if (making.group.created)
            (void) sys_unlinkat(root_fd, cg_path_first(&parsed, parsed.depth), AT_REMOVEDIR);
        (void) cgroup_remove_ancestors(root_fd, path, making.group.made_ancestors, NULL);
        return rc;
    }
    *ret_group = making.group;
    return 0;
}

static int keep_all(struct making *making, uint32_t wanted, uint32_t below, struct sub_err *err)
{
    SUBLET_TRY(make_directories(making, err));
    if (!making->group.created)
        SUBLET_TRY(check_type(making, err));
    if (wanted != 0)
        SUBLET_TRY(enable_controllers(making, wanted, err));
    if (below == 0)
        return 0;

    struct ancestor self = {.dir_fd = making->group.dir_fd, .path = making->path->text};
    return enable_in(making, &self, below, err);
}

int cgroup_keep(int root_fd, const char *path, const struct cgroup_controllers *controllers,
                const char *where, struct cgroup *ret_group, struct sub_err *err)
{
    struct cg_path parsed;

    SUBLET_TRY(cg_path_parse(&parsed, path, where, err));

    struct making making = {.root_fd = root_fd,
                            .path = &parsed,
                            .where = where,
                            .first_made = parsed.depth,
                            .group = CGROUP_NONE};
    int rc = keep_all(&making, controllers->group, controllers->below, err);
    if (rc < 0) {
        cgroup_done(&making.group);
        if (making.group.created)
            (void) sys_unlinkat(root_fd, cg_path_first(&parsed, parsed.depth), AT_REMOVEDIR);
        return rc;
    }
    *ret_group = making.group;
    return 0;
}

int cgroup_open(int root_fd, const char *path, struct cgroup *ret_group, struct sub_err *err)
{
    struct cg_path parsed;

    SUBLET_TRY(cg_path_parse(&parsed, path, path, err));

    int fd = sys_open_beneath(root_fd, parsed.text, O_PATH | O_DIRECTORY, 0);
    if (fd == -ENOENT)
        return fd;
    if (fd < 0)
        return sub_fail(err, -fd, path, "cannot open the cgroup: %s", sub_strerror(-fd));
    *ret_group = (struct cgroup){.dir_fd = fd};
    return 0;
}

int cgroup_enable(int root_fd, const char *path, uint32_t controllers, const char *where,
                  struct sub_err *err)
{
    struct cg_path parsed;
    OWNED_CGROUP group = CGROUP_NONE;

    SUBLET_TRY(cg_path_parse(&parsed, path, where, err));
    int rc = cgroup_open(root_fd, path, &group, err);
    if (rc == -ENOENT)
        return sub_fail(err, ENOENT, where, "cgroup '/%s' is gone", parsed.text);
    SUBLET_TRY(rc);

    struct making making = {
        .root_fd = root_fd, .path = &parsed, .where = where, .group = {.dir_fd = group.dir_fd}};
    return controllers == 0 ? 0 : enable_controllers(&making, controllers, err);
}

/* All that this ancestor has of them and can give on. One that it cannot keeps none of the others
 * back: a user has no cpuset where somebody else's process lives, for the kernel asks about its
 * scheduling. */
static void wish_in(int dir_fd, uint32_t wished)
{
    char text[256];
    bool absent = false;

    if (knob_read(dir_fd, "cgroup.controllers", text, sizeof text) < 0)
        return;
    wished &= cg_controllers_parse(text);
    if (knob_read(dir_fd, "cgroup.subtree_control", text, sizeof text) < 0)
        return;
    wished &= ~cg_controllers_parse(text);
    if (wished == 0)
        return;
    list_controllers(wished, "+", text, sizeof text);
    if (knob_put(dir_fd, "cgroup.subtree_control", text, &absent) == 0)
        return;
    for (uint32_t one = 1; one <= wished; one <<= 1) {
        if ((wished & one) == 0)
            continue;
        list_controllers(one, "+", text, sizeof text);
        (void) knob_put(dir_fd, "cgroup.subtree_control", text, &absent);
    }
}

void cgroup_wish(int root_fd, const char *path, int dir_fd, uint32_t controllers)
{
    struct cg_path parsed;
    char text[256];

    if (controllers == 0 || knob_read(dir_fd, "cgroup.controllers", text, sizeof text) < 0 ||
        (controllers & ~cg_controllers_parse(text)) == 0 ||
        cg_path_parse(&parsed, path, path, NULL) < 0)
        return;
    for (unsigned i = 0; i < parsed.depth; i++) {
        OWNED_FD fd = sys_open_beneath(root_fd, cg_path_first(&parsed, i), O_PATH | O_DIRECTORY, 0);

        /* what one refuses, those below it may have to give: a user's highest are not his */
        if (fd >= 0)
            wish_in(fd, controllers);
    }
}

int cgroup_missing(int root_fd, const char *path, struct sub_err *err)
{
    struct cg_path parsed;
    struct stat st;

    SUBLET_TRY(cg_path_parse(&parsed, path, path, err));
    for (unsigned count = parsed.depth; count > 0; count--) {
        int rc = sys_fstatat(root_fd, cg_path_first(&parsed, count), &st, AT_SYMLINK_NOFOLLOW);

        if (rc == 0)
            return (int) (parsed.depth - count);
        if (!cg_is_gone(rc))
            return sub_fail(err, -rc, path, "cannot look for the cgroup: %s", sub_strerror(-rc));
    }
    return (int) parsed.depth;
}
