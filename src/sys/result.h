/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel convention at the border of the room: the result, or -errno. */
#ifndef SUBLET_SYS_RESULT_H
#define SUBLET_SYS_RESULT_H

#include <errno.h>

static inline int result(long rc)
{
    return rc < 0 ? -errno : (int) rc;
}

#endif
