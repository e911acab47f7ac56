/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of ours that need shared objects, which sublet itself, linked statically, cannot load:
 * built from src/programs, installed in LIBEXEC/sublet, found by where sublet itself lies, started
 * only when what they are for is asked for.
 */
#ifndef SUBLET_SYS_PROGRAM_H
#define SUBLET_SYS_PROGRAM_H

#include <stddef.h>
#include <sys/types.h>

#include "sublet/base/answer.h"
#include "sublet/base/err.h"

struct sys_program {
    const char *name;               /* file name in the folder of such programs */
    const char *needs;              /* what to install where it is missing: "libsystemd" */
    const char *const *environment; /* names of the variables it gets, NULL at the end */
};

/* A running program, to which requests are put. Ends with us, whatever happens. */
struct sys_talk {
    const struct sys_program *program;
    int fd, pidfd;
};
#define SYS_TALK_NONE ((struct sys_talk){.fd = -EBADF, .pidfd = -EBADF})

/* An fd to execute it by, -ENOENT with the name of the package in err. */
int sys_program_open(const struct sys_program *program, struct sub_err *err);

/* Starts it in a session of its own, with nothing of ours open but the socket. */
int sys_talk_open(const struct sys_program *program, struct sys_talk *ret_talk,
                  struct sub_err *err);

/* One request, one answer. An answer that is an error becomes err, with its code and text. A
 * program that stays silent for timeout_ms is killed: -ETIMEDOUT. */
int sys_talk_ask(struct sys_talk *talk, const char *request, int timeout_ms,
                 struct answer *ret_answer, struct sub_err *err);

/* Lets it do what it has to do at the end of its socket, limit_ms at most; then it is ended. */
void sys_talk_end(struct sys_talk *talk, int limit_ms);
/* Ends it and waits for that. For the copy of a struct sys_talk in a clone: closes only. */
void sys_talk_close(struct sys_talk *talk);
void sys_talk_forget(struct sys_talk *talk);
#define OWNED_TALK __attribute__((cleanup(sys_talk_close))) struct sys_talk

/* The host's tools that map ids for users (uidmap, shadow-utils), from fixed folders: never from
 * $PATH, and never from a container. NULL: not installed. Static text. */
enum sys_id_tool { SYS_NEWUIDMAP, SYS_NEWGIDMAP };
const char *sys_id_tool_find(enum sys_id_tool tool);

/* Becomes the program, for one that takes over the terminal. Returns only on failure. */
int sys_program_exec(const struct sys_program *program, char *const argv[], struct sub_err *err);

#endif
