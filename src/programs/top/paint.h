/* SPDX-License-Identifier: Apache-2.0 */
/* From a screen of text to the terminal. */
#ifndef SUBLET_TOP_PAINT_H
#define SUBLET_TOP_PAINT_H

#include <stdbool.h>

/* colours: if the terminal has any. They never say what words do not. */
void paint_begin(bool colours);

/* Lines; a letter below 8 is the ink from there to the next or to the end of the line. */
void paint(const char *text);

#endif
