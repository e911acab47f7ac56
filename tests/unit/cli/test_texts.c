/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/buf.h"
#include "sublet/base/words.h"
#include "sublet/plan.h"

#include "../../../src/cli/command.h"
#include "../../../src/cli/texts.h"
#include "runner.h"

static struct buf text;

static void renew(void)
{
    buf_init(&text, TEXTS_MAX_BYTES);
}

static void narrow(const char *at)
{
    while (*at != '\0') {
        size_t length = strcspn(at, "\n");

        ck_assert_msg(length <= 80, "%zu columns: %.*s", length, (int) length, at);
        ck_assert_msg(length == 0 || at[length - 1] != ' ', "blank at the end: %.*s", (int) length,
                      at);
        at += length + (at[length] == '\n');
    }
}

START_TEST(help_fits_a_terminal_and_shows_every_option)
{
    for (size_t i = 0; i <= command_count; i++) {
        const struct command *command = i == 0 ? NULL : commands[i - 1];
        const struct arg_row *row;

        renew();
        help_text(&text, command);
        ck_assert(!buf_failed(&text));
        narrow(buf_text(&text));
        for (size_t k = 0; (row = command_row(command, k)) != NULL; k++) {
            char word[64];

            (void) snprintf(word, sizeof word, "--%s", row->name == NULL ? "help" : row->name);
            ck_assert_msg(strstr(buf_text(&text), word) != NULL, "%s", word);
        }
        buf_done(&text);
    }
}
END_TEST

START_TEST(help_of_a_command_looks_like_this)
{
    renew();
    help_text(&text, &command_list);
    ck_assert_str_eq(buf_text(&text), "Usage: sublet list [OPTION...]\n"
                                      "\n"
                                      "list the containers of the state root\n"
                                      "\n"
                                      "Options:\n"
                                      "  -q, --quiet              print the IDs alone\n"
                                      "  -f, --format table|json  form of the list\n"
                                      "  -h, --help               print this help\n");
    buf_done(&text);
}
END_TEST

START_TEST(the_program_names_its_commands_and_hides_the_others)
{
    renew();
    help_text(&text, NULL);
    ck_assert_ptr_ne(strstr(buf_text(&text), "\n  features    print what"), NULL);
    ck_assert_ptr_eq(strstr(buf_text(&text), "__man"), NULL);
    ck_assert_ptr_ne(strstr(buf_text(&text), "\n  exec        run one more"), NULL);
    buf_done(&text);
}
END_TEST

/* Rows are written by hand: what a compiler does not see. */
START_TEST(rows_are_well_formed)
{
    for (size_t i = 0; i <= command_count; i++) {
        const struct command *command = i == 0 ? NULL : commands[i - 1];
        const struct arg_row *row, *other;

        for (size_t k = 0; (row = command_row(command, k)) != NULL; k++) {
            ck_assert_uint_lt(k, ARGS_ROWS_MAX);
            ck_assert(row->name != NULL || row->letter != 0);
            ck_assert(row->target < sizeof(struct args));
            ck_assert((row->kind == ARG_WORD || row->kind == ARG_SET) <= (row->words != NULL));
            if (row->kind == ARG_FLAG || row->kind == ARG_SET)
                ck_assert_ptr_eq(row->metavar, NULL);
            if (row->help != NULL)
                ck_assert(!isupper((unsigned char) row->help[0]) || row->help[1] == 'D');
            for (size_t m = 0; m < k; m++) {
                other = command_row(command, m);
                ck_assert(row->letter == 0 || row->letter != other->letter);
                ck_assert(row->name == NULL || other->name == NULL ||
                          strcmp(row->name, other->name) != 0);
            }
        }
        if (command != NULL) {
            ck_assert_ptr_eq(command_find(command->name), command);
            ck_assert_ptr_ne(command_row(command, 0), NULL);
        }
    }
}
END_TEST

START_TEST(the_manual_gets_a_list_of_mdoc)
{
    renew();
    man_options(&text, &command_delete);
    ck_assert_str_eq(buf_text(&text),
                     ".Bl -tag -width Ds\n"
                     ".It Fl f , Fl -force\n"
                     "Kill what still runs; a container that does not exist is no error.\n"
                     ".It Fl h , Fl -help\n"
                     "Print this help.\n"
                     ".El\n");
    buf_done(&text);
}
END_TEST

