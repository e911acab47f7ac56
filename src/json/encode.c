/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sublet/base/num.h"
#include "sublet/json.h"

struct any_list {
    const char *items;
    size_t count;
};

static uint64_t bits_of(const struct json_shape *shape, const char *base)
{
    uint64_t has;

    memcpy(&has, base + shape->has_offset, sizeof has);
    return has;
}

/* A field with a bit is there when the bit is; one without it when it says something. */
static bool is_present(const struct json_shape *shape, const struct json_field *field,
                       const char *base)
{
    const char *member = base + field->offset;
    struct any_list list;

    if (field->presence == JSON_REQUIRED)
        return true;
    if (field->presence != 0)
        return (bits_of(shape, base) & field->presence) != 0;
    switch (field->kind) {
    case JSON_STRING:
    case JSON_TEXT:
    case JSON_OBJECT:
        memcpy(&list.items, member, sizeof list.items);
        return list.items != NULL;
    case JSON_BOOL:
        return *member != 0;
    case JSON_STRINGS:
    case JSON_U32S:
    case JSON_LIST:
    case JSON_PAIRS:
    case JSON_MAP:
        memcpy(&list, member, sizeof list);
        return list.count > 0;
    default:
        return true;
    }
}

static void put_fields(struct json_writer *writer, const struct json_shape *shape,
                       const char *base);

static void put_list(struct json_writer *writer, const struct json_field *field,
                     const struct any_list *list)
{
    json_write_array(writer, field->key);
    for (size_t i = 0; i < list->count; i++) {
        if (field->kind == JSON_STRINGS) {
            json_write_string(writer, NULL, ((const char *const *) (const void *) list->items)[i]);
        } else if (field->kind == JSON_U32S) {
            json_write_u64(writer, NULL, ((const uint32_t *) (const void *) list->items)[i]);
        } else {
            json_encode(writer, NULL, field->shape, list->items + field->shape->size * i);
        }
    }
    json_write_end(writer);
}

static void put_map(struct json_writer *writer, const struct json_field *field,
                    const struct any_list *list)
{
    size_t size = field->kind == JSON_PAIRS ? 2 * sizeof(char *) : field->shape->size;

    json_write_object(writer, field->key);
    for (size_t i = 0; i < list->count; i++) {
        const char *pair[2];

        memcpy(pair, list->items + size * i,
               field->kind == JSON_PAIRS ? sizeof pair : sizeof *pair);
        if (field->kind == JSON_PAIRS) {
            json_write_string(writer, pair[0], pair[1]);
        } else {
            json_encode(writer, pair[0], field->shape, list->items + size * i);
        }
    }
    json_write_end(writer);
}

static void put_number(struct json_writer *writer, const struct json_field *field,
                       const char *member)
{
    union {
        int32_t i32;
        int64_t i64;
        uint32_t u32;
        uint64_t u64;
    } number;

    switch (field->kind) {
    case JSON_I32:
        memcpy(&number.i32, member, sizeof number.i32);
        json_write_i64(writer, field->key, number.i32);
        break;
    case JSON_I64:
        memcpy(&number.i64, member, sizeof number.i64);
        json_write_i64(writer, field->key, number.i64);
        break;
    case JSON_U32:
        memcpy(&number.u32, member, sizeof number.u32);
        json_write_u64(writer, field->key, number.u32);
        break;
    default:
        memcpy(&number.u64, member, sizeof number.u64);
        json_write_u64(writer, field->key, number.u64);
        break;
    }
}

static void put_field(struct json_writer *writer, const struct json_field *field,
                      const char *member)
{
    struct any_list list;

    switch (field->kind) {
    case JSON_STRING:
    case JSON_TEXT:
        memcpy(&list.items, member, sizeof list.items);
        json_write_string(writer, field->key, list.items == NULL ? "" : list.items);
        break;
    case JSON_BOOL:
        json_write_bool(writer, field->key, *member != 0);
        break;
    case JSON_OBJECT:
        memcpy(&list.items, member, sizeof list.items);
        json_encode(writer, field->key, field->shape, list.items);
        break;
    case JSON_INLINE:
        json_encode(writer, field->key, field->shape, member);
        break;
    case JSON_STRINGS:
    case JSON_U32S:
    case JSON_LIST:
        memcpy(&list, member, sizeof list);
        put_list(writer, field, &list);
        break;
    case JSON_PAIRS:
    case JSON_MAP:
        memcpy(&list, member, sizeof list);
        put_map(writer, field, &list);
        break;
    default:
        put_number(writer, field, member);
        break;
    }
}

static void put_fields(struct json_writer *writer, const struct json_shape *shape, const char *base)
{
    for (size_t i = 0; i < shape->count; i++) {
        const struct json_field *field = &shape->fields[i];

        if (is_present(shape, field, base))
            put_field(writer, field, base + field->offset);
    }
}

void json_encode(struct json_writer *writer, const char *key, const struct json_shape *shape,
                 const void *object)
{
    json_write_object(writer, key);
    if (object != NULL)
        put_fields(writer, shape, object);
    json_write_end(writer);
}
