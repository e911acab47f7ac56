/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/corpus: NAME.json is a config, NAME.expect what is said about it, one finding a line
 * ("warning: " before a warning, "ok" where nothing is refused). The number is the row of the list
 * of malformed input that the file comes from. CORPUS_UPDATE=1 in the environment writes the
 * .expect files anew: read the difference before it is committed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/fd.h"
#include "sublet/base/warn.h"
#include "sublet/spec.h"

#include "runner.h"

#define CORPUS TEST_DIR "/corpus"

static int is_config(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

/* What one config makes the spec room say. */
static void describe(const char *name, struct buf *said)
{
    struct findings findings;
    struct sub_err err = {0};
    struct spec *spec = NULL;
    OWNED_MEM char *text = NULL;
    size_t size;
    OWNED_ARENA arena;
    OWNED_FD dir = open(CORPUS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    arena_init(&arena, ARENA_MAX_BYTES);
    findings_init(&findings, &arena);
    ck_ok(sub_load_file_at(dir, name, SPEC_MAX_BYTES, &text, &size, &err), &err);

    int rc = spec_parse(&arena, SPEC_FILE, text, size, &findings, &spec, &err);
    ck_assert_msg((rc < 0) == (findings.error_count > 0), "%s: rc %d and %zu errors", name, rc,
                  findings.error_count);
    if (rc == 0)
        rc = spec_check(spec, &findings);
    ck_assert_int_eq(rc, findings.error_count > 0 ? -EINVAL : 0);

    for (size_t i = 0; i < findings.error_count && i < FINDINGS_MAX; i++)
        buf_printf(said, "%s: %s\n", findings.errors[i].path, findings.errors[i].text);
    if (rc == 0)
        buf_puts(said, "ok\n");
    for (size_t i = 0; i < findings.warning_count && i < FINDINGS_MAX; i++)
        buf_printf(said, "warning: %s: %s\n", findings.warnings[i].path, findings.warnings[i].text);
}

static bool is_as_expected(const char *name)
{
    OWNED_BUF said;
    OWNED_MEM char *expected = NULL;
    char file[300];
    size_t size;
    struct sub_err err = {0};
    OWNED_FD dir = open(CORPUS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    buf_init(&said, 1 << 20);
    describe(name, &said);
    (void) snprintf(file, sizeof file, "%.*s.expect", (int) (strlen(name) - 5), name);
    if (secure_getenv("CORPUS_UPDATE") != NULL) {
        OWNED_FD fd = openat(dir, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        ck_assert_int_eq(sub_write_all(fd, buf_text(&said), said.length), 0);
    }
    ck_ok(sub_load_file_at(dir, file, 1 << 20, &expected, &size, &err), &err);
    if (strcmp(expected, buf_text(&said)) == 0)
        return true;
    fprintf(stderr, "%s\n  expected: %s  said:     %s", name, expected, buf_text(&said));
    return false;
}

START_TEST(every_config_of_the_corpus_gets_its_exact_messages)
{
    struct dirent **entries = NULL;
    int count = scandir(CORPUS, &entries, is_config, alphasort);
    int wrong = 0;

    ck_assert_int_ge(count, 390);
    for (int i = 0; i < count; i++) {
        wrong += !is_as_expected(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    ck_assert_msg(wrong == 0, "%d of %d configs", wrong, count);
}
END_TEST

static void encode_file(const char *name, struct arena *arena, struct buf *first, bool *ret_read)
{
    OWNED_FD dir = open(CORPUS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct spec *spec;
    struct sub_err err = {0};

    *ret_read = spec_load(arena, dir, name, NULL, &spec, &err) == 0;
    if (*ret_read)
        ck_assert_int_eq(spec_encode(spec, first), 0);
}

START_TEST(what_was_read_and_written_reads_and_writes_the_same)
{
    struct dirent **entries = NULL;
    int count = scandir(CORPUS, &entries, is_config, alphasort);
    int tested = 0;

    for (int i = 0; i < count; i++) {
        OWNED_ARENA arena;
        OWNED_BUF first, second;
        struct sub_err err = {0};
        struct spec *spec;
        bool was_read;

        arena_init(&arena, ARENA_MAX_BYTES);
        buf_init(&first, SPEC_MAX_BYTES);
        buf_init(&second, SPEC_MAX_BYTES);
        encode_file(entries[i]->d_name, &arena, &first, &was_read);
        free(entries[i]);
        if (!was_read)
            continue;
        ck_ok(spec_parse(&arena, "again", buf_text(&first), first.length, NULL, &spec, &err), &err);
        ck_assert_int_eq(spec_encode(spec, &second), 0);
        ck_assert_str_eq(buf_text(&first), buf_text(&second));
        tested++;
    }
    free(entries);
    ck_assert_int_ge(tested, 200);
}
END_TEST

SUITE(corpus_suite, every_config_of_the_corpus_gets_its_exact_messages,
      what_was_read_and_written_reads_and_writes_the_same)
