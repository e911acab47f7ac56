/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/path.h"

#include <string.h>

#include "sublet/base/arena.h"

static bool is_dots(const char *name, size_t length)
{
    return (length == 1 && name[0] == '.') || (length == 2 && name[0] == '.' && name[1] == '.');
}

bool path_is_absolute(const char *path)
{
    return path[0] == '/';
}

bool path_is_component(const char *name)
{
    return name[0] != '\0' && strchr(name, '/') == NULL && !is_dots(name, strlen(name));
}

bool path_is_canonical(const char *path)
{
    if (path[0] == '\0')
        return false;
    if (strcmp(path, "/") == 0)
        return true;

    const char *at = path + (path[0] == '/');
    for (;;) {
        size_t length = strcspn(at, "/");

        if (length == 0 || is_dots(at, length))
            return false;
        if (at[length] == '\0')
            return true;
        at += length + 1;
    }
}

/* Drops the last component of out (of length *used), never the leading slash. */
static void drop_last(char *out, size_t *used, bool absolute)
{
    while (*used > 0 && out[*used - 1] != '/')
        (*used)--;
    if (*used > (size_t) absolute)
        (*used)--;
}

char *path_clean(struct arena *arena, const char *path)
{
    bool absolute = path_is_absolute(path);
    char *out = arena_alloc(arena, strlen(path) + 2);
    size_t used = 0;

    if (out == NULL)
        return NULL;
    if (absolute)
        out[used++] = '/';

    for (const char *at = path; *at != '\0';) {
        size_t length = strcspn(at, "/");

        if (length == 2 && is_dots(at, length)) {
            drop_last(out, &used, absolute);
        } else if (length > 0 && !is_dots(at, length)) {
            if (used > (size_t) absolute)
                out[used++] = '/';
            memcpy(out + used, at, length);
            used += length;
        }
        at += length;
        at += strspn(at, "/");
    }
    if (used == 0)
        out[used++] = '.';
    out[used] = '\0';
    return out;
}

char *path_join(struct arena *arena, const char *base, const char *name)
{
    if (path_is_absolute(name))
        return arena_strdup(arena, name);

    size_t length = strlen(base);
    bool slash = length > 0 && base[length - 1] == '/';
    return arena_printf(arena, "%s%s%s", base, slash ? "" : "/", name);
}

bool path_holds(const char *base, const char *path)
{
    size_t length = strlen(base);

    if (strcmp(base, "/") == 0)
        return path[0] == '/';
    return strncmp(base, path, length) == 0 && (path[length] == '\0' || path[length] == '/');
}
