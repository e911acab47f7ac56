/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/listing.h"

#include <errno.h>
#include <fcntl.h>

#include "sublet/base/fd.h"

void listing_close(DIR **folder)
{
    if (*folder != NULL)
        (void) closedir(*folder);
}

DIR *listing_open(int dir_fd)
{
    /* an open file of its own, whose position nobody else moves */
    OWNED_FD again = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = again < 0 ? NULL : fdopendir(again);

    if (folder != NULL)
        (void) sub_take_fd(&again);
    return folder;
}
