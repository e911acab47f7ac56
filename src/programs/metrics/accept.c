/* SPDX-License-Identifier: Apache-2.0 */
/* The Accept header: "application/openmetrics-text;version=1.0.0,text/plain;q=0.5, * / *;q=0.1". */
#include <string.h>
#include <strings.h>

#include "serve.h"

#define WEIGHT_MAX 1000u /* q=1 */

/* "0.75" -> 750. What makes no sense counts as refused. */
static unsigned weight_of(const char *text, size_t length)
{
    unsigned weight = 0, unit = WEIGHT_MAX;

    for (size_t i = 0; i < length; i++) {
        if (text[i] == '.' && i == 1)
            continue;
        if (text[i] < '0' || text[i] > '9' || unit == 0)
            return 0;
        weight += (unsigned) (text[i] - '0') * unit;
        unit /= 10;
    }
    return weight > WEIGHT_MAX ? WEIGHT_MAX : weight;
}

/* The weight of one entry of the list: of its parameter q, or 1. */
static unsigned entry_weight(const char *entry, size_t length)
{
    for (const char *at = entry, *end = entry + length; at < end; at++) {
        if (*at != ';')
            continue;
        at += 1 + strspn(at + 1, " \t");
        if (at + 1 < end && (*at == 'q' || *at == 'Q') && at[1] == '=')
            return weight_of(at + 2, strcspn(at + 2, ";, \t"));
        at--;
    }
    return WEIGHT_MAX;
}

static bool is_type(const char *entry, const char *type)
{
    size_t length = strlen(type);

    return strncasecmp(entry, type, length) == 0 && strchr(";, \t", entry[length]) != NULL;
}

enum serve_format serve_accepted(const char *accept)
{
    unsigned open = 0, plain = 0;

    while (accept != NULL && *accept != '\0') {
        accept += strspn(accept, ", \t");
        size_t length = strcspn(accept, ",");
        unsigned weight = entry_weight(accept, length);

        if (is_type(accept, "application/openmetrics-text"))
            open = weight > open ? weight : open;
        else if (is_type(accept, "text/plain") || is_type(accept, "text/*"))
            plain = weight > plain ? weight : plain;
        accept += length;
    }
    return open > 0 && open >= plain ? SERVE_OPENMETRICS : SERVE_PROMETHEUS;
}
