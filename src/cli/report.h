/* SPDX-License-Identifier: Apache-2.0 */
/* A summary of the ledger in the forms of `report`: to look at, for a spreadsheet, for a program,
 * for a browser. Each closes to the capacity of the host, and tells what is not known. */
#ifndef SUBLET_CLI_REPORT_H
#define SUBLET_CLI_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "sublet/account/summary.h"

struct buf;
struct json_writer;

#define REPORT_TEXT_MAX ((size_t) 256 << 20)

enum report_by { REPORT_TENANT, REPORT_CONTAINER, REPORT_MINUTE, REPORT_HOUR, REPORT_DAY };
enum report_format { REPORT_TABLE, REPORT_CSV, REPORT_JSON, REPORT_HTML };

struct report {
    const struct summary *summary;
    enum report_by by;
    unsigned width; /* of the terminal */
};

void report_table(struct buf *buf, const struct report *report);
void report_csv(struct buf *buf, const struct report *report);
void report_json(struct buf *buf, const struct report *report);
void report_html(struct buf *buf, const struct report *report);

/* ---- what they share ---- */

/* Where the capacity of the period went. They sum to it exactly; what is not known may be below 0
 * by what the counters of the kernel differ. */
struct report_closing {
    uint64_t shown_us;  /* the rows */
    uint64_t others_us; /* tenants, or what their tenants used besides */
    uint64_t own_us, idle_us, steal_us;
    int64_t unknown_us;
    uint64_t capacity_us;
};
struct report_closing report_close(const struct summary *summary);

/* "12.345", hours or seconds of CPU time. */
void report_amount(struct buf *buf, int width, uint64_t us, uint64_t unit_us);
uint64_t report_unit(uint64_t largest_us);

/* A sum as programs read it: no number above 2^53 in any report that a host can need. */
const char *report_sum_name(enum summary_sum sum);
uint64_t report_sum(const uint64_t *sums, enum summary_sum sum);

/* "1.5G"; room for 16 bytes. */
char *report_bytes(uint64_t bytes, char *text);
uint64_t report_mean_bytes(const uint64_t *sums);

/* Sentences on gaps, torn lines and so on, each handed to tell. */
void report_caveats(const struct summary *summary, void (*tell)(void *context, const char *text),
                    void *context);
extern const char *const report_limits[]; /* of the method, NULL behind the last */

#endif
