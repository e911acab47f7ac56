/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define EVERY_BYTE 0x0101010101010101ull
#define HIGH_BITS  0x8080808080808080ull

struct place place_of(const char *text, size_t offset)
{
    struct place place = {.line = 1, .column = 1};

    for (size_t i = 0; i < offset; i++) {
        place.column++;
        if (text[i] == '\n')
            place = (struct place){.line = place.line + 1, .column = 1};
    }
    return place;
}

static bool quote_is_escaped(const char *text, size_t at)
{
    size_t slashes = 0;

    while (slashes < at && text[at - slashes - 1] == '\\')
        slashes++;
    return slashes % 2 == 1;
}

static bool is_word(char c)
{
    return isalnum((unsigned char) c) || c == '+' || c == '-' || c == '.';
}

size_t place_token_start(const char *text, size_t end)
{
    if (end == 0)
        return 0;

    size_t at = end - 1;
    if (text[at] == '"') {
        do {
            if (at == 0)
                return end - 1;
            at--;
        } while (text[at] != '"' || quote_is_escaped(text, at));
        return at;
    }
    while (at > 0 && is_word(text[at]) && is_word(text[at - 1]))
        at--;
    return at;
}

static bool has_zero_byte(uint64_t word)
{
    return ((word - EVERY_BYTE) & ~word & HIGH_BITS) != 0;
}

/* Eight bytes of plain ASCII without NUL and backslash: nearly all of every config. */
static bool is_plain(const char *text)
{
    uint64_t word;

    memcpy(&word, text, sizeof word);
    return (word & HIGH_BITS) == 0 && !has_zero_byte(word) &&
           !has_zero_byte(word ^ (EVERY_BYTE * '\\'));
}

/* Unicode table 3-7. */
size_t place_utf8_length(const char *bytes, size_t left)
{
    const unsigned char *text = (const unsigned char *) bytes;
    static const struct {
        unsigned char first_low, first_high, second_low, second_high, length;
    } rows[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (text[0] < rows[i].first_low || text[0] > rows[i].first_high)
            continue;
        if (left < rows[i].length || text[1] < rows[i].second_low || text[1] > rows[i].second_high)
            return 0;
        for (size_t k = 2; k < rows[i].length; k++) {
            if ((text[k] & 0xc0) != 0x80)
                return 0;
        }
        return rows[i].length;
    }
    return 0;
}

/* The code unit of "\uXXXX" at text, -1 if there is none. */
static int escaped_unit(const char *text, size_t left)
{
    int unit = 0;

    if (left < 6 || text[0] != '\\' || text[1] != 'u')
        return -1;
    for (size_t i = 2; i < 6; i++) {
        if (!isxdigit((unsigned char) text[i]))
            return -1;
        unit = unit * 16 + (isdigit((unsigned char) text[i])
                                ? text[i] - '0'
                                : tolower((unsigned char) text[i]) - 'a' + 10);
    }
    return unit;
}

/* Length of the escape at text, 0 if it is half of a surrogate pair. */
static size_t escape_length(const char *text, size_t left)
{
    int unit = escaped_unit(text, left);

    if (unit < 0)
        return left < 2 ? left : 2;
    if (unit < 0xd800 || unit > 0xdfff)
        return 6;

    int low = unit > 0xdbff ? -1 : escaped_unit(text + 6, left - 6);
    return low >= 0xdc00 && low <= 0xdfff ? 12 : 0;
}

const char *place_first_fault(const char *text, size_t size, size_t *ret_offset)
{
    size_t at = 0;

    *ret_offset = 0;
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        return "byte order mark, expected JSON without one";

    while (at < size) {
        size_t step = 1;

        if (size - at >= 8 && is_plain(text + at)) {
            at += 8;
            continue;
        }
        *ret_offset = at;
        if (text[at] == '\0')
            return "NUL byte, expected JSON text";
        if (text[at] == '\\')
            step = escape_length(text + at, size - at);
        if (step == 0)
            return "half of a surrogate pair, expected \\uD800-\\uDBFF before \\uDC00-\\uDFFF";
        if ((text[at] & 0x80) != 0)
            step = place_utf8_length(text + at, size - at);
        if (step == 0)
            return "invalid UTF-8";
        at += step;
    }
    return NULL;
}
