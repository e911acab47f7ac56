/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/fd.h"
#include "sublet/base/warn.h"

#include "runner.h"

START_TEST(an_arena_refuses_to_pass_its_ceiling)
{
    OWNED_ARENA arena;

    arena_init(&arena, 64 << 10);
    ck_assert_ptr_nonnull(arena_alloc(&arena, 40 << 10));
    ck_assert(!arena_failed(&arena));
    ck_assert_ptr_null(arena_alloc(&arena, 40 << 10));
    ck_assert(arena_failed(&arena));
    ck_assert_ptr_null(arena_array(&arena, SIZE_MAX / 2, 4));
}
END_TEST

START_TEST(a_full_buffer_fails_as_a_whole)
{
    OWNED_BUF buf;

    buf_init(&buf, 10);
    buf_puts(&buf, "12345");
    buf_printf(&buf, "%d", 678);
    ck_assert_str_eq(buf_text(&buf), "12345678");
    buf_puts(&buf, "9abc");
    ck_assert(buf_failed(&buf));
    ck_assert_str_eq(buf_text(&buf), "");
}
END_TEST

START_TEST(a_closed_owner_keeps_errno_and_disarms)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    errno = ENOENT;
    sub_close(&fd);
    ck_assert_int_eq(fd, -EBADF);
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(only_regular_files_are_loaded)
{
    struct sub_err err = {0};
    char *text = NULL;
    size_t size;

    ck_fails(sub_load_file_at(AT_FDCWD, "/dev/zero", 100, &text, &size, &err), &err, EINVAL,
             "/dev/zero", "not a regular file");
    ck_assert_ptr_null(text);
}
END_TEST

START_TEST(findings_are_counted_past_their_maximum)
{
    OWNED_ARENA arena;
    struct findings found;
    struct sub_err err = {0};

    arena_init(&arena, 1 << 20);
    findings_init(&found, &arena);
    for (int i = 0; i < FINDINGS_MAX + 5; i++)
        findings_error(&found, "a", "bad %d", i);
    ck_assert_uint_eq(found.error_count, FINDINGS_MAX + 5);
    ck_fails(findings_result(&found, &err), &err, EINVAL, "a", "bad 0");
}
END_TEST

SUITE(memory_suite, an_arena_refuses_to_pass_its_ceiling, a_full_buffer_fails_as_a_whole,
      a_closed_owner_keeps_errno_and_disarms, only_regular_files_are_loaded,
      findings_are_counted_past_their_maximum)
