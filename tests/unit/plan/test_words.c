/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/capability.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/buf.h"
#include "sublet/base/words.h"

#include "fixture.h"
#include "runner.h"

START_TEST(the_table_of_mount_words_is_sorted)
{
    ck_assert_uint_gt(plan_mount_word_count(), 60);
    for (size_t i = 1; i < plan_mount_word_count(); i++)
        ck_assert_msg(strcmp(plan_mount_word(i - 1), plan_mount_word(i)) < 0, "%s, %s",
                      plan_mount_word(i - 1), plan_mount_word(i));
    ck_assert_ptr_null(plan_mount_word(plan_mount_word_count()));
}
END_TEST

/* Every word of the table in config.md, "Linux mount options", that is MUST or SHOULD. */
static const char *const specified[] = {
    "async",       "atime",       "bind",         "defaults",      "dev",
    "diratime",    "dirsync",     "exec",         "idmap",         "iversion",
    "lazytime",    "loud",        "mand",         "noatime",       "nodev",
    "nodiratime",  "noexec",      "noiversion",   "nolazytime",    "nomand",
    "norelatime",  "nosuid",      "nosymfollow",  "nostrictatime", "private",
    "ratime",      "rbind",       "rdev",         "rdiratime",     "relatime",
    "rexec",       "ridmap",      "rnoatime",     "rnodev",        "rnodiratime",
    "rnoexec",     "rnorelatime", "rnosuid",      "rnosymfollow",  "rnostrictatime",
    "ro",          "rprivate",    "rrelatime",    "rro",           "rrw",
    "rshared",     "rslave",      "rstrictatime", "rsuid",         "rsymfollow",
    "runbindable", "rw",          "shared",       "silent",        "slave",
    "strictatime", "suid",        "symfollow",    "sync",          "tmpcopyup",
    "unbindable",  "remount",
};

START_TEST(every_word_of_the_specification_is_known)
{

    for (size_t i = 0; i < sizeof specified / sizeof *specified; i++) {
        bool found = false;

        for (size_t k = 0; k < plan_mount_word_count(); k++)
            found = found || strcmp(plan_mount_word(k), specified[i]) == 0;
        ck_assert_msg(found, "%s", specified[i]);
    }
}
END_TEST

START_TEST(every_mount_word_is_taken_by_a_tmpfs_and_by_a_bind)
{
    for (size_t i = 0; i < plan_mount_word_count(); i++) {
        const char *word = plan_mount_word(i);
        bool bind = strcmp(word, "bind") == 0 || strcmp(word, "rbind") == 0;
        OWNED_FIXTURE fixture;
        /* maps of its own: harmless where the word is another */
        static const char maps[] = "\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}],"
                                   "\"gidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}],";
        char mounts[1024];

        if (strcmp(word, "remount") == 0) /* needs an entry before it: golden mount-remount */
            continue;
        fixture_init(&fixture);
        (void) snprintf(mounts, sizeof mounts,
                        "{\"destination\":\"/a\",\"type\":\"tmpfs\",\"source\":\"/"
                        "s\",%s\"options\":[\"%s\"]},{\"destination\":\"/b\",\"type\":\"none\","
                        "\"source\":\"/s\",%s\"options\":[\"bind\",\"%s\"]}",
                        maps, word, maps, strcmp(word, "tmpcopyup") == 0 ? "ro" : word);
        ck_ok(fixture_make_parts(&fixture, "", "", mounts), &fixture.err);
        ck_assert_int_eq(fixture_mount(&fixture, "/a")->kind,
                         bind ? PLAN_MOUNT_BIND : PLAN_MOUNT_NEW);
        ck_assert_int_eq(fixture_mount(&fixture, "/b")->kind, PLAN_MOUNT_BIND);
    }
}
END_TEST

START_TEST(words_become_attributes_in_their_order)
{
    const uint64_t atime = MOUNT_ATTR__ATIME;
    const struct {
        const char *options;
        uint64_t set, clear, tree_set, tree_clear;
    } rows[] = {
        {"\"ro\"",                         MOUNT_ATTR_RDONLY,                          0,                                          0,                  0                },
        {"\"ro\",\"rw\"",                  0,                                          MOUNT_ATTR_RDONLY,                          0,                  0                },
        {"\"rw\",\"ro\"",                  MOUNT_ATTR_RDONLY,                          0,                                          0,                  0                },
        {"\"noexec\",\"exec\",\"nosuid\"", MOUNT_ATTR_NOSUID,                          MOUNT_ATTR_NOEXEC,                          0,                  0                },
        {"\"noatime\"",                    MOUNT_ATTR_NOATIME,                         atime,                                      0,                  0                },
        {"\"noatime\",\"relatime\"",       0,                                          atime,                                      0,                  0                },
        {"\"strictatime\",\"atime\"",      MOUNT_ATTR_STRICTATIME,                     atime,                                      0,                  0                },
        {"\"noatime\",\"nodiratime\"",     MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME, atime,                                      0,                  0                },
        {"\"diratime\"",                   0,                                          MOUNT_ATTR_NODIRATIME,                      0,                  0                },
        {"\"nostrictatime\"",              0,                                          atime,                                      0,                  0                },
        {"\"ratime\"",                     0,                                          0,                                          0,                  atime            },
        {"\"norelatime\"",                 0,                                          0,                                          0,                  0                },
        {"\"symfollow\",\"suid\"",         0,                                          MOUNT_ATTR_NOSYMFOLLOW | MOUNT_ATTR_NOSUID, 0,                  0                },
        {"\"rro\",\"rw\"",                 0,                                          MOUNT_ATTR_RDONLY,                          MOUNT_ATTR_RDONLY,  0                },
        {"\"rro\",\"rrw\"",                0,                                          0,                                          0,                  MOUNT_ATTR_RDONLY},
        {"\"rnoatime\"",                   0,                                          0,                                          MOUNT_ATTR_NOATIME, atime            },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        OWNED_FIXTURE fixture;
        char mounts[512];

        fixture_init(&fixture);
        (void) snprintf(mounts, sizeof mounts,
                        "{\"destination\":\"/a\",\"source\":\"/s\",\"options\":[\"rbind\",%s]}",
                        rows[i].options);
        ck_ok(fixture_make_parts(&fixture, "", "", mounts), &fixture.err);

        const struct plan_mount *mount = fixture_mount(&fixture, "/a");
        ck_assert_msg(mount->attr_set == rows[i].set && mount->attr_clear == rows[i].clear &&
                          mount->tree_set == rows[i].tree_set &&
                          mount->tree_clear == rows[i].tree_clear,
                      "%s: set %#lx clear %#lx, tree %#lx %#lx", rows[i].options,
                      (unsigned long) mount->attr_set, (unsigned long) mount->attr_clear,
                      (unsigned long) mount->tree_set, (unsigned long) mount->tree_clear);
    }
}
END_TEST

