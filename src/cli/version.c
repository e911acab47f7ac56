/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/buf.h"

#include "command.h"
#include "texts.h"

/* The build gives the commit; a source tree without git has none. */
#ifndef SUBLET_COMMIT
#define SUBLET_COMMIT "unknown"
#endif

const char *version_commit(void)
{
    return SUBLET_COMMIT;
}

/* docker reads "NAME version X" and "commit: X"; the words of the last line are crun's form. */
void version_text(struct buf *buf)
{
    buf_puts(buf,
             "sublet version " SUBLET_VERSION "\ncommit: " SUBLET_COMMIT "\nspec: " SPEC_VERSION
             "\n+SECCOMP +CAP +APPARMOR +SELINUX +EBPF +OVERLAY +YAJL\n");
}
