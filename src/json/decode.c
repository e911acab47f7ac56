/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include <errno.h>
#include <string.h>

#include "sublet/base/err.h"

#include "place.h"

/* The parser's sentences as ours: what stands there, what is allowed. */
struct sentence {
    const char *theirs, *ours;
    bool exact; /* the parser stands at the wrong character, not behind the wrong token */
};

static const struct sentence *sentence_of(const char *message)
{
    static const struct sentence rows[] = {
        {"premature EOF",                   "the text ends too early, expected more JSON",   true },
        {"trailing garbage",                "more text behind the JSON object",              false},
        {"after key and value",             "expected ',' or '}' here",                      false},
        {"after array element",             "expected ',' or ']' here",                      false},
        {"invalid object key",              "expected a key in double quotes here",          false},
        {"separated by a colon",            "expected ':' behind the key",                   false},
        {"unallowed token",                 "expected a value here",                         false},
        {"probable comment",                "comments are not allowed in JSON",              true },
        {"invalid char in json text",       "invalid character, expected JSON",              false},
        {"invalid string in json text",     "unknown word, expected true, false or null",    false},
        {"invalid character inside string",
         "control character in a string, expected \\n or the like",                          true },
        {"occurs before a character",       "unknown escape in a string",                    true },
        {"non-hex",                         "expected four hexadecimal digits behind '\\u'", true },
        {"malformed number",                "malformed number, expected digits",             false},
        {"",                                "not JSON",                                      false},
    };
    const struct sentence *row = rows;

    while (strstr(message, row->theirs) == NULL)
        row++;
    return row;
}

static void syntax_error(struct decode *decode)
{
    const struct json_source *source = decode->source;
    unsigned char *message = yajl_get_error(decode->parser, 0, NULL, 0);
    const struct sentence *sentence = sentence_of(message == NULL ? "" : (char *) message);
    size_t offset = decode->at_end ? source->size : yajl_get_bytes_consumed(decode->parser);

    yajl_free_error(decode->parser, message);
    if (!sentence->exact)
        offset = place_token_start(source->text, offset);
    (void) decode_stop_at(decode, offset, sentence->ours);
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
