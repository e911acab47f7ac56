/* SPDX-License-Identifier: Apache-2.0 */
/* The reader that goes back: for who needs the last record of a kind, and not years of them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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
#define KIND_KEY    "\"k\":\""
#define KIND_WITHIN 24 /* bytes from the beginning of a line: {"v":1,"k":"sample" */

struct going_back {
    const char *const *kinds;
    int (*each)(void *context, const struct ledger_record *record);
    void *context;
};

/* The kind is the second member of every line; one that does not say so is decoded. */
static bool may_be_wanted(const struct going_back *back, const char *line, size_t size)
{
    const char *key =
        memmem(line, size < KIND_WITHIN ? size : KIND_WITHIN, KIND_KEY, sizeof KIND_KEY - 1);

    if (key == NULL)
        return true;

    const char *kind = key + sizeof KIND_KEY - 1;
    for (const char *const *want = back->kinds; *want != NULL; want++) {
        size_t length = strlen(*want);

        if (kind + length < line + size && memcmp(kind, *want, length) == 0 && kind[length] == '"')
            return true;
    }
    return false;
}

static int take_line(struct going_back *back, const char *line, size_t size)
{
    OWNED_ARENA arena;
    struct ledger_record record;

    arena_init(&arena, 1 << 20);
    if (size == 0 || !may_be_wanted(back, line, size) ||
        ledger_decode(&arena, line, size, &record) < 0 || record.v != LEDGER_VERSION)
        return 0;
    return back->each(back->context, &record);
}

/* Lines that end within the chunk, the last first. What is before the first newline belongs to a
 * line that begins before the chunk: *ret_left bytes. */
static int take_chunk(struct going_back *back, const char *chunk, size_t size, size_t *ret_left)
{
    size_t end = size; /* of the line that is looked at: where its newline is */

    for (;;) {
        const char *newline = end == 0 ? NULL : memrchr(chunk, '\n', end);

        if (newline == NULL)
            break;

        size_t begin = (size_t) (newline - chunk) + 1;
        int rc = take_line(back, chunk + begin, end - begin);
        if (rc != 0)
            return rc;
        end = begin - 1;
    }
    *ret_left = end;
    return 0;
}

static int read_chunks(struct going_back *back, int fd, size_t end, char *chunk)
{
    size_t size, left;

    for (; end > 0; end += left - size) {
        size = end < CHUNK_BYTES ? end : CHUNK_BYTES;
        ssize_t n = pread(fd, chunk, size, (off_t) (end - size));

        if (n != (ssize_t) size)
            return n < 0 ? -errno : -EIO;
        int rc = take_chunk(back, chunk, size, &left);
        if (rc != 0)
            return rc;
        if (end == size)
            return take_line(back, chunk, left);
        if (left == size) /* no record is that long */
            left = 0;
    }
    return 0;
}

static int read_file_back(struct going_back *back, int fd)
{
    struct stat st;

    SUBLET_TRY(sys_fstat(fd, &st));
    char *chunk = malloc(CHUNK_BYTES);
    if (chunk == NULL)
        return -ENOMEM;

    int rc = read_chunks(back, fd, (size_t) st.st_size, chunk);
    free(chunk);
    return rc;
}

static int read_named_back(struct going_back *back, int folder_fd, const char *name)
{
    OWNED_FD fd = sys_openat(folder_fd, name, O_RDONLY | O_NOFOLLOW, 0);

    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    return read_file_back(back, fd);
}

/* A file that is sealed meanwhile is read twice, and never missed. */
static int read_all_back(struct going_back *back, int folder_fd)
{
    struct dirent **names;
    int rc = read_named_back(back, folder_fd, LEDGER_FILE);
    int count = rc == 0 ? sealed_list(folder_fd, &names) : 0;

    if (rc != 0 || count < 0)
        return rc != 0 ? rc : count;
    for (int i = count - 1; i >= 0; i--) {
        if (rc == 0)
            rc = read_named_back(back, folder_fd, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return rc;
}

int ledger_read_back(const char *folder, const char *const *kinds,
                     int (*each)(void *context, const struct ledger_record *record), void *context,
                     struct sub_err *err)
{
    struct going_back back = {kinds, each, context};
    OWNED_FD folder_fd = sys_openat(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0);

    if (folder_fd == -ENOENT)
        return 0;
    int rc = folder_fd < 0 ? folder_fd : read_all_back(&back, folder_fd);
    if (rc < 0)
        return sub_fail(err, -rc, folder, "cannot read the ledger: %s", sub_strerror(-rc));
    return rc;
}
