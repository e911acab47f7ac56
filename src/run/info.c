/* SPDX-License-Identifier: Apache-2.0 */
/* What a container is, from its record and the process it names: state, list, hooks' input. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/base/listing.h"
#include "sublet/json.h"
#include "sublet/spec.h"
#include "sublet/sys.h"

#include "start.h"
#include "target.h"

const char *run_status_name(enum run_status status)
{
    static const char *const names[] = {
        [RUN_CREATING] = "creating", [RUN_CREATED] = "created", [RUN_RUNNING] = "running",
        [RUN_PAUSED] = "paused",     [RUN_STOPPED] = "stopped",
    };

    return names[status];
}

int record_status(int dir_fd, const struct state_record *record, enum run_status *ret_status,
                  pid_t *ret_pid, struct sub_err *err)
{
    struct stat st;

    *ret_pid = 0;
    *ret_status = RUN_STOPPED;
    if (!record->complete) {
        if (state_is_locked(dir_fd) == 1)
            *ret_status = RUN_CREATING;
        return 0;
    }

    OWNED_FD pidfd = state_process_open(record);
    if (pidfd == -ESRCH)
        return 0;
    if (pidfd < 0)
        return unknown_process(record, pidfd, err);
    *ret_pid = record->process.pid;
    if (is_frozen(record))
        *ret_status = RUN_PAUSED;
    else /* `start` takes the FIFO away; a foreground run never has one */
        *ret_status = sys_fstatat(dir_fd, STATE_FIFO, &st, AT_SYMLINK_NOFOLLOW) == 0 ? RUN_CREATED
                                                                                     : RUN_RUNNING;
    return 0;
}

static int info_of_folder(struct arena *arena, int dir_fd, const char *id,
                          struct run_info *ret_info, struct sub_err *err)
{
    struct state_record record;
    pid_t pid;

    int rc = state_read(arena, dir_fd, &record, err);
    if (rc == -ENODATA) {
        /* claimed, and nothing happened yet: by a create at work, or by one that died at once */
        record = (struct state_record){
            .id = id, .oci_version = "", .bundle = "", .rootfs = "", .created = ""};
    } else if (rc < 0) {
        return rc;
    }
    enum run_status status;
    SUBLET_TRY(record_status(dir_fd, &record, &status, &pid, err));
    *ret_info = info_of_record(&record, status, pid);
    return 0;
}

int run_info(const struct run_target *target, struct run_info *ret_info, struct sub_err *err)
{
    int root = -EBADF, dir = -EBADF;

    int rc = state_root_open(target->state_root, false, &root, err);
    if (rc == -ENOENT)
        return sub_fail(err, ENOENT, NULL, "container '%s': container does not exist", target->id);
    if (rc < 0)
        return rc;
    OWNED_FD owned_root = root;
    SUBLET_TRY(state_open(root, target->id, false, &dir, err));
    OWNED_FD owned_dir = dir;
    return info_of_folder(target->arena, dir, target->id, ret_info, err);
}

static int by_id(const void *a, const void *b)
{
    const struct run_info *one = a, *other = b;

    return strcmp(one->id, other->id);
}

static int add_info(struct arena *arena, int root_fd, const char *name, struct run_info *ret_info)
{
    struct sub_err ignored = {.code = 0};
    int dir = -EBADF;

    /* gone between the listing and the look: not there */
    int rc = state_open(root_fd, name, false, &dir, &ignored);
    if (rc < 0)
        return rc;
    OWNED_FD owned = dir;

    char *id = arena_strdup(arena, name);
    if (id == NULL)
        return -ENOMEM;
    rc = info_of_folder(arena, dir, id, ret_info, &ignored);
    if (rc < 0) {
        *ret_info = (struct run_info){.id = id,
                                      .oci_version = "",
                                      .bundle = "",
                                      .rootfs = "",
                                      .created = "",
                                      .status = RUN_STOPPED,
                                      .corrupt = true};
    }
    return 0;
}

