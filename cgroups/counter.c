/* SPDX-License-Identifier: Apache-2.0 */
/* The general forms of cgroup files: one value, and flat keys ("key 123"). */
#include <errno.h>
#include <string.h>

#include "counters.h"

int cg_take_u64(const char **at, uint64_t *ret_value)
{
    const char *c = *at;
    uint64_t value = 0;

    for (; *c >= '0' && *c <= '9'; c++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t) (*c - '0'), &value))
            return -EINVAL;
    }
    if (c == *at || (**at == '0' && c - *at > 1))
        return -EINVAL;
    *at = c;
    *ret_value = value;
    return 0;
}

int cg_take_limit(const char **at, uint64_t *ret_value)
{
    if (strncmp(*at, "max", 3) != 0)
        return cg_take_u64(at, ret_value);
    *at += 3;
    *ret_value = UINT64_MAX;
    return 0;
}

/* "12.34" -> 1234. The kernel prints two decimals, always. */
int cg_take_centi(const char **at, uint64_t *ret_value)
{
    const char *c = *at;
    uint64_t whole;

    SUBLET_TRY(cg_take_u64(&c, &whole));
    if (c[0] != '.' || c[1] < '0' || c[1] > '9' || c[2] < '0' || c[2] > '9')
        return -EINVAL;
    if (whole > UINT32_MAX)
        return -EINVAL;
    *ret_value = whole * 100 + (uint64_t) (c[1] - '0') * 10 + (uint64_t) (c[2] - '0');
    *at = c + 3;
    return 0;
}

void cg_field_set(const struct cg_field *field, void *counters, uint64_t value)
{
    uint64_t present;

    memcpy((char *) counters + field->offset, &value, sizeof value);
    memcpy(&present, counters, sizeof present);
    present |= 1ull << (field->offset / sizeof(uint64_t) - 1);
    memcpy(counters, &present, sizeof present);
}

bool cg_field_value(const struct cg_field *field, const void *counters, uint64_t *ret_value)
{
    uint64_t present;

    memcpy(&present, counters, sizeof present);
    if ((present >> (field->offset / sizeof(uint64_t) - 1) & 1) == 0)
        return false;
    memcpy(ret_value, (const char *) counters + field->offset, sizeof *ret_value);
    return true;
}

const struct cg_field *cg_field_of(const struct cg_fields *fields, enum cg_file file)
{
    for (size_t i = 0; i < fields->count; i++)
        if (fields->rows[i].file == file)
            return &fields->rows[i];
    return NULL;
}

int cg_parse_value(const struct cg_place *place, const char *text)
{
    const struct cg_field *field = cg_field_of(place->fields, place->file);
    uint64_t value;

    if (field->kind == CG_LIMIT)
        SUBLET_TRY(cg_take_limit(&text, &value));
    else
        SUBLET_TRY(cg_take_u64(&text, &value));
    if (text[*text == '\n'] != '\0')
        return -EINVAL;
    cg_field_set(field, place->counters, value);
    return 0;
}

/*
 * The kernel prints keys in the order of the rows, more or less: the search goes on where the last
 * one ended, so that a file costs as many comparisons as it has keys.
 */
struct search {
    const struct cg_place *places;
    size_t place_count, place, row;
};

static const struct cg_field *find_key(struct search *search, const char *key, size_t length,
                                       void **ret_counters)
{
    size_t left = 0;

    for (size_t i = 0; i < search->place_count; i++)
        left += search->places[i].fields->count;
    for (; left > 0; left--) {
        const struct cg_place *place = &search->places[search->place];
        const struct cg_field *field = &place->fields->rows[search->row++];

        if (search->row == place->fields->count) {
            search->row = 0;
            search->place = (search->place + 1) % search->place_count;
        }
        if (field->file == place->file && field->key != NULL &&
            strncmp(field->key, key, length) == 0 && field->key[length] == '\0') {
            *ret_counters = place->counters;
            return field;
        }
    }
    return NULL;
}

/* Cuts one line "key 123\n" off; 0 at the end of the text. */
static int take_line(const char **at, struct cg_key *ret_key)
{
    const char *line = *at;
    size_t length;

    if (*line == '\0')
        return 0;
    length = strcspn(line, " \n");
    if (length == 0 || line[length] != ' ')
        return -EINVAL;
    *at = line + length + 1;
    SUBLET_TRY(cg_take_u64(at, &ret_key->value));
    if (**at != '\n' && **at != '\0')
        return -EINVAL;
    *at += **at == '\n';
    ret_key->name = line;
    ret_key->length = length;
    return 1;
}

int cg_parse_flat_into(const struct cg_place *places, size_t count, const char *text)
{
    struct search search = {.places = places, .place_count = count};
    struct cg_key key;

    for (;;) {
        void *counters;
        int rc = take_line(&text, &key);

        if (rc <= 0)
            return rc;

        const struct cg_field *field = find_key(&search, key.name, key.length, &counters);
        if (field != NULL)
            cg_field_set(field, counters, key.value);
    }
}

int cg_parse_flat(const struct cg_place *place, const char *text)
{
    return cg_parse_flat_into(place, 1, text);
}

int cg_keys_parse(const char *text, struct cg_key *rows, size_t room)
{
    int count = 0;

    for (;;) {
        struct cg_key key;
        int rc = take_line(&text, &key);

        if (rc < 0)
            return rc;
        if (rc == 0)
            return count;
        if ((size_t) count < room)
            rows[count] = key;
        count++;
    }
}