START_TEST(a_word_said_twice_contradicts_nothing)
{
    OWNED_FIXTURE fixture;

    fixture_init(&fixture);
    ck_ok(
        fixture_make_parts(&fixture, "", "",
                           "{\"destination\":\"/a\",\"source\":\"/s\",\"options\":[\"bind\",\"ro\","
                           "\"ro\",\"bind\",\"rprivate\",\"rprivate\",\"noatime\",\"noatime\"]}"),
        &fixture.err);
    ck_assert_uint_eq(fixture.findings.warning_count, 0);
}
END_TEST

START_TEST(capabilities_have_all_numbers_of_the_kernel_once)
{
    uint64_t seen = 0;

    for (size_t i = 0; i < plan_capabilities.count; i++) {
        ck_assert_uint_eq(seen & (uint64_t) 1 << plan_capabilities.rows[i].value, 0);
        seen |= (uint64_t) 1 << plan_capabilities.rows[i].value;
    }
    ck_assert_uint_eq(seen, ((uint64_t) 1 << (CAP_LAST_CAP + 1)) - 1);
    ck_assert_uint_eq(words_find(&plan_capabilities, "CAP_CHECKPOINT_RESTORE")->value, 40);
}
END_TEST

/* The template with every '@' replaced by the name. */
static void fill(struct buf *text, const char *template, const char *name)
{
    buf_init(text, 4096);
    for (; *template != '\0'; template ++) {
        if (*template == '@')
            buf_puts(text, name);
        else
            buf_putc(text, *template);
    }
    ck_assert(!buf_failed(text));
}

/* What the planner takes and `features` tells must not be refused by the spec room. */
static void all_pass(const struct words *words, const char *process, const char *linux_)
{
    for (size_t i = 0; i < words->count; i++) {
        const char *name = words->rows[i].name;
        OWNED_FIXTURE fixture;
        OWNED_BUF process_text, linux_text;

        fixture_init(&fixture);
        fill(&process_text, process, name);
        fill(&linux_text, linux_, name);
        ck_ok(fixture_make_parts(&fixture, buf_text(&process_text), buf_text(&linux_text), ""),
              &fixture.err);
        ck_assert_msg(fixture.findings.warning_count == 0, "%s", name);
    }
}

#define SECCOMP "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_LOG\",\"listenerPath\":\"/a\","
#define NOTIFY  "\"syscalls\":[{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}"

START_TEST(the_words_of_the_planner_are_those_of_the_spec_room)
{
    all_pass(&plan_capabilities,
             "\"capabilities\":{\"bounding\":[\"@\"],\"permitted\":[\"@\"],"
             "\"effective\":[\"@\"]}",
             "");
    all_pass(&plan_rlimits, "\"rlimits\":[{\"type\":\"@\",\"soft\":1,\"hard\":2}]", "");
    all_pass(&plan_seccomp_actions, "",
             SECCOMP "\"syscalls\":[{\"names\":[\"mkdir\"],\"action\":\"@\"}]}");
    all_pass(&plan_seccomp_operators, "",
             SECCOMP "\"syscalls\":[{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_TRAP\","
                     "\"args\":[{\"index\":0,\"value\":1,\"op\":\"@\"}]}]}");
    all_pass(&plan_seccomp_archs, "", SECCOMP "\"architectures\":[\"@\"]}");
    all_pass(&plan_seccomp_flags, "", SECCOMP "\"flags\":[\"@\"]," NOTIFY);
}
END_TEST

SUITE(words_suite, the_table_of_mount_words_is_sorted, every_word_of_the_specification_is_known,
      every_mount_word_is_taken_by_a_tmpfs_and_by_a_bind, words_become_attributes_in_their_order,
      a_word_said_twice_contradicts_nothing, capabilities_have_all_numbers_of_the_kernel_once,
      the_words_of_the_planner_are_those_of_the_spec_room)
