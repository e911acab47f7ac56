/* SPDX-License-Identifier: Apache-2.0 */
#include "show_tree.h"

#include <inttypes.h>
#include <string.h>

#include "sublet/base/buf.h"
#include "sublet/base/num.h"

#define INDENT_SPACES 2

void show_init(struct show *show, struct buf *buf, bool is_json)
{
    *show = (struct show){.buf = buf, .is_json = is_json};
    if (!is_json)
        return;
    json_writer_init(&show->json, buf, INDENT_SPACES);
    json_write_object(&show->json, NULL);
}

void show_done(struct show *show)
{
    if (!show->is_json)
        return;
    json_write_end(&show->json);
    buf_putc(show->buf, '\n');
}

static void indent(struct show *show)
{
    for (unsigned i = 0; i < show->depth * INDENT_SPACES; i++)
        buf_putc(show->buf, ' ');
}

/* In front of a value: "  key: " on a line of its own, or " key=" inside an entry's line. */
static void put_key(struct show *show, const char *key)
{
    if (show->in_entry == 0) {
        indent(show);
        buf_printf(show->buf, "%s: ", key);
        return;
    }
    if (show->entry_started)
        buf_putc(show->buf, ' ');
    buf_printf(show->buf, "%s=", key);
    show->entry_started = true;
}

static void end_value(struct show *show)
{
    if (show->in_entry == 0)
        buf_putc(show->buf, '\n');
}

/* Control characters never reach a terminal; blanks and quotes only where they cannot mislead. */
static void put_escaped(struct show *show, const char *text)
{
    bool quote = show->in_entry > 0 && (*text == '\0' || strpbrk(text, " \",;") != NULL);

    if (quote)
        buf_putc(show->buf, '"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char) *text;

        if (c == '\n')
            buf_puts(show->buf, "\\n");
        else if (c < ' ' || c == 0x7f)
            buf_printf(show->buf, "\\x%02x", c);
        else if (c == '\\' || (quote && c == '"'))
            buf_printf(show->buf, "\\%c", c);
        else
            buf_putc(show->buf, (char) c);
    }
    if (quote)
        buf_putc(show->buf, '"');
}

/* "key:" in front of what is indented below, or "key=[" inside a line */
static void open_group(struct show *show, const char *key)
{
    if (show->in_entry > 0) {
        put_key(show, key);
        buf_putc(show->buf, '[');
        show->in_entry++;
        show->entry_started = false;
        return;
    }
    indent(show);
    buf_printf(show->buf, "%s:\n", key);
    show->depth++;
}

void show_object(struct show *show, const char *key)
{
    if (show->is_json)
        json_write_object(&show->json, key);
    else
        open_group(show, key);
}

void show_list(struct show *show, const char *key)
{
    if (show->is_json)
        json_write_array(&show->json, key);
    else
        open_group(show, key);
}

void show_end(struct show *show)
{
    if (show->is_json) {
        json_write_end(&show->json);
    } else if (show->in_entry > 0) {
        show->in_entry--;
        buf_putc(show->buf, ']');
        show->entry_started = true;
    } else {
        show->depth--;
    }
}

void show_entry(struct show *show)
{
    if (show->is_json) {
        json_write_object(&show->json, NULL);
        return;
    }
    if (show->in_entry == 0)
        indent(show);
    else if (show->entry_started)
        buf_puts(show->buf, "; ");
    show->in_entry++;
    show->entry_started = false;
}

void show_entry_end(struct show *show)
{
    if (show->is_json) {
        json_write_end(&show->json);
        return;
    }
    show->in_entry--;
    show->entry_started = true;
    end_value(show);
}

void show_line(struct show *show, const char *text)
{
    if (show->is_json) {
        json_write_string(&show->json, NULL, text);
        return;
    }
    indent(show);
    put_escaped(show, text);
    buf_putc(show->buf, '\n');
}

void show_text(struct show *show, const char *key, const char *text)
{
    if (text == NULL)
        return;
    if (show->is_json) {
        json_write_string(&show->json, key, text);
        return;
    }
    put_key(show, key);
    put_escaped(show, text);
    end_value(show);
}

void show_number(struct show *show, const char *key, uint64_t value)
{
    char text[NUM_TEXT];

    if (show->is_json)
        json_write_u64(&show->json, key, value);
    else
        show_text(show, key, num_format_u64(value, text));
}

void show_signed(struct show *show, const char *key, int64_t value)
{
    char text[NUM_TEXT];

    if (show->is_json)
        json_write_i64(&show->json, key, value);
    else
        show_text(show, key, num_format_i64(value, text));
}

void show_octal(struct show *show, const char *key, uint32_t value)
{
    if (show->is_json) {
        json_write_u64(&show->json, key, value);
        return;
    }
    put_key(show, key);
    buf_printf(show->buf, "0%" PRIo32, value);
    end_value(show);
}

void show_true(struct show *show, const char *key, bool value)
{
    if (!value)
        return;
    if (show->is_json)
        json_write_bool(&show->json, key, true);
    else
        show_text(show, key, "yes");
}

void show_words(struct show *show, const char *key)
{
    if (show->is_json) {
        json_write_array(&show->json, key);
        return;
    }
    put_key(show, key);
    show->words = 0;
}

void show_word(struct show *show, const char *word)
{
    if (show->is_json) {
        json_write_string(&show->json, NULL, word);
        return;
    }
    if (show->words++ > 0)
        buf_putc(show->buf, show->in_entry > 0 ? ',' : ' ');
    put_escaped(show, word);
}

void show_words_end(struct show *show)
{
    if (show->is_json) {
        json_write_end(&show->json);
        return;
    }
    if (show->words == 0)
        buf_puts(show->buf, "none");
    end_value(show);
}
