/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sublet/base/fd.h"

#include "profiles.h"
#include "runner.h"

#define FILES_MAX 64 /* CACHE_FILES_MAX */

static char folder[64];
static int folder_fd = -1;

static void folder_make(void)
{
    snprintf(folder, sizeof folder, "/tmp/test-priv-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(folder_fd, 0);
}

/* Calls back for every file and returns how many there are. */
static size_t each_file(void (*visit)(const char *name))
{
    DIR *dir = opendir(folder);
    size_t count = 0;

    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        if (visit != NULL)
            visit(entry->d_name);
    }
    closedir(dir);
    return count;
}

static void remove_file(const char *name)
{
    ck_assert_int_eq(unlinkat(folder_fd, name, 0), 0);
}

static void folder_remove(void)
{
    each_file(remove_file);
    close(folder_fd);
    ck_assert_int_eq(rmdir(folder), 0);
}

static const char *const names[] = {"read", "write", "exit_group"};
static const struct plan_seccomp_arg args[] = {
    {.index = 1, .op = PLAN_CMP_EQ, .value = 3, .value_two = 4}
};
static const struct plan_seccomp_rule rules[] = {
    {.json = "r0",    .names = names, .name_count = 2, .action = ALLOW},
    { .json = "r1",
     .names = names + 2,
     .name_count = 1,
     .action = ERRNO(7),
     .args = args,
     .arg_count = 1}
};
static const uint32_t archs[] = {PLAN_SECCOMP_ARCH_X32};
static const struct plan_seccomp small = {.default_action = ERRNO(EPERM),
                                          .archs = archs,
                                          .arch_count = 1,
                                          .rules = rules,
                                          .rule_count = 2};

/* Compiles with the cache; the program must be the one that is made without. */
static bool comes_from_cache(const struct plan_seccomp *seccomp)
{
    OWNED_FILTER fresh = compiled(seccomp);
    OWNED_FILTER filter = {.code = NULL};
    struct sub_err err = {0};

    ck_ok(priv_filter_compile(seccomp, folder_fd, &filter, &err), &err);
    ck_assert_uint_eq(filter.count, fresh.count);
    ck_assert_mem_eq(filter.code, fresh.code, fresh.count * 8);
    ck_assert(!fresh.from_cache);
    return filter.from_cache;
}

START_TEST(the_second_time_a_filter_comes_from_the_cache)
{
    ck_assert(!comes_from_cache(&small));
    ck_assert(comes_from_cache(&small));
    ck_assert_uint_eq(each_file(NULL), 1);
}
END_TEST

static char the_file[300];

static void note_file(const char *name)
{
    snprintf(the_file, sizeof the_file, "%s/%s", folder, name);
}

START_TEST(a_cache_file_is_private_and_small)
{
    struct stat status;

    ck_assert(!comes_from_cache(&small));
    each_file(note_file);
    ck_assert_int_eq(stat(the_file, &status), 0);
    ck_assert_uint_eq(status.st_mode, S_IFREG | 0600);
    ck_assert_int_lt(status.st_size, 2048);
}
END_TEST

/* --- every part of the section is in the key ----------------------------------------------------
 */

struct copy {
    struct plan_seccomp_rule rules[3];
    struct plan_seccomp_arg args[2];
    const char *names[4];
    uint32_t archs[2];
    struct plan_seccomp seccomp;
};

static void copy_make(struct copy *copy)
{
    memcpy(copy->rules, rules, sizeof rules);
    memcpy(copy->args, args, sizeof args);
    memcpy(copy->names, names, sizeof names);
    memcpy(copy->archs, archs, sizeof archs);
    copy->rules[0].names = copy->names;
    copy->rules[1].names = copy->names + 2;
    copy->rules[1].args = copy->args;
    copy->rules[2] = rules[0];
    copy->args[1] = (struct plan_seccomp_arg){.index = 2, .op = PLAN_CMP_EQ, .value = 9};
    copy->names[3] = "close";
    copy->archs[1] = 0x40000003; /* i386 */
    copy->seccomp = small;
    copy->seccomp.rules = copy->rules;
    copy->seccomp.archs = copy->archs;
}

