/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>

#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/priv.h"
#include "sublet/sys.h"

#define LABEL_MAX 4096 /* a page: what the kernel gives in one read */

int priv_apparmor_confined(int proc_fd, bool *ret_confined, struct sub_err *err)
{
    static const char name[] = "self/attr/apparmor/current";
    char label[LABEL_MAX];

    OWNED_FD fd = sys_open_in(proc_fd, name, O_RDONLY, RESOLVE_NO_XDEV);
    ssize_t n = fd < 0 ? fd : sub_read_all(fd, label, sizeof label - 1);
    if (n < 0)
        return sub_fail(err, (int) -n, "process.apparmorProfile",
                        "cannot read our own AppArmor label: %s", sub_strerror((int) -n));
    label[n] = '\0';
    label[strcspn(label, "\n")] = '\0';
    *ret_confined = strcmp(label, "unconfined") != 0;
    return 0;
}
