/* SPDX-License-Identifier: Apache-2.0 */
/* Listing a folder behind a descriptor that stays the caller's. */
#ifndef SUBLET_SRC_TENANT_FOLDER_H
#define SUBLET_SRC_TENANT_FOLDER_H

#include <dirent.h>

DIR *listing_open(int dir_fd); /* NULL with errno */
void listing_close(DIR **folder);
#define OWNED_FOLDER __attribute__((cleanup(listing_close))) DIR *

#endif
