/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/err.h"
#include "sublet/base/log.h"
#include "sublet/base/warn.h"

#include "decode.h"
#include "place.h"

#define NAME_MAX_SHOWN 40 /* of a file; its end tells more than its start */

/* "config.json:120:18: linux.resources.memory.limit", cut where it does not fit. */
struct where {
    char text[SUB_ERR_PATH];
    size_t length, start; /* start: of the JSON path */
};

__attribute__((format(printf, 2, 3))) static void add(struct where *where, const char *format, ...)
{
    size_t room = sizeof where->text - where->length;
    va_list args;

    va_start(args, format);
    int length = vsnprintf(where->text + where->length, room, format, args);
    va_end(args);
    if (length > 0)
        where->length += (size_t) length < room ? (size_t) length : room - 1;
}

static void add_position(struct where *where, const struct json_source *source, size_t offset)
{
    size_t length = strlen(source->name);
    size_t cut = length > NAME_MAX_SHOWN ? length - NAME_MAX_SHOWN : 0;
    struct place place = place_of(source->text, offset);

    add(where, "%s%s:%zu:%zu", cut > 0 ? "..." : "", source->name + cut, place.line, place.column);
    where->start = where->length;
}

static void add_field(struct where *where, const char *key)
{
    add(where, "%s%s", where->length == where->start ? ": " : ".", key);
}

static void add_path(struct where *where, const struct decode *decode)
{
    if (decode->source->root != NULL && decode->source->root[0] != '\0')
        add_field(where, decode->source->root);

    for (size_t i = 0; i < decode->depth; i++) {
        const struct frame *frame = &decode->frames[i];

        if (frame->kind == JSON_OBJECT && frame->field != NULL) {
            add_field(where, frame->field->key);
        } else if (frame->key != NULL) {
            add(where, "['%.48s']", frame->key);
        } else if (frame->kind != JSON_OBJECT && frame->kind != JSON_PAIRS &&
                   frame->kind != JSON_MAP && frame->items.seen > 0) {
            add(where, "[%zu]", frame->items.seen - 1);
        }
    }
}

static int tell(struct decode *decode, int code, const struct where *where, const char *text)
{
    decode->errors++;
    (void) sub_fail(decode->err, code, where->text, "%s", text);
    if (decode->findings == NULL) {
        decode->code = -code;
        return 0;
    }
    findings_error(decode->findings, where->text, "%s", text);
    if (code != EINVAL || decode->errors >= FINDINGS_MAX)
        decode->code = -code;
    return decode->code == 0;
}

static size_t token_offset(const struct decode *decode)
{
    size_t end = decode->at_end ? decode->source->size : yajl_get_bytes_consumed(decode->parser);

    return place_token_start(decode->source->text, end);
}

int decode_complain(struct decode *decode, const char *format, ...)
{
    struct where where = {.length = 0};
    char text[SUB_ERR_TEXT];
    va_list args;

    va_start(args, format);
    (void) vsnprintf(text, sizeof text, format, args);
    va_end(args);

    add_position(&where, decode->source, token_offset(decode));
    add_path(&where, decode);
    return tell(decode, EINVAL, &where, text);
}

int decode_complain_field(struct decode *decode, const char *key, const char *text)
{
    struct where where = {.length = 0};

    add_position(&where, decode->source, token_offset(decode));
    add_path(&where, decode);
    add_field(&where, key);
    return tell(decode, EINVAL, &where, text);
}

void decode_note_unknown(struct decode *decode, const char *key, size_t length)
{
    struct where where = {.length = 0};

    if (log_get_sink() == NULL)
        return;
    add_position(&where, decode->source, token_offset(decode));
    add_path(&where, decode);
    log_debug("%s: unknown key '%.*s' ignored", where.text, length > 64 ? 64 : (int) length, key);
}

int decode_stop(struct decode *decode, int code, const char *text)
{
    struct where where = {.length = 0};

    add_position(&where, decode->source, token_offset(decode));
    add_path(&where, decode);
    (void) tell(decode, code, &where, text);
    decode->code = -code;
    return 0;
}

int decode_stop_at(struct decode *decode, size_t offset, const char *text)
{
    struct where where = {.length = 0};

    add_position(&where, decode->source, offset);
    (void) tell(decode, EINVAL, &where, text);
    decode->code = -EINVAL;
    return 0;
}
