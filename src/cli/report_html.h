/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUBLET_CLI_REPORT_HTML_H
#define SUBLET_CLI_REPORT_HTML_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct report_closing;
struct summary;
struct summary_row;

/* Text of a stranger: whatever is in it, it stays text. */
void html_text(struct buf *buf, const char *text);

/* Use of one tenant against what it was entitled to, over time; number makes its ids unique. */
void chart_tenant(struct buf *buf, const struct summary *summary, const struct summary_row *row,
                  size_t number);
/* Where the capacity went, as one bar. */
void chart_capacity(struct buf *buf, const struct summary *summary);

#endif
