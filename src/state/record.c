/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/base/time.h"
#include "sublet/json.h"
#include "sublet/spec.h"
#include "sublet/state.h"
#include "sublet/sys.h"

#define TMPFS_MAGIC 0x01021994
#define RAMFS_MAGIC 0x858458f6
#define PIDFS_MAGIC 0x50494446

static const struct json_field mount_fields[] = {
    {"destination", JSON_STRING, offsetof(struct state_mount, destination), JSON_REQUIRED, NULL},
    {"id",          JSON_U64,    offsetof(struct state_mount, id),          JSON_REQUIRED, NULL},
};
static const struct json_shape mount_shape = {JSON_FIELDS(mount_fields),
                                              .size = sizeof(struct state_mount)};

#define AT(member) offsetof(struct state_record, member)
/* clang-format off */
static const struct json_field record_fields[] = {
    {.key = "id", .kind = JSON_STRING, .offset = AT(id), .presence = JSON_REQUIRED},
    {.key = "ociVersion", .kind = JSON_STRING, .offset = AT(oci_version), .presence = JSON_REQUIRED},
    {.key = "bundle", .kind = JSON_STRING, .offset = AT(bundle), .presence = JSON_REQUIRED},
    {.key = "rootfs", .kind = JSON_STRING, .offset = AT(rootfs), .presence = JSON_REQUIRED},
    {.key = "created", .kind = JSON_STRING, .offset = AT(created), .presence = JSON_REQUIRED},
    {.key = "bootId", .kind = JSON_STRING, .offset = AT(boot_id), .presence = JSON_REQUIRED},
    {.key = "complete", .kind = JSON_BOOL, .offset = AT(complete), .presence = JSON_REQUIRED},
    {.key = "pid", .kind = JSON_I32, .offset = AT(process.pid), .presence = JSON_REQUIRED},
    {.key = "pidfsInode", .kind = JSON_U64, .offset = AT(process.pidfs_inode), .presence = JSON_REQUIRED},
    {.key = "startTicks", .kind = JSON_U64, .offset = AT(process.start_ticks), .presence = JSON_REQUIRED},
    {.key = "cgroupPath", .kind = JSON_STRING, .offset = AT(cgroup_path)},
    {.key = "cgroupParents", .kind = JSON_U32, .offset = AT(cgroup_parents), .presence = JSON_REQUIRED},
    {.key = "cgroupKept", .kind = JSON_BOOL, .offset = AT(cgroup_kept), .presence = JSON_REQUIRED},
    {.key = "cgroupManager", .kind = JSON_STRING, .offset = AT(cgroup_manager), .presence = JSON_REQUIRED},
    {.key = "resctrlGroup", .kind = JSON_STRING, .offset = AT(resctrl_group)},
    {.key = "resctrlMonitor", .kind = JSON_STRING, .offset = AT(resctrl_monitor)},
    {.key = "l3CacheSchema", .kind = JSON_STRING, .offset = AT(l3_cache_schema)},
    {.key = "memBwSchema", .kind = JSON_STRING, .offset = AT(mem_bw_schema)},
    {.key = "systemdUnit", .kind = JSON_STRING, .offset = AT(systemd_unit)},
    {.key = "systemdScope", .kind = JSON_STRING, .offset = AT(systemd_scope)},
    {.key = "systemdUser", .kind = JSON_BOOL, .offset = AT(systemd_user)},
    {.key = "tenant", .kind = JSON_STRING, .offset = AT(tenant)},
    {.key = "tenantOutside", .kind = JSON_BOOL, .offset = AT(tenant_outside)},
    {.key = "startHooks", .kind = JSON_BOOL, .offset = AT(start_hooks), .presence = JSON_REQUIRED},
    {.key = "stopHooks", .kind = JSON_BOOL, .offset = AT(stop_hooks), .presence = JSON_REQUIRED},
    {.key = "keyring", .kind = JSON_BOOL, .offset = AT(keyring)},
    {.key = "ownerUid", .kind = JSON_U32, .offset = AT(owner_uid), .presence = JSON_REQUIRED},
    {.key = "annotations", .kind = JSON_PAIRS, .offset = AT(annotations)},
    {.key = "mounts", .kind = JSON_LIST, .offset = AT(mounts), .shape = &mount_shape},
    {.key = "update", .kind = JSON_OBJECT, .offset = AT(update), .shape = &spec_resources_shape},
    {.key = "resources", .kind = JSON_OBJECT, .offset = AT(resources), .shape = &spec_resources_shape},
};
/* clang-format on */
#undef AT

static const struct json_shape record_shape = {JSON_FIELDS(record_fields),
                                               .size = sizeof(struct state_record)};

int state_prepare(int dir_fd, const struct state_record *record, struct sub_err *err)
{
    OWNED_BUF text = BUF(STATE_MAX_BYTES);
    struct json_writer writer;

    json_writer_init(&writer, &text, 0);
    json_encode(&writer, NULL, &record_shape, record);
    buf_putc(&text, '\n');
    if (buf_failed(&text))
        return sub_fail(err, ENOMEM, STATE_FILE, "the record is larger than %zu bytes",
                        STATE_MAX_BYTES);

    return state_save(dir_fd, STATE_FRESH, text.data, text.length, err);
}

int state_publish(int dir_fd, struct sub_err *err)
{
    int rc = sys_renameat(dir_fd, STATE_FRESH, dir_fd, STATE_FILE);
    if (rc < 0)
        return sub_fail(err, -rc, STATE_FILE, "cannot replace the record: %s", sub_strerror(-rc));
    return 0;
}

