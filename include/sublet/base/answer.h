/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sublet and a program of its own (src/programs) say to each other, over a socket that keeps
 * messages apart and is the program's standard input:
 *
 *   sublet                        program
 *     |  --- request ----------->    |      text of at most ANSWER_REQUEST_MAX bytes
 *     |  <-- struct answer -------   |      one for each request
 *     x                                     end of file: the program ends
 */
#ifndef SUBLET_BASE_ANSWER_H
#define SUBLET_BASE_ANSWER_H

#include <stdint.h>

#define ANSWER_REQUEST_MAX ((size_t) 128 << 10) /* below what a socket takes as one message */
#define ANSWER_TEXT        4092

struct answer {
    int32_t code; /* 0, or a positive errno: then text is the sentence for the error */
    char text[ANSWER_TEXT];
};

#endif
