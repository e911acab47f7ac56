/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sublet/base/buf.h"

#include "../../../src/cli/say.h"
#include "runner.h"

static void escapes(const char *text, const char *want)
{
    OWNED_BUF buf = BUF(4096);

    say_escape(&buf, text);
    ck_assert_str_eq(buf_text(&buf), want);
}

START_TEST(plain_text_and_utf8_pass)
{
    escapes("mounts[3]: 'x'\\ ~", "mounts[3]: 'x'\\ ~");
    escapes("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
}
END_TEST

START_TEST(nothing_reaches_the_terminal_as_a_command)
{
    escapes("a\x1b[31mb\x7f\tc", "a\\x1b[31mb\\x7f\\x09c");
    escapes("two\nlines\r", "two\\nlines\\x0d");
    escapes("\xc2\x9b"
            "31m",
            "\\xc2\\x9b31m");
}
END_TEST

START_TEST(bytes_that_are_no_utf8_are_shown_as_numbers)
{
    escapes("\xff\xfe", "\\xff\\xfe");
    escapes("\xc0\xaf", "\\xc0\\xaf");
    escapes("\xe0\x80\xaf", "\\xe0\\x80\\xaf");
    escapes("\xed\xa0\x80", "\\xed\\xa0\\x80");
    escapes("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
    escapes("\xe2\x82", "\\xe2\\x82");
    escapes("\xc3", "\\xc3");
}
END_TEST

SUITE(say_suite, plain_text_and_utf8_pass, nothing_reaches_the_terminal_as_a_command,
      bytes_that_are_no_utf8_are_shown_as_numbers)
