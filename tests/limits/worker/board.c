/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker.h"

/* Times of rounds in the open window. Beyond the maximum they are not kept: the median of the first
 * few thousand is as good. */
static uint64_t samples[SAMPLES_MAX];
static _Atomic uint32_t sample_count;
static _Atomic bool is_open;

struct board *board_open(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    void *board;

    if (fd < 0 || ftruncate(fd, sizeof(struct board)) < 0)
        return NULL;
    board = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void) close(fd);
    return board == MAP_FAILED ? NULL : board;
}

void board_changed(struct board *board)
{
    (void) syscall(SYS_futex, &board->number, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

bool board_is_over(const struct work *work)
{
    return atomic_load_explicit(&work->board->over, memory_order_relaxed) != 0;
}

void work_done(const struct work *work, uint64_t bytes)
{
    (void) atomic_fetch_add_explicit(&work->slot->rounds, 1, memory_order_relaxed);
    (void) atomic_fetch_add_explicit(&work->slot->bytes, bytes, memory_order_relaxed);
}

void work_timed(const struct work *work, uint64_t began_ns)
{
    uint32_t at;

    (void) work;
    if (!atomic_load_explicit(&is_open, memory_order_relaxed))
        return;
    at = atomic_fetch_add(&sample_count, 1);
    if (at < SAMPLES_MAX)
        samples[at] = clock_now_ns() - began_ns;
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *) left, b = *(const uint64_t *) right;

    return a < b ? -1 : a > b;
}

static void judge_samples(struct got *got)
{
    uint32_t count = atomic_load(&sample_count);

    if (count > SAMPLES_MAX)
        count = SAMPLES_MAX;
    if (count == 0)
        return;
    qsort(samples, count, sizeof *samples, compare);
    got->median_ns = samples[count / 2];
    got->longest_ns = samples[count - 1];
}

static struct got read_counters(const struct work *work)
{
    return (struct got){.wall_ns = clock_now_ns(),
                        .cpu_ns = clock_process_ns(),
                        .rounds = atomic_load(&work->slot->rounds),
                        .bytes = atomic_load(&work->slot->bytes)};
}

/* A reporter that wakes late, because its group is throttled, takes both readings late by the same
 * part of a period, and divides by the time that passed between them. */
static void answer(const struct work *work, uint32_t window)
{
    struct got before, after;

    clock_sleep_until(atomic_load(&work->board->from_ns));
    atomic_store(&sample_count, 0);
    atomic_store(&is_open, true);
    before = read_counters(work);
    clock_sleep_until(atomic_load(&work->board->until_ns));
    after = read_counters(work);
    atomic_store(&is_open, false);

    work->slot->got = (struct got){.wall_ns = after.wall_ns - before.wall_ns,
                                   .cpu_ns = after.cpu_ns - before.cpu_ns,
                                   .rounds = after.rounds - before.rounds,
                                   .bytes = after.bytes - before.bytes};
    judge_samples(&work->slot->got);
    atomic_store(&work->slot->finished, window);
}

int work_report(struct work *work, unsigned threads, void *(*thread)(void *work))
{
    uint32_t answered = atomic_load(&work->board->number), window;
    pthread_attr_t small;

    (void) pthread_attr_init(&small);
    (void) pthread_attr_setstacksize(&small, 65536);
    for (unsigned i = 0; i < threads; i++) {
        pthread_t id;
        int rc = pthread_create(&id, &small, thread, work);

        if (rc != 0) {
            errno = rc;
            return complain("thread");
        }
    }
    atomic_store(&work->slot->ready, 1);
    while (!board_is_over(work)) {
        window = atomic_load(&work->board->number);
        if (window == answered) {
            (void) syscall(SYS_futex, &work->board->number, FUTEX_WAIT, window, NULL, NULL, 0);
            continue;
        }
        answer(work, window);
        answered = window;
    }
    return 0;
}
