/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places inside the root. What exists is found by one openat2. What does not is made one component
 * at a time below descriptors that were verified, with links (dangling ones too, images have them)
 * followed by hand: the walk of the kernel is never trusted with a path whose parts are still to
 * be made, because an attacker may swap them meanwhile (CVE-2024-45310).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>

#include "tree.h"

#define PATH_SIZE      4096
#define COMPONENT_SIZE 256
#define LINKS_MAX      40 /* as the kernel's own walk */
#define MODE_FOLDER    0755
#define MODE_FILE      0644

const char *path_below_dev(const char *path)
{
    path += strspn(path, "/");
    if (strncmp(path, "dev", 3) != 0 || (path[3] != '/' && path[3] != '\0'))
        return NULL;
    return path + 3 + strspn(path + 3, "/");
}

int place_open(const struct place *place, int flags)
{
    return sys_open_in(place->base, place->path, O_PATH | flags, place->resolve);
}

int place_fail(const struct place *place, int code, struct sub_err *err)
{
    if (code == ELOOP && (place->resolve & RESOLVE_NO_SYMLINKS) != 0) {
        return fail_field(err, code, place->json, place->field,
                          "'%s' leads through a symbolic link, which is not allowed here",
                          place->path);
    }
    if (code == EAGAIN) {
        return fail_field(err, code, place->json, place->field,
                          "'%s' is being changed while it is looked up", place->path);
    }
    if (code == ENOTDIR) {
        return fail_field(err, code, place->json, place->field,
                          "'%s' leads through or to a file where a folder is needed", place->path);
    }
    return fail_field(err, code, place->json, place->field, "cannot open '%s': %s", place->path,
                      sub_strerror(code));
}

/* --- the walk ------------------------------------------------------------------------------- */

struct walk {
    const struct place *place;
    int at;               /* O_PATH, the folder reached so far; the walk's own */
    char done[PATH_SIZE]; /* its path below base, without links, "" for base itself */
    char rest[PATH_SIZE]; /* what is still to be walked */
    unsigned links;
};

static int move_to(struct walk *walk, const char *done)
{
    int fd = sys_open_in(walk->place->base, done[0] == '\0' ? "." : done, O_PATH | O_DIRECTORY,
                         RESOLVE_NO_SYMLINKS);

    if (fd < 0)
        return fd;
    sub_close(&walk->at);
    walk->at = fd;
    return 0;
}

static int walk_up(struct walk *walk)
{
    char *slash = strrchr(walk->done, '/');

    if (slash != NULL) {
        *slash = '\0';
    } else {
        walk->done[0] = '\0';
    }
    return move_to(walk, walk->done);
}

static int walk_down(struct walk *walk, int *fd, const char *name)
{
    size_t used = strlen(walk->done);
    size_t length = strlen(name);

    if (used + length + 2 > sizeof walk->done)
        return -ENAMETOOLONG;
    if (used > 0)
        walk->done[used++] = '/';
    memcpy(walk->done + used, name, length + 1);
    sub_close(&walk->at);
    walk->at = sub_take_fd(fd);
    return 0;
}

/* Puts the text of the link in front of the rest. */
static int walk_link(struct walk *walk, int link_fd)
{
    char text[PATH_SIZE];
    ssize_t length = sys_readlinkat(link_fd, "", text, sizeof text);

    if (length < 0)
        return (int) length;
    if ((walk->place->resolve & RESOLVE_NO_SYMLINKS) != 0 || ++walk->links > LINKS_MAX)
        return -ELOOP;

    size_t rest = strlen(walk->rest);
    if ((size_t) length + 1 + rest + 1 > sizeof walk->rest)
        return -ENAMETOOLONG;
    memmove(walk->rest + length + 1, walk->rest, rest + 1);
    memcpy(walk->rest, text, (size_t) length);
    walk->rest[length] = '/';
    if (text[0] != '/')
        return 0;
    walk->done[0] = '\0';
    return move_to(walk, "");
}

/* Takes the next component off the rest: 1, or 0 at the end, or -ENAMETOOLONG. */
static int next_component(struct walk *walk, char name[COMPONENT_SIZE])
{
    const char *start = walk->rest + strspn(walk->rest, "/");
    size_t length = strcspn(start, "/");
    const char *after = start + length + strspn(start + length, "/");

    if (length == 0)
        return 0;
    if (length >= COMPONENT_SIZE)
        return -ENAMETOOLONG;
    memcpy(name, start, length);
    name[length] = '\0';
    memmove(walk->rest, after, strlen(after) + 1);
    return 1;
}