void state_discard(int dir_fd)
{
    (void) sys_unlinkat(dir_fd, STATE_FRESH,
                        0); /* if it stays, the next record is written over it */
}

int state_write(int dir_fd, const struct state_record *record, struct sub_err *err)
{
    SUBLET_TRY(state_prepare(dir_fd, record, err));
    return state_publish(dir_fd, err);
}

int state_save(int dir_fd, const char *name, const char *text, size_t size, struct sub_err *err)
{
    OWNED_FD fd = sys_openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return sub_fail(err, -fd, name, "cannot write to the state folder: %s", sub_strerror(-fd));

    int rc = sub_write_all(fd, text, size);
    if (rc < 0)
        return sub_fail(err, -rc, name, "cannot write to the state folder: %s", sub_strerror(-rc));
    return 0;
}

static int check_record(const struct state_record *record, struct sub_err *err)
{
    const struct state_process *process = &record->process;

    if (process->pid < 0 || (process->pid == 0 && record->complete) || process->pid == 1)
        return sub_fail(err, EINVAL, STATE_FILE, "corrupt state: pid %d", process->pid);
    if (process->pid > 0 && process->pidfs_inode == 0 && process->start_ticks == 0)
        return sub_fail(err, EINVAL, STATE_FILE, "corrupt state: a process without identity");
    return 0;
}

int state_read(struct arena *arena, int dir_fd, struct state_record *ret_record,
               struct sub_err *err)
{
    struct state_record record = {.id = NULL};
    struct sub_err cause = {.code = 0};
    OWNED_MEM char *text = NULL;
    size_t size;

    int rc = sub_load_file_at(dir_fd, STATE_FILE, STATE_MAX_BYTES, &text, &size, &cause);
    if (rc == -ENOENT)
        return -ENODATA;
    /* a disk that fails says nothing about the record: taken for corrupt, it would be removed */
    if (rc < 0 && rc != -EINVAL && rc != -EFBIG && rc != -ELOOP)
        return sub_fail(err, -rc, cause.path, "%s", cause.text);
    if (rc == 0) {
        struct json_source source = {.name = STATE_FILE, .text = text, .size = size};

        rc = json_decode(arena, &source, &record_shape, NULL, &record, &cause);
    }
    if (rc == -ENOMEM)
        return sub_fail(err, ENOMEM, STATE_FILE, "out of memory");
    if (rc < 0)
        return sub_fail(err, EINVAL, cause.path, "corrupt state: %s; remove it with delete --force",
                        cause.text);
    SUBLET_TRY(check_record(&record, err));
    int64_t type = sys_fs_type(dir_fd);
    record.this_boot = type == TMPFS_MAGIC || type == RAMFS_MAGIC;
    *ret_record = record;
    return 0;
}

/* Field 22 of /proc/PID/stat; the second field may hold blanks and parentheses. */
static int read_start_ticks(pid_t pid, uint64_t *ret_ticks)
{
    char path[64], text[1024];

    (void) snprintf(path, sizeof path, "/proc/%d/stat", (int) pid);
    ssize_t n = sub_read_file_at(AT_FDCWD, path, text, sizeof text);
    if (n < 0)
        return n == -ENOENT ? -ESRCH : (int) n;

    char *at = strrchr(text, ')');
    for (int field = 2; at != NULL && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (at == NULL)
        return -EPROTO;

    char *end = strchr(at + 1, ' ');
    if (end == NULL)
        return -EPROTO;
    *end = '\0';
    return num_parse_u64(at + 1, UINT64_MAX, ret_ticks) < 0 ? -EPROTO : 0;
}

int state_identify(pid_t pid, int pidfd, struct state_process *ret_process)
{
    struct state_process process = {.pid = pid};
    int64_t type = sys_fs_type(pidfd);

    if (type < 0)
        return (int) type;
    if (type == PIDFS_MAGIC) {
        struct stat st;

        SUBLET_TRY(sys_fstat(pidfd, &st));
        process.pidfs_inode = st.st_ino;
    } else {
        SUBLET_TRY(read_start_ticks(pid, &process.start_ticks));
    }
    *ret_process = process;
    return 0;
}

static bool has_ended(int pidfd)
{
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};

    return sys_poll(&ended, 1, 0) > 0; /* a zombie is a process that has stopped */
}

int state_process_open(const struct state_record *record)
{
    struct state_process now;
    char boot_id[64];

    if (record->process.pid <= 0)
        return -ESRCH;
    OWNED_FD pidfd = sys_pidfd_open(record->process.pid);
    if (pidfd == -EINVAL) /* the number belongs to a thread by now */
        return -ESRCH;
    if (pidfd < 0)
        return pidfd;
    if (has_ended(pidfd))
        return -ESRCH;

    SUBLET_TRY(state_identify(record->process.pid, pidfd, &now));
    if (now.pidfs_inode != record->process.pidfs_inode ||
        now.start_ticks != record->process.start_ticks)
        return -ESRCH;
    if (record->this_boot) /* asking costs as much as all of the above */
        return sub_take_fd(&pidfd);
    SUBLET_TRY(state_boot_id(boot_id));
    if (strcmp(boot_id, record->boot_id) != 0)
        return -ESRCH;
    return sub_take_fd(&pidfd);
}

int state_boot_id(char text[64])
{
    ssize_t n = sub_read_file_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", text, 64);

    return n < 0 ? (int) n : 0;
}

void state_time_now(char text[STATE_TIME_TEXT])
{
    struct timespec now;

    (void) clock_gettime(CLOCK_REALTIME, &now); /* cannot fail: the clock always exists */
    (void) time_format(now.tv_sec, (uint32_t) now.tv_nsec, 9, text);
}
