/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUBLET_ACCOUNT_SUMMARY_PRIVATE_H
#define SUBLET_ACCOUNT_SUMMARY_PRIVATE_H

#include "sublet/account/summary.h"
#include "sublet/base/arena.h"

#define NAME_TEXT     64
#define CONTRACT_TEXT 96
#define BOOT_TEXT     9

/* ---- what is known by a name ---- */

#define BOOK_HEADS    4096

struct node { /* first member of what a book holds */
    struct node *next;
    const char *key;
};

struct book {
    struct node *heads[BOOK_HEADS];
    size_t count;
};

struct node *book_find(const struct book *book, const char *key);
void book_add(struct book *book, struct node *node);
void book_remove(struct book *book, struct node *node);

/* ---- counters of one record ---- */

struct past_device {
    char name[24];
    struct ledger_device counters; /* its d is not used */
};

struct past_blame {
    char by[NAME_TEXT];
    uint64_t us;
};

/* A span of time and what was counted in it. */
struct span {
    uint64_t from_us, to_us;
    uint64_t delta[SUM_COUNT];
};

/* Cumulative counters of a record that are sums already; I/O is counted by device. */
void vector_of_record(const struct ledger_record *record, uint64_t *ret_vector);
/* Names the sums that the meter makes; the others are the kernel's. */
bool vector_is_meters(enum summary_sum sum);

/* What of the span lies in from..to, added to sums; the identity holds in every part. */
void span_add(const struct span *span, uint64_t from_us, uint64_t to_us, uint64_t *sums);
/* The part of one amount, by the same rule. */
uint64_t span_part(const struct span *span, uint64_t amount, uint64_t from_us, uint64_t to_us);

/* ---- tenants and containers ---- */

/* Since the last record of the host: who did what while somebody stalled. */
struct sweep {
    struct span span; /* not of much: io and memory of one record */
    struct ledger_device devices[LEDGER_IO_MAX];
    char names[LEDGER_IO_MAX][24];
    size_t device_count;
    bool filled;
};

#define PENDING_MAX 256 /* then neighbours are put together */
struct pending {
    uint64_t from_us, to_us, used_us, user_us, system_us;
};

struct series { /* a tenant */
    struct node node;
    struct series *next; /* of all, as they were met */
    struct summary_row row;
    char boot[BOOT_TEXT], contract[CONTRACT_TEXT];
    uint64_t cg, us, clock_steps;
    bool begun;     /* there is a record to differ from */
    bool touched;   /* there is something of it in the period */
    bool cpu_alone; /* of the rest it is not known what was before */
    uint64_t last[SUM_COUNT];
    struct past_device devices[LEDGER_IO_MAX];
    size_t device_count;
    struct past_blame blame[LEDGER_BLAME_MAX];
    size_t blame_count;
    uint64_t memory_bytes, peak_bytes, swap_peak_bytes;
    uint64_t calm_bytes;     /* when last nobody stalled for memory */
    bool at_own_limit;       /* of memory, in the last sweep */
    struct pending *pending; /* what the runtime told since the meter's last record */
    size_t pending_count;
    struct span loose; /* the same, of all but CPU time */
    struct sweep sweep;
};

#define ENDED_MAX   4096 /* that are remembered, for a second word of one of them */
#define RUNNING_MAX 65536
#define KEY_TEXT    192

struct container {
    struct node node;
    struct container *newer, *older; /* of those that ended */
    char key[KEY_TEXT];              /* id and when it was made: an ID is used again */
    uint64_t since_us;
    bool ended;
    uint64_t told[SUM_COUNT]; /* by its exit */
    struct summary_row *row;  /* NULL: rows are tenants */
};

struct summarizing {
    struct summary *result;
    struct arena arena;
    struct book tenants, containers;
    struct series *first_series, **last_series;
    struct container *newest, *oldest, *unused; /* that ended; places to use again */
    size_t ended_count;
    struct container_row *first_row, **last_row;
    struct book rows; /* of containers, by id */
    bool failed;      /* no memory */

    /* where the reading is */
    char boot[BOOT_TEXT];
    uint64_t born_us;   /* what is met now for the first time began after that; 0: not known */
    uint64_t record_us; /* of the record before */
    uint64_t clock_steps;

    /* the host */
    struct ledger_total host;
    uint64_t meter_us;
    bool host_begun;
    uint64_t covered_us; /* until there it is known what the host did */
};

void summary_put_span(struct summarizing *s, struct summary_row *row, const struct span *span);

int series_take(struct summarizing *s, const struct ledger_record *record);
/* What the runtime told of the tenant and no record of the meter did. */
void series_settle(struct summarizing *s, struct series *series);
void series_drop_pending(struct series *series);
void series_add_pending(struct summarizing *s, struct series *series, uint64_t us,
                        const struct ledger_group *group);
struct series *series_of(struct summarizing *s, const char *tenant);

struct container_row {
    struct node node;
    struct container_row *next;
    struct summary_row row;
    char tenant[NAME_TEXT];
};

int container_take(struct summarizing *s, const struct ledger_record *record);
void containers_new_boot(struct summarizing *s);
void containers_end(struct summarizing *s);

void host_take(struct summarizing *s, const struct ledger_record *record);
void host_end(struct summarizing *s);

/* Divides the stalls of this sweep, and begins the next. */
void sweep_end(struct summarizing *s);
void row_blame(struct summarizing *s, struct summary_row *row, const char *by,
               enum summary_resource resource, uint64_t us);

#endif
