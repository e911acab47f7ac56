/* SPDX-License-Identifier: Apache-2.0 */
/* The writer. Several processes append: the runtime when a container ends, the meter. */
#include "ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/base/time.h"
#include "sublet/sys.h"

#define BOOT_ID_FILE  "/proc/sys/kernel/random/boot_id"
#define CLOCK_STEP_US 1000000 /* less is the clock being drawn to the right time */

/* ---- the clocks ---- */

struct ledger_moment ledger_now(void)
{
    return (struct ledger_moment){time_now_us(CLOCK_REALTIME), time_now_us(CLOCK_MONOTONIC)};
}

int64_t ledger_clock_step_us(const struct ledger_moment *before, const struct ledger_moment *now)
{
    int64_t step_us = (int64_t) (now->us - before->us) - (int64_t) (now->mono - before->mono);

    return llabs(step_us) < CLOCK_STEP_US ? 0 : step_us;
}

/* By the clock of the wall only where the record has no other. */
uint64_t ledger_since_us(const struct ledger_record *record, const struct ledger_moment *now)
{
    return record->mono == 0 ? num_above(now->us, record->us) : num_above(now->mono, record->mono);
}

/* ---- opening and closing ---- */

void ledger_close(struct ledger *ledger)
{
    sub_close(&ledger->fd);
    sub_close(&ledger->folder_fd);
}

static int fail_at(const struct ledger *ledger, int code, const char *what, struct sub_err *err)
{
    return sub_fail(err, code, ledger->folder, "%s %s: %s", what, LEDGER_FILE, sub_strerror(code));
}

static int open_folder(const char *folder, bool make, struct sub_err *err)
{
    int flags = O_RDONLY | O_DIRECTORY;
    int fd = sys_openat(AT_FDCWD, folder, flags, 0);

    if (fd == -ENOENT && !make)
        return -ENOENT;
    if (fd == -ENOENT) {
        int rc = sys_make_folders(folder, 0755);

        fd = rc < 0 ? rc : sys_openat(AT_FDCWD, folder, flags, 0);
    }
    if (fd < 0)
        return sub_fail(err, -fd, folder, "cannot open the ledger's folder: %s", sub_strerror(-fd));
    return fd;
}

int ledger_open(const char *folder, bool make, struct ledger *ret_ledger, struct sub_err *err)
{
    struct ledger ledger = {
        .fd = -EBADF, .max_bytes = LEDGER_FILE_MAX, .lock_ms = LEDGER_LOCK_MS, .folder = folder};
    char boot[64];

    OWNED_FD folder_fd = open_folder(folder, make, err); /* first: most hosts have none */
    if (folder_fd < 0)
        return folder_fd;

    ssize_t n = sub_read_file_at(AT_FDCWD, BOOT_ID_FILE, boot, sizeof boot);
    if (n < 8)
        return sub_fail(err, n < 0 ? (int) -n : EIO, BOOT_ID_FILE, "cannot read");
    memcpy(ledger.boot, boot, 8);
    ledger.folder_fd = sub_take_fd(&folder_fd);
    *ret_ledger = ledger; /* the file is opened by the first append */
    return 0;
}

/* ---- the end of the file ---- */

/* Sequence number of the last sound record in the last bytes of the file; 0: there is none. */
static uint64_t last_seq(int fd, uint64_t size)
{
    char tail[2 * LEDGER_LINE_MAX];
    size_t want = size < sizeof tail ? (size_t) size : sizeof tail;
    ssize_t n = pread(fd, tail, want, (off_t) (size - want));
    size_t end = n < 0 ? 0 : (size_t) n;

    while (end > 0) {
        OWNED_ARENA arena;
        struct ledger_record record;
        size_t length = tail[end - 1] == '\n' ? end - 1 : end; /* a torn line may lack no more */
        size_t begin = end - 1;

        while (begin > 0 && tail[begin - 1] != '\n')
            begin--;
        arena_init(&arena, 1 << 20);
        if (ledger_decode(&arena, tail + begin, length - begin, &record) == 0)
            return record.seq;
        end = begin;
    }
    return 0;
}

