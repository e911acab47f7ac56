/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/script.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "sublet/base/buf.h"
#include "sublet/plan/process.h"
#include "sublet/priv.h"

#define BIT(capability) (UINT64_C(1) << (capability))
#define LABEL_MAX       4096 /* a page: what the kernel takes in one write */

/* Arguments that are not named are 0, as prctl(2) wants those that it does not use. */
#define ARGS(...)       ((const uint64_t[SCRIPT_ARGS]){__VA_ARGS__})

static struct script_op *put(struct script *script, long number, const uint64_t *args,
                             const char *path, const char *text)
{
    struct script_op *op = script_add(script, SCRIPT_CALL, path, text);

    op->number = number;
    memcpy(op->args, args, sizeof op->args);
    return op;
}

/* The argument becomes a pointer to what lies at that offset of the blob. */
static void point(struct script_op *op, unsigned index, uint64_t offset)
{
    op->args[index] = offset;
    op->pointer_mask |= 1u << index;
}

/* --- limits, umask, personality --------------------------------------------------------------- */

static struct script_op *put_limit(struct script *script, const struct plan_rlimit *limit)
{
    const struct rlimit64 value = {.rlim_cur = limit->soft, .rlim_max = limit->hard};
    uint64_t value_at = script_put(script, &value, sizeof value);
    char text[128];

    (void) snprintf(text, sizeof text, "cannot set the limit to soft %llu, hard %llu",
                    (unsigned long long) limit->soft, (unsigned long long) limit->hard);

    struct script_op *op =
        put(script, SYS_prlimit64, ARGS(0, (uint64_t) limit->resource), limit->json, text);
    point(op, 2, value_at);
    return op;
}

static void put_limits(struct script *script, const struct plan_process *process, bool leaves)
{
    for (size_t i = 0; i < process->rlimit_count; i++) {
        struct plan_rlimit limit = process->rlimits[i];
        bool late = leaves && limit.resource == RLIMIT_NPROC;

        if (late)
            limit.soft = limit.hard = RLIM64_INFINITY;
        struct script_op *op = put_limit(script, &limit);
        if (late) /* who may not raise it is bound by the one there is, and may lower it later */
            op->tolerated[0] = EPERM;
    }
}

static void put_late_limits(struct script *script, const struct plan_process *process)
{
    for (size_t i = 0; i < process->rlimit_count; i++) {
        if (process->rlimits[i].resource == RLIMIT_NPROC)
            (void) put_limit(script, &process->rlimits[i]);
    }
}

static void put_manners(struct script *script, const struct plan_process *process)
{
    put(script, SYS_umask, ARGS(process->umask), "process.user.umask", "cannot set the umask");
    if (process->has_personality)
        put(script, SYS_personality, ARGS(process->personality), "linux.personality",
            "cannot set the personality");
}

/* --- labels ----------------------------------------------------------------------------------- */

struct label {
    const char *file, *verb, *name, *path;
};

/* Opens the file below proc_fd and writes the label in one piece. "self" is a link, but no magic
 * one, and nothing may be mounted on the way. */
static void put_label(struct script *script, int proc_fd, const struct label *label)
{
    const struct open_how how = {
        .flags = O_WRONLY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS,
    };
    OWNED_BUF text;

    buf_init(&text, LABEL_MAX);
    buf_printf(&text, "%s%s", label->verb, label->name);
    uint64_t file_at = script_put_text(script, label->file);
    uint64_t how_at = script_put(script, &how, sizeof how);
    uint64_t text_at = script_put(script, buf_text(&text), text.length);

    struct script_op *op = put(script, SYS_openat2, ARGS((uint64_t) proc_fd, 0, 0, sizeof how),
                               label->path, "cannot open the file that takes the label");
    point(op, 1, file_at);
    point(op, 2, how_at);

    /* a label that is too long became empty, which the kernel refuses */
    op = put(script, SYS_write, ARGS(UINT64_MAX, 0, text.length), label->path,
             "cannot set the label");
    op->result_mask = 1;
    point(op, 1, text_at);
}

