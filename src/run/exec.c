/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec: one more process in a container. Two processes follow each other. The first is born in the
 * container's group, enters all of its namespaces at once by the pidfd of its init, and does there
 * what needs paths; but it stays in the runtime's pid namespace, so that nobody inside can see it
 * while it has memory, descriptors or rights of the host. It becomes the stub, gives up its rights
 * and clones the second, born in the container's pid namespace as the runtime's own child: a few
 * pages, one descriptor and exactly the rights that the program will have (CVE-2016-9962,
 * CVE-2019-5736). Where the pid namespace is shared anyway, the first goes on.
 */
#include "exec.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/spec.h"
#include "sublet/sys.h"

#include "start.h"
#include "target.h"

#define END_LIMIT_MS 500
#define REAP_MS      20

static const struct step rows[] = {
    {"sockets",      PARENT, exec_sockets,      NULL      },
    {"channel",      PARENT, step_channel,      NULL      },
    {"label",        PARENT, exec_label_proc,   NULL      },
    {"pause",        PARENT, exec_wait_resumed, NULL      },
    {"container",    PARENT, exec_container,    NULL      },
    {"namespaces",   PARENT, exec_namespaces,   NULL      },
    {"cgroup",       PARENT, exec_cgroup,       NULL      },
    {"cache class",  PARENT, exec_resctrl_find, NULL      },
    {"filter",       PARENT, step_filter,       NULL      },
    {"image",        PARENT, exec_image,        NULL      },
    {"initial cpus", PARENT, exec_initial_cpus, NULL      },
    {"spawn",        PARENT, exec_spawn,        undo_spawn},
    {"leave host",   CHILD,  child_leave_host,  NULL      },
    {"join",         CHILD,  exec_join,         NULL      },
    {"program",      CHILD,  exec_program,      NULL      },
    {"terminal",     CHILD,  exec_terminal,     NULL      },
    {"become init",  CHILD,  child_become_init, NULL      },
    {"leave",        PARENT, exec_leave,        NULL      },
    {"ready",        PARENT, exec_ready,        NULL      },
    {"attributes",   PARENT, step_attributes,   NULL      },
    {"final cpus",   PARENT, exec_final_cpus,   NULL      },
    {"pidfd",        PARENT, exec_send_pidfd,   NULL      },
    {"signals",      PARENT, exec_signals,      NULL      },
    {"release",      PARENT, step_release,      NULL      },
    {"confirm",      PARENT, exec_confirm,      NULL      },
    {"pid file",     PARENT, exec_pid_file,     NULL      },
};
static const struct step_table exec_steps = {rows, sizeof rows / sizeof *rows};

/* Of a container that is being deleted the config goes before the record; who waits for the lock
 * sees the rest go, too. */
static int load_config(const struct target *target, const struct spec **ret_spec,
                       struct sub_err *err)
{
    struct sub_err gone = {.code = 0};
    int rc = spec_load(target->arena, target->dir_fd, STATE_CONFIG, NULL, ret_spec, err);

    if (rc != -ENOENT || state_lock(target->root_fd, target->id, target->dir_fd, &gone) == 0)
        return rc;
    *err = gone;
    return -gone.code;
}

int run_config(const struct run_target *by_name, uint32_t preserve_fds,
               struct run_config *ret_config, struct sub_err *err)
{
    OWNED_TARGET target = TARGET_NONE;
    struct run_config config = RUN_CONFIG_NONE;
    struct state_record *record = arena_alloc(by_name->arena, sizeof *record);

    if (record == NULL)
        return sub_fail(err, ENOMEM, NULL, "out of memory");
    SUBLET_TRY(proc_fds_init(preserve_fds, 0, err));
    SUBLET_TRY(target_open(by_name, false, &target, err));
    if (!target.has_record || !target.record.complete)
        return sub_fail(err, EINVAL, NULL,
                        "container '%s' is not completed by create, or not any more", by_name->id);
    SUBLET_TRY(load_config(&target, &config.spec, err));
    *record = target.record;
    config.record = record;
    config.keyring = target.record.keyring;
    config.tenant = target.record.tenant_outside ? NULL : target.record.tenant;
    config.root_fd = sub_take_fd(&target.root_fd);
    config.dir_fd = sub_take_fd(&target.dir_fd);
    *ret_config = config;
    return 0;
}

void run_config_done(struct run_config *config)
{
    sub_close(&config->root_fd);
    sub_close(&config->dir_fd);
}

static void exec_done(struct exec *exec)
{
    sub_close(&exec->init_pidfd);
    sub_close(&exec->first_pidfd);
    sub_close(&exec->socket_fd);
    sub_close(&exec->signal_fd);
}

/* A second process that nobody has told of is the runtime's child all the same, and the end of its
 * pid namespace waits until it is reaped. It dies with the others, a moment sooner or later. */
static bool container_ends(const struct exec *exec)
{
    struct pollfd ended = {.fd = exec->init_pidfd, .events = POLLIN};

    for (int waited_ms = 0; waited_ms < END_LIMIT_MS; waited_ms += REAP_MS) {
        sys_reap_all();
        if (sys_poll(&ended, 1, REAP_MS) >= 0)
            return true;
    }
    return false;
}

/* Whatever the new process died of, and whatever it could not do, where the container's first one
 * has ended: nothing of that is the cause, and no memory is too low. They are killed together, but
 * the end of the one that is left by all others comes last. */
static int explain(const struct exec *exec, int code, struct sub_err *err)
{
    bool lost = code == -ECHILD || code == -ENOMEM || code == -EPROTO;

    if (!lost || exec->init_pidfd < 0 || !container_ends(exec))
        return code;
    sub_err_clear(err);
    return exec_not_running(exec->request->id, err);
}

int run_exec(const struct run_exec_request *request, int *ret_status, struct sub_err *err)
{
    const struct run_request common = {
        .arena = request->arena,
        .plan = request->plan,
        .state_root = request->state_root,
        .pid_file = request->pid_file,
        .detach = request->detach,
    };
    __attribute__((cleanup(exec_done))) struct exec exec = {
        .request = request,
        .init_pidfd = -EBADF,
        .first_pidfd = -EBADF,
        .socket_fd = -EBADF,
        .signal_fd = -EBADF,
    };
    __attribute__((cleanup(start_done))) struct start start;

    start_init(&start, &common, false);
    start.steps = &exec_steps;
    start.exec = &exec;
    int rc = steps_run(PARENT, &start, err);
    if (rc < 0)
        return explain(&exec, rc, err);
    if (request->detach) {
        *ret_status = 0;
        return 0;
    }

    rc = watch_process(&start, exec.signal_fd, ret_status, err);
    if (rc < 0) /* nobody would see its output or its end */
        kill_child(start.child.pidfd);
    return rc;
}
