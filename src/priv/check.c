/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "sublet/base/err.h"
#include "sublet/base/script.h"
#include "sublet/priv.h"

#include "names.h"

#define NAME_MAX_BYTES 64

struct check {
    const struct priv_filter *filter;
    bool no_agent; /* yet: whoever asks it waits for ever */
    struct sub_err *err;
};

static bool is_tolerated(const struct script_op *op, uint32_t error)
{
    return op != NULL && error != 0 &&
           (op->tolerated[0] == (int32_t) error || op->tolerated[1] == (int32_t) error);
}

/* op may be NULL where no error is tolerated. */
static bool passes(const struct check *check, const struct script_op *op,
                   const struct seccomp_data *call)
{
    uint32_t action = priv_filter_run(check->filter, call);

    switch (action & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
        return true;
    case SECCOMP_RET_USER_NOTIF: /* the agent's answer cannot be known here */
        return !check->no_agent || (op != NULL && op->verb == SCRIPT_EXEC);
    case SECCOMP_RET_ERRNO:
        return is_tolerated(op, action & SECCOMP_RET_DATA);
    default: /* without a tracer TRACE refuses, too */
        return false;
    }
}

static int check_call(const struct check *check, const struct script_op *op, long number,
                      const uint64_t *args)
{
    struct seccomp_data call = {.nr = (int) number, .arch = names_native()};
    char name[NAME_MAX_BYTES];

    memcpy(call.args, args, sizeof call.args);
    if (passes(check, op, &call))
        return 0;
    return sub_fail(check->err, EINVAL, "linux.seccomp",
                    "the profile denies %s, the container could not start",
                    names_of_call(call.nr, name, sizeof name));
}

/* What the stub does for the operation, and for reporting that it failed. */
static int check_operation(const struct check *check, const struct script_op *op)
{
    switch ((enum script_verb) op->verb) {
    case SCRIPT_CALL:
        return check_call(check, op, op->number, op->args);
    case SCRIPT_WAIT_BYTE:
        return check_call(check, NULL, SYS_read, (const uint64_t[6]){op->args[0], 0, 1});
    case SCRIPT_CHECK_CWD:
        return check_call(check, NULL, SYS_getcwd, (const uint64_t[6]){0});
    case SCRIPT_EXEC:
        return check_call(check, op, SYS_execve, (const uint64_t[6]){0});
    case SCRIPT_LEAVE:
        return check_call(check, NULL, SYS_clone, (const uint64_t[6]){op->args[2]});
    case SCRIPT_LISTENER:
        return 0; /* a second one; there is none */
    }
    return 0;
}

static bool loads_filter(const struct script_op *op)
{
    return op->verb == SCRIPT_LISTENER || (op->verb == SCRIPT_CALL && op->number == SYS_seccomp);
}

int priv_script_check(const struct script *script, const struct priv_filter *filter,
                      struct sub_err *err)
{
    const struct script_op *ops = (const void *) buf_text(&script->ops);
    size_t count = script->ops.length / sizeof *ops, at = 0;
    struct check check = {.filter = filter, .err = err};

    while (at < count && !loads_filter(&ops[at]))
        at++;
    if (at == count)
        return 0;

    if (ops[at].verb == SCRIPT_LISTENER) {
        check.no_agent = ops[at].args[3] != 0;
        SUBLET_TRY(check_call(&check, NULL, SYS_close, (const uint64_t[6]){0}));
        if (check.no_agent)
            SUBLET_TRY(check_call(&check, NULL, SYS_sendmsg,
                                  (const uint64_t[6]){ops[at].args[0], 0, MSG_NOSIGNAL}));
    }
    for (size_t i = at + 1; i < count; i++)
        SUBLET_TRY(check_operation(&check, &ops[i]));

    uint64_t error_fd = (uint64_t) script->error_fd;
    SUBLET_TRY(check_call(&check, NULL, SYS_write,
                          (const uint64_t[6]){error_fd, 0, sizeof(struct sub_err)}));
    return check_call(&check, NULL, SYS_exit_group, (const uint64_t[6]){1});
}
