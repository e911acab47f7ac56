/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What leaves the program: results on stdout, and the log. Text lines are "sublet: path: text",
 * JSON lines one object {level, msg, time}. An error goes to the log and, as engines expect of
 * runc, in words to stderr as well. Control characters of user data never reach a terminal.
 */
#ifndef SUBLET_CLI_SAY_H
#define SUBLET_CLI_SAY_H

struct args;
struct buf;
struct findings;
struct sub_err;

/* Opens the log that args ask for and installs the debug sink where its level says so. */
int say_open(const struct args *args, struct sub_err *err);

void say_error(const struct sub_err *err);
void say_warning(const char *path, const char *text);
void say_warnings(const struct findings *findings);

/* Whole text to stdout. A reader that has gone away is an error, not a signal. */
int say_result(const struct buf *text, struct sub_err *err);

/* Appends text with control characters and bytes that are no UTF-8 as \xNN, newline as \n. */
void say_escape(struct buf *buf, const char *text);

#endif
