/* SPDX-License-Identifier: Apache-2.0 */
/*
 * torture SUBLET STATE_ROOT BUNDLE CGROUP_ROOT GROUP [EVERY [ERRORS [DEVICE]]]
 *
 * Crash consistency, proved by doing it: create, start and delete are killed at each of their
 * system calls, in the runtime and in the child, and each of their system calls is made to fail.
 * After every blow `delete --force` must succeed and leave no process, cgroup, mount or file; a
 * command whose call failed must say so, with a status other than 0, and not hang. DEVICE is the
 * network device that the container gets: it is back on the host after every create that did not
 * come to its end.
 * Ends with a table and "N passed, N failed".
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracer.h"

#define ID       "tortured"
#define LIMIT_MS 8000

/* In create: behind the runtime, whoever holds an id map and the container's process. */
enum { ROLE_MOVER = 3 };

struct place {
    char *sublet, *state_root, *bundle;
    const char *cgroup_root, *group;
    int mounts;
    char *device; /* NULL: none */
    int startup;  /* calls of libc's start-up, whose failure is not ours to report */
    int passed, failed;
};

static int count_lines(const char *path)
{
    FILE *file = fopen(path, "re");
    int lines = 0;

    if (file == NULL)
        return -1;
    for (int c; (c = getc(file)) != EOF;)
        lines += c == '\n';
    (void) fclose(file);
    return lines;
}

static int run_plain(const struct place *place, const char *verb, const char *option, int output)
{
    char *argv[] = {place->sublet,
                    (char *) (size_t) "--root",
                    place->state_root,
                    (char *) (size_t) verb,
                    (char *) (size_t) option,
                    (char *) (size_t) ID,
                    NULL};
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        if (option == NULL) {
            argv[4] = argv[5];
            argv[5] = NULL;
        }
        (void) dup2(output, 1);
        (void) dup2(output, 2);
        if (chdir(place->bundle) < 0)
            _exit(122);
        (void) execv(argv[0], argv);
        _exit(121);
    }
    /* What a blow orphaned has become our child, and as the host's first process does we reap it at
     * once: it would keep the end of its container's pid namespace waiting. */
    for (;;) {
        pid_t ended = waitpid(-1, &status, __WALL);

        if (ended == pid)
            return status;
        if (ended < 0 && errno != EINTR)
            return -1;
    }
}

/* The kernel destroys a virtual device with the container that had it, and the other end of it,
 * some time after: that one has a name of the kernel's choice. */
static void make_device(const struct place *place)
{
    char *argv[] = {(char *) (size_t) "ip",
                    (char *) (size_t) "link",
                    (char *) (size_t) "add",
                    place->device,
                    (char *) (size_t) "type",
                    (char *) (size_t) "veth",
                    NULL};
    int status = -1;

    if (place->device == NULL || if_nametoindex(place->device) != 0)
        return;
    pid_t pid = fork();
    if (pid == 0) {
        (void) execvp(argv[0], argv);
        _exit(121);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        fprintf(stderr, "torture: cannot make the device %s\n", place->device);
        exit(2);
    }
}

/* create has done all that it does: the device is the container's, and ends with it. */
static bool is_complete(const struct place *place)
{
    char path[512], text[4096];

    (void) snprintf(path, sizeof path, "%s/" ID "/state.json", place->state_root);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t n = fread(text, 1, sizeof text - 1, file);
    (void) fclose(file);
    text[n] = '\0';
    return strstr(text, "\"complete\":true") != NULL;
}

/* We are a subreaper: whatever a container leaves alive becomes our child. */
static int living_children(void)
{
    for (int i = 0; i < 4000; i++) {
        pid_t pid = waitpid(-1, NULL, WNOHANG | __WALL);

        if (pid < 0)
            return 0;
        if (pid == 0)
            (void) usleep(500);
    }
    return 1;
}

