/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/num.h"

#include "decode.h"
#include "number.h"

struct pair {
    const char *key, *value;
};

/* What the next value is to become. */
struct slot {
    enum json_kind kind;
    const struct json_field *field; /* NULL for an element of a list */
    const struct json_shape *shape;
    bool ignored;
};

static const char *kind_name(enum json_kind kind)
{
    static const char *const names[] = {
        [JSON_STRING] = "string", [JSON_TEXT] = "string",   [JSON_BOOL] = "boolean",
        [JSON_I32] = "integer",   [JSON_I64] = "integer",   [JSON_U32] = "integer",
        [JSON_U64] = "integer",   [JSON_STRINGS] = "array", [JSON_U32S] = "array",
        [JSON_OBJECT] = "object", [JSON_INLINE] = "object", [JSON_LIST] = "array",
        [JSON_PAIRS] = "object",  [JSON_MAP] = "object",
    };

    return names[kind];
}

static int wrong_type(struct decode *decode, const struct slot *slot, const char *got)
{
    return decode_complain(decode, "expected %s, got %s", kind_name(slot->kind), got);
}

static struct frame *top(struct decode *decode)
{
    return &decode->frames[decode->depth - 1];
}

static int no_memory(struct decode *decode)
{
    return decode_stop(decode, ENOMEM, "too large: out of memory");
}

/* Takes the place of the next value. Returns false when a list is full: the walk has stopped. */
static bool next_slot(struct decode *decode, struct slot *slot)
{
    if (decode->depth == 0) {
        *slot = (struct slot){.kind = JSON_OBJECT};
        return true;
    }

    struct frame *frame = top(decode);
    *slot = (struct slot){.shape = frame->shape};
    switch (frame->kind) {
    case JSON_STRINGS:
    case JSON_PAIRS:
        slot->kind = JSON_STRING;
        break;
    case JSON_U32S:
        slot->kind = JSON_U32;
        break;
    case JSON_LIST:
    case JSON_MAP:
        slot->kind = JSON_OBJECT;
        break;
    default:
        slot->field = frame->field;
        slot->ignored = frame->field == NULL;
        slot->kind = slot->ignored ? JSON_OBJECT : frame->field->kind;
        slot->shape = slot->ignored ? NULL : frame->field->shape;
        return true;
    }
    if (frame->kind != JSON_PAIRS && frame->kind != JSON_MAP)
        frame->items.seen++;
    if (frame->items.seen <= frame->items.max)
        return true;
    (void) decode_complain(decode, "too many entries, at most %zu are allowed", frame->items.max);
    decode->code = -EINVAL;
    return false;
}

/* One more zeroed element, NULL when the arena is full. */
static void *push_item(struct decode *decode, struct items *items)
{
    if (items->count == items->room) {
        size_t room = items->room == 0 ? 8 : items->room * 2;
        char *data = arena_grow(decode->arena, items->data, items->count, room, items->item_size);

        if (data == NULL)
            return NULL;
        items->data = data;
        items->room = room;
    }
    return items->data + items->item_size * items->count++;
}

static void mark_present(struct frame *frame, const struct json_field *field)
{
    uint64_t has;

    if (field->presence == 0 || field->presence == JSON_REQUIRED)
        return;
    memcpy(&has, frame->base + frame->shape->has_offset, sizeof has);
    has |= field->presence;
    memcpy(frame->base + frame->shape->has_offset, &has, sizeof has);
}

/* Writes size bytes into the member of the slot's field, or as the next element. */
static int store(struct decode *decode, const struct slot *slot, const void *value, size_t size)
{
    struct frame *frame = top(decode);
    char *target;

    if (slot->field != NULL) {
        target = frame->base + slot->field->offset;
        mark_present(frame, slot->field);
    } else if (frame->kind == JSON_PAIRS) {
        target = frame->items.data + frame->items.item_size * (frame->items.count - 1) +
                 offsetof(struct pair, value);
    } else {
        target = push_item(decode, &frame->items);
        if (target == NULL)
            return no_memory(decode);
    }
    memcpy(target, value, size);
    return 1;
}

static int on_null(void *context)
{
    struct decode *decode = context;
    struct slot slot;

    if (decode->skip > 0)
        return 1;
    if (!next_slot(decode, &slot))
        return 0;
    if (slot.ignored || (slot.field != NULL && slot.field->presence != JSON_REQUIRED))
        return 1;
    return wrong_type(decode, &slot, "null");
}