static bool ends_torn(int fd, uint64_t size)
{
    char last;

    return size > 0 && pread(fd, &last, 1, (off_t) size - 1) == 1 && last != '\n';
}

/* All of the lines or nothing of them. */
static int put_line(int fd, const struct buf *line, uint64_t size)
{
    ssize_t n = write(fd, line->data, line->length);

    if (n == (ssize_t) line->length)
        return 0;

    int code = n < 0 ? errno : ENOSPC; /* a short write to a file: the disk or a limit is full */
    if (n > 0 && ftruncate(fd, (off_t) size) < 0)
        return -errno; /* then it is a torn line, which the next writer closes */
    return -code;
}

struct place {
    uint64_t size, seq;
};

static int make_line(const struct ledger *ledger, uint64_t seq, struct ledger_record *record,
                     struct buf *line, struct sub_err *err)
{
    const struct ledger_moment now = ledger_now();
    char text[TIME_TEXT];

    record->v = LEDGER_VERSION;
    record->seq = seq;
    record->us = now.us;
    record->mono = now.mono;
    record->t = time_format_us(record->us, text);
    record->boot = ledger->boot;
    line->length = 0;

    int rc = ledger_encode(record, line);
    record->t = NULL;
    return rc == 0 ? 0
                   : sub_fail(err, E2BIG, ledger->folder, "a record is longer than %d bytes",
                              LEDGER_LINE_MAX);
}

/* seq: of the last of those lines. */
static int put_lines(const struct ledger *ledger, struct place *place, const struct buf *lines,
                     uint64_t seq, struct sub_err *err)
{
    int rc = put_line(ledger->fd, lines, place->size);

    if (rc < 0)
        return fail_at(ledger, -rc, "cannot append to", err);
    place->size += lines->length;
    place->seq = seq;
    return 0;
}

static int put_record(const struct ledger *ledger, struct place *place,
                      struct ledger_record *record, struct sub_err *err)
{
    OWNED_BUF line = BUF(LEDGER_LINE_MAX);

    SUBLET_TRY(make_line(ledger, place->seq + 1, record, &line, err));
    return put_lines(ledger, place, &line, place->seq + 1, err);
}

static int put_head(struct ledger *ledger, struct place *place, struct sub_err *err)
{
    struct utsname name = {0};
    struct ledger_record head = {.k = LEDGER_HEAD};
    struct ledger_total host = {.cpus = (uint64_t) sysconf(_SC_NPROCESSORS_ONLN)};

    (void) uname(&name);
    head.kernel = name.release;
    head.host = &host;
    return put_record(ledger, place, &head, err);
}

static int put_torn_note(struct ledger *ledger, struct place *place, struct sub_err *err)
{
    struct ledger_record note = {.k = LEDGER_NOTE,
                                 .text = "the line before this one was torn by a writer that died"};

    ssize_t n = write(ledger->fd, "\n", 1);
    if (n != 1)
        return fail_at(ledger, n < 0 ? errno : ENOSPC, "cannot append to", err);
    place->size++;
    return put_record(ledger, place, &note, err);
}

/* ---- which file ---- */

