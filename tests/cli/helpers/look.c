/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look RIGHTS [SECONDS]: for five seconds, or until /dev/shm/enough is there, looks at every
 * process it sees, and prints what no process that enters a container may show: a descriptor that
 * is no pipe or socket, another root, a program of the host, capabilities besides RIGHTS
 * (hexadecimal), and our own image without a filter where the looker itself has one.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
static unsigned long looked, programs;
static unsigned long long rights;
static int filtered; /* we are */

static int has_no_filter(const char *path)
{
    char text[4096];
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        (void) close(fd);
    text[n > 0 ? n : 0] = '\0';
    return strstr(text, "Seccomp:\t0") != NULL;
}

static int is_image(const char *path)
{
    char target[64] = "";

    return readlink(path, target, sizeof target - 1) > 0 &&
           strncmp(target, "/memfd:sublet-init", 18) == 0;
}

static void look(int pid)
{
    char path[64], target[256], caps[4096];
    struct stat st, root;
    if (stat("/", &root) < 0)
        return;
    looked++;
    for (int fd = 3; fd < 40; fd++) {
        (void) snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
        if (stat(path, &st) == 0 && !S_ISSOCK(st.st_mode) && !S_ISFIFO(st.st_mode))
            printf("descriptor %d of mode %o\n", fd, st.st_mode);
    }
    (void) snprintf(path, sizeof path, "/proc/%d/root", pid);
    if (stat(path, &st) == 0 && st.st_dev != root.st_dev)
        printf("another root\n");
    (void) snprintf(path, sizeof path, "/proc/%d/exe", pid);
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n > 0) {
        target[n] = '\0';
        programs++;
        if (strncmp(target, "/memfd:sublet-init", 18) != 0 && strncmp(target, "/bin/", 5) != 0)
            printf("program %s\n", target);
        int fd = open(path, O_WRONLY);
        if (fd >= 0 && write(fd, "x", 1) == 1)
            printf("written to %s\n", target);
        if (fd >= 0)
            (void) close(fd);
    }
    (void) snprintf(path, sizeof path, "/proc/%d/status", pid);
    int image = n > 0 && strncmp(target, "/memfd:sublet-init", 18) == 0;
    int fd = open(path, O_RDONLY);
    n = fd < 0 ? 0 : read(fd, caps, sizeof caps - 1);
    if (fd >= 0)
        (void) close(fd);
    caps[n > 0 ? n : 0] = '\0';
    const char *line = strstr(caps, "CapPrm:");
    if (line != NULL && strtoull(line + 7, NULL, 16) & ~rights)
        printf("rights %.24s\n", line);
    (void) snprintf(path, sizeof path, "/proc/%d/exe", pid);
    if (filtered && strstr(caps, "Seccomp:\t0") != NULL && image && is_image(path))
        printf("no filter\n");
}
int main(int argc, char **argv)
{
    rights = argc > 1 ? strtoull(argv[1], NULL, 16) : 0;
    filtered = !has_no_filter("/proc/self/status");
    time_t end = time(NULL) + (argc > 2 ? atoi(argv[2]) : 5);
    while (time(NULL) < end && access("/dev/shm/enough", F_OK) != 0) {
        DIR *proc = opendir("/proc");
        const struct dirent *entry;
        while (proc != NULL && (entry = readdir(proc)) != NULL)
            if (atoi(entry->d_name) > 1)
                look(atoi(entry->d_name));
        if (proc != NULL)
            (void) closedir(proc);
    }
    printf("looked %s\n", looked > 10 && programs > 2 ? "at others" : "in vain");
    return 0;
}
