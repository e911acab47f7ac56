/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that is derived from the rows. Each appends to buf; none of them prints. */
#ifndef SUBLET_CLI_TEXTS_H
#define SUBLET_CLI_TEXTS_H

#include <stdbool.h>

struct buf;
struct command;

#define TEXTS_MAX_BYTES (1u << 20)
#define SPEC_VERSION    "1.3.0" /* of the OCI runtime specification */

void help_text(struct buf *buf, const struct command *command); /* NULL: the program itself */
void version_text(struct buf *buf);
const char *version_commit(void);

void bash_completion(struct buf *buf);
void zsh_completion(struct buf *buf);
void man_options(struct buf *buf, const struct command *command);
void options_json(struct buf *buf);
void features_json(struct buf *buf, bool systemd); /* its driver is installed */

#endif