static bool is_current(const struct ledger *ledger)
{
    struct stat ours, now;

    return ledger->fd >= 0 && sys_fstat(ledger->fd, &ours) == 0 &&
           sys_fstatat(ledger->folder_fd, LEDGER_FILE, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_ino == now.st_ino && ours.st_dev == now.st_dev;
}

/* The file may be sealed and renamed between the opening and the lock. */
static int lock_current(struct ledger *ledger, struct sub_err *err)
{
    uint64_t until = sys_now_ms() + (uint64_t) ledger->lock_ms;

    do {
        if (ledger->fd < 0)
            ledger->fd = sys_openat(ledger->folder_fd, LEDGER_FILE,
                                    O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0640);
        if (ledger->fd < 0)
            return fail_at(ledger, -ledger->fd, "cannot open", err);

        int rc = sys_lock_within(ledger->fd, ledger->lock_ms);
        if (rc < 0)
            return fail_at(ledger, -rc, "cannot lock", err);
        if (is_current(ledger))
            return 0;
        sub_close(&ledger->fd); /* and with it the lock */
    } while (sys_now_ms() < until);
    return fail_at(ledger, EBUSY, "cannot keep hold of", err);
}

static int seal(struct ledger *ledger, struct place *place, struct sub_err *err)
{
    struct ledger_record record = {
        .k = LEDGER_SEAL, .has = LEDGER_HAS_COUNT, .count = place->seq + 1};
    char name[SEALED_NAME];

    SUBLET_TRY(put_record(ledger, place, &record, err));
    if (fdatasync(ledger->fd) < 0)
        return fail_at(ledger, errno, "cannot write", err);

    int rc = sealed_name(ledger->folder_fd, ledger->fd, ledger->boot, name);
    if (rc == 0)
        rc = sys_renameat(ledger->folder_fd, LEDGER_FILE, ledger->folder_fd, name);
    if (rc < 0)
        return fail_at(ledger, -rc, "cannot rename", err);
    (void) fsync(ledger->folder_fd);
    sub_close(&ledger->fd);
    return 0;
}

static int find_place(struct ledger *ledger, struct place *ret_place, struct sub_err *err)
{
    struct stat st;

    SUBLET_TRY(lock_current(ledger, err));
    int rc = sys_fstat(ledger->fd, &st);
    if (rc < 0)
        return fail_at(ledger, -rc, "cannot stat", err);

    struct place place = {.size = (uint64_t) st.st_size};
    bool torn = ends_torn(ledger->fd, place.size);
    place.seq = last_seq(ledger->fd, place.size);
    if (place.size == 0)
        SUBLET_TRY(put_head(ledger, &place, err));
    if (torn)
        SUBLET_TRY(put_torn_note(ledger, &place, err));
    *ret_place = place;
    return 0;
}

static int find_room(struct ledger *ledger, struct place *ret_place, struct sub_err *err)
{
    SUBLET_TRY(find_place(ledger, ret_place, err));
    if (ret_place->size < ledger->max_bytes)
        return 0;
    SUBLET_TRY(seal(ledger, ret_place, err));
    return find_place(ledger, ret_place, err);
}

static int append(struct ledger *ledger, struct ledger_record *record, struct sub_err *err)
{
    struct place place;

    SUBLET_TRY(find_room(ledger, &place, err));
    return put_record(ledger, &place, record, err);
}

int ledger_append(struct ledger *ledger, struct ledger_record *record, struct sub_err *err)
{
    int rc = append(ledger, record, err);

    if (ledger->fd >= 0)
        (void) sys_unlock(ledger->fd);
    return rc;
}

static int append_each(struct ledger *ledger, const struct ledger_source *source, size_t begin,
                       size_t end, struct sub_err *err)
{
    OWNED_BUF line = BUF(LEDGER_LINE_MAX);
    OWNED_BUF lines = BUF(LEDGER_LINE_MAX * (end - begin));
    struct place place;
    int count = 0;

    SUBLET_TRY(find_room(ledger, &place, err));
    for (size_t i = begin; i < end; i++) {
        struct ledger_record record;

        if (!source->fill(source->context, i, &record))
            continue;
        count++;
        SUBLET_TRY(make_line(ledger, place.seq + (uint64_t) count, &record, &line, err));
        buf_add(&lines, line.data, line.length);
    }
    if (buf_failed(&lines))
        return fail_at(ledger, ENOMEM, "cannot append to", err);
    if (count > 0)
        SUBLET_TRY(put_lines(ledger, &place, &lines, place.seq + (uint64_t) count, err));
    return count;
}

int ledger_append_each(struct ledger *ledger, const struct ledger_source *source, size_t begin,
                       size_t end, struct sub_err *err)
{
    int rc = append_each(ledger, source, begin, end, err);

    if (ledger->fd >= 0)
        (void) sys_unlock(ledger->fd);
    return rc;
}

int ledger_sync(struct ledger *ledger, struct sub_err *err)
{
    if (ledger->fd >= 0 && fdatasync(ledger->fd) < 0)
        return fail_at(ledger, errno, "cannot write", err);
    return 0;
}
