/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/log.h"
#include "sublet/base/warn.h"
#include "sublet/json.h"

#include "runner.h"

struct limits {
    uint64_t has;
    int32_t low;
    uint64_t high;
};

struct port {
    const char *name;
    uint32_t number;
};

struct box {
    uint64_t has;
    const char *id, *label;
    bool open;
    int64_t offset;
    const struct limits *limits;
    struct limits inner;
    struct {
        const char *const *items;
        size_t count;
    } words;
    struct {
        const uint32_t *items;
        size_t count;
    } numbers;
    struct {
        const struct port *items;
        size_t count;
    } ports, by_name;
    struct {
        const struct {
            const char *key, *value;
        } * items;
        size_t count;
    } pairs;
};

enum { LIMITS_LOW = 1, BOX_OFFSET = 1, BOX_WORDS = 2 };

static const struct json_field limit_fields[] = {
    {"low",  JSON_I32, offsetof(struct limits, low),  LIMITS_LOW, NULL},
    {"high", JSON_U64, offsetof(struct limits, high), 0,          NULL},
};
static const struct json_shape limits_shape = {
    JSON_FIELDS(limit_fields),
    .size = sizeof(struct limits),
    .has_offset = offsetof(struct limits, has),
};
static const struct json_field port_fields[] = {
    {"number", JSON_U32, offsetof(struct port, number), JSON_REQUIRED, NULL},
};
static const struct json_shape port_shape = {
    JSON_FIELDS(port_fields),
    .size = sizeof(struct port),
    .list_max = 3,
};
static const struct json_field box_fields[] = {
    {"id",      JSON_STRING,  offsetof(struct box, id),      JSON_REQUIRED, NULL         },
    {"label",   JSON_TEXT,    offsetof(struct box, label),   0,             NULL         },
    {"open",    JSON_BOOL,    offsetof(struct box, open),    0,             NULL         },
    {"offset",  JSON_I64,     offsetof(struct box, offset),  BOX_OFFSET,    NULL         },
    {"limits",  JSON_OBJECT,  offsetof(struct box, limits),  0,             &limits_shape},
    {"inner",   JSON_INLINE,  offsetof(struct box, inner),   0,             &limits_shape},
    {"words",   JSON_STRINGS, offsetof(struct box, words),   BOX_WORDS,     NULL         },
    {"numbers", JSON_U32S,    offsetof(struct box, numbers), 0,             NULL         },
    {"ports",   JSON_LIST,    offsetof(struct box, ports),   0,             &port_shape  },
    {"byName",  JSON_MAP,     offsetof(struct box, by_name), 0,             &port_shape  },
    {"pairs",   JSON_PAIRS,   offsetof(struct box, pairs),   0,             NULL         },
};
static const struct json_shape box_shape = {
    JSON_FIELDS(box_fields),
    .size = sizeof(struct box),
    .has_offset = offsetof(struct box, has),
};

static struct arena arena;
static struct box box;
static struct sub_err err;

static int decode(const char *text)
{
    struct json_source source = {.name = "box.json", .text = text, .size = strlen(text)};

    arena_done(&arena);
    arena_init(&arena, ARENA_MAX_BYTES);
    sub_err_clear(&err);
    return json_decode(&arena, &source, &box_shape, NULL, &box, &err);
}

