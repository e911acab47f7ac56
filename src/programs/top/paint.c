/* SPDX-License-Identifier: Apache-2.0 */
#include "paint.h"

#include <curses.h>

/* As src/cli/top.h numbers them. */
enum ink { PLAIN = 1, BOLD, CURSOR, GOOD, WARN, BAD, INKS };

static const struct {
    attr_t attributes;
    short colour; /* -1: that of the terminal */
} inks[INKS] = {
    [PLAIN] = {A_NORMAL,  -1          },
      [BOLD] = {A_BOLD,    -1          },
    [CURSOR] = {A_REVERSE, -1          },
      [GOOD] = {A_NORMAL,  COLOR_GREEN },
    [WARN] = {A_NORMAL,  COLOR_YELLOW},
      [BAD] = {A_BOLD,    COLOR_RED   },
};
static bool coloured;

void paint_begin(bool colours)
{
    coloured = colours && has_colors() && start_color() == OK && use_default_colors() == OK;
    for (short i = 1; coloured && i < INKS; i++)
        (void) init_pair(i, inks[i].colour, -1);
}

static void take(int ink)
{
    if (ink >= INKS)
        return;
    (void) attrset((int) inks[ink].attributes);
    if (coloured)
        (void) color_set((short) ink, NULL);
}

static const char *paint_line(int y, const char *at)
{
    (void) move(y, 0);
    take(PLAIN);
    for (; *at != '\0' && *at != '\n'; at++) {
        if ((unsigned char) *at < ' ')
            take(*at);
        else if (getcury(stdscr) == y)
            (void) addch((chtype) (unsigned char) *at);
    }
    take(PLAIN);
    if (getcury(stdscr) == y)
        (void) clrtoeol();
    return *at == '\n' ? at + 1 : at;
}

void paint(const char *text)
{
    int y = 0;

    for (; *text != '\0' && y < LINES; y++)
        text = paint_line(y, text);
    for (; y < LINES; y++)
        (void) paint_line(y, "");
    (void) refresh();
}