static int open_or_make(int at, const char *name, enum want want, bool *ret_made)
{
    int fd = sys_open_in(at, name, O_PATH | O_NOFOLLOW, 0);
    if (fd != -ENOENT)
        return fd;

    int rc = want == WANT_FOLDER ? sys_mkdirat(at, name, MODE_FOLDER)
                                 : sys_mknodat(at, name, S_IFREG | MODE_FILE, 0);
    if (rc < 0 && rc != -EEXIST) { /* another start on the same root may have been first */
        *ret_made = false;
        return rc;
    }
    return sys_open_in(at, name, O_PATH | O_NOFOLLOW, 0);
}

/* One component. 1: the rest goes on; 0: *ret_fd is the end of the path. */
static int walk_step(struct walk *walk, const char *name, enum want want, int *ret_fd,
                     bool *ret_made)
{
    bool last = walk->rest[0] == '\0';
    OWNED_FD fd = open_or_make(walk->at, name, last ? want : WANT_FOLDER, ret_made);
    struct stat found;
    int rc = fd < 0 ? fd : sys_fstat(fd, &found);

    if (rc < 0)
        return rc;
    if (S_ISLNK(found.st_mode)) {
        rc = walk_link(walk, fd);
        return rc < 0 ? rc : 1;
    }
    if (last) {
        *ret_fd = sub_take_fd(&fd);
        return 0;
    }
    rc = walk_down(walk, &fd, name);
    return rc < 0 ? rc : 1;
}

static int walk_all(struct walk *walk, enum want want, int *ret_fd, bool *ret_made)
{
    char name[COMPONENT_SIZE];
    int rc = move_to(walk, "");

    while (rc >= 0) {
        rc = next_component(walk, name);
        if (rc < 0)
            return rc;
        if (rc == 0) { /* the path ended in ".." or a link to "/" */
            *ret_fd = sub_take_fd(&walk->at);
            return 0;
        }
        if (strcmp(name, ".") == 0)
            continue;
        if (strcmp(name, "..") == 0) {
            rc = walk_up(walk);
            continue;
        }
        rc = walk_step(walk, name, want, ret_fd, ret_made);
        if (rc == 0)
            return 0;
    }
    return rc;
}

static int fail_make(const struct place *place, const struct walk *walk, int code,
                     struct sub_err *err)
{
    return fail_field(err, code, place->json, place->field, "cannot make '%s' (below '/%s'): %s",
                      place->path, walk->done, sub_strerror(code));
}

static int make(const struct place *place, const char *path, enum want want, int *ret_fd,
                struct sub_err *err)
{
    struct walk walk;
    bool made = true;

    walk.place = place;
    walk.at = -EBADF;
    walk.done[0] = '\0';
    walk.links = 0;
    if (strlen(path) >= sizeof walk.rest)
        return place_fail(place, ENAMETOOLONG, err);
    memcpy(walk.rest, path, strlen(path) + 1);

    int rc = walk_all(&walk, want, ret_fd, &made);
    sub_close(&walk.at);
    if (rc < 0)
        return made ? place_fail(place, -rc, err) : fail_make(place, &walk, -rc, err);
    return 0;
}

/* --- what the others call ------------------------------------------------------------------- */

int place_make(const struct place *place, enum want want, int *ret_fd, struct sub_err *err)
{
    return make(place, place->path, want, ret_fd, err);
}

int place_make_parent(const struct place *place, int *ret_fd, const char **ret_name,
                      struct sub_err *err)
{
    char parent[PATH_SIZE];
    const char *slash = strrchr(place->path, '/');
    const char *name = slash == NULL ? place->path : slash + 1;
    size_t length = slash == NULL ? 0 : (size_t) (slash - place->path);

    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return fail_field(err, EINVAL, place->json, place->field, "'%s' does not end in a name",
                          place->path);
    }
    if (length >= sizeof parent)
        return place_fail(place, ENAMETOOLONG, err);
    memcpy(parent, place->path, length);
    parent[length] = '\0';
    SUBLET_TRY(make(place, parent, WANT_FOLDER, ret_fd, err));
    *ret_name = name;
    return 0;
}
