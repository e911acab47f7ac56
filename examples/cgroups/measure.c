/* SPDX-License-Identifier: Apache-2.0 */
/* measure GROUP [FILE=VALUE...] COMMAND...: runs it in a cgroup with these limits (memory.max=64M),
 * tells what it used, and removes the group with all that it left running. To build:
 *   cc measure.c -o measure $(pkg-config --cflags --libs sublet-cgroups) */
#include <stdio.h>
#include <string.h>
#include <sublet/cgroups.h>
#include <sys/wait.h>
#include <unistd.h>

static int run_in(int dir_fd, const struct cg_rows *limits, char **command, struct sub_err *err)
{
    static struct cgroup_sample used;
    int status = 0;

    SUBLET_TRY(cgroup_apply(dir_fd, limits->rows, limits->count, CG_BEFORE_CLONE, err));
    if (fork() == 0) {
        if (knob_write(dir_fd, "cgroup.procs", "0", err) == 0)
            (void) execvp(command[0], command);
        _exit(127);
    }
    (void) wait(&status);
    SUBLET_TRY(cgroup_sample_read(dir_fd, CG_READ_ALL, &used, err));
    (void) printf("status %d, CPU %ju us", WEXITSTATUS(status), used.cpu.usage_us);
    if (cg_has(&used.memory, peak_bytes)) /* absent is not zero */
        (void) printf(", memory %ju bytes, OOM kills %ju", used.memory.peak_bytes,
                      used.memory.oom_kills);
    return printf("\n");
}

int main(int argc, char **argv)
{
    struct arena arena = {.max_bytes = ARENA_MAX_BYTES};
    struct cg_rows limits = {.arena = &arena};
    char **word = argv + 2, *value;
    struct sub_err err = {0};
    struct cgroups_host host;
    struct cgroup group;
    int root_fd;

    for (; argc > 3 && word[1] != NULL && (value = strchr(*word, '=')) != NULL; word++) {
        *value = '\0';
        (void) cg_unified_rows(&limits, *word, *word, value + 1, &err);
    }
    if (argc > 2 && err.code == 0 && cgroups_mount_open(&root_fd, &host, &err) >= 0 &&
        cgroup_make(root_fd, argv[1], limits.controllers, "GROUP", &group, &err) >= 0) {
        (void) run_in(group.dir_fd, &limits, word, &err);
        (void) cgroup_destroy(root_fd, argv[1], 5000, &err);
    }
    if (err.code != 0)
        (void) fprintf(stderr, "measure: %s: %s\n", err.path, err.text);
    return err.code != 0;
}
