/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sublet/base/arena.h"
#include "sublet/base/fd.h"
#include "sublet/base/warn.h"
#include "sublet/spec.h"

#include "runner.h"

static char folder[] = "/tmp/sublet-spec-XXXXXX";
static int folder_fd = -EBADF;
static struct arena arena;
static const struct spec *spec;
static struct sub_err err;

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    arena_init(&arena, ARENA_MAX_BYTES);
    spec = NULL;
}

static void remove_folder(void)
{
    (void) unlinkat(folder_fd, "config.json", 0);
    (void) unlinkat(folder_fd, "config.json", AT_REMOVEDIR);
    (void) unlinkat(folder_fd, "other.json", 0);
    sub_close(&folder_fd);
    ck_assert_int_eq(rmdir(folder), 0);
    arena_done(&arena);
}

static void write_file(const char *name, const char *text, off_t size)
{
    OWNED_FD fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    ck_assert_int_eq(sub_write_all(fd, text, strlen(text)), 0);
    if (size > 0)
        ck_assert_int_eq(ftruncate(fd, size), 0);
}

static int load(const char *file)
{
    sub_err_clear(&err);
    return spec_load(&arena, folder_fd, file, NULL, &spec, &err);
}

START_TEST(the_file_is_config_json_unless_another_is_named)
{
    make_folder();
    write_file("config.json", "{\"ociVersion\": \"1.0.0\"}", 0);
    write_file("other.json", "{\"ociVersion\": \"1.1.0\"}", 0);
    ck_ok(load(NULL), &err);
    ck_assert_str_eq(spec->oci_version, "1.0.0");
    ck_ok(load("other.json"), &err);
    ck_assert_str_eq(spec->oci_version, "1.1.0");
    remove_folder();
}
END_TEST

START_TEST(a_missing_file_is_named)
{
    make_folder();
    ck_fails(load(NULL), &err, ENOENT, "config.json", "cannot open: No such file or directory");
    ck_assert_ptr_null(spec);
    remove_folder();
}
END_TEST

START_TEST(only_a_regular_file_is_read)
{
    make_folder();
    ck_assert_int_eq(mkdirat(folder_fd, "config.json", 0755), 0);
    ck_fails(load(NULL), &err, EINVAL, "config.json", "not a regular file");
    ck_assert_int_eq(unlinkat(folder_fd, "config.json", AT_REMOVEDIR), 0);

    ck_assert_int_eq(mkfifoat(folder_fd, "config.json", 0644), 0);
    ck_fails(load(NULL), &err, EINVAL, "config.json", "not a regular file");
    ck_assert_int_eq(unlinkat(folder_fd, "config.json", 0), 0);

    ck_assert_int_eq(symlinkat("/dev/zero", folder_fd, "config.json"), 0);
    ck_fails(load(NULL), &err, ELOOP, "config.json", "symbolic link, expected a regular file");
    ck_fails(load("/dev/zero"), &err, EINVAL, "/dev/zero", "not a regular file");
    remove_folder();
}
END_TEST

START_TEST(the_size_has_a_maximum)
{
    make_folder();
    write_file("config.json", "{", (off_t) SPEC_MAX_BYTES + 1);
    ck_fails(load(NULL), &err, EFBIG, "config.json",
             "16777217 bytes, at most 16777216 are allowed");
    remove_folder();
}
END_TEST

START_TEST(an_empty_file_is_told_so)
{
    make_folder();
    write_file("config.json", "", 0);
    ck_fails(load(NULL), &err, EINVAL, "config.json:1:1", "empty file, expected a JSON object");
    remove_folder();
}
END_TEST

SUITE(load_suite, the_file_is_config_json_unless_another_is_named, a_missing_file_is_named,
      only_a_regular_file_is_read, the_size_has_a_maximum, an_empty_file_is_told_so)
