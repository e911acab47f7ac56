/* SPDX-License-Identifier: Apache-2.0 */
/* Expected values come from an independent implementation (Python's hashlib.blake2b). */
#include <string.h>

#include "sublet/base/digest.h"

#include "runner.h"

static const char *digest_of(const void *data, size_t size)
{
    static char text[DIGEST_TEXT];
    uint8_t bytes[DIGEST_BYTES];
    struct digest digest;

    digest_init(&digest);
    digest_add(&digest, data, size);
    digest_finish(&digest, bytes);
    return digest_format(bytes, text);
}

START_TEST(short_texts_have_the_known_digests)
{
    ck_assert_str_eq(digest_of("", 0),
                     "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    ck_assert_str_eq(digest_of("abc", 3),
                     "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}
END_TEST

START_TEST(whole_blocks_and_one_byte_more_differ_rightly)
{
    char text[DIGEST_BLOCK + 1];

    memset(text, 'a', sizeof text);
    ck_assert_str_eq(digest_of(text, DIGEST_BLOCK),
                     "ae2aa48507885c4c950fb809b2076f959cde9f8ea6da260d9a3587df33dac450");
    ck_assert_str_eq(digest_of(text, DIGEST_BLOCK + 1),
                     "2f64744a6de0d2c0b56e64cf6e29a5aaa255010d415d51c75ccc82f73dccd865");
}
END_TEST

START_TEST(every_length_up_to_three_blocks_is_right)
{
    uint8_t text[400], bytes[DIGEST_BYTES];
    char hex[DIGEST_TEXT];
    struct digest outer, inner;

    digest_init(&outer);
    for (size_t length = 0; length < sizeof text; length++) {
        for (size_t i = 0; i < length; i++)
            text[i] = (uint8_t) (i * 7 + length);
        digest_init(&inner);
        digest_add(&inner, text, length);
        digest_finish(&inner, bytes);
        digest_add(&outer, bytes, sizeof bytes);
    }
    digest_finish(&outer, bytes);
    ck_assert_str_eq(digest_format(bytes, hex),
                     "572bd539561f06dca618135ff160af2837166b8e45fa64e327a46d3c0d76c3ad");
}
END_TEST

START_TEST(the_size_of_the_pieces_does_not_matter)
{
    uint8_t text[10240], bytes[DIGEST_BYTES];
    char hex[DIGEST_TEXT];
    struct digest digest;

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t) i;
    digest_init(&digest);
    for (size_t at = 0, part = 1; at < sizeof text; at += part, part = part * 3 % 257 + 1)
        digest_add(&digest, text + at, part < sizeof text - at ? part : sizeof text - at);
    digest_finish(&digest, bytes);
    ck_assert_str_eq(digest_format(bytes, hex),
                     "1ed0d7616785400ccd2dc0ba224e13482b6120adff1b9cd7fb31be806b6892d1");
}
END_TEST

SUITE(digest_suite, short_texts_have_the_known_digests,
      whole_blocks_and_one_byte_more_differ_rightly, every_length_up_to_three_blocks_is_right,
      the_size_of_the_pieces_does_not_matter)