static const char *leftover(const struct place *place)
{
    static char text[600];
    char path[512];

    if (living_children())
        return "a process is alive";

    (void) snprintf(path, sizeof path, "%s/%s", place->cgroup_root, place->group);
    if (access(path, F_OK) == 0)
        return "a cgroup is left";
    if (count_lines("/proc/self/mountinfo") != place->mounts)
        return "a mount is left";

    DIR *folder = opendir(place->state_root);
    for (const struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        (void) snprintf(text, sizeof text, "state '%s' is left", entry->d_name);
        (void) closedir(folder);
        return text;
    }
    if (folder != NULL)
        (void) closedir(folder);
    return NULL;
}

static int open_output(void)
{
    return open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static void read_output(int fd, char *text, size_t size)
{
    ssize_t n = pread(fd, text, size - 1, 0);

    text[n < 0 ? 0 : n] = '\0';
}

struct verb {
    const char *name, *option;
    const char *before[2]; /* commands that bring the container where the verb can work */
    const char *program;   /* what exec runs */
    int program_role;      /* and as which process */
};

static int trace_verb(const struct place *place, const struct verb *verb,
                      const struct strike *strike, int output, struct outcome *ret_outcome)
{
    char *argv[12] = {place->sublet, (char *) (size_t) "--root", place->state_root,
                      (char *) (size_t) verb->name};
    int count = 4;

    if (verb->option != NULL)
        argv[count++] = (char *) (size_t) verb->option;
    argv[count++] = (char *) (size_t) ID;
    if (verb->program != NULL) {
        argv[count++] = (char *) (size_t) "/bin/busybox";
        argv[count] = (char *) (size_t) verb->program;
    }
    if (chdir(place->bundle) < 0)
        return -errno;
    return tracer_run(argv, strike, output, LIMIT_MS, ret_outcome);
}

static void complain(struct place *place, const struct verb *verb, const struct strike *strike,
                     const struct outcome *outcome, const char *what)
{
    place->failed++;
    printf("not ok - %s %s process %d call %d (system call %ld, errno %d): %s\n", verb->name,
           strike->blow == BLOW_KILL ? "killed in" : "failed in", strike->role, strike->call,
           outcome->number, strike->error, what);
}

static void judge(struct place *place, const struct verb *verb, const struct strike *strike,
                  const struct outcome *outcome, int output)
{
    char text[2048];
    int cleanup = open_output();
    /* what the mover of devices is struck by itself, it may not be able to bring back */
    bool returns = place->device != NULL && strcmp(verb->name, "create") == 0 &&
                   strike->role < ROLE_MOVER && !is_complete(place);
    int status = run_plain(place, "delete", "--force", cleanup);
    const char *left = leftover(place);

    read_output(output, text, sizeof text);
    if (outcome->hung) {
        complain(place, verb, strike, outcome, "hung");
    } else if (strike->blow == BLOW_ERROR && outcome->status != 0 && text[0] == '\0') {
        complain(place, verb, strike, outcome, "failed without a word");
    } else if (strike->blow == BLOW_ERROR && WIFSIGNALED(outcome->status)) {
        complain(place, verb, strike, outcome, "crashed");
    } else if (status != 0) {
        read_output(cleanup, text, sizeof text);
        complain(place, verb, strike, outcome, text);
    } else if (left != NULL) {
        complain(place, verb, strike, outcome, left);
    } else if (returns && if_nametoindex(place->device) == 0) {
        complain(place, verb, strike, outcome, "the network device did not come back");
    } else {
        place->passed++;
    }
    (void) close(cleanup);
}

static void prepare(const struct place *place, const struct verb *verb)
{
    make_device(place);
    for (int i = 0; i < 2 && verb->before[i] != NULL; i++) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        (void) run_plain(place, verb->before[i], NULL, null);
        (void) close(null);
    }
}

