/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>

#include "sublet/base/arena.h"
#include "sublet/base/path.h"

#include "check.h"

/* The kernel's dev_t: 12 and 20 bits. */
#define MAJOR_MAX 4095
#define MINOR_MAX 1048575

static const char *const type_names[] = {"c", "b", "u", "p"};
static const struct vocabulary type_words = VOCABULARY("device type", type_names);

static void check_number(bool present, int64_t number, int64_t max, const char *path,
                         struct findings *findings)
{
    if (!present) {
        findings_error(findings, path, "missing, expected 0 to %lld", (long long) max);
    } else {
        (void) check_range(number, 0, max, path, findings);
    }
}

static void check_owner(bool present, uint32_t id, const char *path, struct findings *findings)
{
    if (present && id == UINT32_MAX) {
        findings_error(findings, path, "%u is reserved by the kernel, expected 0 to %u", id,
                       UINT32_MAX - 1);
    }
}

static void check_device(size_t i, const struct spec_device *device, struct findings *findings)
{
    if (!path_is_absolute(device->path)) {
        findings_error(findings, WHERE("linux.devices[%zu].path", i),
                       QUOTED " is not absolute, expected a path that starts with '/'",
                       device->path);
    } else if (strstr(device->path, "/..") != NULL && !path_is_canonical(device->path)) {
        findings_warning(findings, WHERE("linux.devices[%zu].path", i),
                         QUOTED " is taken inside the root", device->path);
    }

    bool known =
        check_word(&type_words, device->type, WHERE("linux.devices[%zu].type", i), findings);
    if (known && strcmp(device->type, "p") != 0) {
        check_number((device->has & SPEC_DEVICE_MAJOR) != 0, device->major, MAJOR_MAX,
                     WHERE("linux.devices[%zu].major", i), findings);
        check_number((device->has & SPEC_DEVICE_MINOR) != 0, device->minor, MINOR_MAX,
                     WHERE("linux.devices[%zu].minor", i), findings);
    }
    /* engines copy st_mode, so the type's own bits are let through */
    if ((device->has & SPEC_DEVICE_FILE_MODE) != 0 &&
        (device->file_mode & ~(S_IFMT | 0777u)) != 0) {
        findings_error(findings, WHERE("linux.devices[%zu].fileMode", i),
                       "0%o is out of range, expected 0 to 0777", device->file_mode);
    }
    check_owner((device->has & SPEC_DEVICE_UID) != 0, device->uid,
                WHERE("linux.devices[%zu].uid", i), findings);
    check_owner((device->has & SPEC_DEVICE_GID) != 0, device->gid,
                WHERE("linux.devices[%zu].gid", i), findings);
}

/* A folder of devices and one of them named again, as engines write it for two --device. */
static bool is_same_device(const struct spec_device *a, const struct spec_device *b)
{
    return strcmp(a->type, b->type) == 0 && a->major == b->major && a->minor == b->minor;
}

static void check_doubles(const struct spec_devices *devices, struct findings *findings)
{
    struct named *names = arena_array(findings->arena, devices->count, sizeof *names);

    if (names == NULL) {
        findings_error(findings, "linux.devices", "out of memory");
        return;
    }
    for (size_t i = 0; i < devices->count; i++)
        names[i] = (struct named){devices->items[i].path, strlen(devices->items[i].path), i};
    named_sort(names, devices->count);
    for (size_t i = 1; i < devices->count; i++) {
        if (named_equal(&names[i - 1], &names[i]) &&
            !is_same_device(&devices->items[names[i - 1].index], &devices->items[names[i].index])) {
            findings_error(findings, WHERE("linux.devices[%zu].path", names[i].index),
                           QUOTED " is the path of linux.devices[%zu] already, another device",
                           names[i].name, names[i - 1].index);
        }
    }
}

void check_devices(const struct spec_devices *devices, struct findings *findings)
{
    for (size_t i = 0; i < devices->count; i++)
        check_device(i, &devices->items[i], findings);
    if (devices->count > 1)
        check_doubles(devices, findings);
}
