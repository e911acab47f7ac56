/* SPDX-License-Identifier: Apache-2.0 */
/* The reader: sealed files in the order of their numbers, then the one that is written. */
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

#include "ledger.h"

#define CHUNK_BYTES ((size_t) 256 << 10)

#define FILES_MAX   4096 /* of 64 MiB */

/* A file is known by its first record; how far it was read tells what a copy of it repeats. */
struct known_file {
    char boot[9];
    uint64_t us, last_seq, last_us;
};

struct reading {
    uint64_t from_us, to_us;
    struct known_file *files, *file; /* file: of this one, once its first record is read */
    size_t file_count;
    uint64_t foreign; /* lines of other versions since the last record */
    ino_t live_inode; /* may be sealed while the others are read: not twice */
    int (*each)(void *context, const struct ledger_record *record);
    void *context;
    struct ledger_stats stats;
};

static struct known_file *know(struct reading *reading, const struct ledger_record *record)
{
    struct known_file *file;

    for (size_t i = 0; i < reading->file_count; i++) {
        file = &reading->files[i];
        if (file->us == record->us && strcmp(file->boot, record->boot) == 0)
            return file;
    }
    if (reading->file_count == FILES_MAX)
        return NULL;
    file = &reading->files[reading->file_count++];
    *file = (struct known_file){.us = record->us};
    (void) snprintf(file->boot, sizeof file->boot, "%s", record->boot);
    return file;
}

/* Sequence numbers begin anew where the end of a file could not be read; the clock went on then.
 * Lines of another version have numbers as well. */
static bool is_doubled(struct reading *reading, struct known_file *file,
                       const struct ledger_record *record)
{
    uint64_t expected = file->last_seq + 1 + reading->foreign;

    if (record->seq <= file->last_seq && record->us <= file->last_us)
        return true;
    if (record->seq > expected)
        reading->stats.missing += record->seq - expected;
    reading->foreign = 0;
    file->last_seq = record->seq;
    if (record->us > file->last_us)
        file->last_us = record->us;
    return false;
}

static int take_line(struct reading *reading, struct arena *arena, const char *line, size_t size)
{
    struct ledger_record record;

    int rc = ledger_decode(arena, line, size, &record);
    if (rc == -EPROTONOSUPPORT) {
        reading->stats.newer++;
        reading->foreign++;
        return 0;
    }
    if (rc < 0) {
        reading->stats.torn += size > 0;
        return 0;
    }
    if (reading->file == NULL)
        reading->file = know(reading, &record);
    if (reading->file == NULL)
        return -EMFILE;
    if (is_doubled(reading, reading->file, &record)) {
        reading->stats.doubled++;
        return 0;
    }
    if (record.us < reading->from_us || record.us >= reading->to_us)
        return 0;
    reading->stats.records++;
    return reading->each(reading->context, &record);
}

/* Lines of the chunk; what is left of an unfinished one is moved to its front. */
static int take_chunk(struct reading *reading, char *chunk, size_t *used)
{
    char *at = chunk, *end = chunk + *used, *newline;
    int rc = 0;

    while (rc == 0 && (newline = memchr(at, '\n', (size_t) (end - at))) != NULL) {
        OWNED_ARENA arena;

        arena_init(&arena, 1 << 20);
        rc = take_line(reading, &arena, at, (size_t) (newline - at));
        at = newline + 1;
    }
    *used = (size_t) (end - at);
    memmove(chunk, at, *used);
    return rc;
}

static int read_file(struct reading *reading, int fd)
{
    OWNED_MEM char *chunk = malloc(CHUNK_BYTES);
    size_t used = 0;

    if (chunk == NULL)
        return -ENOMEM;
    reading->foreign = 0;
    reading->file = NULL;
    for (;;) {
        ssize_t n = read(fd, chunk + used, CHUNK_BYTES - used);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0) {
            reading->stats.unfinished += used > 0;
            return 0;
        }
        used += (size_t) n;

        int rc = take_chunk(reading, chunk, &used);
        if (rc != 0)
            return rc;
        if (used == CHUNK_BYTES) { /* no record is that long */
            reading->stats.torn++;
            used = 0;
        }
    }
}

static int read_named(struct reading *reading, int folder_fd, const char *name)
{
    OWNED_FD fd = sys_openat(folder_fd, name, O_RDONLY | O_NOFOLLOW, 0);
    if (fd == -ENOENT)
        return 0;
    if (fd < 0)
        return fd;

    struct stat st;
    if (sys_fstat(fd, &st) == 0 && st.st_ino == reading->live_inode)
        return 0;
    reading->stats.files++;
    return read_file(reading, fd);
}

static int read_sealed(struct reading *reading, int folder_fd)
{
    struct dirent **names;
    int rc = 0, count = sealed_list(folder_fd, &names);

    for (int i = 0; i < count; i++) {
        if (rc == 0 && !sealed_ends_before(names[i]->d_name, reading->from_us))
            rc = read_named(reading, folder_fd, names[i]->d_name);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    return count < 0 ? count : rc;
}

int ledger_read(const char *folder, uint64_t from_us, uint64_t to_us,
                int (*each)(void *context, const struct ledger_record *record), void *context,
                struct ledger_stats *ret_stats, struct sub_err *err)
{
    OWNED_ARENA arena;
    struct reading reading = {.from_us = from_us, .to_us = to_us, .each = each, .context = context};

    arena_init(&arena, 1 << 20);
    reading.files = arena_array(&arena, FILES_MAX, sizeof *reading.files);
    if (reading.files == NULL)
        return sub_fail(err, ENOMEM, NULL, "%s", sub_strerror(ENOMEM));

    OWNED_FD folder_fd = sys_openat(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0);
    if (folder_fd < 0 && folder_fd != -ENOENT)
        return sub_fail(err, -folder_fd, folder, "cannot open the ledger's folder: %s",
                        sub_strerror(-folder_fd));

    struct stat st;
    OWNED_FD live =
        folder_fd < 0 ? -ENOENT : sys_openat(folder_fd, LEDGER_FILE, O_RDONLY | O_NOFOLLOW, 0);
    if (live >= 0 && sys_fstat(live, &st) == 0)
        reading.live_inode = st.st_ino;
    int rc = live < 0 && live != -ENOENT ? live
             : folder_fd < 0             ? 0
                                         : read_sealed(&reading, folder_fd);
    if (rc == 0 && live >= 0) {
        reading.stats.files++;
        rc = read_file(&reading, live);
    }
    if (rc < 0)
        return sub_fail(err, -rc, folder, "cannot read the ledger: %s", sub_strerror(-rc));
    *ret_stats = reading.stats;
    return rc;
}
