/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/audit.h>

#include "sublet/base/err.h"
#include "sublet/plan/process.h"

#include "compile.h"

/* What distinguishes architectures beside their names. Private numbers stand apart from those that
 * every release of Linux adds to: x32 has a closed list from 512 on, ARM calls of its own. */
static const struct {
    uint32_t token, audit, private_from;
} special[] = {
    {PLAN_SECCOMP_ARCH_X32, AUDIT_ARCH_X86_64, NAMES_X32_BIT + 512},
    {AUDIT_ARCH_ARM,        AUDIT_ARCH_ARM,    0xf0000            },
};

static struct arch *find_arch(struct archs *archs, uint32_t token)
{
    for (size_t i = 0; i < archs->count; i++) {
        if (archs->items[i].names.token == token)
            return &archs->items[i];
    }
    return NULL;
}

static int add_arch(struct arena *arena, struct archs *archs, uint32_t token)
{
    if (find_arch(archs, token) != NULL)
        return 0;
    if (archs->count == ARCHS_MAX)
        return -E2BIG;

    struct arch *arch = &archs->items[archs->count];
    *arch = (struct arch){.audit = token, .last = UINT32_MAX, .private_from = UINT32_MAX};
    arch->wide =
        (token & __AUDIT_ARCH_64BIT) != 0 && (token & __AUDIT_ARCH_CONVENTION_MIPS64_N32) == 0;
    for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
        if (special[i].token == token) {
            arch->audit = special[i].audit;
            arch->private_from = special[i].private_from;
        }
    }
    SUBLET_TRY(names_init(arena, token, &arch->names));
    archs->count++;
    return 0;
}

/* x32's calls are x86_64's with a bit in the number. */
static void divide_x86(struct archs *archs)
{
    struct arch *x86_64 = find_arch(archs, AUDIT_ARCH_X86_64);
    struct arch *x32 = find_arch(archs, PLAN_SECCOMP_ARCH_X32);

    if (x86_64 != NULL)
        x86_64->last = NAMES_X32_BIT - 1;
    if (x32 != NULL)
        x32->first = NAMES_X32_BIT;
}

int archs_make(struct arena *arena, const struct plan_seccomp *seccomp, struct archs *ret_archs,
               struct sub_err *err)
{
    int rc;

    ret_archs->count = 0;
    rc = add_arch(arena, ret_archs, names_native());
    for (size_t i = 0; i < seccomp->arch_count && rc == 0; i++) {
        rc = add_arch(arena, ret_archs, seccomp->archs[i]);
        if (rc == -EINVAL)
            return sub_fail(err, EINVAL, "linux.seccomp.architectures",
                            "libseccomp does not know architecture %#x", seccomp->archs[i]);
    }
    if (rc == -E2BIG)
        return sub_fail(err, E2BIG, "linux.seccomp.architectures", "more than %d of them",
                        ARCHS_MAX);
    if (rc < 0)
        return sub_fail(err, -rc, "linux.seccomp.architectures", "cannot read the names: %s",
                        sub_strerror(-rc));
    divide_x86(ret_archs);
    return 0;
}