static void blow_at(struct place *place, const struct verb *verb, const struct strike *strike)
{
    struct outcome outcome;
    int output = open_output();

    prepare(place, verb);
    if (trace_verb(place, verb, strike, output, &outcome) < 0)
        exit(2);
    judge(place, verb, strike, &outcome, output);
    (void) close(output);
}

static void torture_verb(struct place *place, const struct verb *verb, enum blow blow, int error,
                         int every)
{
    struct strike none = {.blow = BLOW_NONE, .program_role = verb->program_role};
    struct outcome whole;
    int output = open_output();

    prepare(place, verb);
    if (trace_verb(place, verb, &none, output, &whole) < 0 || whole.status != 0) {
        char text[2048];

        read_output(output, text, sizeof text);
        printf("not ok - %s does not work untouched: %s\n", verb->name, text);
        place->failed++;
        return;
    }
    (void) close(output);
    struct strike quiet = {.blow = BLOW_KILL};
    output = open_output();
    judge(place, verb, &quiet, &whole, output);
    (void) close(output);

    for (int role = 0; role < TRACER_ROLES && whole.calls[role] > 0; role++) {
        int failed = place->failed, points = 0;

        int first = blow == BLOW_ERROR && role == 0 ? place->startup + 1 : 1;

        for (int call = first + role % every; call <= whole.calls[role]; call += every) {
            struct strike strike = {.blow = blow,
                                    .role = role,
                                    .call = call,
                                    .error = error,
                                    .program_role = verb->program_role};

            blow_at(place, verb, &strike);
            points++;
        }
        printf("%-8s %-12s process %d: %4d points, %d failed\n", verb->name,
               blow == BLOW_KILL ? "SIGKILL" : strerrorname_np(error), role, points,
               place->failed - failed);
        (void) fflush(stdout);
    }
}

/* What a command without anything to do enters, but for its one write and its exit. */
static int count_startup(const struct place *place)
{
    char *argv[] = {place->sublet, (char *) (size_t) "--version", NULL};
    struct strike none = {.blow = BLOW_NONE};
    struct outcome outcome;
    int output = open_output();
    int rc = tracer_run(argv, &none, output, LIMIT_MS, &outcome);

    (void) close(output);
    return rc < 0 ? 0 : outcome.calls[0] - 2;
}

int main(int argc, char **argv)
{
    static const struct verb verbs[] = {
        {"create", NULL,      {NULL, NULL},        NULL,   0},
        {"start",  NULL,      {"create", NULL},    NULL,   0},
        {"delete", "--force", {"create", NULL},    NULL,   0},
        {"delete", "--force", {"create", "start"}, NULL,   0},
        {"exec",   NULL,      {"create", "start"}, "true", 2},
    };
    static const int errors[] = {EIO, ENOMEM, EMFILE, EPERM, ENOSYS};

    if (argc < 6) {
        fprintf(stderr, "usage: torture SUBLET STATE_ROOT BUNDLE CGROUP_ROOT GROUP [EVERY [ERRORS "
                        "[DEVICE]]]\n");
        return 2;
    }
    struct place place = {.sublet = argv[1],
                          .state_root = argv[2],
                          .bundle = argv[3],
                          .cgroup_root = argv[4],
                          .group = argv[5],
                          .device = argc > 8 ? argv[8] : NULL,
                          .mounts = count_lines("/proc/self/mountinfo")};
    int every = argc > 6 ? atoi(argv[6]) : 1;
    int error_count = argc > 7 ? atoi(argv[7]) : 1;

    (void) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    place.startup = count_startup(&place);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        torture_verb(&place, &verbs[i], BLOW_KILL, 0, every);
    for (int e = 0; e < error_count && e < (int) (sizeof errors / sizeof *errors); e++) {
        for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
            if (i != 3) /* delete once is enough */
                torture_verb(&place, &verbs[i], BLOW_ERROR, errors[e], every);
    }
    printf("%d passed, %d failed\n", place.passed, place.failed);
    return place.failed == 0 ? 0 : 1;
}
