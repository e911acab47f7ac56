/* SPDX-License-Identifier: Apache-2.0 */
/* Names and numbers of system calls, from libseccomp's tables: the only use of the library. */
#ifndef SUBLET_PRIV_NAMES_H
#define SUBLET_PRIV_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

#define NAMES_X32_BIT 0x40000000u /* __X32_SYSCALL_BIT */

/* A call that has a number of its own, but libseccomp speaks of the one inside another call. */
struct hidden_name {
    const char *name;
    int own;
};

struct names {
    uint32_t token; /* libseccomp's name for the architecture */
    struct hidden_name *hidden;
    size_t hidden_count;
};

struct numbers {
    bool known;     /* some architecture has such a call */
    int own;        /* negative: this architecture has no such number */
    int carrier;    /* socketcall or ipc, if the call can be made inside it, else negative */
    uint32_t inner; /* the carrier's first argument then */
};

uint32_t names_native(void); /* token and AUDIT_ARCH of this program */

/* -EINVAL for an architecture that libseccomp does not know. */
int names_init(struct arena *arena, uint32_t token, struct names *ret_names);

void names_find(const struct names *names, const char *name, struct numbers *ret_numbers);

/* The name of a system call of this machine, or "system call N"; text is room for it. */
const char *names_of_call(int number, char *text, size_t size);

/* For keys: programs of another version may differ. */
void names_version(uint32_t ret_version[3]);

#endif
