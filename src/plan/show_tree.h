/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One walk over the plan, two forms: text for people (an entry of a list is one line of key=value),
 * JSON for programs. Nothing is written for a value that is absent.
 */
#ifndef SUBLET_PLAN_SHOW_TREE_H
#define SUBLET_PLAN_SHOW_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "sublet/json.h"

struct buf;

#define SHOW_DEPTH_MAX 8

struct show {
    struct buf *buf;
    struct json_writer json;
    bool is_json;
    unsigned depth;     /* text: of objects and lists, an entry's insides not counted */
    unsigned in_entry;  /* text: > 0 inside one line, the nesting in it */
    bool entry_started; /* text: the line has a key already */
    unsigned words;     /* text: written of the open list of words */
};

void show_init(struct show *show, struct buf *buf, bool is_json);
void show_done(struct show *show);

void show_object(struct show *show, const char *key);
void show_list(struct show *show, const char *key); /* of entries or of lines */
void show_entry(struct show *show);                 /* an object in a list: one line */
void show_end(struct show *show);                   /* of an object or a list */
void show_entry_end(struct show *show);
void show_line(struct show *show, const char *text); /* a string in a list */

void show_text(struct show *show, const char *key, const char *text); /* NULL: absent */
void show_number(struct show *show, const char *key, uint64_t value);
void show_signed(struct show *show, const char *key, int64_t value);
void show_octal(struct show *show, const char *key, uint32_t value); /* JSON: a number */
void show_true(struct show *show, const char *key, bool value);      /* false: absent */

/* A short list of words on one line: begin, any number of words, end. */
void show_words(struct show *show, const char *key);
void show_word(struct show *show, const char *word);
void show_words_end(struct show *show);

#endif