static int on_boolean(void *context, int number)
{
    struct decode *decode = context;
    bool value = number != 0;
    struct slot slot;

    if (decode->skip > 0)
        return 1;
    if (!next_slot(decode, &slot))
        return 0;
    if (slot.ignored)
        return 1;
    if (slot.kind != JSON_BOOL)
        return wrong_type(decode, &slot, "boolean");
    return store(decode, &slot, &value, sizeof value);
}

static int on_number(void *context, const char *number, size_t length)
{
    struct decode *decode = context;
    struct slot slot;

    if (decode->skip > 0)
        return 1;
    if (!next_slot(decode, &slot))
        return 0;
    if (slot.ignored)
        return 1;

    const struct number_range *range = number_range(slot.kind);
    if (range == NULL)
        return wrong_type(decode, &slot, "number");

    uint64_t bits = 0;
    int shown = length < NUM_TEXT ? (int) length : NUM_TEXT;
    int rc = number_parse(number, length, range, &bits);
    if (rc == -EINVAL)
        return decode_complain(decode, "expected integer, got %.*s", shown, number);
    if (rc < 0) {
        return decode_complain(decode, "expected integer from %lld to %llu, got %.*s%s",
                               (long long) range->min, (unsigned long long) range->max, shown,
                               number, (size_t) shown < length ? "..." : "");
    }

    uint32_t half = (uint32_t) bits;
    return range->size == 4 ? store(decode, &slot, &half, 4) : store(decode, &slot, &bits, 8);
}

static char *copy_text(struct decode *decode, const unsigned char *text, size_t length)
{
    static char empty[] = "";

    return length == 0 ? empty : arena_strndup(decode->arena, (const char *) text, length);
}

static int on_string(void *context, const unsigned char *text, size_t length)
{
    struct decode *decode = context;
    struct slot slot;

    if (decode->skip > 0)
        return 1;
    if (!next_slot(decode, &slot))
        return 0;
    if (slot.ignored)
        return 1;
    if (slot.kind != JSON_STRING && slot.kind != JSON_TEXT)
        return wrong_type(decode, &slot, "string");
    if (memchr(text, '\0', length) != NULL)
        return decode_complain(decode, "NUL (\\u0000) in a string is not allowed");
    if (slot.kind == JSON_TEXT && length == 0)
        return 1;

    const char *copy = copy_text(decode, text, length);
    return copy == NULL ? no_memory(decode) : store(decode, &slot, &copy, sizeof copy);
}

static int key_of_object(struct decode *decode, const unsigned char *key, size_t length)
{
    struct frame *frame = top(decode);

    for (size_t i = 0; i < frame->shape->count; i++) {
        const struct json_field *field = &frame->shape->fields[i];

        if (strlen(field->key) != length || memcmp(field->key, key, length) != 0)
            continue;
        frame->field = field;
        if ((frame->seen & (1ull << i)) != 0) {
            int rc = decode_complain(decode, "duplicate key");
            frame->field = NULL;
            return rc;
        }
        frame->seen |= 1ull << i;
        return 1;
    }
    frame->field = NULL;
    if (frame->shape->closed)
        return decode_complain(decode, "unknown key '%.*s'", length > 64 ? 64 : (int) length, key);
    decode_note_unknown(decode, (const char *) key, length);
    return 1;
}

static int on_key(void *context, const unsigned char *key, size_t length)
{
    struct decode *decode = context;

    if (decode->skip > 0)
        return 1;

    struct frame *frame = top(decode);
    frame->field = NULL;
    frame->key = NULL;
    if (memchr(key, '\0', length) != NULL)
        return decode_stop(decode, EINVAL, "NUL (\\u0000) in a key is not allowed");
    if (frame->kind == JSON_OBJECT)
        return key_of_object(decode, key, length);

    frame->key = copy_text(decode, key, length);
    if (frame->key == NULL)
        return no_memory(decode);
    frame->items.seen++;
    if (frame->kind == JSON_PAIRS) {
        const char **pair = push_item(decode, &frame->items);

        if (pair == NULL)
            return no_memory(decode);
        *pair = frame->key;
    }
    return 1;
}

static size_t item_size(const struct json_field *field)
{
    switch (field->kind) {
    case JSON_STRINGS:
        return sizeof(char *);
    case JSON_U32S:
        return sizeof(uint32_t);
    case JSON_PAIRS:
        return sizeof(struct pair);
    default:
        return field->shape->size;
    }
}

