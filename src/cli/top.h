/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sublet top`: rows are gathered (top_gather.c), chosen and sorted (top_rows.c), set in columns as
 * wide as the screen (top_columns.c) and made a screen of text (top_screen.c). What is pressed
 * changes what is looked at (top_keys.c). A terminal is spoken to by a program of its own
 * (top_loop.c, src/programs/top).
 */
#ifndef SUBLET_CLI_TOP_H
#define SUBLET_CLI_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct call;
struct sub_err;

/* ---- rows ---- */

enum top_value {
    TOP_ENTITLED, /* millionths of a CPU */
    TOP_USED,
    TOP_UTILISED, /* used of entitled; hundredths of percent */
    TOP_BORROWED,
    TOP_LENT,
    TOP_SHORT,     /* entitled, asked for, not given */
    TOP_WAITING,   /* time waited for others; hundredths of percent, as all below */
    TOP_THROTTLED, /* summed over CPUs */
    TOP_CPU_SOME,
    TOP_MEMORY_SOME,
    TOP_IO_SOME,
    TOP_MEMORY, /* bytes */
    TOP_LIMIT,  /* UINT64_MAX: none */
    TOP_FILLED, /* memory of limit; hundredths of percent */
    TOP_SWAP,
    TOP_READ, /* bytes a second */
    TOP_WRITTEN,
    TOP_OPERATIONS, /* a second */
    TOP_TASKS,
    TOP_OOM,     /* processes killed, ever */
    TOP_REFUSED, /* forks, ever */
    TOP_VALUES
};

struct top_row {
    const char *name;
    const char *tenant; /* of a container; NULL: none, or the row is a tenant */
    const char *state;  /* class of a tenant, status of a container */
    const char *contract;
    bool is_container, outside;
    uint64_t known; /* bits of the values that there are */
    uint64_t values[TOP_VALUES];
};

struct top_host { /* millionths of a CPU */
    bool known;
    uint64_t capacity, tenants, own, idle, steal, entitled, borrowed, missed;
};

struct top_rows {
    struct top_row *items;
    size_t count, tenants, containers;
    struct top_host host;
    const char *no_tenants; /* why there are none, or NULL */
    uint64_t window_us;
    char time[16]; /* "11:02:00" */
};

bool top_has(const struct top_row *row, enum top_value value);
void top_put(struct top_row *row, enum top_value value, uint64_t number);

/* ---- gathering ---- */

struct top_world;
int top_world_open(const struct call *call, struct top_world **ret_world, struct sub_err *err);
void top_world_free(struct top_world **world);
#define OWNED_TOP_WORLD __attribute__((cleanup(top_world_free))) struct top_world
/* Rows live until the next. Rates are those since the one before; the first has none. */
bool top_world_has_no_tenants(const struct top_world *world);
int top_world_look(struct top_world *world, struct sub_err *err);
const struct top_rows *top_world_rows(const struct top_world *world);

/* ---- what is looked at ---- */

#define TOP_FILTER_TEXT 64
#define TOP_NAME_TEXT   128

struct top_look {
    bool containers;              /* rows are containers, else tenants */
    char tenant[TOP_NAME_TEXT];   /* of this tenant alone; "": of all */
    char filter[TOP_FILTER_TEXT]; /* part of a name */
    char selected[TOP_NAME_TEXT]; /* name of the row with the cursor */
    size_t first;                 /* row at the top of the screen */
    unsigned sort;                /* column; see top_columns.c */
    bool reverse, help, typing;   /* typing: the filter */
    bool paused, quit;
    bool any;                         /* containers, if there are no tenants */
    uint64_t interval_us, iterations; /* iterations 0: until told */
    unsigned columns, lines;          /* of the screen */
};

/* The rows to show, in their order. */
size_t top_choose(const struct top_look *look, const struct top_rows *rows,
                  const struct top_row **ret_chosen);

/* "u", "up", "enter", "esc"... ; rows: of the moment. */
void top_key(struct top_look *look, const struct top_rows *rows, const char *key);

/* ---- columns ---- */

#define TOP_COLUMNS_MAX 32

struct top_column {
    const char *title, *what; /* what: for the help */
    char key;                 /* sorts by it */
    int value;                /* enum top_value, or one of these: */
    unsigned char width;
    unsigned char rank; /* 0: always shown; the lower the longer it stays */
};
enum { TOP_NAME = -1, TOP_TENANT = -2, TOP_STATE = -3, TOP_CONTRACT = -4 };

extern const struct top_column top_columns[];
extern const size_t top_column_count;
unsigned top_column_of(int value);

/* Columns that fit, in their order; the name takes what is left. width 0: all of them. */
size_t top_fit(const struct top_look *look, unsigned width, const struct top_column **ret_columns,
               unsigned *ret_name_width);
/* The cell without its padding. */
void top_cell(const struct top_column *column, const struct top_row *row, char text[TOP_NAME_TEXT]);

void top_cpus(uint64_t micro, char text[TOP_NAME_TEXT]); /* "0.50" */

/* ---- screens ---- */

/* In the text of a screen, from there to the end of the line or to the next: */
enum top_ink { TOP_PLAIN = 1, TOP_BOLD, TOP_CURSOR, TOP_GOOD, TOP_WARN, TOP_BAD };

/* look->lines lines of at most look->columns letters, with inks. */
void top_screen(struct top_look *look, const struct top_rows *rows, struct buf *text);
/* The whole table, plain. */
void top_table(const struct top_look *look, const struct top_rows *rows, unsigned width,
               struct buf *text);

/* ---- a terminal ---- */

/* Does not return where the program that draws could be executed. */
int top_interactive(const struct call *call, const struct top_look *look, struct sub_err *err);

#endif
