/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/plan/options.h"

#include "../../../src/cli/command.h"
#include "runner.h"

static struct arena arena;
static struct args args;
static struct sub_err err;

/* Splits line at blanks; the words live as long as the test. */
static int parse(const char *line)
{
    static char text[512];
    static char *argv[64];
    int argc = 0;

    arena_init(&arena, ARENA_MAX_BYTES);
    args_init(&args);
    memset(&err, 0, sizeof err);
    memset(argv, 0, sizeof argv);
    (void) snprintf(text, sizeof text, "%s", line);
    for (char *at = text, *word; (word = strsep(&at, " ")) != NULL;)
        argv[argc++] = word;
    return args_parse(&arena, argc, argv, &args, &err);
}

static void refused(const char *line, const char *text)
{
    ck_assert_msg(parse(line) == -ARGS_USAGE, "accepted: %s", line);
    ck_assert_int_eq(err.code, ARGS_USAGE);
    ck_assert_str_eq(err.text, text);
    ck_assert_str_eq(err.path, "");
}

START_TEST(an_exec_of_engines_is_read_whole)
{
    ck_ok(
        parse("sublet --root /r exec --process /p.json --console-socket /s --detach --pid-file /f "
              "--preserve-fds 2 name"),
        &err);
    ck_assert_ptr_eq(args.command, &command_exec);
    ck_assert_str_eq(args.process, "/p.json");
    ck_assert_str_eq(args.console_socket, "/s");
    ck_assert_str_eq(args.pid_file, "/f");
    ck_assert_uint_eq(args.preserve_fds, 2);
    ck_assert(args.detach);
    ck_assert_uint_eq(args.operand_count, 1);

    ck_ok(
        parse(
            "sublet exec -d --console-socket=/s --tty --pid-file=/f -e A=b -g 5 -g 6 name cat -u"),
        &err);
    ck_assert(args.tty && args.detach);
    ck_assert_uint_eq(args.gids.count, 2);
    ck_assert_uint_eq(args.operand_count, 3);
    ck_assert_str_eq(args.operands[2], "-u"); /* behind the ID nothing is ours */
}
END_TEST

START_TEST(an_engines_create_is_read_whole)
{
    ck_ok(parse("sublet --root /r --log /b/log.json --log-format json --systemd-cgroup create "
                "--bundle /b --pid-file /b/pid --console-socket /tmp/s --no-pivot "
                "--no-new-keyring --preserve-fds 3 name"),
          &err);
    ck_assert_ptr_eq(args.command, &command_create);
    ck_assert_str_eq(args.root, "/r");
    ck_assert_str_eq(args.log, "/b/log.json");
    ck_assert_uint_eq(args.log_format, LOG_JSON);
    ck_assert_uint_eq(args.cgroup_manager, OPTION_SYSTEMD);
    ck_assert_str_eq(args.bundle, "/b");
    ck_assert_str_eq(args.pid_file, "/b/pid");
    ck_assert_str_eq(args.console_socket, "/tmp/s");
    ck_assert(args.no_pivot && args.no_new_keyring);
    ck_assert_uint_eq(args.preserve_fds, 3);
    ck_assert_uint_eq(args.operand_count, 1);
    ck_assert_str_eq(args.operands[0], "name");
}
END_TEST

START_TEST(values_may_be_joined_by_an_equal_sign_or_to_a_letter)
{
    ck_ok(parse("sublet --root=/r create --bundle=/b=c --preserve-fds=2 x"), &err);
    ck_assert_str_eq(args.root, "/r");
    ck_assert_str_eq(args.bundle, "/b=c");
    ck_assert_uint_eq(args.preserve_fds, 2);
    ck_ok(parse("sublet list -qfjson"), &err);
    ck_assert(args.quiet);
    ck_assert_uint_eq(args.format, ARGS_JSON);
}
END_TEST

START_TEST(a_single_dash_may_begin_a_long_option)
{
    ck_ok(parse("sublet -root /r create -no-subreaper -bundle /b x"), &err);
    ck_assert_str_eq(args.root, "/r");
    ck_assert_str_eq(args.bundle, "/b");
    refused("sublet create -no-subreape x",
            "unknown option '-no-subreape' of 'create'; see 'sublet create --help'");
}
END_TEST

START_TEST(options_may_follow_the_id_but_not_a_command_to_run)
{
    ck_ok(parse("sublet delete x --force"), &err);
    ck_assert(args.force);
    ck_assert_uint_eq(args.operand_count, 1);

    ck_ok(parse("sublet run --rootfs /r sh -c true --keep"), &err);
    ck_assert(!args.keep);
    ck_assert_ptr_eq(args.config, NULL);
    ck_assert_uint_eq(args.operand_count, 4);
    ck_assert_str_eq(args.operands[1], "-c");
}
END_TEST

START_TEST(two_dashes_end_the_options)
{
    ck_ok(parse("sublet state -- -x"), &err);
    ck_assert_uint_eq(args.operand_count, 1);
    ck_assert_str_eq(args.operands[0], "-x");
    ck_ok(parse("sublet run --overlay / -- --keep"), &err);
    ck_assert_str_eq(args.operands[0], "--keep");
    ck_assert(!args.keep);
}
END_TEST

