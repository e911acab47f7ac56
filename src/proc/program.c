/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/proc.h"
#include "sublet/sys.h"

#define PASSWD_MAX_BYTES ((size_t) 1 << 20)
#define DEFAULT_PATH     "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char *environment_value(char *const *env, const char *name)
{
    size_t length = strlen(name);
    const char *value = NULL;

    for (; *env != NULL; env++) {
        if (strncmp(*env, name, length) == 0 && (*env)[length] == '=')
            value = *env + length + 1; /* the last one wins, as getenv in most programs */
    }
    return value;
}

/* 0 when the file can be the program, else -errno. */
static int check_program(const char *path)
{
    struct stat st;

    SUBLET_TRY(sys_fstatat(AT_FDCWD, path, &st, 0));
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    if (!S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0)
        return -EACCES;
    return 0;
}

/* Engines match these words in lower case (features.md of the runtime-spec has no say in it). */
static const char *reason(int code)
{
    switch (code) {
    case ENOENT:
        return "no such file or directory";
    case EACCES:
        return "permission denied";
    case EISDIR: /* to the kernel too: podman knows the latter words alone, and gives 126 for them
                  */
        return "is a directory: permission denied";
    case ENOTDIR:
        return "not a directory";
    default:
        return sub_strerror(code);
    }
}

static int search_path(const char *name, const char *path, char ret_path[PROC_PATH_MAX])
{
    int worst = -ENOENT;

    for (const char *at = path;; at++) {
        size_t length = strcspn(at, ":");
        /* an empty element is the working folder, as for execvp */
        int used = length == 0
                       ? snprintf(ret_path, PROC_PATH_MAX, "./%s", name)
                       : snprintf(ret_path, PROC_PATH_MAX, "%.*s/%s", (int) length, at, name);

        if (used > 0 && used < PROC_PATH_MAX) {
            int rc = check_program(ret_path);

            if (rc == 0)
                return 0;
            if (rc == -EACCES)
                worst = rc;
        }
        at += length;
        if (*at == '\0')
            return worst;
    }
}

int proc_find_program(const struct plan_process *process, char ret_path[PROC_PATH_MAX],
                      struct sub_err *err)
{
    const char *name = process->args[0];
    const char *path = environment_value(process->env, "PATH");

    if (strchr(name, '/') != NULL) {
        if (strlen(name) >= PROC_PATH_MAX)
            return sub_fail(err, ENAMETOOLONG, "process.args[0]", "path of %zu bytes, at most %d",
                            strlen(name), PROC_PATH_MAX - 1);

        int rc = check_program(name);
        if (rc < 0)
            return sub_fail(err, -rc, "process.args[0]", "exec '%s': %s", name, reason(-rc));
        memcpy(ret_path, name, strlen(name) + 1);
        return 0;
    }

    int rc = search_path(name, path == NULL ? DEFAULT_PATH : path, ret_path);
    if (rc == -ENOENT)
        return sub_fail(err, ENOENT, "process.args[0]",
                        "exec '%s': executable file not found in $PATH: no such file or directory",
                        name);
    if (rc < 0)
        return sub_fail(err, -rc, "process.args[0]", "exec '%s': %s", name, reason(-rc));
    return 0;
}

/* The sixth field of "name:x:UID:gid:text:HOME:shell" if the third is uid. */
static bool home_of_line(const char *line, size_t length, uint32_t uid, char *ret_home, size_t size)
{
    const char *field[7] = {line};
    size_t count = 1;
    char digits[NUM_TEXT];

    for (size_t i = 0; i < length && count < 7; i++) {
        if (line[i] == ':')
            field[count++] = line + i + 1;
    }
    if (count < 6)
        return false;

    size_t uid_length = (size_t) (field[3] - field[2] - 1);
    (void) num_format_u64(uid, digits);
    if (uid_length != strlen(digits) || memcmp(field[2], digits, uid_length) != 0)
        return false;

    const char *end = count == 7 ? field[6] - 1 : line + length;
    size_t home_length = (size_t) (end - field[5]);
    if (home_length == 0 || home_length + sizeof "HOME=" > size)
        return false;
    (void) snprintf(ret_home, size, "HOME=%.*s", (int) home_length, field[5]);
    return true;
}

static bool home_from(int fd, uint32_t uid, char *ret_home, size_t size)
{
    char text[4096];
    size_t kept = 0, total = 0;

    for (;;) {
        ssize_t n = sub_read_all(fd, text + kept, sizeof text - kept);
        if (n < 0)
            return false;

        size_t have = kept + (size_t) n;
        size_t from = 0;
        for (size_t i = 0; i < have; i++) {
            if (text[i] != '\n')
                continue;
            if (home_of_line(text + from, i - from, uid, ret_home, size))
                return true;
            from = i + 1;
        }
        total += (size_t) n;
        if (n == 0 || total > PASSWD_MAX_BYTES)
            return from < have && home_of_line(text + from, have - from, uid, ret_home, size);
        kept = have - from;
        if (kept == sizeof text)
            kept = 0; /* no user has a line of 4 KiB: whatever this is, it is passed over */
        else
            memmove(text, text + from, kept);
    }
}

void proc_find_home(uint32_t uid, char *ret_home, size_t size)
{
    struct stat st;

    (void) snprintf(ret_home, size, "HOME=/");
    OWNED_FD root = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
    if (root < 0)
        return;

    /* the file belongs to the image: a FIFO, a device or 2 GiB of it must not stop a start */
    OWNED_FD fd = sys_open_in(root, "etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0 || sys_fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    if (!home_from(fd, uid, ret_home, size))
        (void) snprintf(ret_home, size, "HOME=/");
}

int proc_enter_cwd(const struct plan_process *process, bool make, struct sub_err *err)
{
    char cwd[PROC_PATH_MAX];
    int rc = sys_chdir(process->cwd);

    if (rc == -ENOENT && make) {
        rc = sys_make_folders(process->cwd, 0755);
        if (rc < 0)
            return sub_fail(err, -rc, "process.cwd", "cannot make '%s': %s", process->cwd,
                            sub_strerror(-rc));
        rc = sys_chdir(process->cwd);
    }
    if (rc == -EACCES) /* a folder that only the user may enter, on an NFS that squashes root */
        rc = sys_chdir_as(process->cwd, process->uid, process->gid);
    if (rc < 0)
        return sub_fail(err, -rc, "process.cwd", "cannot enter '%s': %s", process->cwd,
                        sub_strerror(-rc));

    /* A folder that was reached through a descriptor of the host is not below this root, and the
     * kernel says so: "(unreachable)/..." (CVE-2024-21626). */
    rc = sys_getcwd(cwd, sizeof cwd);
    if (rc < 0 || cwd[0] != '/')
        return sub_fail(err, EXDEV, "process.cwd", "'%s' lies outside the container's root",
                        process->cwd);
    return 0;
}
