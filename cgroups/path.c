/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/path.h"

#include <errno.h>
#include <string.h>

#include "private.h"

/* The kernel refuses a newline only (it would break /proc/PID/cgroup); other control characters
 * would garble every listing. */
static bool has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char) *text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

static int cut_components(struct cg_path *path, const char *where, struct sub_err *err)
{
    size_t start = 0;

    for (size_t i = 0;; i++) {
        if (path->text[i] != '/' && path->text[i] != '\0')
            continue;
        if (i - start > CGROUP_NAME_MAX)
            return sub_fail(err, ENAMETOOLONG, where, "component '%.40s...': at most %d bytes",
                            path->text + start, CGROUP_NAME_MAX);
        if (path->depth == CGROUP_DEPTH_MAX)
            return sub_fail(err, EINVAL, where, "'%.60s...': at most %d components", path->text,
                            CGROUP_DEPTH_MAX);
        path->end[path->depth++] = (uint16_t) i;
        if (path->text[i] == '\0')
            return 0;
        start = i + 1;
    }
}

int cg_path_parse(struct cg_path *ret_path, const char *path, const char *where,
                  struct sub_err *err)
{
    const char *text = path + (path[0] == '/');
    size_t length = strlen(text);

    if (length == 0)
        return sub_fail(err, EINVAL, where, "'%s': the root of the hierarchy is no group", path);
    if (text[0] == '/' || !path_is_canonical(text))
        return sub_fail(err, EINVAL, where, "'%.80s': '.', '..' and empty components are refused",
                        path);
    if (has_control(text))
        return sub_fail(err, EINVAL, where, "control characters are refused");
    if (length >= sizeof ret_path->text)
        return sub_fail(err, ENAMETOOLONG, where, "%zu bytes, at most %zu are allowed", length,
                        sizeof ret_path->text - 1);

    memcpy(ret_path->text, text, length + 1);
    ret_path->depth = 0;
    return cut_components(ret_path, where, err);
}

const char *cg_path_first(struct cg_path *path, unsigned count)
{
    if (count == 0)
        return ".";
    for (unsigned i = 0; i + 1 < path->depth; i++)
        path->text[path->end[i]] = i + 1 == count ? '\0' : '/';
    return path->text;
}
