/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "sublet/base/buf.h"

#include "command.h"
#include "texts.h"

#define WIDTH        80
#define COLUMN_MAX   30 /* a longer option stands on a line of its own */
#define COMMAND_TEXT 14 /* column of a command's summary */

/* text from column on, broken at blanks so that no line is longer than WIDTH. */
static void wrap(struct buf *buf, const char *text, size_t column)
{
    size_t at = column;

    while (*text != '\0') {
        size_t word = strcspn(text, " ");

        if (at > column && at + 1 + word > WIDTH) {
            buf_printf(buf, "\n%*s", (int) column, "");
            at = column;
        } else if (at > column) {
            buf_putc(buf, ' ');
            at++;
        }
        buf_add(buf, text, word);
        at += word;
        text += word;
        text += strspn(text, " ");
    }
    buf_putc(buf, '\n');
}

/* "  -b, --bundle DIR"; returns its width. */
static size_t option_head(const struct arg_row *row, char *text, size_t size)
{
    char metavar[128], letter[8] = "    ";
    int width;

    if (row->letter != 0)
        (void) snprintf(letter, sizeof letter, "-%c, ", row->letter);
    (void) arg_metavar(row, metavar, sizeof metavar);
    width = snprintf(text, size, "  %s--%s%s%s", letter, row->name, *metavar == '\0' ? "" : " ",
                     metavar);
    return width < 0 ? 0 : (size_t) width;
}

/* Where the help of all rows begins: behind the longest head that is not too long. */
static size_t help_column(const struct command *command)
{
    const struct arg_row *row;
    char head[256];
    size_t column = 0;

    for (size_t i = 0; (row = command_row(command, i)) != NULL; i++) {
        size_t width = row->help == NULL ? 0 : option_head(row, head, sizeof head) + 2;

        if (width > column && width <= COLUMN_MAX)
            column = width;
    }
    return column;
}

static void option_line(struct buf *buf, const struct arg_row *row, size_t column)
{
    char head[256];

    if (row->help == NULL)
        return;
    if (option_head(row, head, sizeof head) + 2 > column)
        buf_printf(buf, "%s\n%*s", head, (int) column, "");
    else
        buf_printf(buf, "%-*s", (int) column, head);
    wrap(buf, row->help, column);
}

static void option_lines(struct buf *buf, const struct command *command)
{
    size_t column = help_column(command);
    const struct arg_rows *rows;
    const char *title = "";

    for (size_t i = 0; (rows = command_rows(command, i)) != NULL; i++) {
        if (strcmp(rows->title, title) != 0)
            buf_printf(buf, "\n%s:\n", rows->title);
        title = rows->title;
        for (size_t k = 0; k < rows->count; k++)
            option_line(buf, &rows->items[k], column);
    }
}

static void usage_lines(struct buf *buf, const struct command *command)
{
    const char *usage = command->usage, *head = "Usage:";

    for (;;) {
        size_t length = strcspn(usage, "\n");

        buf_printf(buf, "%s sublet %s%s%.*s\n", head, command->name, length > 0 ? " " : "",
                   (int) length, usage);
        if (usage[length] == '\0')
            return;
        usage += length + 1;
        head = "      ";
    }
}

static void program_help(struct buf *buf)
{
    buf_puts(buf, "Usage: sublet [OPTION...] COMMAND [ARGUMENT...]\n\n"
                  "An OCI container runtime for hosts that many tenants share.\n\nCommands:\n");
    for (size_t i = 0; i < command_count; i++) {
        if (commands[i]->hidden)
            continue;
        buf_printf(buf, "  %-*s", COMMAND_TEXT - 2, commands[i]->name);
        wrap(buf, commands[i]->summary, COMMAND_TEXT);
    }
    option_lines(buf, NULL);
    buf_puts(buf, "\n'sublet COMMAND --help' tells a command's options; sublet(1) tells more.\n");
}

void help_text(struct buf *buf, const struct command *command)
{
    if (command == NULL) {
        program_help(buf);
        return;
    }
    usage_lines(buf, command);
    buf_putc(buf, '\n');
    wrap(buf, command->summary, 0);
    option_lines(buf, command);
}
