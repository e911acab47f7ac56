/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include <errno.h>
#include <fcntl.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"

void listing_close(DIR **folder)
{
    if (*folder != NULL)
        (void) closedir(*folder);
}

DIR *listing_open(int dir_fd)
{
    /* an open file of its own, whose position nobody else moves */
    OWNED_FD again = sys_openat(dir_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *folder = again < 0 ? NULL : fdopendir(again);

    if (again < 0)
        errno = -again;
    if (folder != NULL)
        (void) sub_take_fd(&again);
    return folder;
}
