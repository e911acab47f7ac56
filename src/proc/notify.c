/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sd_notify(3) across the border of a container. The service manager believes the runtime, so only
 * words that tell of the service's own state are handed on: neither descriptors to keep (FDSTORE)
 * nor who else may speak (NOTIFYACCESS), and a main process only if it is the container's. No
 * descriptor of the container is taken or handed on: to close a file asks its file system, and that
 * may be the container's own, which never answers. A barrier gets a pipe of ours, and the
 * container's datagram stays in the queue, with its descriptor, until the listener has closed that.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/base/log.h"
#include "sublet/base/num.h"
#include "sublet/proc.h"
#include "sublet/sys.h"

static const char *const handed_on[] = {
    "READY=",          "RELOADING=",    "STOPPING=", "STATUS=",        "ERRNO=",
    "BUSERROR=",       "VARLINKERROR=", "WATCHDOG=", "WATCHDOG_USEC=", "EXTEND_TIMEOUT_USEC=",
    "MONOTONIC_USEC=",
};

/* --- pids ----------------------------------------------------------------------------------- */

/* The last number of the line "NSpid:" is the one in the process's own namespace. */
static bool is_called(pid_t pid, const char *number)
{
    char path[64], text[4096];

    if (pid <= 0)
        return false;
    (void) snprintf(path, sizeof path, "/proc/%d/status", (int) pid);
    if (sub_read_file_at(AT_FDCWD, path, text, sizeof text) < 0)
        return false;

    char *line = strstr(text, "\nNSpid:");
    if (line == NULL)
        return false;
    line++;
    line[strcspn(line, "\n")] = '\0';
    const char *last = strrchr(line, '\t');
    return last != NULL && strcmp(last + 1, number) == 0;
}

/* Whom the container means by its pid, as the host calls it; 0: nobody of the container. In a pid
 * namespace that it shares with others only the two processes that are surely its own count. */
static pid_t find_pid(const struct proc_notify *notify, const char *number, pid_t sender)
{
    uint32_t pid;

    if (num_parse_u32(number, INT32_MAX, &pid) < 0 || pid == 0)
        return 0;
    if (is_called(notify->pid, number))
        return notify->pid;
    if (is_called(sender, number))
        return sender;
    if (notify->pid_ns_fd < 0 || sys_pid_from_ns(notify->pid_ns_fd, 1) != notify->pid)
        return 0;

    pid_t found = sys_pid_from_ns(notify->pid_ns_fd, (pid_t) pid);
    return found > 0 ? found : 0;
}

/* --- words ---------------------------------------------------------------------------------- */

static void add_line(struct proc_notify *notify, const char *line, size_t length)
{
    if (notify->length + length + 1 > sizeof notify->text)
        return; /* cannot be: nothing but a pid becomes longer, and for that there is room */
    memcpy(notify->text + notify->length, line, length);
    notify->length += length;
    notify->text[notify->length++] = '\n';
}

static bool add_main_pid(struct proc_notify *notify, pid_t pid)
{
    char line[32];
    int length = snprintf(line, sizeof line, "MAINPID=%d", (int) pid);

    if (pid <= 0)
        return false;
    add_line(notify, line, (size_t) length);
    return true;
}

static bool starts_with(const char *line, const char *word)
{
    return strncmp(line, word, strlen(word)) == 0;
}

static void add_known(struct proc_notify *notify, const char *line)
{
    for (size_t i = 0; i < sizeof handed_on / sizeof *handed_on; i++) {
        if (starts_with(line, handed_on[i]))
            add_line(notify, line, strlen(line));
    }
}

static void add_barrier(struct proc_notify *notify)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return; /* the container's is passed at once */
    notify->barrier_fd = ends[0];
    notify->passed_fd = ends[1];
    add_line(notify, "BARRIER=1", 9);
}

/* From what came to what goes on. text is NUL-terminated, and is cut into lines. */
static void translate(struct proc_notify *notify, char *text, pid_t sender)
{
    bool has_main_pid = false, is_ready = false;

    notify->length = 0;
    if (strcmp(text, "BARRIER=1") == 0 || strcmp(text, "BARRIER=1\n") == 0) {
        add_barrier(notify);
        return;
    }
    for (char *line = text, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        if (starts_with(line, "MAINPID="))
            has_main_pid |= add_main_pid(notify, find_pid(notify, line + 8, sender));
        is_ready |= strcmp(line, "READY=1") == 0;
        add_known(notify, line);
    }
    if (is_ready && notify->adds_main_pid && !has_main_pid)
        (void) add_main_pid(notify, notify->pid);
    notify->ready |= is_ready;
}

/* --- from socket to socket ------------------------------------------------------------------ */

