/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sublet/sys.h"

#include "result.h"

int sys_bpf(int command, union bpf_attr *attr)
{
    for (;;) {
        int rc = result(syscall(SYS_bpf, command, attr, sizeof *attr));

        /* BPF_PROG_LOAD answers EAGAIN when a signal interrupts the verifier */
        if (rc != -EINTR && rc != -EAGAIN)
            return rc;
    }
}
