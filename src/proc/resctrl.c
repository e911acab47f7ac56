/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups of a resctrl file system: a folder is a class of cache and memory bandwidth, its `tasks`
 * are who is in it, its `schemata` what they get; a folder in its `mon_groups` only counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sublet/base/arena.h"
#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/proc.h"
#include "sublet/sys.h"

#define RESCTRL_MAGIC  0x7655821
#define SCHEMATA_MAX   ((size_t) 64 << 10)
#define MOUNTS_MAX     ((size_t) 16 << 20)
#define GROUP_PATH_MAX (3 * 256)
#define CLASS          "linux.intelRdt.closID"
#define RDT            "linux.intelRdt"

/* A file whose size the kernel does not tell. */
static int load(int dir_fd, const char *name, struct buf *buf)
{
    char part[4096];
    OWNED_FD fd = sys_openat(dir_fd, name, O_RDONLY | O_NOFOLLOW, 0);
    ssize_t n = fd;

    while (n >= 0) {
        n = sub_read_all(fd, part, sizeof part);
        if (n == 0)
            return buf_failed(buf) ? -ENOMEM : 0;
        if (n > 0)
            buf_add(buf, part, (size_t) n);
    }
    return (int) n;
}

/* ---- the mount ---- */

/* "... - resctrl resctrl rw": the line's fifth field is where it is, blanks in it as \040. */
static int open_line(char *line)
{
    char *at = line, *field;

    for (int i = 0; i < 4 && at != NULL; i++)
        (void) strsep(&at, " ");
    field = strsep(&at, " ");
    if (at == NULL || field == NULL || strstr(at, " - resctrl ") == NULL)
        return -ENOENT;
    OWNED_FD fd = sys_openat(AT_FDCWD, field, O_PATH | O_DIRECTORY, 0);
    if (fd < 0 || sys_fs_type(fd) != RESCTRL_MAGIC)
        return -ENOENT;
    return sub_take_fd(&fd);
}

static int find_mount(struct sub_err *err)
{
    static const char path[] = "/proc/self/mountinfo";
    OWNED_BUF text = BUF(MOUNTS_MAX);
    int rc = load(AT_FDCWD, path, &text);

    if (rc < 0)
        return sub_fail(err, -rc, path, "cannot read: %s", sub_strerror(-rc));
    for (char *rest = text.data, *line = strsep(&rest, "\n"); line != NULL;
         line = strsep(&rest, "\n")) {
        int fd = open_line(line);

        if (fd >= 0)
            return fd;
    }
    return sub_fail(err, EOPNOTSUPP, RDT, "no resctrl file system is mounted");
}

int proc_resctrl_open(int *ret_fs_fd, struct sub_err *err)
{
    OWNED_FD usual = sys_openat(AT_FDCWD, "/sys/fs/resctrl", O_PATH | O_DIRECTORY, 0);
    int fd =
        usual >= 0 && sys_fs_type(usual) == RESCTRL_MAGIC ? sub_take_fd(&usual) : find_mount(err);

    if (fd < 0)
        return fd;
    *ret_fs_fd = fd;
    return 0;
}

/* ---- files ---- */

static int open_group(int fs_fd, const char *group)
{
    return sys_open_beneath(fs_fd, group[0] == '\0' ? "." : group, O_RDONLY | O_DIRECTORY, 0);
}

/* The kernel's own sentence about the last write that it refused; "" where it has none. */
static void last_words(int fs_fd, char *text, size_t size)
{
    OWNED_FD info = sys_open_beneath(fs_fd, "info", O_RDONLY | O_DIRECTORY, 0);

    if (info < 0 || sub_read_file_at(info, "last_cmd_status", text, size) < 0 ||
        strncmp(text, "ok", 2) == 0)
        text[0] = '\0';
    text[strcspn(text, "\n")] = '\0';
}

static int write_file(int fs_fd, int group_fd, const char *name, const char *text,
                      struct sub_err *err)
{
    char words[SUB_ERR_TEXT / 2];
    OWNED_FD fd = sys_openat(group_fd, name, O_WRONLY | O_NOFOLLOW, 0);
    int rc = fd < 0 ? fd : sub_write_all(fd, text, strlen(text));

    if (rc >= 0)
        return 0;
    last_words(fs_fd, words, sizeof words);
    return sub_fail(err, -rc, RDT, "the kernel refused '%.*s' in %s: %s", (int) strcspn(text, "\n"),
                    text, name, words[0] == '\0' ? sub_strerror(-rc) : words);
}

/* ---- what a group has ---- */

/* A value of "NAME:ID=VALUE;...", as the kernel pads it or not. */
struct value {
    const char *text;
    size_t length;
};

