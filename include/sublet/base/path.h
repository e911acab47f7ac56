/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as text only: nothing here asks the file system. */
#ifndef SUBLET_BASE_PATH_H
#define SUBLET_BASE_PATH_H

#include <stdbool.h>

struct arena;

bool path_is_absolute(const char *path);

/* No "//", no "." or ".." component, no slash at the end (but "/" itself). */
bool path_is_canonical(const char *path);

/* Lexical: "//" and "." removed, ".." takes one component away and stops at the root. The result
 * is absolute if path is. Only for texts that name no symbolic link (display, cgroup names). */
char *path_clean(struct arena *arena, const char *path);

/* base/name, or name itself where it is absolute. */
char *path_join(struct arena *arena, const char *base, const char *name);

/* True if path is base or lies below it ("/a" holds "/a/b" but not "/ab"); both canonical. */
bool path_holds(const char *base, const char *path);

/* True for one plain component: not empty, no '/', not "." or "..". */
bool path_is_component(const char *name);

#endif