static void put_labels(struct script *script, const struct plan_process *process,
                       const struct priv_fds *fds)
{
    /* with no_new_privs a confined process can only be confined further */
    bool stack = fds->apparmor_confined && process->no_new_privileges;

    if (process->apparmor != NULL) {
        put_label(script, fds->proc,
                  &(const struct label){.file = "self/attr/apparmor/exec",
                                        .verb = stack ? "stack " : "exec ",
                                        .name = process->apparmor,
                                        .path = "process.apparmorProfile"});
    }
    if (process->selinux != NULL) {
        put_label(script, fds->proc,
                  &(const struct label){.file = "self/attr/exec",
                                        .verb = "",
                                        .name = process->selinux,
                                        .path = "process.selinuxLabel"});
    }
}

/* --- ids and capabilities --------------------------------------------------------------------- */

/* One call a capability: there is none for many. They share the message. */
static void put_prctls(struct script *script, uint64_t capabilities, uint64_t option,
                       uint64_t sub_option, const char *text)
{
    const struct script_op *first = NULL;
    uint32_t path_at = 0, text_at = 0;

    for (uint64_t i = 0; i < 64; i++) {
        if ((capabilities & BIT(i)) == 0)
            continue;

        bool told = first != NULL;
        struct script_op *op =
            put(script, SYS_prctl,
                option == PR_CAP_AMBIENT ? ARGS(option, sub_option, i) : ARGS(option, i),
                told ? "" : "process.capabilities", told ? "" : text);
        if (told) {
            op->path = path_at;
            op->text = text_at;
        }
        first = op;
        path_at = op->path;
        text_at = op->text;
    }
}

static void put_bounding(struct script *script, const struct plan_caps *caps)
{
    uint64_t known = caps->last >= 63 ? UINT64_MAX : BIT(caps->last + 1) - 1;

    put_prctls(script, known & ~caps->bounding, PR_CAPBSET_DROP, 0,
               "cannot drop a capability from the bounding set");
}

static void put_ids(struct script *script, const struct plan_process *process,
                    const struct priv_fds *fds)
{
    if (process->uid != 0)
        put(script, SYS_prctl, ARGS(PR_SET_KEEPCAPS, 1), "process.capabilities",
            "cannot keep capabilities over the change of user");
    if (!process->keep_groups) {
        uint64_t groups_at =
            script_put(script, process->groups, process->group_count * sizeof *process->groups);

        point(put(script, SYS_setgroups, ARGS(process->group_count), "process.user.additionalGids",
                  "cannot set the groups"),
              1, groups_at);
    }
    put(script, SYS_setresgid, ARGS(process->gid, process->gid, process->gid), "process.user.gid",
        "cannot become the group");
    put(script, SYS_setresuid, ARGS(process->uid, process->uid, process->uid), "process.user.uid",
        "cannot become the user");

    /* new ids put fs.suid_dumpable here, which an administrator may have set to 1 */
    put(script, SYS_prctl, ARGS(PR_SET_DUMPABLE, 0), "process.user",
        "cannot forbid tracing of the process");
    if (fds->death_signal != 0)
        put(script, SYS_prctl, ARGS(PR_SET_PDEATHSIG, (uint64_t) fds->death_signal), "process.user",
            "cannot bind the process to the runtime");
}

struct sets {
    uint64_t effective, permitted, inheritable;
};

static void put_capset(struct script *script, const struct sets *sets, const char *text)
{
    const struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        data[i] = (struct __user_cap_data_struct){
            .effective = (uint32_t) (sets->effective >> (32 * i)),
            .permitted = (uint32_t) (sets->permitted >> (32 * i)),
            .inheritable = (uint32_t) (sets->inheritable >> (32 * i)),
        };
    }

    uint64_t head_at = script_put(script, &head, sizeof head);
    uint64_t data_at = script_put(script, data, sizeof data);
    struct script_op *op = put(script, SYS_capset, ARGS(0), "process.capabilities", text);
    point(op, 0, head_at);
    point(op, 1, data_at);
}

static void put_capabilities(struct script *script, const struct plan_process *process)
{
    const struct plan_caps *caps = &process->caps;
    const struct sets sets = {.effective = caps->effective,
                              .permitted = caps->permitted,
                              .inheritable = caps->inheritable};

    put_capset(script, &sets, "cannot set the capabilities");
    /* What the runtime inherited as ambient is gone unless it is permitted and inheritable still;
     * a change from root to another user has cleared it in any case. */
    if (process->uid == 0 && (caps->permitted & caps->inheritable & ~caps->ambient) != 0)
        put(script, SYS_prctl, ARGS(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL),
            "process.capabilities.ambient", "cannot clear the ambient set");
    put_prctls(script, caps->ambient, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE,
               "cannot raise an ambient capability");
}