static struct value trim(const char *text, size_t length)
{
    while (length > 1 && (*text == ' ' || *text == '0')) {
        text++;
        length--;
    }
    while (length > 0 && text[length - 1] == ' ')
        length--;
    return (struct value){.text = text, .length = length};
}

static bool same(const struct value *left, const struct value *right)
{
    return left->length == right->length && strncasecmp(left->text, right->text, left->length) == 0;
}

/* One entry of a line; moves *at behind it. */
static bool next_entry(const char **at, struct value *ret_id, struct value *ret_value)
{
    size_t length = strcspn(*at, ";\n"), sign = strcspn(*at, "=;\n");

    if (length == 0)
        return false;
    *ret_id = trim(*at, sign);
    *ret_value = sign < length ? trim(*at + sign + 1, length - sign - 1)
                               : (struct value){.text = *at, .length = 0};
    *at += length + ((*at)[length] == ';');
    return true;
}

/* The resource a line is about; *at becomes its first entry. */
static struct value resource_of(const char **at)
{
    size_t length = strcspn(*at, ":\n");
    struct value name = trim(*at, length);

    *at += length + ((*at)[length] == ':');
    return name;
}

static const char *next_line(const char *line)
{
    line += strcspn(line, "\n");
    return line + (*line == '\n');
}

/* The last value of that resource and id in text, which may be NULL. */
static bool look_up(const char *text, const struct value *resource, const struct value *id,
                    struct value *ret_value)
{
    bool found = false;

    for (const char *line = text; line != NULL && *line != '\0'; line = next_line(line)) {
        const char *at = line;
        struct value name = resource_of(&at), key, value;

        while (same(&name, resource) && next_entry(&at, &key, &value)) {
            if (same(&key, id)) {
                *ret_value = value;
                found = true;
            }
        }
    }
    return found;
}

static int compare(const struct plan_resctrl *resctrl, size_t part, const char *has,
                   struct sub_err *err)
{
    for (const char *line = resctrl->schemata[part]; line != NULL && *line != '\0';
         line = next_line(line)) {
        const char *at = line;
        struct value name = resource_of(&at), id, wanted, value = {.text = "", .length = 0};

        while (next_entry(&at, &id, &wanted)) {
            if (part == 0)
                (void) look_up(resctrl->schemata[1], &name, &id, &wanted); /* overrules it */
            if (look_up(has, &name, &id, &value) && same(&value, &wanted))
                continue;
            return sub_fail(
                err, EINVAL, CLASS, "the class '%s' exists and has %.*s:%.*s=%.*s, not %.*s",
                resctrl->group, (int) name.length, name.text, (int) id.length, id.text,
                value.length == 0 ? 4 : (int) value.length, value.length == 0 ? "none" : value.text,
                (int) wanted.length, wanted.text);
        }
    }
    return 0;
}

int proc_resctrl_check(int fs_fd, const struct plan_resctrl *resctrl, struct sub_err *err)
{
    OWNED_BUF has = BUF(SCHEMATA_MAX);
    OWNED_FD group = open_group(fs_fd, resctrl->group);

    if (group == -ENOENT && resctrl->make)
        return 1;
    if (group == -ENOENT)
        return sub_fail(err, ENOENT, CLASS, "there is no class '%s'", resctrl->group);
    if (group < 0)
        return sub_fail(err, -group, CLASS, "cannot open '%s': %s", resctrl->group,
                        sub_strerror(-group));
    if (resctrl->alone)
        return sub_fail(err, EEXIST, RDT,
                        "a class '%s' exists, and without closID it has to be the container's own",
                        resctrl->group);
    if (resctrl->schemata[0] == NULL && resctrl->schemata[1] == NULL)
        return 0;
    int rc = load(group, "schemata", &has);
    if (rc < 0)
        return sub_fail(err, -rc, CLASS, "cannot read the schemata of '%s': %s", resctrl->group,
                        sub_strerror(-rc));
    SUBLET_TRY(compare(resctrl, 0, buf_text(&has), err));
    return compare(resctrl, 1, buf_text(&has), err);
}

/* ---- making and removing ---- */

int proc_resctrl_make(int fs_fd, const struct plan_resctrl *resctrl, struct sub_err *err)
{
    int rc = sys_mkdirat(fs_fd, resctrl->group, 0755);
    if (rc < 0)
        return sub_fail(err, -rc, CLASS, "cannot make the class '%s': %s", resctrl->group,
                        rc == -ENOSPC ? "the hardware has no more of them" : sub_strerror(-rc));

    OWNED_FD group = open_group(fs_fd, resctrl->group);
    if (group < 0)
        return sub_fail(err, -group, CLASS, "cannot open '%s': %s", resctrl->group,
                        sub_strerror(-group));
    for (size_t i = 0; i < 2; i++) {
        if (resctrl->schemata[i] != NULL)
            SUBLET_TRY(write_file(fs_fd, group, "schemata", resctrl->schemata[i], err));
    }
    return 0;
}

