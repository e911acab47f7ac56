/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled programs on disk. A file holds the whole text of what was compiled (the key) and what
 * came out; a hit compares the key byte by byte, so that no two profiles can be confused, and the
 * file's name needs only a fast hash. Files appear by rename and never change. The folder is
 * ours (0700); a file that is not exactly as we write them is as good as absent.
 */
#ifndef SUBLET_PRIV_CACHE_H
#define SUBLET_PRIV_CACHE_H

#include "sublet/base/buf.h"

#include "bpf.h"

struct plan_seccomp;

#define CACHE_KEY_MAX_BYTES ((size_t) 1 << 20) /* a larger profile is compiled every time */
#define CACHE_FILES_MAX     64

/* Everything that decides what the program looks like. -ENOMEM: too large for the cache. */
int cache_key(const struct plan_seccomp *seccomp, struct buf *key);

/* 0 with a valid program on the heap, or -errno where there is none. */
int cache_find(int dir_fd, const struct buf *key, struct bpf *ret_program);

/* Keeps the program, and throws the oldest ones away where there are too many. -errno is worth a
 * debug line at most. */
int cache_store(int dir_fd, const struct buf *key, const struct bpf *program);

#endif
