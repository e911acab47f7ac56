/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/mount.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tree.h"

#define MESSAGES_MAX 8
#define VALUE_MAX    255 /* fsconfig(2) copies no longer string */

/* The log of a file system context is a queue of "e text", "w text", "i text". */
static const char *kernel_words(int fs_fd, int code, char *text, size_t size)
{
    for (int i = 0; i < MESSAGES_MAX; i++) {
        size_t length = sys_fs_message(fs_fd, text, size);

        if (length == 0)
            break;
        if (length > 2 && text[0] == 'e' && text[1] == ' ')
            return text + 2;
    }
    return sub_strerror(code);
}

int fs_fail(int fs_fd, int code, const char *json, struct sub_err *err, const char *format, ...)
{
    char what[SUB_ERR_TEXT], words[SUB_ERR_TEXT];
    va_list args;

    va_start(args, format);
    (void) vsnprintf(what, sizeof what, format, args); /* a cut sentence is still one */
    va_end(args);
    return sub_fail(err, code, json, "%s: %s", what,
                    kernel_words(fs_fd, code, words, sizeof words));
}

int fs_option(int fs_fd, const char *type, const struct plan_fs_option *option, const char *json,
              struct sub_err *err)
{
    const char *value = option->value;

    if (value != NULL && strlen(value) > VALUE_MAX) {
        return sub_fail(err, EINVAL, json,
                        "the value of %s's option '%s' is %zu bytes long, the kernel takes %d",
                        type, option->key, strlen(value), VALUE_MAX);
    }

    int rc = value == NULL ? sys_fsconfig_flag(fs_fd, option->key)
                           : sys_fsconfig_string(fs_fd, option->key, value);
    if (rc < 0) {
        return fs_fail(fs_fd, -rc, json, err, "%s refused option '%s%s%s'", type, option->key,
                       value == NULL ? "" : "=", value == NULL ? "" : value);
    }
    return 0;
}

uint64_t new_attributes(const struct plan_mount *mount)
{
    return (mount->attr_set & ~mount->tree_clear) | mount->tree_set;
}

static const char *type_of(const struct plan_mount *mount)
{
    return mount->kind == PLAN_MOUNT_CGROUP ? "cgroup2" : mount->type;
}

static int fail_make(int fs_fd, int code, const struct plan_mount *mount, struct sub_err *err)
{
    const char *type = type_of(mount);

    if (code == ENODEV && fs_fd < 0) {
        return fail_field(err, code, mount->json, "type",
                          "the kernel does not know the file system '%s'", type);
    }
    if (code == EPERM && strcmp(type, "proc") == 0) {
        return sub_fail(err, code, mount->json,
                        "the kernel refuses a new procfs: in a user namespace it needs a pid "
                        "namespace of its own and a procfs of the surrounding container with "
                        "nothing mounted over it");
    }
    if (code == EPERM && strcmp(type, "sysfs") == 0) {
        return sub_fail(err, code, mount->json,
                        "the kernel refuses a new sysfs: in a user namespace it needs a network "
                        "namespace of its own and an uncovered sysfs around it");
    }
    return fs_fail(fs_fd, code, mount->json, err, "cannot make a file system of type '%s'", type);
}

static bool has_option(const struct plan_mount *mount, const char *key)
{
    for (size_t i = 0; i < mount->option_count; i++) {
        if (strcmp(mount->options[i].key, key) == 0)
            return true;
    }
    return false;
}

/* The root of a tmpfs has the mode of the folder it covers: /tmp stays 1777. */
static int set_mode(int fs_fd, const struct plan_mount *mount, int target_fd, struct sub_err *err)
{
    char mode[8];
    struct stat target;
    int rc = sys_fstat(target_fd, &target);

    if (rc < 0) {
        return sub_fail(err, -rc, mount->json, "cannot stat '%s': %s", mount->target,
                        sub_strerror(-rc));
    }
    (void) snprintf(mode, sizeof mode, "%04o", target.st_mode & 07777U);

    struct plan_fs_option option = {"mode", mode};
    return fs_option(fs_fd, "tmpfs", &option, mount->json, err);
}

static int configure(int fs_fd, const struct plan_mount *mount, int covered_fd, struct sub_err *err)
{
    const char *type = type_of(mount);

    if (mount->source != NULL && mount->source[0] != '\0') {
        struct plan_fs_option source = {"source", mount->source};

        SUBLET_TRY(fs_option(fs_fd, type, &source, mount->json, err));
    }
    for (size_t i = 0; i < mount->option_count; i++)
        SUBLET_TRY(fs_option(fs_fd, type, &mount->options[i], mount->json, err));
    if (strcmp(type, "tmpfs") == 0 && covered_fd >= 0 && !has_option(mount, "mode"))
        SUBLET_TRY(set_mode(fs_fd, mount, covered_fd, err));
    return 0;
}

int filesystem_make(const struct plan_mount *mount, uint64_t attributes, int covered_fd,
                    int *ret_fd, struct sub_err *err)
{
    OWNED_FD fs = sys_fsopen(type_of(mount));
    if (fs < 0)
        return fail_make(fs, -fs, mount, err);
    SUBLET_TRY(configure(fs, mount, covered_fd, err));

    int rc = sys_fsconfig_create(fs);
    if (rc < 0)
        return fail_make(fs, -rc, mount, err);

    OWNED_FD fd = sys_fsmount(fs, attributes);
    if (fd < 0)
        return fail_make(fs, -fd, mount, err);

    uint64_t propagation = mount->propagation;
    rc = propagation == 0 || propagation == MS_PRIVATE ? 0
                                                       : sys_mount_change(fd, 0, 0, 0, propagation);
    if (rc < 0)
        return sub_fail(err, -rc, mount->json, "cannot set its propagation: %s", sub_strerror(-rc));
    *ret_fd = sub_take_fd(&fd);
    return 0;
}