static void change(struct copy *copy, int what)
{
    uint32_t *numbers[] = {&copy->seccomp.default_action, &copy->rules[0].action,
                           &copy->rules[1].action, &copy->args[0].index};
    uint64_t *values[] = {&copy->args[0].value, &copy->args[0].value_two};
    size_t *counts[] = {&copy->seccomp.arch_count, &copy->rules[1].arg_count,
                        &copy->rules[1].name_count, &copy->seccomp.rule_count};

    if (what < 4)
        *numbers[what] ^= what == 1 ? ALLOW ^ ERRNO(9) : 3;
    else if (what < 6)
        *values[what - 4] += UINT64_C(1) << 40;
    else if (what < 10)
        *counts[what - 6] += 1;
    else if (what == 10)
        copy->args[0].op = PLAN_CMP_GE;
    else if (what == 11)
        copy->names[0] = "open";
    else if (what == 12)
        copy->archs[0] = 0x40000003;
    else if (what == 13)
        copy->rules[1].arg_count = 0;
    else
        copy->seccomp.flags = 2;
}

START_TEST(a_change_of_any_part_of_the_section_is_another_filter)
{
    struct copy copy;

    ck_assert(!comes_from_cache(&small));
    copy_make(&copy);
    ck_assert(comes_from_cache(&copy.seccomp));
    for (int what = 0; what < 15; what++) {
        copy_make(&copy);
        change(&copy, what);
        ck_assert_msg(!comes_from_cache(&copy.seccomp), "change %d went unnoticed", what);
        ck_assert(comes_from_cache(&copy.seccomp));
    }
    ck_assert_uint_eq(each_file(NULL), 16);
}
END_TEST

START_TEST(text_that_moves_between_names_is_another_filter)
{
    static const char *const one[] = {"dup", "dup2"};
    static const char *const other[] = {"dupd", "up2"};
    struct copy copy;

    copy_make(&copy);
    copy.rules[0].names = one;
    ck_assert(!comes_from_cache(&copy.seccomp));
    copy.rules[0].names = other;
    ck_assert(!comes_from_cache(&copy.seccomp));
}
END_TEST

START_TEST(the_sockets_path_does_not_matter)
{
    static const char *const paths[] = {"/run/a", "/run/b"};
    struct copy copy;

    copy_make(&copy);
    copy.rules[0].action = SECCOMP_RET_USER_NOTIF;
    copy.seccomp.listener_path = paths[0];
    ck_assert(!comes_from_cache(&copy.seccomp));
    copy.seccomp.listener_path = paths[1];
    ck_assert(comes_from_cache(&copy.seccomp));
}
END_TEST

/* --- damage ------------------------------------------------------------------------------------
 */

START_TEST(a_damaged_file_is_made_again_wherever_the_damage_is)
{
    struct stat status;

    ck_assert(!comes_from_cache(&small));
    each_file(note_file);
    ck_assert_int_eq(stat(the_file, &status), 0);
    for (off_t at = 0; at < status.st_size; at += at < 48 ? 1 : 13) {
        unsigned char byte;
        int fd = open(the_file, O_RDWR | O_CLOEXEC);

        ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
        byte ^= 0x10;
        ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
        close(fd);
        ck_assert_msg(!comes_from_cache(&small), "damage at byte %ld went unnoticed", (long) at);
        ck_assert(comes_from_cache(&small));
    }
}
END_TEST

START_TEST(a_file_that_is_cut_or_longer_is_made_again)
{
    struct stat status;

    ck_assert(!comes_from_cache(&small));
    each_file(note_file);
    ck_assert_int_eq(stat(the_file, &status), 0);
    const off_t sizes[] = {
        0, 7, 40, status.st_size / 2, status.st_size - 1, status.st_size + 1000000};
    for (size_t i = 0; i < NUMBER(sizes); i++) {
        ck_assert_int_eq(truncate(the_file, sizes[i]), 0);
        ck_assert(!comes_from_cache(&small));
        ck_assert(comes_from_cache(&small));
    }
}
END_TEST

START_TEST(a_file_that_others_could_have_written_is_not_believed)
{
    ck_assert(!comes_from_cache(&small));
    each_file(note_file);
    const mode_t modes[] = {0666, 0640, 0604, 04600};
    for (size_t i = 0; i < NUMBER(modes); i++) {
        ck_assert_int_eq(chmod(the_file, modes[i]), 0);
        ck_assert(!comes_from_cache(&small));
        ck_assert(comes_from_cache(&small));
    }
    if (geteuid() != 0)
        return; /* only root can give a file away */
    ck_assert_int_eq(chown(the_file, 1000, 0), 0);
    ck_assert(!comes_from_cache(&small));
    ck_assert(comes_from_cache(&small));
}
END_TEST

