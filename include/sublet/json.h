/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text <-> plain structures, by table. A shape is the rows of one object; the decoder walks
 * the text once, fills a structure through the rows and names the place of everything it refuses:
 * "config.json:120:18: linux.resources.memory.limit: expected integer, got string".
 *
 * Stricter than JSON: a duplicate key, NUL in a string, a lone surrogate, a byte order mark and a
 * number that is not exactly an integer of its row's type are refused. Unknown keys are ignored
 * with a debug line. null stands for an absent field. The room knows no meaning of any field; the
 * parser behind it is seen nowhere else.
 */
#ifndef SUBLET_JSON_H
#define SUBLET_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct findings;
struct sub_err;

#define JSON_NESTING_MAX 64
#define JSON_ITEMS_MAX   ((size_t) 1 << 20) /* of one list, where its shape says no less */

/* A list member is {const T *items; size_t count}. Everything lives in the arena of the decoder. */
enum json_kind {
    JSON_STRING, /* const char *, may be "" */
    JSON_TEXT,   /* const char *, where "" counts as absent */
    JSON_BOOL,   /* bool */
    JSON_I32,    /* int32_t, and so on */
    JSON_I64,
    JSON_U32,
    JSON_U64,
    JSON_STRINGS, /* list of const char * */
    JSON_U32S,    /* list of uint32_t */
    JSON_OBJECT,  /* const T *, NULL when absent */
    JSON_INLINE,  /* T itself */
    JSON_LIST,    /* list of T, from an array of objects */
    JSON_PAIRS,   /* list of {const char *key, *value}, from an object of strings */
    JSON_MAP,     /* list of T whose first member is const char *key, from an object of objects */
};

struct json_shape;

#define JSON_REQUIRED (1ull << 63)

struct json_field {
    const char *key;
    enum json_kind kind;
    size_t offset;
    uint64_t presence; /* 0; JSON_REQUIRED; or the bit set in the shape's `has` when present */
    const struct json_shape *shape; /* of OBJECT, INLINE, LIST and MAP */
};

struct json_shape {
    const struct json_field *fields; /* at most 64 */
    size_t count, size;              /* rows; bytes of the structure */
    size_t has_offset;               /* of a uint64_t; unused where no row has a bit */
    bool closed;                     /* unknown keys are errors */
    size_t list_max;                 /* elements in one list or map; 0: JSON_ITEMS_MAX */
};

#define JSON_FIELDS(table) .fields = (table), .count = sizeof(table) / sizeof *(table)

struct json_source {
    const char *name; /* the file as errors call it */
    const char *text; /* need not end with NUL */
    size_t size;
    const char *root; /* JSON path of the top object: "" or NULL, or "process" */
};

/* Fills ret_object (shape->size bytes), untouched on failure. With findings, decoding goes on
 * behind a wrong field, so that all of them (at most FINDINGS_MAX) are told; err is the first.
 * -EINVAL, or -ENOMEM where the arena is full. */
int json_decode(struct arena *arena, const struct json_source *source,
                const struct json_shape *shape, struct findings *findings, void *ret_object,
                struct sub_err *err);

/* A writer appends to buf, whose failure (maximum, memory) is tested once at its end. Keys are NULL
 * in arrays and at the top. Control characters are escaped, bytes that are no UTF-8 become U+FFFD.
 */
struct json_writer {
    struct buf *buf;
    unsigned indent_spaces; /* 0: compact, on one line */
    unsigned depth;
    uint64_t arrays; /* bit n: level n is an array */
    bool filled;     /* the open level has an entry already */
};

void json_writer_init(struct json_writer *writer, struct buf *buf, unsigned indent_spaces);
void json_write_object(struct json_writer *writer, const char *key);
void json_write_array(struct json_writer *writer, const char *key);
void json_write_end(struct json_writer *writer); /* closes the innermost object or array */
void json_write_string(struct json_writer *writer, const char *key, const char *text);
void json_write_bool(struct json_writer *writer, const char *key, bool value);
void json_write_i64(struct json_writer *writer, const char *key, int64_t value);
void json_write_u64(struct json_writer *writer, const char *key, uint64_t value);
void json_write_centi(struct json_writer *writer, const char *key, uint64_t hundredths); /* 12.34 */
void json_write_null(struct json_writer *writer, const char *key);

/* The whole object through its rows, absent fields left out; decodes to the same again. */
void json_encode(struct json_writer *writer, const char *key, const struct json_shape *shape,
                 const void *object);

#endif