static int list_folder(struct arena *arena, int root_fd, struct run_info **ret_infos,
                       size_t *ret_count, struct sub_err *err)
{
    struct run_info *infos = NULL;
    size_t count = 0, room = 0;
    OWNED_FOLDER folder = listing_open(root_fd);

    if (folder == NULL)
        return sub_fail(err, errno, NULL, "cannot list the state root: %s", sub_strerror(errno));

    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        if (count == room) {
            room = room == 0 ? 16 : room * 2;
            infos = arena_grow(arena, infos, count, room, sizeof *infos);
        }
        if (infos == NULL)
            return sub_fail(err, ENOMEM, NULL, "out of memory");
        if (add_info(arena, root_fd, entry->d_name, &infos[count]) == 0)
            count++;
    }
    if (count > 0)
        qsort(infos, count, sizeof *infos, by_id);
    *ret_infos = infos;
    *ret_count = count;
    return 0;
}

int run_list(struct arena *arena, const char *state_root, struct run_info **ret_infos,
             size_t *ret_count, struct sub_err *err)
{
    int root = -EBADF;
    int rc = state_root_open(state_root, false, &root, err);

    if (rc == -ENOENT) {
        *ret_infos = NULL;
        *ret_count = 0;
        return 0;
    }
    if (rc < 0)
        return rc;
    OWNED_FD owned = root;
    return list_folder(arena, root, ret_infos, ret_count, err);
}

static void write_state(struct json_writer *writer, const struct run_info *info)
{
    json_write_string(writer, "ociVersion", info->oci_version);
    json_write_string(writer, "id", info->id);
    /* first of the numbers: hooks' states have it filled in after the clone */
    json_write_i64(writer, "pid", info->pid);
    json_write_string(writer, "status", run_status_name(info->status));
    json_write_string(writer, "bundle", info->bundle);
    json_write_string(writer, "rootfs", info->rootfs);
    json_write_string(writer, "created", info->created);
    if (info->systemd_unit != NULL) /* as crun names it, whose readers know it */
        json_write_string(writer, "systemd-scope", info->systemd_unit);
    if (info->tenant != NULL)
        json_write_string(writer, "tenant", info->tenant);
    if (info->tenant_outside)
        json_write_bool(writer, "tenantOutside", true);
    json_write_object(writer, "annotations");
    for (size_t i = 0; i < info->annotation_count; i++)
        json_write_string(writer, info->annotations[i].key, info->annotations[i].value);
    json_write_end(writer);
}

int run_state_json(const struct run_info *info, unsigned indent_spaces, struct buf *buf)
{
    struct json_writer writer;

    json_writer_init(&writer, buf, indent_spaces);
    json_write_object(&writer, NULL);
    write_state(&writer, info);
    if (info->resources != NULL)
        json_encode(&writer, "resources", &spec_resources_shape, info->resources);
    if (info->l3_cache_schema != NULL || info->mem_bw_schema != NULL) {
        json_write_object(&writer, "intelRdt");
        if (info->l3_cache_schema != NULL)
            json_write_string(&writer, "l3CacheSchema", info->l3_cache_schema);
        if (info->mem_bw_schema != NULL)
            json_write_string(&writer, "memBwSchema", info->mem_bw_schema);
        json_write_end(&writer);
    }
    json_write_end(&writer);
    return buf_failed(buf) ? -ENOMEM : 0;
}

void run_agent_json(const struct run_info *info, pid_t pid, const char *metadata, struct buf *buf)
{
    struct json_writer writer;

    json_writer_init(&writer, buf, 0);
    json_write_object(&writer, NULL);
    json_write_string(&writer, "ociVersion", info->oci_version);
    json_write_array(&writer, "fds");
    json_write_string(&writer, NULL, "seccompFd");
    json_write_end(&writer);
    json_write_i64(&writer, "pid", pid);
    json_write_string(&writer, "metadata", metadata == NULL ? "" : metadata);
    json_write_object(&writer, "state");
    write_state(&writer, info);
    json_write_end(&writer);
    json_write_end(&writer);
}
