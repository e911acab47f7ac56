/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker runs inside a container as its only program: it keeps a resource busy and measures
 * with its own clocks what it got. The same program watches from outside (watch.c).
 *
 * They meet on a board, a file of the container's root that both map. The watcher announces a
 * window of time on it; the worker writes down what it got between the two moments, and the
 * watcher reads the counters of the cgroup at the same two moments:
 *
 *     worker                               watcher
 *     slot.ready = 1          ────────▶    waits for all
 *     waits for the number    ◀────────    from_ns, until_ns, number + 1
 *     sleeps until from_ns                 sleeps until from_ns, reads the cgroup
 *     sleeps until until_ns                sleeps until until_ns, reads the cgroup
 *     slot.got, slot.finished ────────▶    waits for all, prints
 *     ends                    ◀────────    over = 1
 */
#ifndef TESTS_LIMITS_WORKER_H
#define TESTS_LIMITS_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SLOTS       8
#define THREADS_MAX 64
#define SAMPLES_MAX 4096
#define NS_PER_S    1000000000ull
#define NS_PER_MS   1000000ull
#define NS_PER_US   1000ull

/* What a worker got in one window, by its own clocks. */
struct got {
    uint64_t wall_ns;
    uint64_t cpu_ns;
    uint64_t rounds; /* of its work: loops, bursts, pages, reads, writes */
    uint64_t bytes;
    uint64_t median_ns, longest_ns; /* of a round, where rounds are timed */
};

struct slot {
    _Atomic uint32_t ready;
    _Atomic uint64_t rounds, bytes; /* since the start: readable even when the worker is dead */
    _Atomic uint32_t finished;      /* the number of the window that `got` is of */
    struct got got;
};

struct board {
    _Atomic uint32_t number; /* of the window, 0: none yet */
    _Atomic uint32_t over;   /* workers end */
    _Atomic uint64_t from_ns, until_ns;
    struct slot slot[SLOTS];
};

/* One thread's way to the board. */
struct work {
    struct board *board;
    struct slot *slot;
    char **arguments; /* of the mode, NULL at the end */
};

/* board.c */
struct board *board_open(const char *path); /* NULL and errno */
void board_changed(struct board *board);    /* wakes those who wait for the number */
bool board_is_over(const struct work *work);
void work_done(const struct work *work, uint64_t bytes);     /* one round */
void work_timed(const struct work *work, uint64_t began_ns); /* its time, if a window is open */
/* Runs the threads and answers windows until the board is over. */
int work_report(struct work *work, unsigned threads, void *(*thread)(void *work));

/* clock.c */
uint64_t clock_now_ns(void);
uint64_t clock_process_ns(void);
uint64_t clock_thread_ns(void);
void clock_sleep_until(uint64_t at_ns);

/* number.c */
uint64_t number(const char *text); /* bytes may end in K or M; ends the program on anything else */
int complain(const char *what);    /* with errno; returns 1 */

/* The modes. Each returns the exit status. */
int mode_spin(struct work *work);  /* spin.c */
int mode_burst(struct work *work); /* spin.c */
int mode_touch(struct work *work); /* memory.c */
int mode_huge(struct work *work);  /* memory.c */
int mode_disk(struct work *work);  /* disk.c */
int mode_fork(struct work *work);  /* processes.c */
int mode_crowd(struct work *work); /* processes.c */
int mode_open(struct work *work);  /* nodes.c */
int mode_where(struct work *work); /* spin.c */

/* watch.c: the other side */
int watch(struct board *board, char **arguments);
int watch_over(struct board *board, char **arguments);

/* end.c */
int end(char **groups);

#endif