static void wait_for(struct proc_notify *notify, int fd, short events)
{
    notify->source.fd = fd;
    notify->source.events = events;
}

/* Done with the datagram. */
static void listen_again(struct proc_notify *notify)
{
    notify->length = 0;
    sub_close(&notify->barrier_fd);
    sub_close(&notify->passed_fd);
    sys_datagram_drop(notify->socket_fd);
    wait_for(notify, notify->socket_fd, POLLIN);
}

static void send_on(struct proc_notify *notify)
{
    bool barrier = notify->passed_fd >= 0;
    int rc = notify->host_fd < 0 ? -ENOTCONN
                                 : sys_send_fd(notify->host_fd, notify->text, notify->length,
                                               &notify->passed_fd, barrier ? 1 : 0);

    if (rc == -EAGAIN) { /* nothing more is taken until there is room again */
        wait_for(notify, notify->host_fd, POLLOUT);
        return;
    }
    if (rc < 0)
        log_debug("NOTIFY_SOCKET: not handed on: %s", sub_strerror(-rc));
    if (rc < 0 || !barrier) {
        listen_again(notify);
        return;
    }
    notify->length = 0;
    sub_close(&notify->passed_fd);
    wait_for(notify, notify->barrier_fd, 0); /* a hang-up is always told */
}

static void act(struct proc_source *source, short revents)
{
    struct proc_notify *notify = (struct proc_notify *) source;
    char text[PROC_NOTIFY_BYTES + 1];
    pid_t sender = 0;

    (void) revents;
    if (notify->length > 0) {
        send_on(notify);
        return;
    }
    if (notify->barrier_fd >= 0) {
        listen_again(notify);
        return;
    }
    ssize_t n = sys_datagram_peek(notify->socket_fd, text, sizeof text - 1, &sender);
    if (n > 0 && memchr(text, '\0', (size_t) n) == NULL) {
        text[n] = '\0';
        translate(notify, text, sender);
    }
    if (notify->length > 0)
        send_on(notify);
    else if (n != -EAGAIN)
        listen_again(notify);
}

int proc_notify_open(struct proc_notify *notify, int folder_fd, const char *name,
                     const char *host_address, struct sub_err *err)
{
    int rc = sys_unlinkat(folder_fd, name, 0);
    mode_t before = umask(0111); /* whoever the process runs as: the folder is closed to others */

    *notify = PROC_NOTIFY_NONE;
    if (rc >= 0 || rc == -ENOENT)
        rc = sys_datagram_bind(folder_fd, name);
    (void) umask(before);
    if (rc < 0)
        return sub_fail(err, -rc, "NOTIFY_SOCKET", "cannot make the container's socket: %s",
                        sub_strerror(-rc));
    notify->socket_fd = rc;
    notify->host_fd = sys_datagram_connect(host_address);
    if (notify->host_fd < 0)
        log_debug("NOTIFY_SOCKET: nobody listens on '%s': %s", host_address,
                  sub_strerror(-notify->host_fd));
    notify->source.act = act;
    wait_for(notify, notify->socket_fd, POLLIN);
    return 0;
}

void proc_notify_of(struct proc_notify *notify, pid_t pid)
{
    char path[64];

    notify->pid = pid;
    (void) snprintf(path, sizeof path, "/proc/%d/ns/pid", (int) pid);
    sub_close(&notify->pid_ns_fd);
    notify->pid_ns_fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
}

int proc_notify_wait(struct proc_notify *notify, int pidfd, struct sub_err *err)
{
    while (notify->host_fd >= 0 && (!notify->ready || notify->length > 0)) {
        struct pollfd wait[] = {
            {.fd = pidfd,             .events = POLLIN               },
            {.fd = notify->source.fd, .events = notify->source.events},
        };
        int rc = sys_poll(wait, 2, -1);

        if (rc < 0)
            return sub_fail(err, -rc, "NOTIFY_SOCKET", "cannot wait for it: %s", sub_strerror(-rc));
        if (wait[1].revents != 0)
            act(&notify->source, wait[1].revents);
        else if (wait[0].revents != 0)
            return 0; /* what it said before its end has been handed on */
    }
    return 0;
}

void proc_notify_done(struct proc_notify *notify)
{
    sub_close(&notify->socket_fd);
    sub_close(&notify->host_fd);
    sub_close(&notify->pid_ns_fd);
    sub_close(&notify->barrier_fd);
    sub_close(&notify->passed_fd);
}

int proc_pidfd_send(int socket_fd, const char *kind, int pidfd, struct sub_err *err)
{
    int rc = sys_send_fd(socket_fd, kind, strlen(kind), &pidfd, 1);

    if (rc < 0)
        return sub_fail(err, -rc, "--pidfd-socket", "cannot send the pidfd: %s", sub_strerror(-rc));
    return 0;
}
