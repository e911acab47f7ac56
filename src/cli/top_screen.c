/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sublet/base/buf.h"
#include "sublet/base/fd.h"

#include "top.h"

#define HEAD_LINES 4 /* two of the host, one of what is looked at, the titles */
#define FOOT_LINES 1
#define LINE_TEXT  1024

/* ---- lines ---- */

/* At most width letters of a line. */
static void put_line(struct buf *text, unsigned width, enum top_ink ink, const char *line)
{
    if (ink != TOP_PLAIN)
        buf_putc(text, (char) ink);
    buf_printf(text, "%.*s\n", (int) width, line);
}

static void summary(const struct top_look *look, const struct top_rows *rows, char *line)
{
    (void) snprintf(line, LINE_TEXT,
                    "sublet top  %s  every %llu.%llu s%s  tenants %zu  containers %zu  by %s%s",
                    rows->time, (unsigned long long) (look->interval_us / 1000000),
                    (unsigned long long) (look->interval_us / 100000 % 10),
                    look->paused ? " (paused)" : "", rows->tenants, rows->containers,
                    top_columns[look->sort].title, look->reverse ? ", reversed" : "");
}

static void capacity(const struct top_rows *rows, char *line)
{
    const struct top_host *host = &rows->host;
    const uint64_t values[] = {host->capacity, host->tenants,  host->own,      host->idle,
                               host->steal,    host->entitled, host->borrowed, host->missed};
    char texts[sizeof values / sizeof *values][TOP_NAME_TEXT];

    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (host->known)
            top_cpus(values[i], texts[i]);
        else
            (void) snprintf(texts[i], sizeof texts[i], "-");
    }
    (void) snprintf(line, LINE_TEXT,
                    "CPUs %s: tenants %s  host %s  idle %s  stolen %s; promised %s  borrowed %s  "
                    "missed %s",
                    texts[0], texts[1], texts[2], texts[3], texts[4], texts[5], texts[6], texts[7]);
}

static void place(const struct top_look *look, const struct top_rows *rows, char *line)
{
    const char *kind = look->containers ? "containers" : "tenants";

    if (look->typing)
        (void) snprintf(line, LINE_TEXT, "filter: %s_", look->filter);
    else if (!look->containers && rows->no_tenants != NULL)
        (void) snprintf(line, LINE_TEXT, "no tenants: %s", rows->no_tenants);
    else
        (void) snprintf(line, LINE_TEXT, "%s%s%s%s%s%s", kind, *look->tenant == '\0' ? "" : " of ",
                        look->tenant, *look->filter == '\0' ? "" : " like '", look->filter,
                        *look->filter == '\0' ? "" : "'");
}

/* ---- rows ---- */

static void pad(struct buf *text, const char *cell, unsigned width, bool left)
{
    if (left)
        buf_printf(text, "%-*.*s", (int) width, (int) width, cell);
    else
        buf_printf(text, "%*.*s", (int) width, (int) width, cell);
}

static bool is_words(const struct top_column *column)
{
    return column->value < 0;
}

/* The last one is not padded: it would only be blanks. */
static void put_titles(struct buf *text, const struct top_column *const *columns, size_t count,
                       unsigned name_width)
{
    for (size_t i = 0; i < count; i++) {
        unsigned width = i == 0 ? name_width : columns[i]->width;
        bool left = is_words(columns[i]);

        if (i > 0)
            buf_putc(text, ' ');
        pad(text, columns[i]->title,
            left && i + 1 == count ? (unsigned) strlen(columns[i]->title) : width, left);
    }
    buf_putc(text, '\n');
}

/* A second way to see what the words say. */
static enum top_ink ink_of(const struct top_column *column, const struct top_row *row)
{
    static const struct {
        const char *state;
        enum top_ink ink;
    } states[] = {
        {"victim",       TOP_BAD },
        {"host-starved", TOP_BAD },
        {"squeezed",     TOP_WARN},
        {"at-cap",       TOP_WARN},
        {"paused",       TOP_WARN},
        {"borrowing",    TOP_GOOD},
    };

    if (column->value == TOP_STATE && row->state != NULL) {
        for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
            if (strcmp(states[i].state, row->state) == 0)
                return states[i].ink;
        }
    }
    if ((column->value == TOP_SHORT || column->value == TOP_OOM || column->value == TOP_REFUSED) &&
        top_has(row, (enum top_value) column->value) && row->values[column->value] > 0)
        return TOP_BAD;
    if (column->value == TOP_FILLED && top_has(row, TOP_FILLED) && row->values[TOP_FILLED] >= 9000)
        return TOP_WARN;
    return TOP_PLAIN;
}

struct drawing {
    const struct top_column *columns[TOP_COLUMNS_MAX];
    size_t count;
    unsigned name_width;
    bool inked;
};

static void put_row(struct buf *text, const struct drawing *drawing, const struct top_row *row,
                    bool cursor)
{
    char cell[TOP_NAME_TEXT];

    if (cursor)
        buf_putc(text, TOP_CURSOR);
    for (size_t i = 0; i < drawing->count; i++) {
        const struct top_column *column = drawing->columns[i];
        enum top_ink ink = drawing->inked && !cursor ? ink_of(column, row) : TOP_PLAIN;
        unsigned width = i == 0 ? drawing->name_width : column->width;

        top_cell(column, row, cell);
        if (i > 0)
            buf_putc(text, ' ');
        if (ink != TOP_PLAIN)
            buf_putc(text, (char) ink);
        if (is_words(column) && i + 1 == drawing->count)
            buf_printf(text, "%.*s", (int) width, cell);
        else
            pad(text, cell, width, is_words(column));
        if (ink != TOP_PLAIN)
            buf_putc(text, TOP_PLAIN);
    }
    buf_putc(text, '\n');
}

