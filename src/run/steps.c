/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/base/log.h"

#include "start.h"

/*
 * The order of a start. Rules (crash consistency): nothing before "claim" has an effect outside
 * this process; the provisional record of "claim" names all that later steps leave behind; the
 * child dies with us until "publish" has made the record final.
 */
static const struct step steps[] = {
    {"state root",  PARENT, step_root,         NULL        },
    {"cgroup host", PARENT, step_cgroup_find,  NULL        },
    {"namespaces",  PARENT, step_joins,        NULL        },
    {"sockets",     PARENT, step_sockets,      NULL        },
    {"filter",      PARENT, step_filter,       NULL        },
    {"mount ids",   PARENT, step_idmaps,       NULL        },
    {"sources",     PARENT, step_sources,      NULL        },
    {"channel",     PARENT, step_channel,      NULL        },
    {"resctrl",     PARENT, step_resctrl_find, NULL        },
    {"claim",       PARENT, step_claim,        undo_claim  },
    {"fifos",       PARENT, step_fifos,        NULL        },
    {"notify",      PARENT, step_notify,       NULL        },
    {"image",       PARENT, step_image,        NULL        },
    {"hook state",  PARENT, step_hook_state,   NULL        },
    {"cgroup",      PARENT, step_cgroup,       undo_cgroup },
    {"group mount", PARENT, step_group_mount,  NULL        },
    {"cache class", PARENT, step_resctrl,      undo_resctrl},
    {"spawn",       PARENT, step_spawn,        undo_spawn  },
    {"leave host",  CHILD,  child_leave_host,  NULL        },
    {"join scope",  CHILD,  child_join_scope,  NULL        },
    {"become root", CHILD,  child_become_root, NULL        },
    {"namespaces",  CHILD,  child_namespaces,  NULL        },
    {"mounts",      CHILD,  child_mounts,      NULL        },
    {"terminal",    CHILD,  child_terminal,    NULL        },
    {"hooks",       CHILD,  child_hooks,       NULL        },
    {"sysctls",     CHILD,  child_sysctls,     NULL        },
    {"pivot",       CHILD,  child_pivot,       NULL        },
    {"program",     CHILD,  child_program,     NULL        },
    {"wait",        CHILD,  child_wait,        NULL        },
    {"become init", CHILD,  child_become_init, NULL        },
    {"scope",       PARENT, step_scope,        undo_scope  },
    {"attributes",  PARENT, step_attributes,   NULL        },
    {"id maps",     PARENT, step_id_maps,      NULL        },
    {"devices",     PARENT, step_devices,      NULL        },
    {"record",      PARENT, step_record,       NULL        },
    {"mounted",     PARENT, step_mounted,      NULL        },
    {"net devices", PARENT, step_net_devices,  undo_devices},
    {"hooks",       PARENT, step_prestart,     NULL        },
    {"ready",       PARENT, step_ready,        NULL        },
    {"late image",  PARENT, step_late_image,   NULL        },
    {"stdio",       PARENT, step_stdio,        NULL        },
    {"late limits", PARENT, step_late_limits,  NULL        },
    {"publish",     PARENT, step_publish,      NULL        },
    {"release",     PARENT, step_release,      NULL        },
};
const struct step_table start_steps = {steps, sizeof steps / sizeof *steps};

static void undo_back(size_t from, struct start *start)
{
    for (size_t i = from + 1; i > 0; i--) {
        const struct step *step = &start->steps->rows[i - 1];

        if (step->undo == NULL)
            continue;
        log_debug("undo: %s", step->name);
        step->undo(start);
    }
}

int steps_run(enum side side, struct start *start, struct sub_err *err)
{
    for (size_t i = 0; i < start->steps->count; i++) {
        const struct step *step = &start->steps->rows[i];

        if (step->side != side)
            continue;
        log_debug("step: %s", step->name);

        int rc = step->act(start, err);
        if (rc < 0) {
            /* a step that has no better sentence is named by itself */
            if (err->text[0] == '\0')
                (void) sub_fail(err, -rc, NULL, "%s: %s", step->name, sub_strerror(-rc));
            if (side == PARENT)
                undo_back(i, start);
            return rc;
        }
    }
    return 0;
}

void start_init(struct start *start, const struct run_request *request, bool waits)
{
    *start = (struct start){
        .steps = &start_steps,
        .request = request,
        .plan = request->plan,
        .waits = waits,
        .root_fd = -EBADF,
        .dir_fd = -EBADF,
        .cgroup_root_fd = -EBADF,
        .group = CGROUP_NONE,
        .net_devices = SYS_TALK_NONE,
        .resctrl_fd = -EBADF,
        .systemd = CG_SYSTEMD_NONE,
        .proc_fd = -EBADF,
        .label_fd = -EBADF,
        .console_fd = -EBADF,
        .agent_fd = -EBADF,
        .fifo_fd = -EBADF,
        .answer_fd = -EBADF,
        .image_fd = -EBADF,
        .notify = PROC_NOTIFY_NONE,
        .pidfd_socket_fd = -EBADF,
        .terminal_fd = -EBADF,
        .channel = {-EBADF,   -EBADF         },
        .child = {.pid = 0, .pidfd = -EBADF},
    };
}

void start_done(struct start *start)
{
    int *const fds[] = {
        &start->dir_fd,      &start->root_fd,     &start->cgroup_root_fd, &start->proc_fd,
        &start->label_fd,    &start->console_fd,  &start->agent_fd,       &start->fifo_fd,
        &start->answer_fd,   &start->image_fd,    &start->channel[0],     &start->channel[1],
        &start->child.pidfd, &start->terminal_fd, &start->resctrl_fd,     &start->pidfd_socket_fd};

    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        sub_close(fds[i]);
    for (size_t i = 0; start->idmap_fds != NULL && i < start->plan->mounts.idmap_count; i++)
        sub_close(&start->idmap_fds[i]);
    proc_notify_done(&start->notify);
    sys_talk_close(&start->net_devices);
    cgroup_done(&start->group);
    cg_systemd_close(&start->systemd);
    ns_joins_close(&start->joins);
    mount_tree_free(start->tree);
    start->tree = NULL;
    priv_filter_done(&start->filter);
    sub_freep(&start->hook_state);
    script_done(&start->script);
}
