/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder's own state, shared by its walk (walk.c) and its errors (complain.c). */
#ifndef SUBLET_SRC_JSON_DECODE_H
#define SUBLET_SRC_JSON_DECODE_H

#include <yajl/yajl_parse.h>

#include "sublet/json.h"

/* A growing list: of objects, strings, numbers, pairs. */
struct items {
    char *data;
    size_t item_size, count, room;
    size_t seen, max; /* values met so far, the wrong ones too */
    char *place;      /* the {items, count} to fill at the end */
};

/* One open object or array. kind is OBJECT, STRINGS, U32S, LIST, PAIRS or MAP. */
struct frame {
    enum json_kind kind;
    const struct json_shape *shape; /* of the object, or of the elements */
    char *base;                     /* OBJECT: the structure */
    const struct json_field *field; /* OBJECT: row of the last key; NULL: its value is ignored */
    uint64_t seen;                  /* OBJECT: bit n: row n has been met */
    struct items items;
    const char *key; /* PAIRS, MAP: the last key */
};

struct decode {
    const struct json_source *source;
    struct arena *arena;
    struct findings *findings;
    struct sub_err *err;
    yajl_handle parser;
    bool at_end;        /* all text has been fed */
    size_t depth, skip; /* open frames; open containers inside an ignored value */
    size_t errors;
    int code; /* -errno of what stopped the walk */
    struct frame frames[JSON_NESTING_MAX];
};

/* The decoder as callbacks of the parser; their context is a struct decode. */
extern const yajl_callbacks walk_callbacks;

/* All return what a parser callback returns: 1 to go on, 0 to stop. */

/* A wrong value or key: told with the JSON path of the innermost frame. */
int decode_complain(struct decode *decode, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for the field `key` of the innermost object. */
int decode_complain_field(struct decode *decode, const char *key, const char *text);

void decode_note_unknown(struct decode *decode, const char *key, size_t length); /* debug line */

/* Nothing behind this can be read. */
int decode_stop(struct decode *decode, int code, const char *text);

/* A fault of the text itself, at offset: position without a JSON path. */
int decode_stop_at(struct decode *decode, size_t offset, const char *text);

#endif
