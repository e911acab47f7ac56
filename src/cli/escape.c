/* SPDX-License-Identifier: Apache-2.0 */
/* User data made harmless for a terminal. */
#include <stddef.h>

#include "sublet/base/buf.h"

#include "say.h"

/* Length of the UTF-8 character at text; 0 if there is none. No long forms, no surrogates. */
static size_t character_length(const unsigned char *text)
{
    unsigned char lead = text[0], low = 0x80, high = 0xbf;
    size_t length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

    if (length < 2 || lead > 0xf4)
        return length < 2 ? length : 0;
    if (lead == 0xe0 || lead == 0xf0)
        low = lead == 0xe0 ? 0xa0 : 0x90;
    if (lead == 0xed || lead == 0xf4)
        high = lead == 0xed ? 0x9f : 0x8f;
    if (text[1] < low || text[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

/* C0, DEL, and C1 (U+0080..U+009F), which terminals obey as well. */
static bool is_control(const unsigned char *text)
{
    return text[0] < 0x20 || text[0] == 0x7f || (text[0] == 0xc2 && text[1] < 0xa0);
}

void say_escape(struct buf *buf, const char *text)
{
    const unsigned char *at = (const unsigned char *) text;

    while (*at != '\0') {
        size_t length = character_length(at);

        if (*at == '\n') {
            buf_puts(buf, "\\n");
            at++;
        } else if (length == 0 || is_control(at)) {
            buf_printf(buf, "\\x%02x", *at);
            at++;
        } else {
            buf_add(buf, at, length);
            at += length;
        }
    }
}
