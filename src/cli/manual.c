/* SPDX-License-Identifier: Apache-2.0 */
/* The rows for the manual (mdoc) and for tests (JSON). */
#include <ctype.h>
#include <string.h>

#include "sublet/base/buf.h"
#include "sublet/json.h"

#include "command.h"
#include "texts.h"

/* A help text as a sentence of mdoc: a capital, a full stop, no accidental macro or escape. */
static void mdoc_sentence(struct buf *buf, const char *text)
{
    buf_putc(buf, (char) toupper((unsigned char) *text));
    for (text++; *text != '\0'; text++) {
        if (*text == '\\')
            buf_puts(buf, "\\e");
        else
            buf_putc(buf, *text);
    }
    buf_puts(buf, ".\n");
}

static void mdoc_row(struct buf *buf, const struct arg_row *row)
{
    char metavar[128];

    if (row->help == NULL)
        return;
    buf_puts(buf, ".It ");
    if (row->letter != 0)
        buf_printf(buf, "Fl %c , ", row->letter);
    buf_printf(buf, "Fl -%s", row->name);
    if (*arg_metavar(row, metavar, sizeof metavar) != '\0')
        buf_printf(buf, " Ar %s", metavar);
    buf_putc(buf, '\n');
    mdoc_sentence(buf, row->help);
}

void man_options(struct buf *buf, const struct command *command)
{
    const char *title = command_rows(command, 0)->title;
    const struct arg_rows *rows;

    buf_puts(buf, ".Bl -tag -width Ds\n");
    for (size_t i = 0; (rows = command_rows(command, i)) != NULL; i++) {
        if (strcmp(rows->title, title) != 0)
            buf_printf(buf, ".El\n.Pp\n%s:\n.Bl -tag -width Ds\n", rows->title);
        title = rows->title;
        for (size_t k = 0; k < rows->count; k++)
            mdoc_row(buf, &rows->items[k]);
    }
    buf_puts(buf, ".El\n");
}

static const char *const kind_names[] = {
    [ARG_FLAG] = "flag", [ARG_SET] = "flag",        [ARG_WORD] = "word",
    [ARG_TEXT] = "text", [ARG_FILE] = "file",       [ARG_DIR] = "folder",
    [ARG_U32] = "u32",   [ARG_U64] = "u64",         [ARG_SIZE] = "size",
    [ARG_I64] = "i64",   [ARG_LIMIT] = "limit",     [ARG_DURATION] = "duration",
    [ARG_LIST] = "list", [ARG_IGNORED] = "ignored",
};

static void row_json(struct json_writer *writer, const struct arg_row *row)
{
    char metavar[128], letter[2] = {row->letter, '\0'};

    json_write_object(writer, NULL);
    if (row->name != NULL)
        json_write_string(writer, "name", row->name);
    if (row->letter != 0)
        json_write_string(writer, "letter", letter);
    json_write_string(writer, "kind", kind_names[row->kind]);
    json_write_bool(writer, "value", arg_takes_value(row));
    if (*arg_metavar(row, metavar, sizeof metavar) != '\0')
        json_write_string(writer, "metavar", metavar);
    if (row->help != NULL)
        json_write_string(writer, "help", row->help);
    json_write_end(writer);
}

static void command_json(struct json_writer *writer, const struct command *command)
{
    const struct arg_row *row;

    json_write_object(writer, NULL);
    json_write_string(writer, "command", command == NULL ? "" : command->name);
    json_write_bool(writer, "hidden", command != NULL && command->hidden);
    json_write_array(writer, "options");
    for (size_t i = 0; (row = command_row(command, i)) != NULL; i++)
        row_json(writer, row);
    json_write_end(writer);
    json_write_end(writer);
}

void options_json(struct buf *buf)
{
    struct json_writer writer;

    json_writer_init(&writer, buf, 2);
    json_write_array(&writer, NULL);
    command_json(&writer, NULL);
    for (size_t i = 0; i < command_count; i++)
        command_json(&writer, commands[i]);
    json_write_end(&writer);
    buf_putc(buf, '\n');
}
