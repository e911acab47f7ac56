/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sublet/base/arena.h"

/* Numbers that libseccomp gives to calls inside socketcall(2) and ipc(2): -101, -201 and on; what
 * an architecture does not have at all lies below -10000. */
#define INNER_FIRST (-100)
#define INNER_LAST  (-999)
#define INNER_BASE  100

#define SCAN_END    600 /* own numbers of such calls lie below */

uint32_t names_native(void)
{
    return seccomp_arch_native();
}

static bool is_inner(int number)
{
    return number <= INNER_FIRST && number >= INNER_LAST;
}

/* libseccomp answers with the inner number when asked for the name, and knows the own one only the
 * other way round. */
static int find_hidden(struct arena *arena, struct names *names)
{
    struct hidden_name *items = arena_array(arena, SCAN_END, sizeof *items);

    if (items == NULL)
        return -ENOMEM;
    names->hidden = items;
    for (int number = 0; number < SCAN_END; number++) {
        char *name = seccomp_syscall_resolve_num_arch(names->token, number);

        if (name == NULL)
            continue;
        if (is_inner(seccomp_syscall_resolve_name_arch(names->token, name))) {
            items[names->hidden_count].name = arena_strdup(arena, name);
            items[names->hidden_count].own = number;
            names->hidden_count++;
        }
        free(name);
    }
    return arena_failed(arena) ? -ENOMEM : 0;
}

int names_init(struct arena *arena, uint32_t token, struct names *ret_names)
{
    *ret_names = (struct names){.token = token};
    if (seccomp_syscall_resolve_name_arch(token, "read") == __NR_SCMP_ERROR)
        return -EINVAL;
    if (is_inner(seccomp_syscall_resolve_name_arch(token, "socket")))
        return find_hidden(arena, ret_names);
    return 0;
}

static int find_own(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->hidden_count; i++) {
        if (strcmp(names->hidden[i].name, name) == 0)
            return names->hidden[i].own;
    }
    return -1;
}

void names_find(const struct names *names, const char *name, struct numbers *ret_numbers)
{
    int number = seccomp_syscall_resolve_name_arch(names->token, name);

    *ret_numbers = (struct numbers){.known = true, .own = number, .carrier = -1};
    if (is_inner(number)) {
        ret_numbers->own = find_own(names, name);
        ret_numbers->carrier = seccomp_syscall_resolve_name_rewrite(names->token, name);
        ret_numbers->inner = (uint32_t) -number % INNER_BASE;
    } else if (number == __NR_SCMP_ERROR) {
        ret_numbers->known = false;
    }
}

const char *names_of_call(int number, char *text, size_t size)
{
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);

    if (name == NULL)
        (void) snprintf(text, size, "system call %d", number);
    else
        (void) snprintf(text, size, "%s", name); /* their names are short */
    free(name);
    return text;
}

void names_version(uint32_t ret_version[3])
{
    const struct scmp_version *version = seccomp_version();

    ret_version[0] = version->major;
    ret_version[1] = version->minor;
    ret_version[2] = version->micro;
}