START_TEST(every_kind_of_field_is_filled)
{
    ck_ok(
        decode("{\"id\": \"a\\u00e9\\n\", \"label\": \"l\", \"open\": true, \"offset\": -7,"
               "\"limits\": {\"low\": -2147483648, \"high\": 18446744073709551615},"
               "\"inner\": {\"high\": 5}, \"words\": [\"x\", \"\"], \"numbers\": [0, 4294967295],"
               "\"ports\": [{\"number\": 1}, {\"number\": 2}],"
               "\"byName\": {\"http\": {\"number\": 80}}, \"pairs\": {\"k\": \"v\", \"\": \"e\"}}"),
        &err);
    ck_assert_str_eq(box.id, "a\xc3\xa9\n");
    ck_assert_str_eq(box.label, "l");
    ck_assert(box.open);
    ck_assert_int_eq(box.offset, -7);
    ck_assert_uint_eq(box.has, BOX_OFFSET | BOX_WORDS);
    ck_assert_int_eq(box.limits->low, INT32_MIN);
    ck_assert_uint_eq(box.limits->high, UINT64_MAX);
    ck_assert_uint_eq(box.limits->has, LIMITS_LOW);
    ck_assert_uint_eq(box.inner.high, 5);
    ck_assert_uint_eq(box.inner.has, 0);
    ck_assert_uint_eq(box.words.count, 2);
    ck_assert_str_eq(box.words.items[0], "x");
    ck_assert_str_eq(box.words.items[1], "");
    ck_assert_uint_eq(box.numbers.count, 2);
    ck_assert_uint_eq(box.numbers.items[1], UINT32_MAX);
    ck_assert_uint_eq(box.ports.count, 2);
    ck_assert_uint_eq(box.ports.items[1].number, 2);
    ck_assert_uint_eq(box.by_name.count, 1);
    ck_assert_str_eq(box.by_name.items[0].name, "http");
    ck_assert_uint_eq(box.by_name.items[0].number, 80);
    ck_assert_uint_eq(box.pairs.count, 2);
    ck_assert_str_eq(box.pairs.items[1].key, "");
    ck_assert_str_eq(box.pairs.items[1].value, "e");
}
END_TEST

/* The text of an object, its fields in the order of the rows, comes out again. */
static void check_written(const char *text)
{
    OWNED_BUF buf;
    struct json_writer writer;

    buf_init(&buf, 4096);
    json_writer_init(&writer, &buf, 0);
    ck_ok(decode(text), &err);
    json_encode(&writer, NULL, &box_shape, &box);
    ck_assert_str_eq(buf_text(&buf), text);
}

START_TEST(what_is_there_is_written_and_nothing_else)
{
    check_written("{\"id\":\"\",\"inner\":{\"high\":0}}");
    check_written("{\"id\":\"a\",\"label\":\"l\",\"open\":true,\"offset\":0,"
                  "\"limits\":{\"low\":-1,\"high\":18446744073709551615},"
                  "\"inner\":{\"low\":0,\"high\":5},\"words\":[],\"numbers\":[7],"
                  "\"ports\":[{\"number\":1}],\"byName\":{\"http\":{\"number\":80}},"
                  "\"pairs\":{\"k\":\"v\"}}");
}
END_TEST

START_TEST(absent_null_and_empty_are_told_apart)
{
    ck_ok(decode("{\"id\": \"\"}"), &err);
    ck_assert_str_eq(box.id, "");
    ck_assert_ptr_null(box.label);
    ck_assert_ptr_null(box.limits);
    ck_assert_uint_eq(box.has, 0);
    ck_ok(decode("{\"id\": \"\", \"label\": \"\", \"limits\": null, \"offset\": null,"
                 " \"words\": null}"),
          &err);
    ck_assert_ptr_null(box.label);
    ck_assert_ptr_null(box.limits);
    ck_assert_uint_eq(box.has, 0);
    ck_ok(decode("{\"id\": \"\", \"words\": [], \"offset\": 0, \"limits\": {}}"), &err);
    ck_assert_uint_eq(box.has, BOX_OFFSET | BOX_WORDS);
    ck_assert_uint_eq(box.words.count, 0);
    ck_assert_ptr_nonnull(box.limits);
}
END_TEST

START_TEST(a_list_grows_past_its_first_room)
{
    char text[4096] = "{\"id\": \"\", \"numbers\": [0";

    for (int i = 1; i < 500; i++)
        (void) snprintf(text + strlen(text), sizeof text - strlen(text), ",%d", i);
    strcat(text, "]}");
    ck_ok(decode(text), &err);
    ck_assert_uint_eq(box.numbers.count, 500);
    for (uint32_t i = 0; i < 500; i++)
        ck_assert_uint_eq(box.numbers.items[i], i);
}
END_TEST

