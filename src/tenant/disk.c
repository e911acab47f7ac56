/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which disk is behind a path: io.max takes whole disks. A file's device may be a partition, or an
 * anonymous number that stands for no device at all (overlay, btrfs): then the mount tells what is
 * below.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/sys.h"

#include "private.h"

#define MOUNTINFO     "/proc/self/mountinfo"
#define MOUNTINFO_MAX ((size_t) 4 << 20)
#define LAYERS_MAX    8 /* overlays over overlays */

struct mount {
    char *type, *source, *options;
};

/* Line "ID PARENT MAJ:MIN ROOT POINT OPTIONS [FIELDS] - TYPE SOURCE OPTIONS" with that ID. */
static bool find_mount(char *text, uint64_t id, struct mount *ret_mount)
{
    char number[NUM_TEXT + 1];
    size_t length;

    num_format_u64(id, number);
    length = strlen(number);
    number[length++] = ' ';
    for (char *line; (line = strsep(&text, "\n")) != NULL;) {
        char *rest = strncmp(line, number, length) == 0 ? strstr(line, " - ") : NULL;

        if (rest == NULL)
            continue;
        rest += strlen(" - ");
        ret_mount->type = strsep(&rest, " ");
        ret_mount->source = strsep(&rest, " ");
        ret_mount->options = rest;
        return rest != NULL;
    }
    return false;
}

/* The value of "key=" among comma-separated options, cut out. */
static char *find_option(char *options, const char *key)
{
    for (char *option; (option = strsep(&options, ",")) != NULL;) {
        if (strncmp(option, key, strlen(key)) == 0)
            return option + strlen(key);
    }
    return NULL;
}

/* The path to look at instead of one whose file system has no device of its own. */
static int look_below(struct arena *arena, const char *path, const char **ret_path,
                      struct sub_err *err)
{
    struct mount mount;
    uint64_t id = 0;
    OWNED_MEM char *text = malloc(MOUNTINFO_MAX);

    if (text == NULL)
        return -ENOMEM;
    if (sub_read_file_at(AT_FDCWD, MOUNTINFO, text, MOUNTINFO_MAX) < 0 ||
        sys_mount_id(AT_FDCWD, path, &id) < 0 || !find_mount(text, id, &mount))
        return sub_fail(err, ENODEV, path, "cannot tell the mount it lies in");

    const char *below = NULL;
    if (strcmp(mount.type, "overlay") == 0)
        below = find_option(mount.options, "upperdir=");
    else if (strncmp(mount.source, "/dev/", 5) == 0)
        below = mount.source;
    if (below == NULL)
        return sub_fail(err, ENODEV, path, "lies in a file system of type %.32s, which has no disk",
                        mount.type);
    *ret_path = arena_strdup(arena, below);
    return *ret_path == NULL ? -ENOMEM : 0;
}

static int device_of(const char *path, dev_t *ret_device, struct sub_err *err)
{
    struct stat st;
    int rc = sys_fstatat(AT_FDCWD, path, &st, 0);

    if (rc < 0)
        return sub_fail(err, -rc, path, "cannot look for its disk: %s", sub_strerror(-rc));
    *ret_device = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;
    return 0;
}

static int parse_device(char *text, uint32_t *ret_major, uint32_t *ret_minor)
{
    char *colon = strchr(text, ':');

    if (colon == NULL)
        return -EINVAL;
    *colon = '\0';
    SUBLET_TRY(num_parse_u32(text, UINT32_MAX, ret_major));
    return num_parse_u32(colon + 1, UINT32_MAX, ret_minor);
}

/* A partition's number is in its folder, and that folder is in its disk's. */
static int whole_disk(struct arena *arena, const char *path, dev_t device, uint32_t *ret_major,
                      uint32_t *ret_minor, struct sub_err *err)
{
    const char *folder = arena_printf(arena, "/sys/dev/block/%u:%u", major(device), minor(device));
    const char *partition = arena_printf(arena, "%s/partition", folder);
    const char *disk = arena_printf(arena, "%s/../dev", folder);
    char text[NUM_TEXT];
    struct stat st;

    if (arena_failed(arena))
        return -ENOMEM;
    if (sys_fstatat(AT_FDCWD, folder, &st, 0) < 0)
        return sub_fail(err, ENODEV, path, "lies on device %u:%u, which is no disk", major(device),
                        minor(device));
    if (sys_fstatat(AT_FDCWD, partition, &st, 0) < 0) {
        *ret_major = major(device);
        *ret_minor = minor(device);
        return 0;
    }
    if (sub_read_file_at(AT_FDCWD, disk, text, sizeof text) < 0 ||
        parse_device(text, ret_major, ret_minor) < 0)
        return sub_fail(err, ENODEV, path, "cannot tell the disk of partition %u:%u", major(device),
                        minor(device));
    return 0;
}

int tenant_disk_of(struct arena *arena, const char *path, uint32_t *ret_major, uint32_t *ret_minor,
                   struct sub_err *err)
{
    const char *at = path;
    dev_t device;

    for (int layer = 0; layer < LAYERS_MAX; layer++) {
        SUBLET_TRY(device_of(at, &device, err));
        if (major(device) != 0)
            return whole_disk(arena, path, device, ret_major, ret_minor, err);
        SUBLET_TRY(look_below(arena, at, &at, err));
    }
    return sub_fail(err, ELOOP, path, "more than %d file systems above its disk", LAYERS_MAX);
}

void tenant_find_disks(struct arena *arena, const char *name, struct tenant_contract *contract,
                       struct findings *findings)
{
    for (size_t i = 0; i < contract->io_count; i++) {
        struct tenant_io *io = &contract->io[i];
        struct sub_err wrong = {.code = 0};

        io->found = tenant_disk_of(arena, io->path, &io->major, &io->minor, &wrong) == 0;
        if (!io->found)
            findings_error(findings, arena_printf(arena, "tenant '%s'", name), "io '%s': %s",
                           wrong.path, wrong.text);
    }
}
