/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: append-only JSON Lines, one record a line of at most 4 KiB, each line one write(2)
 * under an exclusive flock. Counters in records are cumulative since the cgroup (boot, cg) was
 * made: a lost line costs resolution, never an amount. Each line ends in the CRC-32C of all that
 * is before it; a line that was torn by a full disk or a killed writer is skipped by readers and
 * closed by the next writer. The files are kept by the host's operator: a full one is sealed,
 * numbered and renamed, never truncated. Order is that of numbers and lines, whatever the clock of
 * the wall said.
 */
#ifndef SUBLET_ACCOUNT_LEDGER_H
#define SUBLET_ACCOUNT_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct sub_err;

#define LEDGER_FOLDER    "/var/log/sublet"
#define LEDGER_FILE      "ledger.jsonl"
#define LEDGER_LINE_MAX  4096
#define LEDGER_FILE_MAX  ((uint64_t) 64 << 20) /* bytes: a longer one is sealed */
#define LEDGER_BLAME_MAX 24                    /* aggressors of one record; the rest is summed */
#define LEDGER_IO_MAX    16                    /* devices of one record */
#define LEDGER_VERSION   1

/* Kinds of record. A container is told by `id` and `created` together: an ID is used again. Of two
 * `exit` records of one container, which a killed `delete` may leave, the later one counts. */
#define LEDGER_HEAD      "head"     /* first line of a file: the host */
#define LEDGER_CONTRACT  "contract" /* a tenant is opened, or its contract changes */
#define LEDGER_CLOSE     "close"    /* a tenant is removed, with its final totals */
#define LEDGER_START     "start"    /* a container's process runs */
#define LEDGER_EXIT      "exit"     /* a container ended, with its final totals */
#define LEDGER_SAMPLE    "sample"   /* a tenant's totals */
#define LEDGER_HOST      "host"     /* the host's totals */
#define LEDGER_NOTE      "note"     /* drift, OOM, torn line, clock step, gap */
#define LEDGER_SEAL      "seal"     /* last line of a file */

struct ledger_cpu {
    uint64_t use, usr, sys;                      /* us of CPU */
    uint64_t bor, unu, lent, shrt, shrtmax, ent; /* us, sums over windows: class of 1 s */
    uint64_t thr, nthr, nper, bur;               /* us, periods, periods, us */
    uint64_t some, full, wait, self;             /* us of wall time */
};

struct ledger_memory {
    uint64_t cur, peak, swap, anon, file, kern; /* bytes now (peak: ever) */
    uint64_t bytesus;                           /* integral of cur over time, byte-microseconds */
    uint64_t majflt, refa, reff;                /* counts */
    uint64_t high, max, oom, oomkill;           /* events */
    uint64_t some, full;                        /* us */
};

struct ledger_device {
    const char *d; /* "254:0" */
    uint64_t rb, wb, ro, wo, cost;
};

struct ledger_pressure {
    uint64_t some, full;
    uint64_t cap; /* of full: while it did as much as its contract lets it do with a disk */
};

struct ledger_pids {
    uint64_t cur, peak, refused;
};

struct ledger_by {
    const char *by; /* a tenant, "host" or "others" */
    uint64_t us;
};

struct ledger_windows { /* how many windows were of which class since the meter met the tenant */
    uint64_t n, idle, within, borrowing, atcap, squeezed, victim, starved;
};

struct ledger_total { /* kind host: us of CPU */
    uint64_t cap, res, ten, own, idle, steal, cpus;
};

struct ledger_moment {
    uint64_t us, mono; /* as in a record */
};

struct ledger_moment ledger_now(void);
/* By how much the clock of the wall was set in between; 0: by less than a second. */
int64_t ledger_clock_step_us(const struct ledger_moment *before, const struct ledger_moment *now);

/* Start and exit of a container within its contract: the tenant's group at that moment, with all
 * that removed containers have left there. The bill of a tenant is the highest `use` of a (boot,
 * cg), here or in the cpu part of its own records; containers outside add their own. */
struct ledger_group {
    uint64_t cg, use, usr, sys; /* us of CPU */
};

