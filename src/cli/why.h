/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUBLET_CLI_WHY_H
#define SUBLET_CLI_WHY_H

struct buf;
struct summary;
struct summary_row;
struct why;

/* The answer in sentences, with what an operator can do; and for programs. */
void why_text(struct buf *buf, const struct summary *summary, const struct summary_row *row,
              const struct why *why);
void why_json(struct buf *buf, const struct summary *summary, const struct summary_row *row,
              const struct why *why);

#endif
