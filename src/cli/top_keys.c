/* SPDX-License-Identifier: Apache-2.0 */
/* What a key does: it changes what is looked at, nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sublet/base/fd.h"

#include "top.h"

#define HALF_SECOND_US  UINT64_C(500000)
#define INTERVAL_MAX_US UINT64_C(60000000)
#define HEAD_AND_FOOT   5u

static void turn(struct top_look *look, const struct top_rows *rows, const char *key);

/* ---- the cursor ---- */

static void move(struct top_look *look, const struct top_rows *rows, const char *key)
{
    OWNED_MEM const struct top_row **chosen = calloc(rows->count + 1, sizeof(void *));
    size_t count = chosen == NULL ? 0 : top_choose(look, rows, chosen), at = 0;
    size_t page = look->lines > HEAD_AND_FOOT ? look->lines - HEAD_AND_FOOT : 1;

    if (count == 0)
        return;
    while (at + 1 < count && strcmp(chosen[at]->name, look->selected) != 0)
        at++;
    if (strcmp(key, "up") == 0)
        at -= at > 0;
    else if (strcmp(key, "down") == 0)
        at++;
    else if (strcmp(key, "pageup") == 0)
        at = at > page ? at - page : 0;
    else if (strcmp(key, "pagedown") == 0)
        at += page;
    else
        at = strcmp(key, "home") == 0 ? 0 : count - 1;
    if (at >= count)
        at = count - 1;
    (void) snprintf(look->selected, sizeof look->selected, "%s", chosen[at]->name);
}

/* ---- what is shown ---- */

static void look_from_top(struct top_look *look)
{
    look->first = 0;
    look->selected[0] = '\0';
}

static void go_in(struct top_look *look)
{
    if (look->containers || *look->selected == '\0')
        return;
    (void) snprintf(look->tenant, sizeof look->tenant, "%s", look->selected);
    look->containers = true;
    look->filter[0] = '\0';
    look_from_top(look);
}

static void go_back(struct top_look *look)
{
    if (*look->filter != '\0') {
        look->filter[0] = '\0';
    } else if (*look->tenant != '\0') {
        look->containers = false;
        (void) snprintf(look->selected, sizeof look->selected, "%s", look->tenant);
        look->tenant[0] = '\0';
        look->first = 0;
    }
}

static void change_kind(struct top_look *look)
{
    look->containers = !look->containers || *look->tenant != '\0';
    look->tenant[0] = '\0';
    look_from_top(look);
}

static bool sort_by_key(struct top_look *look, char key)
{
    for (unsigned i = 0; i < top_column_count; i++) {
        if (top_columns[i].key == key) {
            look->sort = i;
            return true;
        }
    }
    return false;
}

/* Of the columns on the screen. */
static void sort_beside(struct top_look *look, bool right)
{
    const struct top_column *columns[TOP_COLUMNS_MAX];
    unsigned name_width;
    size_t count = top_fit(look, look->columns, columns, &name_width), at = 0;

    while (at + 1 < count && columns[at] != &top_columns[look->sort])
        at++;
    if (right)
        at += at + 1 < count;
    else
        at -= at > 0;
    look->sort = (unsigned) (columns[at] - top_columns);
}

static void change_interval(struct top_look *look, bool longer)
{
    uint64_t step_us = look->interval_us < 2 * HALF_SECOND_US ? HALF_SECOND_US / 5 : HALF_SECOND_US;

    if (longer && look->interval_us < INTERVAL_MAX_US)
        look->interval_us += step_us;
    else if (!longer && look->interval_us > step_us)
        look->interval_us -= step_us;
}

/* ---- the filter ---- */

static void type(struct top_look *look, const char *key)
{
    size_t length = strlen(look->filter);

    if (strcmp(key, "enter") == 0) {
        look->typing = false;
    } else if (strcmp(key, "esc") == 0) {
        look->typing = false;
        look->filter[0] = '\0';
    } else if (strcmp(key, "backspace") == 0) {
        look->filter[length - (length > 0)] = '\0';
    } else if (key[1] == '\0' && *key > ' ' && length + 1 < sizeof look->filter) {
        look->filter[length] = *key;
        look->filter[length + 1] = '\0';
    }
    look->first = 0;
}

/* ---- keys ---- */

static void press(struct top_look *look, const struct top_rows *rows, char key)
{
    switch (key) {
    case 'q':
        look->quit = true;
        break;
    case '?':
    case 'h':
        look->help = true;
        break;
    case '/':
        look->typing = true;
        break;
    case 'c':
        change_kind(look);
        break;
    case 'r':
        look->reverse = !look->reverse;
        break;
    case ' ':
        look->paused = !look->paused;
        break;
    case 'j':
    case 'k':
        turn(look, rows, key == 'j' ? "down" : "up");
        break;
    case '<':
    case '>':
        sort_beside(look, key == '>');
        break;
    case '+':
    case '-':
        change_interval(look, key == '+');
        break;
    default:
        (void) sort_by_key(look, key);
    }
}

static void turn(struct top_look *look, const struct top_rows *rows, const char *key)
{
    if (strcmp(key, "enter") == 0 || strcmp(key, "right") == 0)
        go_in(look);
    else if (strcmp(key, "esc") == 0 || strcmp(key, "left") == 0 || strcmp(key, "backspace") == 0)
        go_back(look);
    else
        move(look, rows, key);
}

void top_key(struct top_look *look, const struct top_rows *rows, const char *key)
{
    if (look->help)
        look->help = false;
    else if (look->typing)
        type(look, key);
    else if (*key != '\0' && key[1] == '\0')
        press(look, rows, *key);
    else
        turn(look, rows, key);
}
