/* SPDX-License-Identifier: Apache-2.0 */
#include "cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/base/listing.h"
#include "sublet/plan/process.h"
#include "sublet/sys.h"

#include "names.h"

#define FORMAT     1 /* of the file and of the programs that this version writes */
#define MAGIC      "sublbpf"
#define SUFFIX     ".bpf"
#define NAME_SIZE  64
#define STALE_SECS 60 /* an unfinished file of that age has no writer any more */

/* A file: this, the key, the instructions. */
struct head {
    char magic[8];
    uint32_t format, insn_count;
    uint64_t key_size_bytes;
    uint64_t checksum; /* of the instructions; the key is compared */
};

/* --- the key ---------------------------------------------------------------------------------- */

static void put_number(struct buf *key, uint64_t value)
{
    buf_add(key, &value, sizeof value);
}

/* With its length, so that two texts can not be read as one */
static void put_text(struct buf *key, const char *text)
{
    put_number(key, strlen(text));
    buf_puts(key, text);
}

static void put_rule(struct buf *key, const struct plan_seccomp_rule *rule)
{
    put_number(key, rule->action);
    put_number(key, rule->name_count);
    for (size_t i = 0; i < rule->name_count; i++)
        put_text(key, rule->names[i]);
    put_number(key, rule->arg_count);
    for (size_t i = 0; i < rule->arg_count; i++) {
        put_number(key, rule->args[i].index);
        put_number(key, rule->args[i].op);
        put_number(key, rule->args[i].value);
        put_number(key, rule->args[i].value_two);
    }
}

int cache_key(const struct plan_seccomp *seccomp, struct buf *key)
{
    uint32_t library[3];
    struct utsname host;

    (void) uname(&host); /* cannot fail: the memory is ours */
    put_number(key, FORMAT);
    names_version(library);
    buf_add(key, library, sizeof library);
    put_text(key, host.release);
    put_text(key, host.machine);

    /* flags and the listener go into the system call, not into the program; they stand here so
     * that the key is the whole section but for names of sockets */
    put_number(key, seccomp->default_action);
    put_number(key, seccomp->flags);
    put_number(key, seccomp->arch_count);
    for (size_t i = 0; i < seccomp->arch_count; i++)
        put_number(key, seccomp->archs[i]);
    put_number(key, seccomp->rule_count);
    for (size_t i = 0; i < seccomp->rule_count; i++)
        put_rule(key, &seccomp->rules[i]);
    return buf_failed(key) ? -ENOMEM : 0;
}

/* MurmurHash64A: fast, and strong enough against accidents, which is all that is asked of it. */
static uint64_t hash(uint64_t seed, const void *data, size_t size)
{
    const uint64_t factor = 0xc6a4a7935bd1e995;
    const unsigned char *at = data;
    uint64_t sum = seed ^ size * factor;

    for (; size > 0; at += 8) {
        size_t part = size < 8 ? size : 8;
        uint64_t word = 0;

        memcpy(&word, at, part);
        size -= part;
        word *= factor;
        word ^= word >> 47;
        sum = (sum ^ word * factor) * factor;
    }
    sum = (sum ^ sum >> 47) * factor;
    return sum ^ sum >> 47;
}

static void file_name(const struct buf *key, char name[NAME_SIZE])
{
    (void) snprintf(name, NAME_SIZE, "%016llx" SUFFIX,
                    (unsigned long long) hash(FORMAT, key->data, key->length));
}

