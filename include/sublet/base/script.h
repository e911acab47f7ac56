/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last steps of a container's process, written down before it exists. A script is a list of
 * system calls with their arguments, in one position-independent blob. It is carried out by the
 * stub (src/stub/stub.c), a program of a few kilobytes in a sealed memfd, so that the process that
 * waits for `start` and then becomes the container's program neither shows the host's binary
 * (CVE-2019-5736) nor costs more than a few pages. This header knows the form of the list; which
 * calls stand in it is decided by priv and proc.
 */
#ifndef SUBLET_BASE_SCRIPT_H
#define SUBLET_BASE_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sublet/base/buf.h"

#define SCRIPT_MAX_BYTES ((size_t) 8 << 20) /* argv and environment together are below 6 MiB */
#define SCRIPT_ARGS      6

enum script_verb {
    SCRIPT_CALL,      /* system call; a negative result other than `tolerated` ends the script */
    SCRIPT_WAIT_BYTE, /* polls and reads one byte from fd args[0]; end of file ends silently */
    SCRIPT_LISTENER,  /* seccomp with NEW_LISTENER; the fd is sent over socket args[0] by a
                         helper that the filter does not bind, or with args[3] without one. With it
                         go the args[5] bytes at args[4], and the helper closes the socket; or a
                         byte, and the socket stays */
    SCRIPT_EXEC,      /* execve of the stub's own argv[0] with args[0] argv, args[1] envp */
    SCRIPT_CHECK_CWD, /* getcwd must answer an absolute path (CVE-2024-21626) */
    SCRIPT_LEAVE,     /* clones with the flags args[2]; the child goes on. The old process writes a
                         sub_err with line args[1] and minus the child's pid as its code to socket
                         args[0], and ends */
};

struct script_op {
    uint32_t verb;
    uint32_t pointer_mask; /* bit i: args[i] is an offset that becomes a pointer */
    uint32_t result_mask;  /* SCRIPT_RESULT: bit i: args[i] is the result of the last SCRIPT_CALL */
    uint32_t reserved;
    int64_t number; /* system call number */
    uint64_t args[SCRIPT_ARGS];
    int32_t tolerated[2]; /* errnos that count as success; 0: none */
    uint32_t path, text;  /* offsets of the sub_err's path and text (without the errno) */
};

#define SCRIPT_MAGIC 0x73756273u /* "subs" */

struct script_head {
    uint32_t magic, op_count;
    uint64_t size_bytes;          /* of the blob, head included */
    uint32_t ops;                 /* offset of struct script_op[op_count] */
    uint32_t relocs, reloc_count; /* offset of uint32_t[]: places that hold an offset to relocate */
    int32_t error_fd;             /* a struct sub_err is written here on failure */
};

struct script {
    struct buf data; /* strings and arrays; offsets count from the blob's start */
    struct buf ops, relocs;
    int32_t error_fd;
};

void script_init(struct script *script, int error_fd);
void script_done(struct script *script);
#define OWNED_SCRIPT __attribute__((cleanup(script_done))) struct script

/* Copies bytes into the blob and returns their offset (aligned to 8). */
uint64_t script_put(struct script *script, const void *data, size_t size);
uint64_t script_put_text(struct script *script, const char *text);
/* A NULL-terminated array of strings, as execve takes it. */
uint64_t script_put_strings(struct script *script, char *const *strings);
/* Marks the 8 bytes at blob offset `place` as holding an offset to be turned into a pointer. */
void script_relocate(struct script *script, uint64_t place);

/* Appends one operation and returns it for the caller to complete before the next append.
 * path and text say what failed, for the message; text ends without the errno's sentence. */
struct script_op *script_add(struct script *script, enum script_verb verb, const char *path,
                             const char *text);
/* A system call with plain numbers; pointer arguments are given as offsets with mask bits. */
struct script_op *script_call(struct script *script, long number, const uint64_t args[SCRIPT_ARGS],
                              uint32_t pointer_mask, const char *text);

/* The finished blob; 0 or -ENOMEM. */
int script_finish(struct script *script, struct buf *ret_blob);

#endif
