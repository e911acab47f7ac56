/* SPDX-License-Identifier: Apache-2.0 */
/* User data made harmless for a terminal. */
#include <stdbool.h>
#include <stddef.h>

#include "sublet/base/buf.h"

#include "say.h"

/* The second byte excludes long forms, surrogates and what lies beyond U+10FFFF. */
static bool is_second(unsigned char lead, unsigned char byte)
{
    switch (lead) {
    case 0xe0:
        return byte >= 0xa0 && byte <= 0xbf;
    case 0xed:
        return byte >= 0x80 && byte <= 0x9f;
    case 0xf0:
        return byte >= 0x90 && byte <= 0xbf;
    case 0xf4:
        return byte >= 0x80 && byte <= 0x8f;
    default:
        return (byte & 0xc0) == 0x80;
    }
}

/* Length of the UTF-8 character at text; 0 if there is none. */
static size_t character_length(const unsigned char *text)
{
    unsigned char lead = text[0];
    size_t length = 4;

    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4 || !is_second(lead, text[1]))
        return 0;
    if (lead < 0xf0)
        length = lead < 0xe0 ? 2 : 3;
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