struct ledger_record {
    uint64_t has;
    uint32_t v;
    const char *k;
    uint64_t seq;
    const char *t;    /* RFC 3339, UTC */
    uint64_t us;      /* the same as microseconds since 1970 */
    uint64_t mono;    /* microseconds of the clock of this boot that nobody sets; 0: not known */
    const char *boot; /* first 8 digits of the boot id */
    uint64_t cg;      /* inode of the cgroup */
    const char *tenant, *id, *contract, *text, *cls, *kernel;
    const char *created; /* of a container: RFC 3339 with nanoseconds */
    bool outside;        /* the container is not in its tenant's group: no limit of it holds */
    uint64_t winus;      /* length of the window since the record before; exit: of its life, 0 where
                            nobody saw the end */
    uint64_t entmicro;
    int32_t status; /* exit: as a shell knows it */
    uint64_t count; /* seal: records in the file; note: how many */
    const struct ledger_cpu *cpu;
    const struct ledger_memory *mem;
    struct {
        const struct ledger_device *items;
        size_t count;
    } io;
    const struct ledger_pressure *iop;
    const struct ledger_pids *pids;
    struct {
        const struct ledger_by *items;
        size_t count;
    } blame; /* who caused the tenant's shortfall, us */
    const struct ledger_windows *win;
    const struct ledger_total *host;
    const struct ledger_group *group;
};
/* Bits of `has`, for numbers whose 0 is a value. */
#define LEDGER_HAS_STATUS 1u
#define LEDGER_HAS_COUNT  2u

/* 0 for a record without `mono` that is of a later time: the clock of the wall was set back. */
uint64_t ledger_since_us(const struct ledger_record *record, const struct ledger_moment *now);

uint32_t ledger_crc(const void *data, size_t size); /* CRC-32C */

/* ---- writing ---- */

#define LEDGER_LOCK_MS 5000 /* how long an append waits for the other writers */

struct ledger {
    int folder_fd, fd;
    uint64_t max_bytes;
    int lock_ms;
    char boot[9];
    const char *folder; /* as messages call it */
};
#define LEDGER_NONE ((struct ledger){.folder_fd = -EBADF, .fd = -EBADF})

/* make: the folder (0750) and the file (0640) are made if they are missing; without it -ENOENT
 * without text if there is no folder: the host keeps no ledger. */
int ledger_open(const char *folder, bool make, struct ledger *ret_ledger, struct sub_err *err);
void ledger_close(struct ledger *ledger);
#define OWNED_LEDGER __attribute__((cleanup(ledger_close))) struct ledger

/* Fills v, seq, t, us, mono and boot, and writes the line, all of it or nothing: what a full disk
 * cut is taken back. Closes a torn line it finds first, and seals a file that has grown long.
 * -ENOSPC, -EBUSY (another writer has held the file for lock_ms) and the like: keep the record and
 * try again. */
int ledger_append(struct ledger *ledger, struct ledger_record *record, struct sub_err *err);

/* Several by one lock and one write: all of them or none; a writer that is killed in the middle has
 * written whole lines and at most one torn. The number of records. */
struct ledger_source {
    bool (*fill)(void *context, size_t index, struct ledger_record *ret_record); /* false: none */
    void *context;
};
int ledger_append_each(struct ledger *ledger, const struct ledger_source *source, size_t begin,
                       size_t end, struct sub_err *err);

int ledger_sync(struct ledger *ledger, struct sub_err *err); /* fdatasync: once a sweep */

/* ---- reading ---- */

struct ledger_stats {
    uint64_t files, records, torn; /* torn: lines that are none, or whose sum is wrong */
    uint64_t missing;              /* by the sequence numbers */
    uint64_t doubled;              /* sound records that were read already, and not told again */
    uint64_t newer;                /* sound lines of a version that is not ours */
    uint64_t unfinished;           /* last lines without an end: torn, or being written */
};

/* Calls each for every sound record of from_us <= us < to_us, in order of files and lines; the
 * record lives until each returns. Records outside of the range are counted nowhere; a torn line
 * has no time and always counts. A record that stands in two places, in one file or in copies of
 * one, is told once. each may stop the reading by returning not 0, which is returned. A missing
 * folder is an empty ledger. */
int ledger_read(const char *folder, uint64_t from_us, uint64_t to_us,
                int (*each)(void *context, const struct ledger_record *record), void *context,
                struct ledger_stats *ret_stats, struct sub_err *err);

/* The other way round, the newest first, only records of the kinds (NULL ends them): lines of other
 * kinds are passed over unread. Whoever stops early has read no more than that. */
int ledger_read_back(const char *folder, const char *const *kinds,
                     int (*each)(void *context, const struct ledger_record *record), void *context,
                     struct sub_err *err);

/* One line, without its newline: -EINVAL if it is no sound record, -EPROTONOSUPPORT if it is sound
 * and of a version that is not ours. */
int ledger_decode(struct arena *arena, const char *line, size_t size,
                  struct ledger_record *ret_record);

#endif
