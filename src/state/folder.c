/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/listing.h"
#include "sublet/state.h"
#include "sublet/sys.h"

static int check_root(int fd, const char *path, struct sub_err *err)
{
    struct stat st;
    int rc = sys_fstat(fd, &st);

    if (rc < 0)
        return sub_fail(err, -rc, path, "cannot stat the state root: %s", sub_strerror(-rc));
    if (st.st_uid != geteuid())
        return sub_fail(err, EPERM, path, "the state root belongs to uid %u, expected %u",
                        st.st_uid, geteuid());
    if ((st.st_mode & 022) != 0)
        return sub_fail(err, EPERM, path,
                        "others may write to the state root (mode %o), expected 0700",
                        st.st_mode & 07777);
    return 0;
}

int state_root_open(const char *path, bool make, int *ret_root_fd, struct sub_err *err)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
    OWNED_FD fd = sys_openat(AT_FDCWD, path, flags, 0);

    if (fd == -ENOENT && !make)
        return -ENOENT;
    if (fd == -ENOENT) {
        int rc = sys_make_folders(path, 0700); /* the parents, too: /run may be new */

        if (rc < 0)
            return sub_fail(err, -rc, path, "cannot make the state root: %s", sub_strerror(-rc));
        fd = sys_openat(AT_FDCWD, path, flags, 0);
    }
    if (fd == -ELOOP || fd == -ENOTDIR)
        return sub_fail(err, -fd, path, "the state root must be a folder, not a link or a file");
    if (fd < 0)
        return sub_fail(err, -fd, path, "cannot open the state root: %s", sub_strerror(-fd));
    SUBLET_TRY(check_root(fd, path, err));
    *ret_root_fd = sub_take_fd(&fd);
    return 0;
}

/* The folder may have been removed, and even made anew, while we waited for its lock. */
static bool still_there(int root_fd, const char *id, int dir_fd)
{
    struct stat ours, now;

    return sys_fstat(dir_fd, &ours) == 0 &&
           sys_fstatat(root_fd, id, &now, AT_SYMLINK_NOFOLLOW) == 0 && ours.st_ino == now.st_ino &&
           ours.st_dev == now.st_dev;
}

static int not_there(const char *id, struct sub_err *err)
{
    return sub_fail(err, ENOENT, NULL, "container '%s': container does not exist", id);
}

int state_claim(int root_fd, const char *id, int *ret_dir_fd, struct sub_err *err)
{
    struct stat st;
    int rc = sys_mkdirat(root_fd, id, 0700);
    if (rc == -EEXIST)
        return sub_fail(err, EEXIST, NULL, "container '%s' already exists", id);
    if (rc < 0)
        return sub_fail(err, -rc, id, "cannot make the state folder: %s", sub_strerror(-rc));

    OWNED_FD fd = sys_openat(root_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    rc = fd < 0 ? fd : sys_lock_within(fd, STATE_LOCK_MS);
    if (rc < 0 || !still_there(root_fd, id, fd))
        return sub_fail(err, rc < 0 ? -rc : EBUSY, id,
                        "the new container was deleted by another command");
    /* Ours may have been deleted before we opened it, and this one made by another create. Both of
     * us have got this far then, and the second to hold the lock finds what the first has written.
     */
    if (sys_fstatat(fd, STATE_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return sub_fail(err, EEXIST, NULL, "container '%s' already exists", id);
    *ret_dir_fd = sub_take_fd(&fd);
    return 0;
}

int state_lock(int root_fd, const char *id, int dir_fd, struct sub_err *err)
{
    int rc = sys_lock_within(dir_fd, STATE_LOCK_MS);

    if (rc == -EBUSY)
        return sub_fail(err, EBUSY, NULL, "container '%s' is busy: another command holds it", id);
    if (rc < 0)
        return sub_fail(err, -rc, id, "cannot lock the state folder: %s", sub_strerror(-rc));
    return still_there(root_fd, id, dir_fd) ? 0 : not_there(id, err);
}

int state_open(int root_fd, const char *id, bool lock, int *ret_dir_fd, struct sub_err *err)
{
    OWNED_FD fd = sys_openat(root_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP || fd == -ENAMETOOLONG)
        return not_there(id, err);
    if (fd < 0)
        return sub_fail(err, -fd, id, "cannot open the state folder: %s", sub_strerror(-fd));
    if (lock)
        SUBLET_TRY(state_lock(root_fd, id, fd, err));
    *ret_dir_fd = sub_take_fd(&fd);
    return 0;
}

void state_unlock(int dir_fd)
{
    (void) flock(dir_fd, LOCK_UN); /* fails for no open file */
}

int state_is_locked(int dir_fd)
{
    /* another open file description, or the lock would be our own */
    OWNED_FD fd = sys_openat(dir_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return fd;
    if (flock(fd, LOCK_SH | LOCK_NB) == 0)
        return 0;
    return errno == EWOULDBLOCK ? 1 : -errno;
}

/* All the names this room and run ever make there, in the order of removal: the record goes last,
 * but for the mark that is about it. */
static const char *const names[] = {(STATE_NOTIFY "/" STATE_NOTIFY_SOCKET),
                                    STATE_NOTIFY,
                                    STATE_FIFO,
                                    STATE_ANSWER,
                                    STATE_CONFIG,
                                    STATE_FRESH,
                                    STATE_FILE,
                                    STATE_TOLD};
#define NAME_COUNT (sizeof names / sizeof *names)

static bool is_ours(const char *name)
{
    for (size_t i = 0; i < NAME_COUNT; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

int state_check_folder(int dir_fd, const char *id, struct sub_err *err)
{
    OWNED_FOLDER folder = listing_open(dir_fd);

    if (folder == NULL)
        return sub_fail(err, errno, id, "cannot list the state folder: %s", sub_strerror(errno));
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (!is_ours(entry->d_name))
            return sub_fail(err, ENOTEMPTY, id,
                            "not a container's folder, for it has '%.64s': it is left alone",
                            entry->d_name);
    }
    return 0;
}

int state_remove(int root_fd, const char *id, int dir_fd, struct sub_err *err)
{
    for (size_t i = 0; i < NAME_COUNT; i++) {
        int rc = sys_unlinkat(dir_fd, names[i], 0);

        if (rc == -EISDIR)
            rc = sys_unlinkat(dir_fd, names[i], AT_REMOVEDIR);
        if (rc < 0 && rc != -ENOENT)
            return sub_fail(err, -rc, names[i], "cannot remove the state of '%s': %s", id,
                            sub_strerror(-rc));
    }
    int rc = sys_unlinkat(root_fd, id, AT_REMOVEDIR);
    if (rc < 0 && rc != -ENOENT)
        return sub_fail(err, -rc, id, "cannot remove the state folder: %s", sub_strerror(-rc));
    return 0;
}