START_TEST(a_backslash_reaches_the_reader_of_the_manual)
{
    renew();
    man_options(&text, &command_create);
    ck_assert_ptr_ne(strstr(buf_text(&text), "(a ':' in a name is written '\\e:').\n"), NULL);
    buf_done(&text);
}
END_TEST

START_TEST(no_line_of_the_manual_is_a_macro_by_accident)
{
    for (size_t i = 0; i <= command_count; i++) {
        const char *at;

        renew();
        man_options(&text, i == 0 ? NULL : commands[i - 1]);
        for (at = buf_text(&text); *at != '\0'; at = strchr(at, '\n') + 1) {
            ck_assert(*at != '\'');
            ck_assert(*at != '.' || strncmp(at, ".It Fl ", 7) == 0 || strncmp(at, ".Bl ", 4) == 0 ||
                      strncmp(at, ".El\n", 4) == 0 || strncmp(at, ".Pp\n", 4) == 0);
        }
        buf_done(&text);
    }
}
END_TEST

START_TEST(completion_knows_words_files_and_ids)
{
    renew();
    bash_completion(&text);
    ck_assert_ptr_ne(strstr(buf_text(&text), "list:--format | list:-f) _sublet_words 'table json'"),
                     NULL);
    ck_assert_ptr_ne(strstr(buf_text(&text), "create:--bundle | create:-b) _sublet_files -d"),
                     NULL);
    ck_assert_ptr_ne(strstr(buf_text(&text), "    delete:-*) _sublet_words '--force --help' ;;\n"),
                     NULL);
    ck_assert_ptr_ne(strstr(buf_text(&text), "    start:*) _sublet_words \"$(sublet "), NULL);
    ck_assert_ptr_eq(strstr(buf_text(&text), "--no-subreaper"), NULL);
    buf_done(&text);
    renew();
    zsh_completion(&text);
    ck_assert_ptr_ne(strstr(buf_text(&text),
                            "'(-f --format)'{-f+,--format=}'[form of the list]:format:"
                            "(table json)'"),
                     NULL);
    ck_assert_ptr_ne(strstr(buf_text(&text), "'*--env=["), NULL);
    buf_done(&text);
}
END_TEST

START_TEST(features_tell_the_planners_own_words)
{
    static const char *const want[] = {
        "\"ociVersionMin\": \"1.0.0\",\n  \"ociVersionMax\": \"1.3.0\",\n",
        "\"idmap\": {\n        \"enabled\": true\n",
        "\"netDevices\": {\n      \"enabled\": true\n",
        "\"intelRdt\": {\n      \"enabled\": true,\n      \"schemata\": true,\n",
        "\"v1\": false,\n      \"v2\": true,\n      \"systemd\": true,\n",
        "\"systemdUser\": true,\n",
        "\"run.oci.keep_original_groups\",\n    \"run.oci.mount_context_type\",\n",
    };
    char word[128];

    renew();
    features_json(&text, true);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        ck_assert_msg(strstr(buf_text(&text), want[i]) != NULL, "%s", want[i]);
    for (size_t i = 0; i < plan_mount_word_count(); i++) {
        (void) snprintf(word, sizeof word, "\n    \"%s\"", plan_mount_word(i));
        ck_assert_msg(strstr(buf_text(&text), word) != NULL, "%s", word);
    }
    for (size_t i = 0; i < plan_capabilities.count; i++) {
        (void) snprintf(word, sizeof word, "\n      \"%s\"", plan_capabilities.rows[i].name);
        ck_assert_msg(strstr(buf_text(&text), word) != NULL, "%s", word);
    }
    buf_done(&text);
}
END_TEST

START_TEST(version_is_in_the_form_engines_read)
{
    renew();
    version_text(&text);
    ck_assert_ptr_eq(strstr(buf_text(&text), "sublet version " SUBLET_VERSION "\ncommit: "),
                     buf_text(&text));
    ck_assert_ptr_ne(strstr(buf_text(&text), "\nspec: 1.3.0\n+SECCOMP "), NULL);
    buf_done(&text);
}
END_TEST

SUITE(texts_suite, help_fits_a_terminal_and_shows_every_option, help_of_a_command_looks_like_this,
      the_program_names_its_commands_and_hides_the_others, rows_are_well_formed,
      the_manual_gets_a_list_of_mdoc, a_backslash_reaches_the_reader_of_the_manual,
      no_line_of_the_manual_is_a_macro_by_accident, completion_knows_words_files_and_ids,
      features_tell_the_planners_own_words, version_is_in_the_form_engines_read)
