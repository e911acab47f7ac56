/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options as rows. One row says how an option is written, what kind of value it takes, where the
 * value goes in struct args and what a person reads about it; parsing, help, completion, manual
 * and the JSON list walk the same rows.
 */
#ifndef SUBLET_CLI_ARGS_H
#define SUBLET_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sublet/base/words.h"

struct arena;
struct command;
struct sub_err;

/* err->code of a wrong command line; no errno. Exit status 2 with one line. */
#define ARGS_USAGE     10001

#define ARGS_ROWS_MAX  64 /* options of one command */
#define ARGS_MILLI_MAX 1000000000u
#define ARGS_CONTRACT  9          /* fields of a tenant's contract */
#define ARGS_NONE_U64  UINT64_MAX /* an optional number that was not given */
#define ARGS_NONE_I64  INT64_MIN

enum arg_kind {
    ARG_FLAG,     /* bool = true */
    ARG_SET,      /* uint32_t = value of the row's only word */
    ARG_WORD,     /* uint32_t = value of the named word */
    ARG_TEXT,     /* const char *, not empty */
    ARG_FILE,     /* const char *, not empty; completes to files */
    ARG_DIR,      /* the same; completes to folders */
    ARG_U32,      /* uint32_t */
    ARG_U64,      /* uint64_t up to INT64_MAX */
    ARG_SIZE,     /* uint64_t bytes: "64M" */
    ARG_I64,      /* int64_t from -1 on */
    ARG_LIMIT,    /* int64_t bytes, or -1 for no limit */
    ARG_DURATION, /* uint64_t microseconds, not 0: "5s" */
    ARG_LIST,     /* struct arg_list, one entry each time */
    ARG_IGNORED,  /* engines send it; help and manual say why it has no effect */
};

struct arg_row {
    const char *name; /* without dashes; NULL: only a letter */
    char letter;      /* 0: none */
    enum arg_kind kind;
    size_t target;             /* offset in struct args */
    const struct words *words; /* of SET and WORD; IGNORED with words takes one of them */
    const char *metavar;       /* NULL: no value, or the words themselves */
    const char *help;          /* NULL: a second spelling, not shown */
};

#define INTO(member) offsetof(struct args, member)

struct arg_rows {
    const struct arg_row *items;
    size_t count;
    const char *title; /* of their part of the help */
};

#define ARG_ROWS(table, title)                            \
    {                                                     \
        (table), sizeof(table) / sizeof *(table), (title) \
    }

struct arg_list {
    const char **items;
    size_t count;
};

enum log_format { LOG_TEXT, LOG_JSON };
enum log_level { LOG_LEVEL_DEFAULT, LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_DEBUG };
enum args_net { ARGS_NET_DEFAULT, ARGS_NET_PRIVATE, ARGS_NET_HOST };
enum args_format { ARGS_TABLE, ARGS_JSON };

/* Limits of `update`. */
struct args_update {
    const char *resources, *cpus, *mems, *l3_cache_schema, *mem_bw_schema;
    int64_t memory, reservation, swap, kernel, kernel_tcp, quota, rt_runtime, pids;
    uint64_t period, burst, shares, idle, rt_period, blkio_weight;
};

/* report and why */
struct args_report {
    const char *from, *to, *container;
    uint32_t by, format, classes;
};

/* Everything a command line can say. Absent: NULL, false, 0, or ARGS_NONE_*. */
struct args {
    /* before the command */
    const char *root, *log, *tenants, *ledger;
    uint32_t log_format, log_level, cgroup_manager;
    bool help, version;
    /* create, run, plan */
    const char *tenant;
    const char *bundle, *config, *pid_file, *console_socket, *overlay, *upper, *pidfd_socket;
    uint32_t preserve_fds;
    bool no_pivot, no_new_keyring, detach, keep;
    const char *report;
    struct arg_list asserts;
    /* run without a bundle */
    const char *rootfs, *name, *hostname, *cwd, *user;
    const char *cpu;
    uint64_t memory_bytes, swap_bytes, pids;
    uint32_t net;
    bool tty;
    struct arg_list env;
    /* exec */
    const char *process, *apparmor, *process_label, *cgroup;
    struct arg_list gids, caps;
    bool no_new_privs, ignore_paused;
    /* tenant */
    const char *contract[ARGS_CONTRACT];
    struct arg_list io;
    bool overcommit, dry_run;
    /* metrics */
    const char *listen, *output;
    bool compat;
    /* top */
    const char *sort, *filter;
    uint32_t width, by;
    bool batch, reverse;
    uint64_t iterations;
    /* update */
    struct args_update update;
    struct args_report asked;
    /* the others */
    bool all, force, quiet, json, rootless, stats;
    uint64_t interval_us, window_us;
    uint32_t format;

    const struct command *command; /* NULL: none was named */
    char *const *operands;
    size_t operand_count;
};

void args_init(struct args *args);

/* Reads the whole command line. On failure (-ARGS_USAGE, -ENOMEM) args holds what was read before
 * it, so that the complaint can go to the log that was asked for. argv may be permuted. */
int args_parse(struct arena *arena, int argc, char **argv, struct args *args, struct sub_err *err);

/* Stores text as the row's kind says. -EINVAL with the reason in err. */
int args_store(struct arena *arena, struct args *args, const struct arg_row *row, const char *text,
               struct sub_err *err);

bool arg_takes_value(const struct arg_row *row);

/* Whether the command line gave the row's option (a WORD: one that is not 0). */
bool arg_is_given(const struct args *args, const struct arg_row *row);

/* A wrong command line, found by a command's body: returns -ARGS_USAGE; adds where to look. */
int args_refuse(const struct args *args, struct sub_err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "DIR", or "text|json" of the words. Into text; returns it. */
const char *arg_metavar(const struct arg_row *row, char *text, size_t size);

/* Signal by number (0: only a look) or name: "TERM", "SIGTERM", "RTMIN+3". */
int signal_parse(const char *text, int *ret_signal, struct sub_err *err);

/* The rule for a container's name. */
int id_check(const char *id, struct sub_err *err);

#endif
