/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

#define MOUNTINFO_MAX ((size_t) 4 << 20)

void show_namespaces(void)
{
    static const char *const kinds[] = {"cgroup", "ipc",  "mnt",  "net",
                                        "pid",    "time", "user", "uts"};
    struct utsname names;

    json_open("namespaces", '{');
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char path[64], target[64];
        ssize_t length;

        (void) snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
        length = readlink(path, target, sizeof target - 1);
        target[length < 0 ? 0 : length] = '\0';
        json_text(kinds[i], length < 0 ? NULL : target);
    }
    json_close('}');

    (void) uname(&names);
    json_text("hostname", names.nodename);
    json_text("domainname", names.domainname);
}

void show_cgroup(void)
{
    char text[8192];
    char *lines = read_all("/proc/self/cgroup", text, sizeof text);

    if (lines == NULL)
        json_text("cgroup", NULL);
    else
        json_words("cgroup", lines, "\n");
}

/* mountinfo writes blank, tab, newline and backslash as three octal digits; undone in place. */
static char *unescape(char *text)
{
    char *to = text;

    for (char *from = text; *from != '\0'; to++) {
        if (from[0] == '\\' && strspn(from + 1, "01234567") >= 3) {
            *to = (char) ((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
    return text;
}

static const char *next_word(char **rest)
{
    char *word = strsep(rest, " ");

    return word == NULL ? "" : word;
}

/* id parent device root target options [optional ...] - type source super */
static void show_mount(char *line)
{
    char *rest = line;

    json_open(NULL, '{');
    json_number("id", atoll(next_word(&rest)));
    json_number("parent", atoll(next_word(&rest)));
    json_text("device", next_word(&rest));
    json_text("root", unescape((char *) next_word(&rest)));
    json_text("target", unescape((char *) next_word(&rest)));
    json_words("options", (char *) next_word(&rest), ",");
    json_open("optional", '[');
    for (const char *word = next_word(&rest); *word != '\0' && strcmp(word, "-") != 0;
         word = next_word(&rest))
        json_text(NULL, word);
    json_close(']');
    json_text("type", next_word(&rest));
    json_text("source", unescape((char *) next_word(&rest)));
    json_words("super", (char *) next_word(&rest), ",");
    json_close('}');
}

void show_mounts(void)
{
    char *text = malloc(MOUNTINFO_MAX);
    char *rest = text == NULL ? NULL : read_all("/proc/self/mountinfo", text, MOUNTINFO_MAX);

    if (rest == NULL) {
        json_text("mounts", NULL);
        free(text);
        return;
    }
    json_open("mounts", '[');
    for (char *line = strsep(&rest, "\n"); line != NULL && *line != '\0';
         line = strsep(&rest, "\n"))
        show_mount(line);
    json_close(']');
    free(text);
}

static void show_map(const char *key, const char *path)
{
    char text[32768];
    char *rest = read_all(path, text, sizeof text);
    unsigned container, host, size;

    if (rest == NULL) {
        json_text(key, NULL);
        return;
    }
    json_open(key, '[');
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        if (sscanf(line, "%u %u %u", &container, &host, &size) != 3)
            continue;
        json_open(NULL, '{');
        json_unsigned("container", container);
        json_unsigned("host", host);
        json_unsigned("size", size);
        json_close('}');
    }
    json_close(']');
}

void show_maps(void)
{
    char text[64];

    show_map("uid_map", "/proc/self/uid_map");
    show_map("gid_map", "/proc/self/gid_map");
    json_text("setgroups", read_all("/proc/self/setgroups", text, sizeof text) == NULL
                               ? NULL
                               : strtok(text, "\n"));
}

static void show_clock(const char *key, clockid_t clock)
{
    struct timespec now;

    (void) clock_gettime(clock, &now);
    json_printf(key, "%lld.%09ld", (long long) now.tv_sec, now.tv_nsec);
}

/* Lines "monotonic SECONDS NANOSECONDS", "boottime ..." */
static void show_offsets(void)
{
    char text[256], clock[32];
    char *rest = read_all("/proc/self/timens_offsets", text, sizeof text);
    long long seconds, nanoseconds;

    json_open("offsets", '{');
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        if (sscanf(line, "%31s %lld %lld", clock, &seconds, &nanoseconds) != 3)
            continue;
        json_open(clock, '{');
        json_number("secs", seconds);
        json_number("nanosecs", nanoseconds);
        json_close('}');
    }
    json_close('}');
}

void show_time(void)
{
    json_open("time", '{');
    show_clock("monotonic", CLOCK_MONOTONIC);
    show_clock("boottime", CLOCK_BOOTTIME);
    show_offsets();
    json_close('}');
}

static bool has_controlling_tty(void)
{
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (fd >= 0)
        (void) close(fd);
    return fd >= 0;
}

void show_tty(void)
{
    struct winsize size = {0};

    json_open("tty", '{');
    json_open("isatty", '[');
    for (int fd = 0; fd < 3; fd++)
        json_bool(NULL, isatty(fd) == 1);
    json_close(']');
    (void) ioctl(0, TIOCGWINSZ, &size);
    json_unsigned("rows", size.ws_row);
    json_unsigned("columns", size.ws_col);
    json_text("name", isatty(0) == 1 ? ttyname(0) : NULL);
    json_bool("session_leader", getsid(0) == getpid());
    json_bool("controlling", has_controlling_tty());
    json_number("foreground", isatty(0) == 1 ? tcgetpgrp(0) : -1);
    json_close('}');
}