/* ---- the help ---- */

static const char *const help_keys[] = {
    "up, down, page up, page down, home, end   move the cursor (also k and j)",
    "enter, right    the containers of the tenant",
    "esc, left       back; takes a filter away first",
    "c               all containers, or all tenants",
    "/               filter by a part of the name; enter keeps it, esc takes it away",
    "< >             sort by the column to the left or right of the one now",
    "r               the other way round",
    "+ -             longer or shorter intervals",
    "space           stop and go on",
    "q               quit",
};

static void put_help(const struct top_look *look, struct buf *text)
{
    struct top_look both = *look;
    unsigned line = 0, room = look->lines;
    char words[LINE_TEXT];

    put_line(text, look->columns, TOP_BOLD, "sublet top: keys (any key goes back)");
    for (line = 1; line + 1 < room && line - 1 < sizeof help_keys / sizeof *help_keys; line++)
        put_line(text, look->columns, TOP_PLAIN, help_keys[line - 1]);
    if (line + 1 < room) {
        put_line(text, look->columns, TOP_BOLD, "columns, and the keys that sort by them");
        line++;
    }
    for (size_t i = 0; i < top_column_count && line < room; i++, line++) {
        const struct top_column *column = &top_columns[i];

        (void) snprintf(words, sizeof words, "%c %-8s %s", column->key == 0 ? ' ' : column->key,
                        column->title, column->what);
        put_line(text, both.columns, TOP_PLAIN, words);
    }
}

/* ---- all of it ---- */

static size_t find_selected(const struct top_look *look, const struct top_row *const *chosen,
                            size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(chosen[i]->name, look->selected) == 0)
            return i;
    }
    return 0;
}

/* The cursor stays with its row and on the screen. */
static void scroll(struct top_look *look, size_t at, size_t count, size_t room)
{
    if (at < look->first)
        look->first = at;
    if (room > 0 && at >= look->first + room)
        look->first = at - room + 1;
    if (look->first >= count)
        look->first = 0;
}

static void put_rows(struct top_look *look, const struct top_rows *rows, struct buf *text)
{
    OWNED_MEM const struct top_row **chosen = calloc(rows->count + 1, sizeof(void *));
    struct drawing drawing = {.inked = true};
    size_t room = look->lines > HEAD_LINES + FOOT_LINES ? look->lines - HEAD_LINES - FOOT_LINES : 0;

    if (chosen == NULL)
        return;
    size_t count = top_choose(look, rows, chosen), at = find_selected(look, chosen, count);
    if (count > 0)
        (void) snprintf(look->selected, sizeof look->selected, "%s", chosen[at]->name);
    scroll(look, at, count, room);
    drawing.count = top_fit(look, look->columns, drawing.columns, &drawing.name_width);
    buf_putc(text, TOP_BOLD);
    put_titles(text, drawing.columns, drawing.count, drawing.name_width);
    for (size_t i = 0; i < room; i++) {
        if (look->first + i < count)
            put_row(text, &drawing, chosen[look->first + i], look->first + i == at);
        else
            buf_putc(text, '\n');
    }
}

void top_screen(struct top_look *look, const struct top_rows *rows, struct buf *text)
{
    char line[LINE_TEXT];

    if (look->help) {
        put_help(look, text);
        return;
    }
    summary(look, rows, line);
    put_line(text, look->columns, TOP_PLAIN, line);
    capacity(rows, line);
    put_line(text, look->columns, TOP_PLAIN, line);
    place(look, rows, line);
    put_line(text, look->columns, TOP_PLAIN, line);
    put_rows(look, rows, text);
    put_line(text, look->columns, TOP_BOLD,
             "? help  q quit  enter containers  c all  / filter  < > sort  space stop");
}

void top_table(const struct top_look *look, const struct top_rows *rows, unsigned width,
               struct buf *text)
{
    OWNED_MEM const struct top_row **chosen = calloc(rows->count + 1, sizeof(void *));
    struct drawing drawing = {.inked = false};
    char line[LINE_TEXT];

    if (chosen == NULL)
        return;
    summary(look, rows, line);
    buf_printf(text, "%s\n", line);
    capacity(rows, line);
    buf_printf(text, "%s\n", line);
    place(look, rows, line);
    buf_printf(text, "%s\n", line);

    size_t count = top_choose(look, rows, chosen);
    drawing.count = top_fit(look, width, drawing.columns, &drawing.name_width);
    for (size_t i = 0; i < count && width == 0; i++) {
        if (strlen(chosen[i]->name) > drawing.name_width)
            drawing.name_width = (unsigned) strlen(chosen[i]->name);
    }
    put_titles(text, drawing.columns, drawing.count, drawing.name_width);
    for (size_t i = 0; i < count; i++)
        put_row(text, &drawing, chosen[i], false);
}