START_TEST(a_wrong_type_names_position_path_and_both_types)
{
    ck_fails(decode("{\n  \"id\": \"x\",\n  \"limits\": {\"low\": \"5\"}\n}"), &err, EINVAL,
             "box.json:3:21: limits.low", "expected integer, got string");
    ck_fails(decode("{\"id\": \"x\", \"ports\": [{\"number\": 1}, {\"number\": {}}]}"), &err,
             EINVAL, "box.json:1:49: ports[1].number", "expected integer, got object");
    ck_fails(decode("{\"id\": \"x\", \"byName\": {\"a b\": {\"number\": true}}}"), &err, EINVAL,
             "box.json:1:42: byName['a b'].number", "expected integer, got boolean");
    ck_fails(decode("{\"id\": \"x\", \"pairs\": {\"k\\\"\": 5}}"), &err, EINVAL,
             "box.json:1:30: pairs['k\"']", "expected string, got number");
    ck_fails(decode("{\"id\": \"x\", \"words\": [\"a\", \"b\", null]}"), &err, EINVAL,
             "box.json:1:33: words[2]", "expected string, got null");
    ck_fails(decode("{\"id\": [\"q\\\"\\\\\"]}"), &err, EINVAL, "box.json:1:8: id",
             "expected string, got array");
    ck_fails(decode("{\"id\": \"x\", \"open\": \"a \\\" b\"}"), &err, EINVAL, "box.json:1:21: open",
             "expected boolean, got string");
}
END_TEST

START_TEST(only_whole_numbers_within_the_type_are_taken)
{
    ck_fails(decode("{\"id\": \"\", \"inner\": {\"high\": 18446744073709551616}}"), &err, EINVAL,
             "box.json:1:30: inner.high",
             "expected integer from 0 to 18446744073709551615, got 18446744073709551616");
    ck_fails(decode("{\"id\": \"\", \"inner\": {\"low\": -2147483649}}"), &err, EINVAL,
             "box.json:1:29: inner.low",
             "expected integer from -2147483648 to 2147483647, got -2147483649");
    ck_fails(decode("{\"id\": \"\", \"numbers\": [-1]}"), &err, EINVAL, "box.json:1:24: numbers[0]",
             "expected integer from 0 to 4294967295, got -1");
    ck_fails(decode("{\"id\": \"\", \"offset\": -0}"), &err, EINVAL, "box.json:1:22: offset",
             "expected integer, got -0");
    ck_fails(decode("{\"id\": \"\", \"offset\": 1.0}"), &err, EINVAL, "box.json:1:22: offset",
             "expected integer, got 1.0");
    ck_fails(decode("{\"id\": \"\", \"offset\": 1.0000000000000000000000000}"), &err, EINVAL,
             "box.json:1:22: offset", "expected integer, got 1.0000000000000000000000");
    ck_fails(decode("{\"id\": \"\", \"offset\": 2E2}"), &err, EINVAL, "box.json:1:22: offset",
             "expected integer, got 2E2");
}
END_TEST

START_TEST(a_mandatory_field_must_be_there_and_not_null)
{
    ck_fails(decode("{}"), &err, EINVAL, "box.json:1:2: id", "mandatory field is missing");
    ck_fails(decode("{\"id\": null}"), &err, EINVAL, "box.json:1:8: id",
             "expected string, got null");
    ck_fails(decode("{\"id\": \"\", \"ports\": [{}]}"), &err, EINVAL,
             "box.json:1:23: ports[0].number", "mandatory field is missing");
}
END_TEST

START_TEST(a_key_may_stand_once)
{
    ck_fails(decode("{\"id\": \"\", \"open\": true, \"open\": true}"), &err, EINVAL,
             "box.json:1:26: open", "duplicate key");
    ck_fails(decode("{\"id\": \"\", \"pairs\": {\"a\": \"\", \"b\": \"\", \"a\": \"\"}}"), &err,
             EINVAL, "box.json:1:47: pairs['a']", "duplicate key");
    ck_fails(decode("{\"id\": \"\", \"byName\": {\"a\": {\"number\": 1}, \"a\": {\"number\": 1}}}"),
             &err, EINVAL, "box.json:1:61: byName['a']", "duplicate key");
    ck_fails(decode("{\"id\": \"\", \"\\u0069d\": \"\"}"), &err, EINVAL, "box.json:1:12: id",
             "duplicate key");
}
END_TEST

