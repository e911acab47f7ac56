/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last operations of the container's process, in the order they are carried out by the stub:
 *
 *   without a seccomp agent           with one
 *   READY to the parent, go from it   privileges, filter (the listener goes to the parent)
 *   byte from `start` (create only)   READY to the parent, go from it
 *   privileges, filter                byte from `start` (create only)
 *   exec                              exec
 *
 * With an agent the filter has to be loaded while the parent is still there to hand the listener
 * over. Where startContainer hooks exist, the child has reported and waited before it becomes the
 * stub: a filter is loaded behind them, and the stub hands its listener to the agent itself, over a
 * connection that the parent has made. What the agent is told has the process's pid in it, so that
 * image is made when there is one, and sent to the child.
 */
#include "sublet/base/script.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "sublet/base/fd.h"

#include "script.h"
#include "start.h"

void put_call(struct script *script, long number, uint64_t a, uint64_t b, uint64_t c,
              const char *text)
{
    const uint64_t args[SCRIPT_ARGS] = {a, b, c};

    (void) script_call(script, number, args, 0, text);
}

void put_wait(struct script *script, int fd, const char *text)
{
    struct script_op *op = script_add(script, SCRIPT_WAIT_BYTE, "", text);

    op->args[0] = (uint64_t) fd;
}

void put_ready(struct script *script, int channel_fd)
{
    const struct sub_err message = {.line = PROC_READY};
    const uint64_t args[SCRIPT_ARGS] = {
        (uint64_t) channel_fd, script_put(script, &message, sizeof message), sizeof message};

    (void) script_call(script, SYS_write, args, 1u << 1, "cannot report to the runtime");
}

/* From here on the process outlives the runtime. Failures now go to whoever starts it. */
static void put_release(const struct start *start, struct script *script)
{
    int channel_fd = start->channel[1];

    put_wait(script, channel_fd, "cannot wait for the runtime");
    if (!start->waits)
        return;
    put_call(script, SYS_dup3, (uint64_t) start->answer_fd, (uint64_t) channel_fd, O_CLOEXEC,
             "cannot switch to the answer FIFO");
    put_call(script, SYS_close, (uint64_t) start->answer_fd, 0, 0, "cannot close the answer FIFO");
    put_wait(script, start->fifo_fd, "cannot wait for start");
}

/* Nothing of ours may be open when the program begins, and not only by O_CLOEXEC: the kernel lifts
 * the ban on tracing before it closes those (CVE-2016-9962). */
void put_close(const struct start *start, struct script *script)
{
    uint64_t channel_fd = (uint64_t) start->channel[1];
    uint64_t first_fd = 3 + (uint64_t) start->plan->process.preserve_fds;

    /* the host's procfs was opened before the channel, and its number is lower */
    if (first_fd < channel_fd)
        put_call(script, SYS_close_range, first_fd, channel_fd - 1, 0,
                 "cannot close what is left open");
    put_call(script, SYS_fcntl, channel_fd, F_SETFD, FD_CLOEXEC, "fcntl");
    put_call(script, SYS_close_range, channel_fd + 1, ~0u, 0, "cannot close what is left open");
}

void put_exec(const struct start *start, struct script *script)
{
    const struct plan_process *process = &start->plan->process;
    static char free_slot[] = "";
    size_t count = 0;

    while (process->env[count] != NULL)
        count++;

    char **env = arena_array(start->request->arena, count + 2, sizeof *env);
    if (env == NULL)
        return; /* the arena's failure is looked at by the caller */
    env[0] = free_slot;
    memcpy(env + 1, process->env, count * sizeof *env);

    uint64_t argv_at = script_put_strings(script, process->args);
    uint64_t env_at = script_put_strings(script, env);
    struct script_op *op =
        script_add(script, SCRIPT_EXEC, "process.args[0]", "cannot execute the program");
    op->pointer_mask = 3;
    op->args[0] = argv_at;
    op->args[1] = env_at;
}

int image_of_script(struct start *start, struct script *script, struct sub_err *err)
{
    OWNED_BUF blob = BUF(2 * SCRIPT_MAX_BYTES);
    int rc = script_finish(script, &blob);

    if (rc < 0)
        return sub_fail(err, E2BIG, "process",
                        "arguments and environment are larger than %zu bytes", SCRIPT_MAX_BYTES);
    return proc_image_make(&blob, &start->image_fd, err);
}

/* Kept across exec, and given to every child of the process. */
void put_memory_policy(const struct start *start, struct script *script)
{
    const struct plan_memory_policy *policy = start->plan->memory_policy;

    if (policy == NULL)
        return;

    struct script_op *op = script_add(script, SCRIPT_CALL, "linux.memoryPolicy",
                                      "the kernel refused it (are its nodes there?)");
    op->number = SYS_set_mempolicy;
    op->args[0] = policy->mode;
    if (policy->nodes == NULL)
        return;
    op->pointer_mask = 1u << 1;
    op->args[1] = script_put(script, policy->nodes, policy->node_words * sizeof *policy->nodes);
    op->args[2] = policy->node_words * 64 + 1; /* the kernel counts one less */
}

static bool has_start_hooks(const struct start *start)
{
    return start->plan->hooks[PLAN_HOOK_START_CONTAINER].count > 0;
}

bool has_late_agent(const struct start *start)
{
    return start->exec == NULL && start->agent_fd >= 0 && has_start_hooks(start);
}

static int fill(struct start *start, struct script *script, struct sub_err *err)
{
    const struct plan_process *process = &start->plan->process;
    bool agent = start->agent_fd >= 0;
    bool waited = has_start_hooks(start);
    struct priv_fds fds = {.proc = start->label_fd,
                           .listener = !agent || waited ? start->agent_fd : start->channel[1]};

    if (process->apparmor != NULL)
        SUBLET_TRY(priv_apparmor_confined(start->proc_fd, &fds.apparmor_confined, err));

    put_call(script, SYS_prctl, PR_SET_DUMPABLE, 0, 0, "cannot hide from tracers");
    put_memory_policy(start, script);
    if (!agent && !waited) {
        put_ready(script, start->channel[1]);
        put_release(start, script);
    }
    priv_script(process, &start->filter, &fds, script);
    if (!agent)
        put_close(start, script);
    priv_script_filter(process, &start->filter, &fds, script);
    if (agent && !waited) {
        put_ready(script, start->channel[1]);
        put_release(start, script);
    }
    if (agent)
        put_close(start, script);
    put_exec(start, script);
    if (arena_failed(start->request->arena))
        return sub_fail(err, ENOMEM, NULL, "out of memory");
    return priv_script_check(script, &start->filter, err);
}

int step_image(struct start *start, struct sub_err *err)
{
    script_init(&start->script, start->channel[1]);
    SUBLET_TRY(fill(start, &start->script, err));
    if (has_late_agent(start))
        return 0;

    int rc = image_of_script(start, &start->script, err);
    script_done(&start->script);
    return rc;
}

int step_late_image(struct start *start, struct sub_err *err)
{
    OWNED_BUF words = BUF(STATE_MAX_BYTES);

    if (!has_late_agent(start))
        return 0;
    SUBLET_TRY(agent_words(start, RUN_CREATED, &words, err));
    priv_script_tell(&start->script, &words);
    return image_of_script(start, &start->script, err);
}
