/* SPDX-License-Identifier: Apache-2.0 */
/* Why processes of a group are gone, where it was for want of memory. */
#include <stdio.h>
#include <string.h>

#include "private.h"

#define KEYS_MAX 32

static uint64_t oom_kills(int dir_fd)
{
    static const char key[] = "oom_kill";
    struct cg_key keys[KEYS_MAX];
    char text[1024];

    if (knob_read(dir_fd, "memory.events", text, sizeof text) < 0)
        return 0;
    int count = cg_keys_parse(text, keys, KEYS_MAX);
    for (int i = 0; i < count && i < KEYS_MAX; i++)
        if (keys[i].length == strlen(key) && strncmp(keys[i].name, key, keys[i].length) == 0)
            return keys[i].value;
    return 0;
}

void cgroup_oom_reason(int dir_fd, char *text, size_t size)
{
    char limit[64];

    text[0] = '\0';
    if (oom_kills(dir_fd) == 0)
        return;
    if (knob_read(dir_fd, "memory.max", limit, sizeof limit) > 0 && strcmp(limit, "max") != 0)
        (void) snprintf(text, size, "the memory limit of %s bytes is too low", limit);
    else
        (void) snprintf(text, size, "a cgroup above, or the host, ran out of memory");
}