START_TEST(the_last_of_two_options_counts_and_lists_grow)
{
    ck_ok(parse("sublet --systemd-cgroup --systemd-cgroup --cgroup-manager disabled list"), &err);
    ck_assert_uint_eq(args.cgroup_manager, OPTION_DISABLED);
    ck_ok(parse("sublet run -e A=1 --env B=2 --env=C=3 -eD=4 -e E=5 --rootfs /r x"), &err);
    ck_assert_uint_eq(args.env.count, 5);
    ck_assert_str_eq(args.env.items[0], "A=1");
    ck_assert_str_eq(args.env.items[2], "C=3");
    ck_assert_str_eq(args.env.items[4], "E=5");
}
END_TEST

START_TEST(what_was_not_given_is_told_from_nothing)
{
    ck_ok(parse("sublet run --rootfs /r --pids 0 x"), &err);
    ck_assert_uint_eq(args.pids, 0);
    ck_assert_uint_eq(args.memory_bytes, ARGS_NONE_U64);
    ck_assert_uint_eq(args.swap_bytes, ARGS_NONE_U64);
    ck_assert_ptr_null(args.cpu);
    ck_assert_ptr_eq(args.upper, NULL);
}
END_TEST

START_TEST(options_nobody_knows_are_named_in_one_line)
{
    refused("sublet run --bogus", "unknown option '--bogus' of 'run'; see 'sublet run --help'");
    refused("sublet run --bogus=3 x", "unknown option '--bogus' of 'run'; see 'sublet run --help'");
    refused("sublet list -qz", "unknown option '-z' of 'list'; see 'sublet list --help'");
    refused("sublet --bogus list", "unknown option '--bogus'; see 'sublet --help'");
    refused("sublet create --root /x y",
            "unknown option '--root' of 'create'; see 'sublet create --help'");
    /* getopt would take a beginning for the whole */
    refused("sublet create --bun /b x",
            "unknown option '--bun' of 'create'; see 'sublet create --help'");
    refused("sublet create --bun",
            "unknown option '--bun' of 'create'; see 'sublet create --help'");
    refused("sublet --= list", "unknown option '--'; see 'sublet --help'");
}
END_TEST

START_TEST(values_that_lack_or_are_too_many_are_refused)
{
    /* podman looks for "requires an argument" */
    refused("sublet create --bundle",
            "option '--bundle' of 'create' requires an argument; see 'sublet create --help'");
    refused("sublet list -f",
            "option '-f' of 'list' requires an argument; see 'sublet list --help'");
    refused("sublet --log", "option '--log' requires an argument; see 'sublet --help'");
    refused("sublet delete --force=yes x",
            "option '--force' of 'delete' takes no value; see 'sublet delete --help'");
    refused("sublet create --bundle= x", "option '--bundle' of 'create': an empty value is not "
                                         "allowed; see 'sublet create --help'");
}
END_TEST

START_TEST(commands_and_operands_are_counted)
{
    refused("sublet", "a command is missing; see 'sublet --help'");
    refused("sublet bogus", "unknown command 'bogus'; see 'sublet --help'");
    refused("sublet execute x", "unknown command 'execute'; see 'sublet --help'");
    refused("sublet checkpoint --help", "unknown command 'checkpoint': sublet does no checkpoint "
                                        "and restore; see 'sublet --help'");
    refused("sublet restore --lsm-mount-context", "unknown command 'restore': sublet does no "
                                                  "checkpoint and restore; see 'sublet --help'");
    refused("sublet start", "'start' lacks an operand; see 'sublet start --help'");
    refused("sublet start a b", "'start' has an operand too many: 'b'; see 'sublet start --help'");
    refused("sublet list a", "'list' has an operand too many: 'a'; see 'sublet list --help'");
    refused("sublet kill a b c", "'kill' has an operand too many: 'c'; see 'sublet kill --help'");
}
END_TEST

START_TEST(no_argv_at_all_is_a_missing_command)
{
    char *argv[] = {NULL};

    arena_init(&arena, ARENA_MAX_BYTES);
    args_init(&args);
    memset(&err, 0, sizeof err);
    ck_assert_int_eq(args_parse(&arena, 0, argv, &args, &err), -ARGS_USAGE);
    ck_assert_str_eq(err.text, "a command is missing; see 'sublet --help'");
}
END_TEST

START_TEST(help_needs_no_operand)
{
    ck_ok(parse("sublet kill --help"), &err);
    ck_assert(args.help);
    ck_assert_ptr_eq(args.command, &command_kill);
    ck_ok(parse("sublet -h"), &err);
    ck_assert(args.help);
    ck_ok(parse("sublet -V"), &err);
    ck_assert(args.version);
    ck_ok(parse("sublet --version"), &err);
    ck_assert(args.version);
}
END_TEST

START_TEST(the_log_is_known_when_the_rest_is_wrong)
{
    refused("sublet --log /l --log-format json create --bogus",
            "unknown option '--bogus' of 'create'; see 'sublet create --help'");
    ck_assert_str_eq(args.log, "/l");
    ck_assert_uint_eq(args.log_format, LOG_JSON);
}
END_TEST

SUITE(parse_suite, an_engines_create_is_read_whole, an_exec_of_engines_is_read_whole,
      values_may_be_joined_by_an_equal_sign_or_to_a_letter, a_single_dash_may_begin_a_long_option,
      options_may_follow_the_id_but_not_a_command_to_run, two_dashes_end_the_options,
      the_last_of_two_options_counts_and_lists_grow, what_was_not_given_is_told_from_nothing,
      options_nobody_knows_are_named_in_one_line, values_that_lack_or_are_too_many_are_refused,
      commands_and_operands_are_counted, no_argv_at_all_is_a_missing_command, help_needs_no_operand,
      the_log_is_known_when_the_rest_is_wrong)