int proc_resctrl_change(struct arena *arena, int fs_fd, const char *group, const char *lines,
                        const char **ret_before, struct sub_err *err)
{
    OWNED_BUF has = BUF(SCHEMATA_MAX);
    OWNED_FD folder = open_group(fs_fd, group);
    int rc = folder < 0 ? folder : load(folder, "schemata", &has);

    if (rc < 0)
        return sub_fail(err, -rc, RDT, "cannot read the schemata of the class '%s': %s", group,
                        sub_strerror(-rc));
    const char *before = arena_strdup(arena, buf_text(&has));
    if (before == NULL)
        return sub_fail(err, ENOMEM, RDT, "out of memory");
    SUBLET_TRY(write_file(fs_fd, folder, "schemata", lines, err));
    *ret_before = before;
    return 0;
}

int proc_resctrl_monitor(int fs_fd, const struct plan_resctrl *resctrl, struct sub_err *err)
{
    OWNED_FD group = open_group(fs_fd, resctrl->group);
    OWNED_FD monitors =
        group < 0 ? group : sys_open_beneath(group, "mon_groups", O_RDONLY | O_DIRECTORY, 0);
    int rc = monitors < 0 ? monitors : sys_mkdirat(monitors, resctrl->monitor, 0755);

    if (rc >= 0)
        return 0;
    return sub_fail(err, -rc, "linux.intelRdt.enableMonitoring",
                    "cannot make a monitoring group '%s': %s", resctrl->monitor,
                    monitors == -ENOENT ? "this hardware cannot monitor"
                    : rc == -ENOSPC     ? "the hardware has no more of them"
                                        : sub_strerror(-rc));
}

int proc_resctrl_enter(int fs_fd, const struct plan_resctrl *resctrl, pid_t pid,
                       struct sub_err *err)
{
    char line[NUM_TEXT + 1], path[GROUP_PATH_MAX];

    (void) snprintf(line, sizeof line, "%d\n", (int) pid);
    OWNED_FD group = open_group(fs_fd, resctrl->group);
    if (group < 0)
        return sub_fail(err, -group, CLASS, "cannot open '%s': %s", resctrl->group,
                        sub_strerror(-group));
    SUBLET_TRY(write_file(fs_fd, group, "tasks", line, err));
    if (resctrl->monitor == NULL)
        return 0;

    (void) snprintf(path, sizeof path, "mon_groups/%s", resctrl->monitor);
    OWNED_FD monitor = sys_open_beneath(group, path, O_RDONLY | O_DIRECTORY, 0);
    if (monitor < 0)
        return sub_fail(err, -monitor, RDT, "cannot open '%s': %s", path, sub_strerror(-monitor));
    return write_file(fs_fd, monitor, "tasks", line, err);
}

static int remove_folder(int fs_fd, const char *path, struct sub_err *err)
{
    char parent[GROUP_PATH_MAX] = ".";
    const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;

    if (slash != NULL &&
        snprintf(parent, sizeof parent, "%.*s", (int) (slash - path), path) >= (int) sizeof parent)
        return sub_fail(err, ENAMETOOLONG, RDT, "'%.64s...' is too long", path);
    OWNED_FD folder = sys_open_beneath(fs_fd, parent, O_RDONLY | O_DIRECTORY, 0);
    int rc = folder < 0 ? folder : sys_unlinkat(folder, name, AT_REMOVEDIR);
    if (rc < 0 && rc != -ENOENT)
        return sub_fail(err, -rc, RDT, "cannot remove '%s': %s", path, sub_strerror(-rc));
    return 0;
}

static bool has_tasks(int fs_fd, const char *path)
{
    char text[NUM_TEXT];
    OWNED_FD group = open_group(fs_fd, path);
    OWNED_FD tasks = group < 0 ? group : sys_openat(group, "tasks", O_RDONLY | O_NOFOLLOW, 0);

    return tasks >= 0 && sub_read_all(tasks, text, sizeof text) > 0;
}

int proc_resctrl_remove(int fs_fd, const char *group, const char *monitor, struct sub_err *err)
{
    if (monitor != NULL)
        SUBLET_TRY(remove_folder(fs_fd, monitor, err));
    if (group == NULL || group[0] == '\0' || has_tasks(fs_fd, group))
        return 0;
    return remove_folder(fs_fd, group, err);
}