START_TEST(a_list_has_a_maximum)
{
    ck_ok(decode("{\"id\": \"\", \"ports\": [{\"number\":1},{\"number\":1},{\"number\":1}]}"),
          &err);
    ck_fails(decode("{\"id\":\"\",\"ports\":[{\"number\":1},{\"number\":1},{\"number\":1},{}]}"),
             &err, EINVAL, "box.json:1:58: ports[3]", "too many entries, at most 3 are allowed");
}
END_TEST

static char debug_text[400];

static void remember(const char *text)
{
    (void) snprintf(debug_text, sizeof debug_text, "%s", text);
}

START_TEST(an_unknown_key_is_skipped_whole_with_a_debug_line)
{
    log_set_sink(remember);
    ck_ok(decode("{\"x\": {\"id\": [1, {\"id\": 5}], \"id\": 7}, \"inner\": {\"y\": 1.5},"
                 " \"id\": \"i\"}"),
          &err);
    log_set_sink(NULL);
    ck_assert_str_eq(box.id, "i");
    ck_assert_str_eq(debug_text, "box.json:1:50: inner: unknown key 'y' ignored");
    /* what is skipped must still be JSON */
    ck_fails(decode("{\"x\": {\"y\" 5}, \"id\": \"i\"}"), &err, EINVAL, "box.json:1:12",
             "expected ':' behind the key");
}
END_TEST

START_TEST(nesting_ends_at_64_levels_known_or_not)
{
    char text[300] = "{\"id\": \"\", \"x\": ";

    memset(text + strlen(text), '[', 63);
    memset(text + strlen(text), ']', 63);
    strcat(text, "}");
    ck_ok(decode(text), &err);

    char deeper[300] = "{\"id\": \"\", \"x\": ";
    memset(deeper + strlen(deeper), '[', 64);
    ck_fails(decode(deeper), &err, EINVAL, "box.json:1:80",
             "nested too deeply, at most 64 levels are allowed");
}
END_TEST

START_TEST(all_wrong_fields_are_told_when_findings_are_asked_for)
{
    static const char text[] = "{\"id\": 1, \"open\": 2, \"inner\": {\"low\": []}, \"words\": {}}";
    struct json_source source = {"f", text, strlen(text), "process"};
    struct findings findings;

    arena_init(&arena, ARENA_MAX_BYTES);
    findings_init(&findings, &arena);
    ck_fails(json_decode(&arena, &source, &box_shape, &findings, &box, &err), &err, EINVAL,
             "f:1:8: process.id", "expected string, got number");
    ck_assert_uint_eq(findings.error_count, 4);
    ck_assert_str_eq(findings.errors[2].path, "f:1:39: process.inner.low");
    ck_assert_str_eq(findings.errors[3].text, "expected array, got object");
}
END_TEST

START_TEST(a_failure_leaves_the_object_alone)
{
    ck_ok(decode("{\"id\": \"kept\"}"), &err);

    struct box before = box;
    const char text[] = "{\"id\": \"other\"";
    struct json_source source = {"f", text, strlen(text), NULL};

    ck_assert_int_eq(json_decode(&arena, &source, &box_shape, NULL, &box, NULL), -EINVAL);
    ck_assert_mem_eq(&before, &box, sizeof box);
}
END_TEST

START_TEST(a_full_arena_is_an_error_of_its_own)
{
    static const char text[] = "{\"id\": \"x\", \"words\": [\"a\"]}";
    struct json_source source = {"f", text, strlen(text), NULL};
    struct arena small;

    arena_init(&small, 100);
    ck_fails(json_decode(&small, &source, &box_shape, NULL, &box, &err), &err, ENOMEM, "f:1:1",
             "too large: out of memory");
    arena_done(&small);
}
END_TEST

