/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/words.h"

#include <string.h>

const struct word *words_find(const struct words *words, const char *name)
{
    for (size_t i = 0; i < words->count; i++) {
        if (strcmp(words->rows[i].name, name) == 0)
            return &words->rows[i];
    }
    return NULL;
}

const char *words_name(const struct words *words, uint64_t value)
{
    for (size_t i = 0; i < words->count; i++) {
        if (words->rows[i].value == value)
            return words->rows[i].name;
    }
    return NULL;
}
