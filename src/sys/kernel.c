/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "sublet/base/err.h"
#include "sublet/base/num.h"
#include "sublet/sys.h"

#define PART_MAX 65535

/* "6.1.0-18-amd64" -> 6 << 16 | 1 */
static int parse_release(const char *release, uint32_t *ret_kernel)
{
    char major_text[NUM_TEXT], minor_text[NUM_TEXT];
    uint32_t major, minor;
    size_t first = strcspn(release, ".");
    const char *rest = release + first + (release[first] == '.');
    size_t second = strspn(rest, "0123456789");

    if (first >= sizeof major_text || second >= sizeof minor_text)
        return -EINVAL;
    memcpy(major_text, release, first);
    major_text[first] = '\0';
    memcpy(minor_text, rest, second);
    minor_text[second] = '\0';
    SUBLET_TRY(num_parse_u32(major_text, PART_MAX, &major));
    SUBLET_TRY(num_parse_u32(minor_text, PART_MAX, &minor));
    *ret_kernel = major << 16 | minor;
    return 0;
}

int sys_kernel(uint32_t *ret_kernel)
{
    struct utsname names;

    return uname(&names) < 0 ? -errno : parse_release(names.release, ret_kernel);
}
