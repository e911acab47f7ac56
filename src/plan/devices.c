/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>

#include "sublet/base/log.h"
#include "sublet/base/path.h"

#include "planning.h"

#define MODE_MAX 0777u /* engines copy st_mode, with the bits of the type */

/* config-linux.md, "Default Devices". */
static const struct plan_device default_devices[] = {
    {"/dev/null",    NULL, S_IFCHR, 1, 3, 0666, 0, 0},
    {"/dev/zero",    NULL, S_IFCHR, 1, 5, 0666, 0, 0},
    {"/dev/full",    NULL, S_IFCHR, 1, 7, 0666, 0, 0},
    {"/dev/random",  NULL, S_IFCHR, 1, 8, 0666, 0, 0},
    {"/dev/urandom", NULL, S_IFCHR, 1, 9, 0666, 0, 0},
    {"/dev/tty",     NULL, S_IFCHR, 5, 0, 0666, 0, 0},
};
#define DEFAULT_DEVICES (sizeof default_devices / sizeof *default_devices)

static const struct plan_link default_links[] = {
    {"/dev/fd",     "/proc/self/fd"  },
    {"/dev/stdin",  "/proc/self/fd/0"},
    {"/dev/stdout", "/proc/self/fd/1"},
    {"/dev/stderr", "/proc/self/fd/2"},
    {"/dev/core",   "/proc/kcore"    },
    {"/dev/ptmx",   "pts/ptmx"       },
};
#define DEFAULT_LINKS (sizeof default_links / sizeof *default_links)

static uint32_t device_type(const char *type)
{
    if (type[0] == '\0' || type[1] != '\0')
        return 0;
    switch (type[0]) {
    case 'c':
    case 'u': /* an unbuffered character device: mknod(1) */
        return S_IFCHR;
    case 'b':
        return S_IFBLK;
    case 'p':
        return S_IFIFO;
    default:
        return 0;
    }
}

static void check_owner(struct planning *p, const struct plan_device *device)
{
    if (!plan_uid_is_mapped(p, device->uid))
        plan_error(p, arena_printf(p->arena, "%s.uid", device->json),
                   "%" PRIu32 " is not in linux.uidMappings", device->uid);
    if (!plan_gid_is_mapped(p, device->gid))
        plan_error(p, arena_printf(p->arena, "%s.gid", device->json),
                   "%" PRIu32 " is not in linux.gidMappings", device->gid);
}

static bool decide_one(struct planning *p, size_t index, struct plan_device *ret_device)
{
    const struct spec_device *item = &p->linux_->devices.items[index];
    struct plan_device device = {
        .path = item->path,
        .json = arena_printf(p->arena, "linux.devices[%zu]", index),
        .type = device_type(item->type),
        .mode = (item->has & SPEC_DEVICE_FILE_MODE) != 0 ? item->file_mode & MODE_MAX : 0666,
        .uid = (item->has & SPEC_DEVICE_UID) != 0 ? item->uid : 0,
        .gid = (item->has & SPEC_DEVICE_GID) != 0 ? item->gid : 0,
    };

    if (device.type == 0) {
        plan_error(p, arena_printf(p->arena, "%s.type", device.json),
                   "unknown device type '%s', expected c, b, u or p", item->type);
        return false;
    }
    if (device.type != S_IFIFO) {
        device.major = (uint32_t) item->major;
        device.minor = (uint32_t) item->minor;
    }
    check_owner(p, &device);
    *ret_device = device;
    return true;
}

/* A bind of the host's /dev or a devtmpfs is the host's: what was made there would be made there
 * for everybody. */
static bool dev_is_ours(const struct planning *p)
{
    const struct plan_mounts *mounts = &p->plan->mounts;
    bool ours = true;

    for (size_t i = 0; i < mounts->count; i++) {
        const struct plan_mount *mount = &mounts->items[i];

        if (strcmp(mount->target, "/dev") == 0)
            ours = mount->kind == PLAN_MOUNT_NEW && strcmp(mount->type, "devtmpfs") != 0;
    }
    return ours;
}

static void put(struct planning *p, struct plan_device *devices, const struct plan_device *device)
{
    struct plan_mounts *mounts = &p->plan->mounts;

    for (size_t i = 0; i < mounts->device_count; i++) {
        if (strcmp(devices[i].path, device->path) != 0)
            continue;

        devices[i] = *device;
        return;
    }
    devices[mounts->device_count++] = *device;
}

void plan_decide_devices(struct planning *p)
{
    struct plan_mounts *mounts = &p->plan->mounts;
    size_t room = DEFAULT_DEVICES + p->linux_->devices.count;
    struct plan_device *devices = arena_array(p->arena, room, sizeof *devices);
    bool ours = dev_is_ours(p);

    if (devices == NULL)
        return;
    mounts->devices = devices;
    mounts->devices_by_bind = plan_in_user_namespace(p);
    if (ours) {
        memcpy(devices, default_devices, sizeof default_devices);
        mounts->device_count = DEFAULT_DEVICES;
        mounts->links = default_links;
        mounts->link_count = DEFAULT_LINKS;
    }

    for (size_t i = 0; i < p->linux_->devices.count; i++) {
        struct plan_device device;

        if (!decide_one(p, i, &device))
            continue;
        if (strcmp(device.path, "/dev/ptmx") == 0)
            log_debug("%s: /dev/ptmx is a link to the container's own", device.json);
        else if (!ours && path_holds("/dev", device.path))
            log_debug("%s: left out, /dev is the host's", device.json);
        else
            put(p, devices, &device);
    }
}
