/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: the only room that prints. It knows words, options, help, exit statuses and
 * the log; it does not know how anything is done: a command's body fills a struct and calls a verb
 * of a lower room. Everything about an option (parsing, --help, completion, the manual) comes from
 * its one row in src/cli.
 */
#ifndef SUBLET_CLI_H
#define SUBLET_CLI_H

/* The whole program; returns its exit status. argv may be permuted. */
int cli_main(int argc, char **argv);

#endif
