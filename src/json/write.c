/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <string.h>

#include "sublet/base/buf.h"
#include "sublet/base/num.h"
#include "sublet/json.h"

#include "place.h"

void json_writer_init(struct json_writer *writer, struct buf *buf, unsigned indent_spaces)
{
    *writer = (struct json_writer){.buf = buf, .indent_spaces = indent_spaces};
}

static void new_line(struct json_writer *writer)
{
    if (writer->indent_spaces > 0)
        buf_printf(writer->buf, "\n%*s", (int) (writer->depth * writer->indent_spaces), "");
}

/* '"' and '\\', and everything that could speak to a terminal. */
static void put_escaped(struct buf *buf, unsigned char c)
{
    static const char names[] = "\b\t\n\f\r\"\\";
    static const char letters[] = "btnfr\"\\";
    const char *name = c == '\0' ? NULL : strchr(names, c);

    if (name != NULL) {
        buf_printf(buf, "\\%c", letters[name - names]);
    } else {
        buf_printf(buf, "\\u%04x", c);
    }
}

static void put_quoted(struct buf *buf, const char *text)
{
    size_t size = strlen(text);
    size_t start = 0;

    buf_putc(buf, '"');
    for (size_t at = 0; at < size;) {
        unsigned char c = (unsigned char) text[at];
        size_t length = c < 0x80 ? 1 : place_utf8_length(text + at, size - at);

        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f && length > 0) {
            at += length;
            continue;
        }
        buf_add(buf, text + start, at - start);
        if (length == 0) {
            buf_puts(buf, "\xef\xbf\xbd");
        } else {
            put_escaped(buf, c);
        }
        start = ++at;
    }
    buf_add(buf, text + start, size - start);
    buf_putc(buf, '"');
}

/* Comma, line and key before any value. */
static void begin(struct json_writer *writer, const char *key)
{
    if (writer->filled)
        buf_putc(writer->buf, ',');
    if (writer->depth > 0)
        new_line(writer);
    writer->filled = true;
    if (key == NULL)
        return;
    put_quoted(writer->buf, key);
    buf_puts(writer->buf, writer->indent_spaces > 0 ? ": " : ":");
}

static void open_level(struct json_writer *writer, const char *key, bool is_array)
{
    begin(writer, key);
    assert(writer->depth < JSON_NESTING_MAX);
    buf_putc(writer->buf, is_array ? '[' : '{');
    writer->arrays &= ~(1ull << writer->depth);
    writer->arrays |= (uint64_t) is_array << writer->depth;
    writer->depth++;
    writer->filled = false;
}

void json_write_object(struct json_writer *writer, const char *key)
{
    open_level(writer, key, false);
}

void json_write_array(struct json_writer *writer, const char *key)
{
    open_level(writer, key, true);
}

void json_write_end(struct json_writer *writer)
{
    assert(writer->depth > 0);
    writer->depth--;
    if (writer->filled)
        new_line(writer);
    buf_putc(writer->buf, (writer->arrays >> writer->depth & 1) != 0 ? ']' : '}');
    writer->filled = true;
}

void json_write_string(struct json_writer *writer, const char *key, const char *text)
{
    begin(writer, key);
    put_quoted(writer->buf, text);
}

void json_write_bool(struct json_writer *writer, const char *key, bool value)
{
    begin(writer, key);
    buf_puts(writer->buf, value ? "true" : "false");
}

void json_write_i64(struct json_writer *writer, const char *key, int64_t value)
{
    char text[NUM_TEXT];

    begin(writer, key);
    buf_puts(writer->buf, num_format_i64(value, text));
}

void json_write_u64(struct json_writer *writer, const char *key, uint64_t value)
{
    char text[NUM_TEXT];

    begin(writer, key);
    buf_puts(writer->buf, num_format_u64(value, text));
}

void json_write_centi(struct json_writer *writer, const char *key, uint64_t hundredths)
{
    char text[NUM_TEXT];

    begin(writer, key);
    buf_printf(writer->buf, "%s.%02u", num_format_u64(hundredths / 100, text),
               (unsigned) (hundredths % 100));
}

void json_write_null(struct json_writer *writer, const char *key)
{
    begin(writer, key);
    buf_puts(writer->buf, "null");
}
