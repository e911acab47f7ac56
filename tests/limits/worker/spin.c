/* SPDX-License-Identifier: Apache-2.0 */
/* CPU: threads that never rest, threads that work in bursts, and where they may run. */
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "worker.h"

/* A few tens of microseconds on any machine, so that an end is noticed soon. */
static void grind(void)
{
    static _Atomic uint32_t sink;
    uint32_t x = 2463534242u;

    for (unsigned i = 0; i < 10000; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
    }
    atomic_store_explicit(&sink, x, memory_order_relaxed);
}

static void *spin(void *context)
{
    const struct work *work = context;

    while (!board_is_over(work)) {
        grind();
        work_done(work, 0);
    }
    return NULL;
}

/* spin THREADS */
int mode_spin(struct work *work)
{
    return work_report(work, (unsigned) number(work->arguments[0]), spin);
}

static uint64_t burst_ns, cycle_ns;

static void *burst(void *context)
{
    const struct work *work = context;
    uint64_t at_ns = clock_now_ns();

    while (!board_is_over(work)) {
        uint64_t began_ns, from_ns = clock_thread_ns();

        began_ns = clock_now_ns();
        while (clock_thread_ns() - from_ns < burst_ns)
            grind();
        work_timed(work, began_ns);
        work_done(work, 0);
        at_ns += cycle_ns;
        clock_sleep_until(at_ns);
    }
    return NULL;
}

/* burst THREADS WORK_MS CYCLE_MS: each thread wants so much CPU time at once, then rests */
int mode_burst(struct work *work)
{
    burst_ns = number(work->arguments[1]) * NS_PER_MS;
    cycle_ns = number(work->arguments[2]) * NS_PER_MS;
    return work_report(work, (unsigned) number(work->arguments[0]), burst);
}

/* where MS: busy for so long, then prints the CPUs it may use and those it ran on */
int mode_where(struct work *work)
{
    uint64_t until_ns = clock_now_ns() + number(work->arguments[0]) * NS_PER_MS;
    cpu_set_t allowed, used;

    CPU_ZERO(&used);
    if (sched_getaffinity(0, sizeof allowed, &allowed) < 0)
        return complain("affinity");
    while (clock_now_ns() < until_ns) {
        grind();
        CPU_SET((unsigned) sched_getcpu(), &used);
        (void) sched_yield();
    }
    (void) printf("allowed");
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &allowed))
            (void) printf(" %u", cpu);
    }
    (void) printf("\nused");
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &used))
            (void) printf(" %u", cpu);
    }
    (void) printf("\n");
    return 0;
}