/* The structure that an object fills: the member itself, a new one, or the next element. */
static char *object_base(struct decode *decode, const struct slot *slot)
{
    if (decode->depth == 0)
        return arena_alloc(decode->arena, slot->shape->size);

    struct frame *frame = top(decode);
    if (slot->kind == JSON_INLINE)
        return frame->base + slot->field->offset;
    if (slot->field == NULL) {
        char *item = push_item(decode, &frame->items);

        if (item != NULL && frame->kind == JSON_MAP)
            memcpy(item, &frame->key, sizeof frame->key);
        return item;
    }

    char *object = arena_alloc(decode->arena, slot->shape->size);
    if (object != NULL)
        memcpy(frame->base + slot->field->offset, &object, sizeof object);
    return object;
}

static int open_frame(struct decode *decode, const struct slot *slot)
{
    struct frame *frame = &decode->frames[decode->depth];

    *frame = (struct frame){.kind = slot->kind, .shape = slot->shape};
    if (slot->field != NULL)
        mark_present(top(decode), slot->field);

    if (slot->kind == JSON_OBJECT || slot->kind == JSON_INLINE) {
        frame->kind = JSON_OBJECT;
        frame->base = object_base(decode, slot);
        if (frame->base == NULL)
            return no_memory(decode);
    } else {
        frame->items.item_size = item_size(slot->field);
        frame->items.max = JSON_ITEMS_MAX;
        if (slot->shape != NULL && slot->shape->list_max != 0)
            frame->items.max = slot->shape->list_max;
        frame->items.place = top(decode)->base + slot->field->offset;
    }
    decode->depth++;
    return 1;
}

static int on_start(struct decode *decode, bool is_object)
{
    struct slot slot;

    if (decode->depth + decode->skip >= JSON_NESTING_MAX)
        return decode_stop(decode, EINVAL, "nested too deeply, at most 64 levels are allowed");
    if (decode->skip > 0) {
        decode->skip++;
        return 1;
    }
    if (!next_slot(decode, &slot))
        return 0;
    if (slot.ignored) {
        decode->skip = 1;
        return 1;
    }
    if (decode->depth == 0)
        slot.shape = decode->frames[0].shape;

    const char *got = is_object ? "object" : "array";
    if (strcmp(kind_name(slot.kind), got) != 0) {
        int rc = wrong_type(decode, &slot, got);

        decode->skip = 1;
        return rc;
    }
    return open_frame(decode, &slot);
}

static int on_start_map(void *context)
{
    return on_start(context, true);
}

static int on_start_array(void *context)
{
    return on_start(context, false);
}

static int compare_keys(const void *left, const void *right)
{
    return strcmp(*(const char *const *) left, *(const char *const *) right);
}

/* Sorted, not hashed: a file cannot choose keys that make it slow. */
static int check_unique_keys(struct decode *decode, struct frame *frame)
{
    const struct items *items = &frame->items;
    const char **keys = arena_array(decode->arena, items->count, sizeof *keys);

    if (keys == NULL)
        return no_memory(decode);
    for (size_t i = 0; i < items->count; i++)
        memcpy(&keys[i], items->data + items->item_size * i, sizeof *keys);
    qsort(keys, items->count, sizeof *keys, compare_keys);

    for (size_t i = 1; i < items->count; i++) {
        if (strcmp(keys[i - 1], keys[i]) != 0)
            continue;
        frame->key = keys[i];
        if (decode_complain(decode, "duplicate key") == 0)
            return 0;
    }
    return 1;
}

static int check_required(struct decode *decode, struct frame *frame)
{
    frame->field = NULL;
    for (size_t i = 0; i < frame->shape->count; i++) {
        const struct json_field *field = &frame->shape->fields[i];

        if (field->presence != JSON_REQUIRED || (frame->seen & (1ull << i)) != 0)
            continue;
        if (decode_complain_field(decode, field->key, "mandatory field is missing") == 0)
            return 0;
    }
    return 1;
}

static int on_end(void *context)
{
    struct decode *decode = context;
    int rc = 1;

    if (decode->skip > 0) {
        decode->skip--;
        return 1;
    }

    struct frame *frame = top(decode);
    if (frame->kind == JSON_OBJECT) {
        rc = check_required(decode, frame);
    } else {
        memcpy(frame->items.place, &frame->items.data, sizeof frame->items.data);
        memcpy(frame->items.place + sizeof frame->items.data, &frame->items.count,
               sizeof frame->items.count);
        if ((frame->kind == JSON_PAIRS || frame->kind == JSON_MAP) && frame->items.count > 1)
            rc = check_unique_keys(decode, frame);
    }
    decode->depth--;
    return rc;
}

const yajl_callbacks walk_callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_start_map,
    .yajl_map_key = on_key,
    .yajl_end_map = on_end,
    .yajl_start_array = on_start_array,
    .yajl_end_array = on_end,
};
