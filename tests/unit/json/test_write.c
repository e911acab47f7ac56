/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/buf.h"
#include "sublet/json.h"

#include "runner.h"

static void write_sample(struct json_writer *writer)
{
    json_write_object(writer, NULL);
    json_write_string(writer, "id", "a");
    json_write_array(writer, "list");
    json_write_i64(writer, NULL, INT64_MIN);
    json_write_u64(writer, NULL, UINT64_MAX);
    json_write_object(writer, NULL);
    json_write_end(writer);
    json_write_end(writer);
    json_write_array(writer, "empty");
    json_write_end(writer);
    json_write_bool(writer, "open", true);
    json_write_null(writer, "none");
    json_write_end(writer);
}

START_TEST(compact_text_has_no_blank)
{
    OWNED_BUF buf;
    struct json_writer writer;

    buf_init(&buf, 4096);
    json_writer_init(&writer, &buf, 0);
    write_sample(&writer);
    ck_assert_str_eq(buf_text(&buf),
                     "{\"id\":\"a\",\"list\":[-9223372036854775808,18446744073709551615,{}],"
                     "\"empty\":[],\"open\":true,\"none\":null}");
}
END_TEST

START_TEST(indented_text_has_one_entry_a_line)
{
    OWNED_BUF buf;
    struct json_writer writer;

    buf_init(&buf, 4096);
    json_writer_init(&writer, &buf, 2);
    write_sample(&writer);
    ck_assert_str_eq(buf_text(&buf), "{\n"
                                     "  \"id\": \"a\",\n"
                                     "  \"list\": [\n"
                                     "    -9223372036854775808,\n"
                                     "    18446744073709551615,\n"
                                     "    {}\n"
                                     "  ],\n"
                                     "  \"empty\": [],\n"
                                     "  \"open\": true,\n"
                                     "  \"none\": null\n"
                                     "}");
}
END_TEST

START_TEST(what_could_speak_to_a_terminal_is_escaped)
{
    OWNED_BUF buf;
    struct json_writer writer;

    buf_init(&buf, 4096);
    json_writer_init(&writer, &buf, 0);
    json_write_string(&writer, NULL, "a\"b\\c\n\t\r\b\f\x01\x1b[31m\x7f/\xc3\xa9");
    ck_assert_str_eq(buf_text(&buf),
                     "\"a\\\"b\\\\c\\n\\t\\r\\b\\f\\u0001\\u001b[31m\\u007f/\xc3\xa9\"");
}
END_TEST

START_TEST(bytes_that_are_no_utf8_become_the_replacement_character)
{
    OWNED_BUF buf;
    struct json_writer writer;

    buf_init(&buf, 4096);
    json_writer_init(&writer, &buf, 0);
    json_write_string(&writer, NULL,
                      "\xff"
                      "a\xe2\x82"
                      "b\xed\xa0\x80\xf0\x9f\x98\x80\xc3");
    ck_assert_str_eq(buf_text(&buf),
                     "\"\xef\xbf\xbd"
                     "a\xef\xbf\xbd\xef\xbf\xbd"
                     "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xf0\x9f\x98\x80\xef\xbf\xbd\"");
}
END_TEST

START_TEST(a_full_buffer_is_noticed_once_at_the_end)
{
    OWNED_BUF buf;
    struct json_writer writer;

    buf_init(&buf, 20);
    json_writer_init(&writer, &buf, 0);
    write_sample(&writer);
    ck_assert(buf_failed(&buf));
}
END_TEST

START_TEST(hundredths_are_written_with_two_decimals)
{
    OWNED_BUF buf = BUF(4096);
    struct json_writer writer;

    json_writer_init(&writer, &buf, 0);
    json_write_array(&writer, NULL);
    json_write_centi(&writer, NULL, 0);
    json_write_centi(&writer, NULL, 5);
    json_write_centi(&writer, NULL, 1234);
    json_write_centi(&writer, NULL, UINT64_MAX);
    json_write_end(&writer);
    ck_assert_str_eq(buf_text(&buf), "[0.00,0.05,12.34,184467440737095516.15]");
}
END_TEST

SUITE(write_suite, hundredths_are_written_with_two_decimals, compact_text_has_no_blank,
      indented_text_has_one_entry_a_line, what_could_speak_to_a_terminal_is_escaped,
      bytes_that_are_no_utf8_become_the_replacement_character,
      a_full_buffer_is_noticed_once_at_the_end)
