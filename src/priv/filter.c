/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/log.h"
#include "sublet/plan/process.h"
#include "sublet/priv.h"

#include "cache.h"
#include "compile.h"

void priv_filter_done(struct priv_filter *filter)
{
    sub_freep(&filter->code);
    filter->count = 0;
}

static bool group_is_known(const struct pieces *groups, size_t count, uint32_t audit)
{
    for (size_t i = 0; i < count; i++) {
        if (groups[i].audit == audit)
            return true;
    }
    return false;
}

static int compile(struct arena *arena, const struct plan_seccomp *seccomp, struct bpf *ret_program,
                   struct sub_err *err)
{
    struct pieces groups[ARCHS_MAX];
    struct archs archs;
    size_t count = 0;

    SUBLET_TRY(archs_make(arena, seccomp, &archs, err));
    for (size_t i = 0; i < archs.count; i++) {
        uint32_t audit = archs.items[i].audit;

        if (!group_is_known(groups, count, audit))
            SUBLET_TRY(pieces_make(arena, seccomp, &archs, audit, &groups[count++], err));
    }
    return tree_emit(arena, groups, count, ret_program, err);
}

static int copy_program(const struct bpf *program, struct bpf *ret_copy, struct sub_err *err)
{
    size_t size = program->count * sizeof *program->code;

    ret_copy->code = malloc(size);
    if (ret_copy->code == NULL)
        return sub_fail(err, ENOMEM, "linux.seccomp", "out of memory");
    memcpy(ret_copy->code, program->code, size);
    ret_copy->count = program->count;
    return 0;
}

int priv_filter_compile(const struct plan_seccomp *seccomp, int cache_dir_fd,
                        struct priv_filter *ret_filter, struct sub_err *err)
{
    /* the planner gives a listener exactly where some action needs one */
    struct priv_filter filter = {.flags = seccomp->flags, .notify = seccomp->listener_path != NULL};
    OWNED_BUF key = BUF(CACHE_KEY_MAX_BYTES);
    struct bpf program = {.code = NULL};
    bool cache = cache_dir_fd >= 0 && cache_key(seccomp, &key) == 0;
    filter.from_cache = cache && cache_find(cache_dir_fd, &key, &program) == 0;

    if (!filter.from_cache) {
        OWNED_ARENA arena;
        struct bpf fresh;

        arena_init(&arena, ARENA_MAX_BYTES);
        SUBLET_TRY(compile(&arena, seccomp, &fresh, err));
        SUBLET_TRY(copy_program(&fresh, &program, err));

        int rc = cache ? cache_store(cache_dir_fd, &key, &program) : 0;
        if (rc < 0)
            log_debug("linux.seccomp: the compiled profile is not kept: %s", sub_strerror(-rc));
    }
    filter.code = program.code;
    filter.count = program.count;
    log_debug("linux.seccomp: %zu instructions%s", filter.count,
              filter.from_cache ? " from the cache" : "");
    *ret_filter = filter;
    return 0;
}

uint32_t priv_filter_run(const struct priv_filter *filter, const struct seccomp_data *call)
{
    const struct bpf program = {.code = filter->code, .count = filter->count};

    return bpf_run(&program, call);
}
