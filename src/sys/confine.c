/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/sys/confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sublet/base/err.h"
#include "sublet/base/fd.h"

#include "result.h"

#define NOBODY   65534

/* linux/landlock.h of older headers lacks the last two */
#define FS_READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_ABI_1 ((UINT64_C(1) << 13) - 1)
#define FS_REFER (UINT64_C(1) << 13)
#define FS_TRUNC (UINT64_C(1) << 14)

static int drop_capabilities(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{.effective = 0}};

    return result(syscall(SYS_capset, &head, none));
}

static int become_nobody(void)
{
    if (geteuid() != 0)
        return 0;
    SUBLET_TRY(result(setgroups(0, NULL)));
    SUBLET_TRY(result(setresgid(NOBODY, NOBODY, NOBODY)));
    return result(setresuid(NOBODY, NOBODY, NOBODY));
}

static int refuse_files(bool reading)
{
    struct landlock_ruleset_attr rules = {.handled_access_fs = FS_ABI_1};
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    if (version < 1)
        return 0;
    rules.handled_access_fs |= (version >= 2 ? FS_REFER : 0) | (version >= 3 ? FS_TRUNC : 0);
    if (!reading)
        rules.handled_access_fs &= ~(uint64_t) FS_READS;
    OWNED_FD fd = (int) syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    return fd < 0 ? -errno : result(syscall(SYS_landlock_restrict_self, fd, 0));
}

int sys_confine(enum sys_confinement confinement)
{
    bool nothing = confinement == SYS_MAY_NOTHING;

    SUBLET_TRY(result(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)));
    SUBLET_TRY(refuse_files(nothing));
    if (nothing)
        SUBLET_TRY(become_nobody());
    return drop_capabilities();
}
