/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/account/totals.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/sys.h"

#define CHUNK_BYTES    ((size_t) 256 << 10)
#define RECORD_ARENA   (1 << 20)
#define BOOT_ID_FILE   "/proc/sys/kernel/random/boot_id"
#define YOUNG_BYTES    (1 << 20) /* a file that may not have every tenant yet */
#define SEALED         "ledger-"
#define GAP            "gap:"
#define TENANTS_AT_MAX 65536 /* names of a boot, with those removed since */

struct account_totals {
    const char *folder;
    char boot[9];
    int fd; /* the file that is followed; -EBADF: none yet */
    uint64_t last_seq;
    size_t used; /* bytes of the chunk: a line that is not complete yet */
    struct account_total *tenants;
    size_t count, room;
    struct account_totals_stats stats;
    char chunk[CHUNK_BYTES];
};

int account_totals_open(const char *folder, struct account_totals **ret_totals, struct sub_err *err)
{
    char boot[64];
    ssize_t n = sub_read_file_at(AT_FDCWD, BOOT_ID_FILE, boot, sizeof boot);

    if (n < 8)
        return sub_fail(err, n < 0 ? (int) -n : EIO, BOOT_ID_FILE, "cannot read");
    struct account_totals *totals = calloc(1, sizeof *totals);
    if (totals == NULL)
        return sub_fail(err, ENOMEM, NULL, "%s", sub_strerror(ENOMEM));
    totals->folder = folder;
    totals->fd = -EBADF;
    memcpy(totals->boot, boot, 8);
    *ret_totals = totals;
    return 0;
}

void account_totals_free(struct account_totals **place)
{
    struct account_totals *totals = *place;

    if (totals == NULL)
        return;
    sub_close(&totals->fd);
    free(totals->tenants);
    free(totals);
    *place = NULL;
}

const struct account_totals_stats *account_totals_stats(const struct account_totals *totals)
{
    return &totals->stats;
}

static struct account_total *find_name(const struct account_totals *totals, const char *name)
{
    for (size_t i = 0; i < totals->count; i++) {
        if (strcmp(totals->tenants[i].name, name) == 0)
            return &totals->tenants[i];
    }
    return NULL;
}

const struct account_total *account_totals_find(const struct account_totals *totals,
                                                const char *name, uint64_t cgroup_id)
{
    const struct account_total *total = find_name(totals, name);

    return total == NULL || total->cgroup_id != cgroup_id ? NULL : total;
}

/* ---- records ---- */

static struct account_total *place_for(struct account_totals *totals, const char *name)
{
    struct account_total *found = find_name(totals, name);

    if (found != NULL)
        return found;
    if (totals->count == totals->room) {
        size_t room = totals->room == 0 ? 16 : 2 * totals->room;
        struct account_total *more =
            room > TENANTS_AT_MAX ? NULL : realloc(totals->tenants, room * sizeof *more);

        if (more == NULL)
            return NULL;
        totals->tenants = more;
        totals->room = room;
    }
    return &totals->tenants[totals->count++];
}

static int take_sample(struct account_totals *totals, const struct ledger_record *record)
{
    if (record->tenant == NULL || record->cpu == NULL)
        return 0;

    struct account_total *total = place_for(totals, record->tenant);
    if (total == NULL)
        return -ENOMEM;
    *total = (struct account_total){.cgroup_id = record->cg, .us = record->us, .cpu = *record->cpu};
    (void) snprintf(total->name, sizeof total->name, "%s", record->tenant);
    total->memory_byte_us = record->mem == NULL ? 0 : record->mem->bytesus;
    if (record->win != NULL)
        total->windows = *record->win;
    for (size_t i = 0; i < record->blame.count && i < LEDGER_BLAME_MAX; i++) {
        struct account_by *by = &total->blame[total->blame_count++];

        (void) snprintf(by->name, sizeof by->name, "%s", record->blame.items[i].by);
        by->us = record->blame.items[i].us;
    }
    totals->stats.newest_us = record->us;
    return 0;
}

static int take_record(struct account_totals *totals, const struct ledger_record *record)
{
    struct account_totals_stats *stats = &totals->stats;

    if (strcmp(record->boot, totals->boot) != 0)
        return 0;
    if (strcmp(record->k, LEDGER_SAMPLE) == 0)
        return take_sample(totals, record);
    if (strcmp(record->k, LEDGER_HOST) == 0 && record->host != NULL) {
        stats->host = *record->host;
        stats->host_known = true;
        stats->newest_us = record->us;
        if (record->cpu != NULL)
            stats->meter = *record->cpu;
    }
    if (strcmp(record->k, LEDGER_NOTE) == 0 && record->text != NULL &&
        strncmp(record->text, GAP, strlen(GAP)) == 0) {
        stats->gaps++;
        stats->gap_seconds += record->count;
    }
    return 0;
}