/* --- the filter ------------------------------------------------------------------------------- */

static void put_filter(struct script *script, const struct priv_filter *filter,
                       const struct priv_fds *fds, const char *text)
{
    struct {
        uint64_t count; /* struct sock_fprog, whose 16 bits lie first or last in these */
        uint64_t code;
    } program = {.code = script_put(script, filter->code, filter->count * sizeof *filter->code)};
    const struct sock_fprog shape = {.len = (unsigned short) filter->count};

    _Static_assert(sizeof program == sizeof shape, "pointers have 64 bits");
    memcpy(&program.count, &shape.len, sizeof shape.len);
    uint64_t program_at = script_put(script, &program, sizeof program);
    script_relocate(script, program_at + sizeof program.count);

    struct script_op *op;
    if (filter->notify) {
        op = script_add(script, SCRIPT_LISTENER, "linux.seccomp", text);
        op->args[0] = (uint64_t) fds->listener;
        op->args[1] = filter->flags | SECCOMP_FILTER_FLAG_NEW_LISTENER;
        op->args[3] = fds->alone;
    } else {
        op = put(script, SYS_seccomp, ARGS(SECCOMP_SET_MODE_FILTER, filter->flags), "linux.seccomp",
                 text);
    }
    point(op, 2, program_at);
}

/* The change of user has emptied the effective set. Root has all still, and more than it may have
 * where others can see it. */
static void put_right_to_load(struct script *script, const struct plan_process *process, bool seen)
{
    const struct sets sets = {.effective = BIT(CAP_SYS_ADMIN),
                              .permitted = process->caps.permitted | BIT(CAP_SYS_ADMIN),
                              .inheritable = process->caps.inheritable};

    if (process->uid != 0 || seen)
        put_capset(script, &sets, "cannot keep CAP_SYS_ADMIN until the filter is loaded");
}

static void put_privileged_filter(struct script *script, const struct plan_process *process,
                                  const struct priv_filter *filter, const struct priv_fds *fds)
{
    put_filter(script, filter, fds,
               "cannot load the filter, which without noNewPrivileges needs CAP_SYS_ADMIN");
    put_capabilities(script, process);
}

static bool is_loaded(const struct priv_filter *filter)
{
    return filter != NULL && filter->code != NULL;
}

void priv_script(const struct plan_process *process, const struct priv_filter *filter,
                 const struct priv_fds *fds, struct script *script)
{
    bool privileged = is_loaded(filter) && !process->no_new_privileges;

    put_manners(script, process);
    put_labels(script, process, fds);
    put_limits(script, process, fds->leaves); /* behind the labels, which need a descriptor */
    put_bounding(script, &process->caps);
    put_ids(script, process, fds);
    if (privileged)
        put_right_to_load(script, process, fds->leaves);
    if (privileged && !fds->leaves)
        put_privileged_filter(script, process, filter, fds);
    else if (!privileged)
        put_capabilities(script, process);
    if (process->no_new_privileges)
        put(script, SYS_prctl, ARGS(PR_SET_NO_NEW_PRIVS, 1), "process.noNewPrivileges",
            "cannot set no_new_privs");
}

void priv_script_filter(const struct plan_process *process, const struct priv_filter *filter,
                        const struct priv_fds *fds, struct script *script)
{
    if (!is_loaded(filter))
        return;
    if (process->no_new_privileges)
        put_filter(script, filter, fds, "cannot load the filter");
    else if (fds->leaves)
        put_privileged_filter(script, process, filter, fds);
}

void priv_script_tell(struct script *script, const struct buf *words)
{
    uint64_t words_at = script_put(script, words->data, words->length);
    uint64_t text_at = script_put_text(script, "cannot load the filter, or its agent has gone");
    struct script_op *ops = (void *) script->ops.data;

    for (size_t i = 0; i < script->ops.length / sizeof *ops; i++) {
        if (ops[i].verb != SCRIPT_LISTENER)
            continue;
        point(&ops[i], 4, words_at);
        ops[i].args[5] = words->length;
        ops[i].text = (uint32_t) text_at;
    }
}

void priv_script_limits(const struct plan_process *process, const struct priv_fds *fds,
                        struct script *script)
{
    if (fds->leaves)
        put_late_limits(script, process);
}
