/* SPDX-License-Identifier: Apache-2.0 */
/* Listing a folder behind a descriptor that stays the caller's, position included. */
#ifndef SUBLET_BASE_LISTING_H
#define SUBLET_BASE_LISTING_H

#include <dirent.h>

DIR *listing_open(int dir_fd); /* NULL with errno */
void listing_close(DIR **folder);
#define OWNED_FOLDER __attribute__((cleanup(listing_close))) DIR *

#endif
