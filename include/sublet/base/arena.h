/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is freed once, as a whole. A spec and its plan live in one arena each; what they
 * contain is bounded by the size of the file they came from, and the arena has a ceiling besides.
 * Allocation never returns NULL into the middle of a decision: a full arena marks itself failed
 * and the caller asks arena_failed() once at the end, or takes the NULL as -ENOMEM.
 */
#ifndef SUBLET_BASE_ARENA_H
#define SUBLET_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *head;
    size_t used_bytes, max_bytes;
    bool failed;
};

#define ARENA_MAX_BYTES ((size_t) 256 << 20) /* a config of 16 MiB unfolds to less */

void arena_init(struct arena *arena, size_t max_bytes);
void arena_done(struct arena *arena);
#define OWNED_ARENA __attribute__((cleanup(arena_done))) struct arena

/* Zeroed memory aligned for any type, or NULL when the ceiling or the machine refuses. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_array(struct arena *arena, size_t count, size_t size); /* overflow-checked */
/* A copy of the first count elements in an array of more room. */
void *arena_grow(struct arena *arena, const void *old, size_t count, size_t new_count, size_t size);
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool arena_failed(const struct arena *arena);

#endif
