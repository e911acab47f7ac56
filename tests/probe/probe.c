/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe [OPTION VALUE]...   see usage below
 * Built without CMake by: cc -static -O2 -D_GNU_SOURCE -o probe, and the .c files of this folder
 */
#include "probe.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An option that may be given many times: its answers are one object under a key of their own. */
struct question {
    const char *option, *key;
    void (*answer)(const char *value);
};

static const struct question questions[] = {
    {"--masked",     "masked",          try_masked      },
    {"--readonly",   "readonly",        try_readonly    },
    {"--write",      "writes",          try_write       },
    {"--sysctl",     "sysctl",          show_sysctl     },
    {"--cgfile",     "cgroup_files",    show_cgroup_file},
    {"--syscall",    "syscalls",        try_call        },
    {"--syscall-nr", "syscall_numbers", try_call_number },
};

/* What to do after the object is out. */
struct ending {
    unsigned sleep_s;
    int status;
    bool pause;
};

static void usage(void)
{
    (void) fputs("usage: probe [--masked PATH] [--readonly PATH] [--write PATH] [--sysctl NAME]\n"
                 "             [--cgfile NAME] [--syscall NAME] [--syscall-nr N]\n"
                 "             [--sleep SECONDS] [--pause] [--exit STATUS]\n",
                 stderr);
    exit(2);
}

static bool is_question(const char *option)
{
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        if (strcmp(questions[i].option, option) == 0)
            return true;
    }
    return false;
}

static struct ending read_ending(char **argv)
{
    struct ending ending = {0};

    for (char **at = argv + 1; *at != NULL; at++) {
        if (strcmp(*at, "--pause") == 0) {
            ending.pause = true;
            continue;
        }
        if (at[1] == NULL)
            usage();
        if (strcmp(*at, "--sleep") == 0)
            ending.sleep_s = (unsigned) atoi(at[1]);
        else if (strcmp(*at, "--exit") == 0)
            ending.status = atoi(at[1]);
        else if (!is_question(*at))
            usage();
        at++;
    }
    return ending;
}

static void answer(const struct question *question, char **argv)
{
    json_open(question->key, '{');
    for (char **at = argv + 1; *at != NULL; at++) {
        if (strcmp(*at, question->option) == 0)
            question->answer(*++at);
    }
    json_close('}');
}

/* The fds come first: later questions open some. */
static void show_all(char **argv, char **envp)
{
    json_open(NULL, '{');
    show_fds();
    show_process(argv, envp);
    show_ids();
    show_privileges();
    show_limits();
    show_scheduling();
    show_signals();
    show_namespaces();
    show_maps();
    show_cgroup();
    show_mounts();
    show_paths();
    show_devices();
    show_time();
    show_tty();
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        answer(&questions[i], argv);
    json_close('}');
    json_finish();
}

/* Process 1 gets no signal it has no handler for; sigwait takes it all the same. */
static int wait_for_signal(void)
{
    sigset_t all;
    int number = 0;

    (void) sigfillset(&all);
    (void) sigprocmask(SIG_BLOCK, &all, NULL);
    do
        (void) sigwait(&all, &number);
    while (number == SIGCHLD || number == SIGWINCH);
    return 128 + number;
}

int main(int argc, char **argv, char **envp)
{
    struct ending ending = read_ending(argv);

    (void) argc;
    show_all(argv, envp);
    if (ending.sleep_s > 0)
        (void) sleep(ending.sleep_s);
    if (ending.pause)
        return wait_for_signal();
    return ending.status;
}