static int take_line(struct account_totals *totals, const char *line, size_t size)
{
    OWNED_ARENA arena;
    struct ledger_record record;

    arena_init(&arena, RECORD_ARENA);
    if (ledger_decode(&arena, line, size, &record) < 0) {
        totals->stats.torn += size > 0;
        return 0;
    }
    if (totals->last_seq > 0 && record.seq > totals->last_seq + 1)
        totals->stats.missing += record.seq - totals->last_seq - 1;
    totals->last_seq = record.seq;
    totals->stats.records++;
    return record.v == LEDGER_VERSION ? take_record(totals, &record) : 0;
}

/* ---- files ---- */

static int take_lines(struct account_totals *totals)
{
    char *at = totals->chunk, *end = at + totals->used, *newline;

    while ((newline = memchr(at, '\n', (size_t) (end - at))) != NULL) {
        SUBLET_TRY(take_line(totals, at, (size_t) (newline - at)));
        at = newline + 1;
    }
    totals->used = (size_t) (end - at);
    memmove(totals->chunk, at, totals->used);
    if (totals->used == CHUNK_BYTES) { /* no record is that long */
        totals->stats.torn++;
        totals->used = 0;
    }
    return 0;
}

/* To the end of what is there; the line that is being written stays in the chunk. */
static int take_rest(struct account_totals *totals, int fd)
{
    for (;;) {
        ssize_t n = read(fd, totals->chunk + totals->used, CHUNK_BYTES - totals->used);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        totals->used += (size_t) n;
        SUBLET_TRY(take_lines(totals));
    }
}

static void begin_file(struct account_totals *totals)
{
    totals->used = 0;
    totals->last_seq = 0;
}

static int is_sealed(const struct dirent *entry)
{
    return strncmp(entry->d_name, SEALED, strlen(SEALED)) == 0;
}

/* The newest file that is sealed, for the tenants that the young one does not tell of yet. */
static int take_sealed(struct account_totals *totals, int folder_fd)
{
    struct dirent **names;
    int count = scandirat(folder_fd, ".", &names, is_sealed, alphasort);
    int rc = 0;

    if (count < 0)
        return -errno;
    if (count > 0) {
        OWNED_FD fd = sys_openat(folder_fd, names[count - 1]->d_name, O_RDONLY | O_NOFOLLOW, 0);

        begin_file(totals);
        rc = fd == -ENOENT ? 0 : fd < 0 ? fd : take_rest(totals, fd);
    }
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    return rc;
}

static bool is_followed(const struct account_totals *totals, int folder_fd)
{
    struct stat ours, now;

    return totals->fd >= 0 && sys_fstat(totals->fd, &ours) == 0 &&
           sys_fstatat(folder_fd, LEDGER_FILE, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_ino == now.st_ino && ours.st_dev == now.st_dev;
}

/* The first file, or the one after a sealed one, which is read to its end before it is left. */
static int next_file(struct account_totals *totals, int folder_fd)
{
    bool first = totals->fd < 0;
    struct stat st;

    if (!first)
        SUBLET_TRY(take_rest(totals, totals->fd));
    OWNED_FD fd = sys_openat(folder_fd, LEDGER_FILE, O_RDONLY | O_NOFOLLOW, 0);
    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    SUBLET_TRY(sys_fstat(fd, &st));
    if (first && st.st_size < YOUNG_BYTES)
        SUBLET_TRY(take_sealed(totals, folder_fd));
    begin_file(totals);
    sub_close(&totals->fd);
    totals->fd = sub_take_fd(&fd);
    return 0;
}

static int follow(struct account_totals *totals, int folder_fd)
{
    if (!is_followed(totals, folder_fd))
        SUBLET_TRY(next_file(totals, folder_fd));
    return totals->fd < 0 ? 0 : take_rest(totals, totals->fd);
}

int account_totals_update(struct account_totals *totals, struct sub_err *err)
{
    if (totals->folder == NULL)
        return 0;
    OWNED_FD folder_fd = sys_openat(AT_FDCWD, totals->folder, O_RDONLY | O_DIRECTORY, 0);
    if (folder_fd == -ENOENT)
        return 0;

    int rc = folder_fd < 0 ? folder_fd : follow(totals, folder_fd);
    return rc < 0
               ? sub_fail(err, -rc, totals->folder, "cannot read the ledger: %s", sub_strerror(-rc))
               : 0;
}
