/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of name <-> value. Vocabularies of the specification are rows, never switch statements. */
#ifndef SUBLET_BASE_WORDS_H
#define SUBLET_BASE_WORDS_H

#include <stddef.h>
#include <stdint.h>

struct word {
    const char *name;
    uint64_t value;
};

struct words {
    const struct word *rows;
    size_t count;
};

#define WORDS(table)                             \
    {                                            \
        (table), sizeof(table) / sizeof *(table) \
    }

/* NULL if there is no such name. Exact case. */
const struct word *words_find(const struct words *words, const char *name);

/* First name with that value, NULL if there is none. */
const char *words_name(const struct words *words, uint64_t value);

#endif
