/* SPDX-License-Identifier: Apache-2.0 */
/* Where in the text something is, and what the text must be before it is parsed. */
#ifndef SUBLET_SRC_JSON_PLACE_H
#define SUBLET_SRC_JSON_PLACE_H

#include <stddef.h>

struct place {
    size_t line, column; /* from 1; columns count bytes */
};

struct place place_of(const char *text, size_t offset);

/* Start of the token whose last byte is before end. */
size_t place_token_start(const char *text, size_t end);

/* NULL, or why the text cannot be JSON of ours (no UTF-8, a byte order mark, NUL, half of a
 * surrogate pair), with the offset of the fault. */
const char *place_first_fault(const char *text, size_t size, size_t *ret_offset);

/* Length of the well-formed UTF-8 sequence of several bytes at text, 0 if it is none. */
size_t place_utf8_length(const char *text, size_t left);

#endif