START_TEST(text_that_is_no_json_is_refused_with_line_and_column)
{
    static const struct {
        const char *text, *path, *message;
    } rows[] = {
        {"",                               "box.json:1:1",  "empty file, expected a JSON object"           },
        {"{\"id\": \"x\"",                 "box.json:1:11", "the text ends too early, expected more JSON"  },
        {"{\"id\": \"x\"}\n]",             "box.json:2:1",  "more text behind the JSON object"             },
        {"{\"id\": \"x\",}",               "box.json:1:12", "expected a key in double quotes here"         },
        {"{\"id\": 'x'}",                  "box.json:1:8",  "invalid character, expected JSON"             },
        {"{\"id\": \"\\x\"}",              "box.json:1:10", "unknown escape in a string"                   },
        {"{\"id\": \"\\u12g4\"}",          "box.json:1:13", "expected four hexadecimal digits behind '\\u'"},
        {"{\"id\": \"a\tb\"}",             "box.json:1:10",
         "control character in a string, expected \\n or the like"                                         },
        {"{\"id\": ,}",                    "box.json:1:8",  "expected a value here"                        },
        {"{\"words\": [\"a\" \"b\"]}",     "box.json:1:16", "expected ',' or ']' here"                     },
        {"{\"open\": nul}",                "box.json:1:10", "unknown word, expected true, false or null"   },
        {"\xef\xbb\xbf{}",                 "box.json:1:1",  "byte order mark, expected JSON without one"   },
        {"{\"id\": \"\xc0\xaf\"}",         "box.json:1:9",  "invalid UTF-8"                                },
        {"{\"id\": \"\xf4\x90\x80\x80\"}", "box.json:1:9",  "invalid UTF-8"                                },
        {"{\"id\": \"\xe2\x82\"}",         "box.json:1:9",  "invalid UTF-8"                                },
        {"{\"id\": \"\\ud83d\\ud83d\"}",   "box.json:1:9",
         "half of a surrogate pair, expected \\uD800-\\uDBFF before \\uDC00-\\uDFFF"                       },
        {"{\"id\": \"\\ud83d\\u0041\"}",   "box.json:1:9",
         "half of a surrogate pair, expected \\uD800-\\uDBFF before \\uDC00-\\uDFFF"                       },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_fails(decode(rows[i].text), &err, EINVAL, rows[i].path, rows[i].message);
}
END_TEST

START_TEST(an_escaped_backslash_before_u_is_no_escape)
{
    ck_ok(decode("{\"id\": \"\\\\ud800 \\ud83d\\ude00\"}"), &err);
    ck_assert_str_eq(box.id, "\\ud800 \xf0\x9f\x98\x80");
}
END_TEST

START_TEST(a_long_file_name_is_cut_at_its_start)
{
    static const char name[] = "/a/very/long/path/of/many/folders/that/ends/in/process.json";
    struct json_source source = {name, "[]", 2, NULL};

    arena_init(&arena, ARENA_MAX_BYTES);
    ck_fails(json_decode(&arena, &source, &box_shape, NULL, &box, &err), &err, EINVAL,
             "...f/many/folders/that/ends/in/process.json:1:1", "expected object, got array");
}
END_TEST

SUITE(decode_suite, every_kind_of_field_is_filled, what_is_there_is_written_and_nothing_else,
      absent_null_and_empty_are_told_apart, a_list_grows_past_its_first_room,
      a_wrong_type_names_position_path_and_both_types, only_whole_numbers_within_the_type_are_taken,
      a_mandatory_field_must_be_there_and_not_null, a_key_may_stand_once, a_list_has_a_maximum,
      an_unknown_key_is_skipped_whole_with_a_debug_line, nesting_ends_at_64_levels_known_or_not,
      all_wrong_fields_are_told_when_findings_are_asked_for, a_failure_leaves_the_object_alone,
      a_full_arena_is_an_error_of_its_own, text_that_is_no_json_is_refused_with_line_and_column,
      an_escaped_backslash_before_u_is_no_escape, a_long_file_name_is_cut_at_its_start)
