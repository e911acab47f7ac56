/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program goes in with BPF_F_ALLOW_MULTI: programs of the groups above (a systemd slice has
 * one) keep running besides, all must allow, and groups below may add their own. In a group made
 * just now there is nothing to look for: load and attach, two calls. Elsewhere an older program of
 * ours, known by its name, is replaced in one step (BPF_F_REPLACE): at no moment are there two
 * rule sets or none.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"

#include "private.h"

#define PROGRAM_NAME "sublet_devices"
#define ATTACHED_MAX 64 /* BPF_CGROUP_MAX_PROGS */

_Static_assert(sizeof PROGRAM_NAME <= BPF_OBJ_NAME_LEN, "the kernel keeps 15 characters");

static int load(const struct cg_device_program *program)
{
    static const char license[] = "Apache-2.0";
    union bpf_attr attr;

    memset(&attr, 0, sizeof attr);
    attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attr.insns = (uintptr_t) program->code;
    attr.insn_cnt = (uint32_t) program->count;
    attr.license = (uintptr_t) license;
    memcpy(attr.prog_name, PROGRAM_NAME, sizeof PROGRAM_NAME);
    return sys_bpf(BPF_PROG_LOAD, &attr);
}

static int attach(int dir_fd, int program_fd, int replaced_fd)
{
    union bpf_attr attr;

    memset(&attr, 0, sizeof attr);
    attr.target_fd = (uint32_t) dir_fd;
    attr.attach_bpf_fd = (uint32_t) program_fd;
    attr.attach_type = BPF_CGROUP_DEVICE;
    attr.attach_flags = BPF_F_ALLOW_MULTI;
    if (replaced_fd >= 0) {
        attr.attach_flags |= BPF_F_REPLACE;
        attr.replace_bpf_fd = (uint32_t) replaced_fd;
    }
    return sys_bpf(BPF_PROG_ATTACH, &attr);
}

static int detach(int dir_fd, int program_fd)
{
    union bpf_attr attr;

    memset(&attr, 0, sizeof attr);
    attr.target_fd = (uint32_t) dir_fd;
    attr.attach_bpf_fd = (uint32_t) program_fd;
    attr.attach_type = BPF_CGROUP_DEVICE;
    return sys_bpf(BPF_PROG_DETACH, &attr);
}

static int open_by_id(uint32_t id)
{
    union bpf_attr attr;

    memset(&attr, 0, sizeof attr);
    attr.prog_id = id;
    return sys_bpf(BPF_PROG_GET_FD_BY_ID, &attr);
}

static int is_ours(int program_fd)
{
    struct bpf_prog_info info;
    union bpf_attr attr;

    memset(&attr, 0, sizeof attr);
    memset(&info, 0, sizeof info);
    attr.info.bpf_fd = (uint32_t) program_fd;
    attr.info.info_len = sizeof info;
    attr.info.info = (uintptr_t) &info;
    SUBLET_TRY(sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr));
    return strncmp(info.name, PROGRAM_NAME, sizeof info.name) == 0;
}

/* The fd of our program in this group; -ENOENT if there is none. */
static int find_ours(int dir_fd)
{
    uint32_t ids[ATTACHED_MAX];
    union bpf_attr attr;

    memset(&attr, 0, sizeof attr);
    attr.query.target_fd = (uint32_t) dir_fd;
    attr.query.attach_type = BPF_CGROUP_DEVICE;
    attr.query.prog_ids = (uintptr_t) ids;
    attr.query.prog_cnt = ATTACHED_MAX;
    SUBLET_TRY(sys_bpf(BPF_PROG_QUERY, &attr));

    for (uint32_t i = 0; i < attr.query.prog_cnt && i < ATTACHED_MAX; i++) {
        OWNED_FD fd = open_by_id(ids[i]);
        if (fd == -ENOENT) /* detached since the query */
            continue;
        if (fd < 0)
            return fd;

        int ours = is_ours(fd);
        if (ours < 0)
            return ours;
        if (ours > 0)
            return sub_take_fd(&fd);
    }
    return -ENOENT;
}

static int bpf_error(const char *what, int rc, struct sub_err *err)
{
    if (rc == -EPERM || rc == -EACCES) {
        return sub_fail(err, -rc, NULL,
                        "cannot %s the device program: %s (CAP_BPF or CAP_SYS_ADMIN, and "
                        "CAP_NET_ADMIN, are needed in the initial user namespace)",
                        what, sub_strerror(-rc));
    }
    if (rc == -ENOSYS || rc == -EINVAL) {
        return sub_fail(err, -rc, NULL,
                        "cannot %s the device program: %s (a kernel with CONFIG_CGROUP_BPF is "
                        "needed)",
                        what, sub_strerror(-rc));
    }
    return sub_fail(err, -rc, NULL, "cannot %s the device program: %s", what, sub_strerror(-rc));
}

static int exchange(int dir_fd, const struct cg_device_program *program, int old_fd,
                    struct sub_err *err)
{
    if (program->count == 0) {
        int rc = old_fd < 0 ? 0 : detach(dir_fd, old_fd);

        return rc < 0 ? bpf_error("detach", rc, err) : 0;
    }

    OWNED_FD fd = load(program);
    if (fd < 0)
        return bpf_error("load", fd, err);

    int rc = attach(dir_fd, fd, old_fd);
    return rc < 0 ? bpf_error("attach", rc, err) : 0;
}

int cgroup_devices_replace(int dir_fd, const struct cg_device_program *program, int *ret_old_fd,
                           struct sub_err *err)
{
    OWNED_FD old = find_ours(dir_fd);
    if (old < 0 && old != -ENOENT)
        return bpf_error("look for", old, err);
    SUBLET_TRY(exchange(dir_fd, program, old, err));
    *ret_old_fd = old < 0 ? -ENOENT : sub_take_fd(&old);
    return 0;
}

int cgroup_devices_apply(int dir_fd, const struct cg_device_program *program, bool fresh,
                         struct sub_err *err)
{
    int old = -ENOENT;

    if (fresh)
        return exchange(dir_fd, program, old, err);
    SUBLET_TRY(cgroup_devices_replace(dir_fd, program, &old, err));
    sub_close(&old);
    return 0;
}

int cgroup_devices_restore(int dir_fd, int old_fd, struct sub_err *err)
{
    OWNED_FD now = find_ours(dir_fd);
    int rc = now == -ENOENT ? 0 : now;

    if (rc >= 0 && old_fd >= 0)
        rc = attach(dir_fd, old_fd, now);
    else if (now >= 0)
        rc = detach(dir_fd, now);
    return rc < 0 ? bpf_error("restore", rc, err) : 0;
}
