/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: pages are touched one by one; the board says how far it came, even if it was killed. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "worker.h"

static uint64_t size_bytes;

static void *touch(void *context)
{
    const struct work *work = context;
    size_t page = (size_t) sysconf(_SC_PAGESIZE);
    unsigned char *memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED) {
        (void) complain("mmap");
        return NULL;
    }
    (void) madvise(memory, size_bytes, MADV_NOHUGEPAGE);
    for (uint64_t at = 0; at < size_bytes && !board_is_over(work); at += page) {
        /* each page with a content of its own: no swap stores them as one */
        memset(memory + at, (int) (at / page % 251 + 1), page / 2);
        (void) memcpy(memory + at, &at, sizeof at);
        work_done(work, page);
    }
    return NULL;
}

/* touch BYTES: so much memory, once, and held until the board is over */
int mode_touch(struct work *work)
{
    size_bytes = number(work->arguments[0]);
    return work_report(work, 1, touch);
}

#define HUGE_BYTES (2u << 20)

/* huge PAGES: maps huge pages one by one, says how many it got */
int mode_huge(struct work *work)
{
    uint64_t wanted = number(work->arguments[0]), had = 0;

    while (had < wanted) {
        unsigned char *page = mmap(NULL, HUGE_BYTES, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

        if (page == MAP_FAILED)
            break;
        page[0] = 1;
        had++;
    }
    (void) printf("mapped %u\n", (unsigned) had);
    return 0;
}
