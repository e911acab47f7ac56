/* SPDX-License-Identifier: Apache-2.0 */
/* Small things that several verbs share. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/json.h"
#include "sublet/spec.h"
#include "sublet/sys.h"

#include "start.h"

const char *cgroup_manager_name(enum plan_cgroup_manager manager)
{
    static const char *const names[] = {
        [PLAN_CGROUPFS] = "cgroupfs",
        [PLAN_CGROUP_SYSTEMD] = "systemd",
        [PLAN_CGROUP_DISABLED] = "disabled",
    };

    return names[manager];
}

int signal_group(struct arena *arena, int dir_fd, int number, struct sub_err *err)
{
    pid_t *pids;
    size_t count, reached = 0;

    SUBLET_TRY(cgroup_pids(arena, dir_fd, &pids, &count, err));
    for (size_t i = 0; i < count; i++) {
        OWNED_FD pidfd = sys_pidfd_open(pids[i]);

        if (pidfd >= 0 && sys_pidfd_signal(pidfd, number) == 0)
            reached++;
    }
    return reached > 0 ? 0 : -ESRCH;
}

void kill_child(int pidfd)
{
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    int status;

    (void) sys_pidfd_signal(pidfd, SIGKILL);
    if (sys_poll(&ended, 1, KILLED_LIMIT_MS) > 0)
        (void) sys_pidfd_wait(pidfd, 0, &status);
}

/* One by one, frozen so that none can fork away: a group on which cgroup.kill was used once kills
 * whatever is cloned into it later (seen on Linux 6.18), and this one is to be used again. */
int empty_group(struct arena *arena, int dir_fd, struct sub_err *err)
{
    struct sub_err ignored = {.code = 0};
    bool frozen = cgroup_freeze(dir_fd, FREEZE_LIMIT_MS, &ignored) >= 0;
    int rc = signal_group(arena, dir_fd, SIGKILL, err);

    if (frozen)
        (void) cgroup_thaw(dir_fd, FREEZE_LIMIT_MS, &ignored); /* the killed need not wait for it */
    if (rc < 0 && rc != -ESRCH)
        return rc;
    return cgroup_wait_empty(dir_fd, DESTROY_LIMIT_MS, err);
}

/* A group that was there before us is emptied and left; what we made is removed upwards. */
int destroy_group(struct arena *arena, int root_fd, const struct state_record *record,
                  struct sub_err *err)
{
    if (record->systemd_unit != NULL)
        return scope_destroy(root_fd, record, err);
    if (!record->cgroup_kept) {
        SUBLET_TRY(cgroup_destroy(root_fd, record->cgroup_path, DESTROY_LIMIT_MS, err));
        return cgroup_remove_ancestors(root_fd, record->cgroup_path, record->cgroup_parents, err);
    }

    OWNED_CGROUP group = CGROUP_NONE;
    int rc = cgroup_open(root_fd, record->cgroup_path, &group, err);
    if (rc == -ENOENT)
        return 0;
    return rc < 0 ? rc : empty_group(arena, group.dir_fd, err);
}

/* A rename replaces what is there; of a device like /dev/null nobody meant that. */
static bool is_replaceable(const char *path)
{
    struct stat st;

    return sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISREG(st.st_mode) ||
           S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode);
}

int write_pid_file(const char *path, pid_t pid, struct sub_err *err)
{
    char fresh[4096], text[NUM_TEXT];

    if (path == NULL)
        return 0;
    if (snprintf(fresh, sizeof fresh, "%s.%d", path, (int) getpid()) >= (int) sizeof fresh)
        return sub_fail(err, ENAMETOOLONG, "--pid-file", "'%s' is too long", path);
    if (!is_replaceable(path))
        return sub_fail(err, EINVAL, "--pid-file",
                        "'%s' is no regular file, which could be replaced", path);

    /* readers wait for the file to appear: it must be whole when it does */
    (void) num_format_u64((uint64_t) pid, text);
    OWNED_FD fd = sys_openat(AT_FDCWD, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
    int rc = fd < 0 ? fd : sub_write_all(fd, text, strlen(text));
    if (rc == 0)
        rc = sys_renameat(AT_FDCWD, fresh, AT_FDCWD, path);
    if (rc < 0 && fd >= 0)
        (void) sys_unlinkat(AT_FDCWD, fresh, 0);
    if (rc < 0)
        return sub_fail(err, -rc, "--pid-file", "cannot write '%s': %s", path, sub_strerror(-rc));
    return 0;
}

struct run_info info_of_record(const struct state_record *record, enum run_status status, pid_t pid)
{
    _Static_assert(sizeof(struct run_pair) == sizeof(struct state_pair), "one shape, two rooms");
    return (struct run_info){
        .id = record->id,
        .oci_version = record->oci_version,
        .bundle = record->bundle,
        .rootfs = record->rootfs,
        .created = record->created,
        .status = status,
        .pid = pid,
        .tenant = record->tenant,
        .tenant_outside = record->tenant_outside,
        .owner_uid = record->owner_uid,
        .systemd_unit = record->systemd_unit,
        .annotations = (const struct run_pair *) record->annotations.items,
        .annotation_count = record->annotations.count,
        .resources = record->resources,
        .l3_cache_schema = record->l3_cache_schema,
        .mem_bw_schema = record->mem_bw_schema,
    };
}

int state_text(const struct state_record *record, enum run_status status, pid_t pid,
               struct buf *buf)
{
    struct run_info info = info_of_record(record, status, pid);

    return run_state_json(&info, 0, buf);
}

/* From the copy of config.json that create saved; what the bundle holds by now does not matter. */
int load_hooks(struct arena *arena, int dir_fd, struct plan_hooks ret_hooks[PLAN_HOOK_KINDS],
               struct sub_err *err)
{
    const struct spec *spec;

    SUBLET_TRY(spec_load(arena, dir_fd, STATE_CONFIG, NULL, &spec, err));
    return plan_make_hooks(arena, spec, ret_hooks);
}