START_TEST(a_link_in_the_place_of_a_file_is_not_followed)
{
    char aside[320];

    ck_assert(!comes_from_cache(&small));
    each_file(note_file);
    snprintf(aside, sizeof aside, "%s.aside", the_file);
    ck_assert_int_eq(rename(the_file, aside), 0);
    ck_assert_int_eq(symlink(aside, the_file), 0);
    ck_assert(!comes_from_cache(&small));
    ck_assert(comes_from_cache(&small)); /* the link was replaced */
}
END_TEST

START_TEST(a_fifo_in_the_place_of_a_file_does_not_block)
{
    ck_assert(!comes_from_cache(&small));
    each_file(note_file);
    ck_assert_int_eq(unlink(the_file), 0);
    ck_assert_int_eq(mkfifo(the_file, 0600), 0);
    ck_assert(!comes_from_cache(&small));
}
END_TEST

START_TEST(a_folder_that_cannot_be_written_costs_only_the_cache)
{
    OWNED_FD proc = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    OWNED_FILTER filter = {.code = NULL};
    struct sub_err err = {0};

    ck_ok(priv_filter_compile(&small, proc, &filter, &err), &err);
    ck_assert(!filter.from_cache);
}
END_TEST

/* --- bounds ------------------------------------------------------------------------------------
 */

START_TEST(the_cache_holds_a_bounded_number_of_filters)
{
    struct plan_seccomp seccomp = small;

    for (uint32_t i = 0; i < FILES_MAX + 10; i++) {
        seccomp.default_action = ERRNO(100 + i);
        ck_assert(!comes_from_cache(&seccomp));
    }
    ck_assert_uint_eq(each_file(NULL), FILES_MAX);
    ck_assert(comes_from_cache(&seccomp)); /* the youngest is there */
    seccomp.default_action = ERRNO(100);
    ck_assert(!comes_from_cache(&seccomp)); /* the oldest went */
}
END_TEST

START_TEST(what_a_dead_writer_left_is_removed_after_a_minute)
{
    const struct timespec old[2] = {{.tv_sec = time(NULL) - 120}, {.tv_sec = time(NULL) - 120}};

    close(openat(folder_fd, "0123456789abcdef.bpf.77", O_CREAT | O_WRONLY, 0600));
    close(openat(folder_fd, "0123456789abcdef.bpf.78", O_CREAT | O_WRONLY, 0600));
    ck_assert_int_eq(utimensat(folder_fd, "0123456789abcdef.bpf.77", old, 0), 0);
    ck_assert(!comes_from_cache(&small));
    ck_assert_int_eq(faccessat(folder_fd, "0123456789abcdef.bpf.77", F_OK, 0), -1);
    ck_assert_int_eq(faccessat(folder_fd, "0123456789abcdef.bpf.78", F_OK, 0), 0);
}
END_TEST

Suite *cache_suite(void);

Suite *cache_suite(void)
{
    const TTest *const tests[] = {
        the_second_time_a_filter_comes_from_the_cache,
        a_cache_file_is_private_and_small,
        a_change_of_any_part_of_the_section_is_another_filter,
        text_that_moves_between_names_is_another_filter,
        the_sockets_path_does_not_matter,
        a_damaged_file_is_made_again_wherever_the_damage_is,
        a_file_that_is_cut_or_longer_is_made_again,
        a_file_that_others_could_have_written_is_not_believed,
        a_link_in_the_place_of_a_file_is_not_followed,
        a_fifo_in_the_place_of_a_file_does_not_block,
        a_folder_that_cannot_be_written_costs_only_the_cache,
        the_cache_holds_a_bounded_number_of_filters,
        what_a_dead_writer_left_is_removed_after_a_minute,
    };
    Suite *suite = suite_create("cache_suite");
    TCase *cases = tcase_create("cache");

    tcase_set_timeout(cases, 30);
    tcase_add_checked_fixture(cases, folder_make, folder_remove);
    for (size_t i = 0; i < NUMBER(tests); i++)
        tcase_add_test(cases, tests[i]);
    suite_add_tcase(suite, cases);
    return suite;
}
