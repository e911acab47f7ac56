/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

void buf_done(struct buf *buf)
{
    free(buf->data);
    buf->data = NULL;
    buf->length = buf->room = 0;
}

static bool fail(struct buf *buf)
{
    buf_done(buf);
    buf->failed = true;
    return false;
}

static bool make_room(struct buf *buf, size_t more)
{
    if (buf->failed)
        return false;
    if (more > buf->max || buf->length > buf->max - more)
        return fail(buf);

    size_t need = buf->length + more + 1;
    if (need <= buf->room)
        return true;

    size_t room = buf->room == 0 ? 256 : buf->room;
    while (room < need)
        room *= 2;

    char *data = realloc(buf->data, room);
    if (data == NULL)
        return fail(buf);
    buf->data = data;
    buf->room = room;
    return true;
}

void buf_add(struct buf *buf, const void *data, size_t size)
{
    if (!make_room(buf, size))
        return;
    if (size > 0)
        memcpy(buf->data + buf->length, data, size);
    buf->length += size;
    buf->data[buf->length] = '\0';
}

void buf_puts(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_putc(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);

    if (length < 0) {
        (void) fail(buf);
    } else if (make_room(buf, (size_t) length)) {
        (void) vsnprintf(buf->data + buf->length, (size_t) length + 1, format, again);
        buf->length += (size_t) length;
    }
    va_end(again);
}

const char *buf_text(const struct buf *buf)
{
    return buf->data == NULL ? "" : buf->data;
}

bool buf_failed(const struct buf *buf)
{
    return buf->failed;
}
