/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include <errno.h>
#include <string.h>

#include "sublet/base/err.h"

#include "place.h"

/* The parser's sentence without its kind and its full stop; the offset of the fault with it. */
static void syntax_error(struct decode *decode)
{
    size_t end = decode->at_end ? decode->source->size : yajl_get_bytes_consumed(decode->parser);
    unsigned char *message = yajl_get_error(decode->parser, 0, NULL, 0);
    const char *text = message == NULL ? "not JSON" : (const char *) message;
    const char *colon = strstr(text, "error: ");
    char sentence[160];

    text = colon == NULL ? text : colon + strlen("error: ");
    size_t length = strcspn(text, "\n");
    if (length > 0 && text[length - 1] == '.')
        length--;
    length = length < sizeof sentence ? length : sizeof sentence - 1;
    memcpy(sentence, text, length);
    sentence[length] = '\0';
    yajl_free_error(decode->parser, message);

    (void) decode_stop_at(
        decode, decode->at_end ? end : place_token_start(decode->source->text, end), sentence);
}

static void walk(struct decode *decode)
{
    const struct json_source *source = decode->source;
    size_t fault;

    if (source->size == 0) {
        (void) decode_stop_at(decode, 0, "empty file, expected a JSON object");
        return;
    }
    const char *reason = place_first_fault(source->text, source->size, &fault);
    if (reason != NULL) {
        (void) decode_stop_at(decode, fault, reason);
        return;
    }

    yajl_status status =
        yajl_parse(decode->parser, (const unsigned char *) source->text, source->size);
    if (status == yajl_status_ok) {
        decode->at_end = true;
        status = yajl_complete_parse(decode->parser);
    }
    if (status == yajl_status_error)
        syntax_error(decode);
}

int json_decode(struct arena *arena, const struct json_source *source,
                const struct json_shape *shape, struct findings *findings, void *ret_object,
                struct sub_err *err)
{
    struct decode decode;

    memset(&decode, 0, offsetof(struct decode, frames));
    decode.source = source;
    decode.arena = arena;
    decode.findings = findings;
    decode.err = err;
    decode.frames[0] = (struct frame){.shape = shape};
    decode.parser = yajl_alloc(&walk_callbacks, NULL, &decode);
    if (decode.parser == NULL)
        return sub_fail(err, ENOMEM, source->name, "out of memory");

    /* the scan before the parse is stricter than the parser's own look at UTF-8 */
    (void) yajl_config(decode.parser, yajl_dont_validate_strings, 1);
    walk(&decode);
    yajl_free(decode.parser);

    if (decode.code != 0)
        return decode.code;
    if (decode.errors > 0)
        return -EINVAL;
    memcpy(ret_object, decode.frames[0].base, shape->size);
    return 0;
}