static struct head make_head(const struct buf *key, const struct bpf *program)
{
    return (struct head){
        .magic = MAGIC,
        .format = FORMAT,
        .insn_count = (uint32_t) program->count,
        .key_size_bytes = key->length,
        .checksum = hash(FORMAT, program->code, program->count * sizeof *program->code),
    };
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool file_is_ours(int fd, size_t min_size, size_t max_size)
{
    struct stat status;

    return sys_fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
           (status.st_mode & 07777) == 0600 && status.st_nlink == 1 &&
           (size_t) status.st_size >= min_size && (size_t) status.st_size <= max_size;
}

static int read_part(int fd, void *data, size_t size)
{
    ssize_t n = sub_read_all(fd, data, size);

    if (n < 0)
        return (int) n;
    return (size_t) n == size ? 0 : -ENODATA;
}

int cache_find(int dir_fd, const struct buf *key, struct bpf *ret_program)
{
    char name[NAME_SIZE];
    struct head head;
    size_t before = sizeof head + key->length;

    file_name(key, name);
    OWNED_FD fd = sys_openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (fd < 0)
        return fd;
    if (!file_is_ours(fd, before, before + BPF_MAXINSNS * sizeof(struct sock_filter)))
        return -ENODATA;

    OWNED_MEM char *old_key = malloc(key->length);
    OWNED_MEM struct sock_filter *code = malloc(BPF_MAXINSNS * sizeof *code);
    if (old_key == NULL || code == NULL)
        return -ENOMEM; /* NOLINT(clang-analyzer-unix.Malloc): the attribute frees both */
    SUBLET_TRY(read_part(fd, &head, sizeof head));
    if (head.insn_count > BPF_MAXINSNS)
        return -ENODATA;
    SUBLET_TRY(read_part(fd, old_key, key->length));
    SUBLET_TRY(read_part(fd, code, head.insn_count * sizeof *code));

    struct bpf program = {.code = code, .count = head.insn_count};
    struct head right = make_head(key, &program);
    if (memcmp(&head, &right, sizeof head) != 0 || memcmp(old_key, key->data, key->length) != 0 ||
        !bpf_valid(&program))
        return -ENODATA;
    ret_program->count = program.count;
    ret_program->code = sub_take(&code);
    return 0;
}

/* --- writing ---------------------------------------------------------------------------------- */

static int write_file(int fd, const struct buf *key, const struct bpf *program)
{
    struct head head = make_head(key, program);

    SUBLET_TRY(sub_write_all(fd, &head, sizeof head));
    SUBLET_TRY(sub_write_all(fd, key->data, key->length));
    return sub_write_all(fd, program->code, program->count * sizeof *program->code);
}

static bool has_suffix(const char *name)
{
    size_t length = strlen(name);

    return length > strlen(SUFFIX) && strcmp(name + length - strlen(SUFFIX), SUFFIX) == 0;
}

struct folder {
    size_t files;
    char oldest[NAME_SIZE];
    struct timespec oldest_time;
};

static bool is_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

static void look_at(int dir_fd, const char *name, time_t now_secs, struct folder *folder)
{
    struct stat status;

    if (name[0] == '.' || strlen(name) >= NAME_SIZE ||
        sys_fstatat(dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    if (!has_suffix(name)) {
        if (status.st_mtim.tv_sec + STALE_SECS < now_secs)
            (void) sys_unlinkat(dir_fd, name, 0); /* a dead writer's; tried again next time */
        return;
    }
    if (folder->files == 0 || is_before(&status.st_mtim, &folder->oldest_time)) {
        (void) snprintf(folder->oldest, NAME_SIZE, "%s", name);
        folder->oldest_time = status.st_mtim;
    }
    folder->files++;
}

/* Makes room for one more. Programs only get older, so the oldest goes; it comes back when used. */
static int make_room(int dir_fd)
{
    OWNED_FOLDER listing = listing_open(dir_fd);
    if (listing == NULL)
        return -errno;

    struct folder folder = {.files = 0};
    struct timespec now;
    (void) clock_gettime(CLOCK_REALTIME, &now); /* cannot fail: the clock always exists */
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;)
        look_at(dir_fd, entry->d_name, now.tv_sec, &folder);

    return folder.files < CACHE_FILES_MAX ? 0 : sys_unlinkat(dir_fd, folder.oldest, 0);
}

int cache_store(int dir_fd, const struct buf *key, const struct bpf *program)
{
    char name[NAME_SIZE], unfinished[2 * NAME_SIZE];

    SUBLET_TRY(make_room(dir_fd));
    file_name(key, name);
    (void) snprintf(unfinished, sizeof unfinished, "%s.%d", name, (int) getpid());

    /* the same name from a dead process of our pid may be there: it is nobody's */
    (void) sys_unlinkat(dir_fd, unfinished, 0);
    OWNED_FD fd = sys_openat(dir_fd, unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fd;

    int rc = write_file(fd, key, program);
    if (rc == 0)
        rc = sys_renameat(dir_fd, unfinished, dir_fd, name);
    if (rc < 0)
        (void) sys_unlinkat(dir_fd, unfinished, 0); /* rc is the news */
    return rc;
}
