/* SPDX-License-Identifier: Apache-2.0 */
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sublet/account/ledger.h"
#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/path.h"

#include "args.h"
#include "bundle.h"
#include "command.h"
#include "say.h"

#define ROOT_DEFAULT "/run/sublet"

/* Root of the machine, not only of a user namespace that an engine made for its user. Without a
 * procfs nobody can tell; then the owner of /run will. */
static bool is_real_root(void)
{
    static const char initial[] = "         0          0 4294967295";
    char map[64];

    if (geteuid() != 0)
        return false;

    ssize_t length = sub_read_file_at(AT_FDCWD, "/proc/self/uid_map", map, sizeof map);
    if (length < 0)
        return length !=
               -EFBIG; /* more than one line: what newuidmap writes for an engine's user */
    return strcmp(map, initial) == 0;
}

int target_root(const struct call *call, const char **ret_root, struct sub_err *err)
{
    const char *root = call->args->root, *runtime = secure_getenv("XDG_RUNTIME_DIR");

    if (root != NULL) {
        SUBLET_TRY(absolute_path(call->arena, root, &root, err));
        if (strcmp(root, "/") == 0)
            return args_refuse(call->args, err, "option '--root' cannot be '/'");
    } else if (runtime == NULL ? geteuid() == 0 : is_real_root()) {
        root = ROOT_DEFAULT;
    } else if (runtime == NULL || !path_is_absolute(runtime)) {
        return sub_fail(err, EINVAL, "XDG_RUNTIME_DIR",
                        "not an absolute path: set it, or give the folder of states by --root");
    } else {
        root = path_join(call->arena, runtime, "sublet");
    }
    *ret_root = root;
    return root == NULL ? -ENOMEM : 0;
}

int target_ledger(const struct call *call, struct run_ledger **ret_ledger, struct sub_err *err)
{
    struct run_ledger *ledger = arena_alloc(call->arena, sizeof *ledger);
    const char *folder = call->args->ledger;

    if (ledger == NULL)
        return -ENOMEM;
    if (folder != NULL)
        SUBLET_TRY(absolute_path(call->arena, folder, &folder, err));
    else if (is_real_root()) /* the host's own is kept by its root */
        folder = LEDGER_FOLDER;
    *ledger = (struct run_ledger){.folder = folder};
    *ret_ledger = ledger;
    return 0;
}

void ledger_tell(const struct run_ledger *ledger)
{
    if (ledger->failure.code != 0)
        say_warning(ledger->failure.path, ledger->failure.text);
}

int target_make(const struct call *call, struct run_target *ret_target, struct sub_err *err)
{
    struct run_target target = {.arena = call->arena, .id = call->args->operands[0]};

    SUBLET_TRY(id_check(target.id, err));
    SUBLET_TRY(target_root(call, &target.state_root, err));
    SUBLET_TRY(target_ledger(call, &target.ledger, err));
    *ret_target = target;
    return 0;
}
