/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing text with a mandatory maximum. A failed append (no memory, over the maximum) marks the
 * buffer as failed, frees it and makes every later append a no-op: test buf_failed() once at the
 * end.
 */
#ifndef SUBLET_BASE_BUF_H
#define SUBLET_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* NUL-terminated, NULL while empty */
    size_t length, room, max;
    bool failed;
};

void buf_init(struct buf *buf, size_t max);
void buf_done(struct buf *buf);
#define OWNED_BUF    __attribute__((cleanup(buf_done))) struct buf
#define BUF(maximum) ((struct buf){.max = (maximum)}) /* OWNED_BUF text = BUF(4096); */

void buf_add(struct buf *buf, const void *data, size_t size);
void buf_puts(struct buf *buf, const char *text);
void buf_putc(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *buf_text(const struct buf *buf); /* never NULL */
bool buf_failed(const struct buf *buf);

#endif
