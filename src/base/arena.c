/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t) 16 << 10)
#define ALIGN       _Alignof(max_align_t)

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    _Alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *arena, size_t max_bytes)
{
    *arena = (struct arena){.max_bytes = max_bytes};
}

void arena_done(struct arena *arena)
{
    while (arena->head != NULL) {
        struct arena_block *block = arena->head;

        arena->head = block->next;
        free(block);
    }
    arena->used_bytes = 0;
}

static struct arena_block *add_block(struct arena *arena, size_t size)
{
    size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;

    if (arena->failed || room > arena->max_bytes - arena->used_bytes) {
        arena->failed = true;
        return NULL;
    }

    struct arena_block *block = malloc(sizeof *block + room);
    if (block == NULL) {
        arena->failed = true;
        return NULL;
    }
    block->size = room;
    block->used = 0;
    block->next = arena->head;
    arena->head = block;
    arena->used_bytes += room;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX - ALIGN) {
        arena->failed = true;
        return NULL;
    }
    size = (size + ALIGN - 1) & ~(ALIGN - 1);

    struct arena_block *block = arena->head;
    if (block == NULL || block->size - block->used < size)
        block = add_block(arena, size);
    if (block == NULL)
        return NULL;

    void *memory = block->bytes + block->used;
    block->used += size;
    memset(memory, 0, size);
    return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total)) {
        arena->failed = true;
        return NULL;
    }
    return arena_alloc(arena, total);
}

void *arena_grow(struct arena *arena, const void *old, size_t count, size_t new_count, size_t size)
{
    void *memory = arena_array(arena, new_count, size);

    if (memory != NULL && count > 0)
        memcpy(memory, old, count * size);
    return memory;
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);

    if (copy != NULL)
        memcpy(copy, text, length);
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);

    char *text = length < 0 ? NULL : arena_alloc(arena, (size_t) length + 1);
    if (text != NULL)
        (void) vsnprintf(text, (size_t) length + 1, format, again);
    va_end(again);
    return text;
}

bool arena_failed(const struct arena *arena)
{
    return arena->failed;
}
