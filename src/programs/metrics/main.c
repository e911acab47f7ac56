/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serves metrics over HTTP for `sublet metrics --listen`. It speaks with strangers, so it has
 * nothing: no user but nobody, no capability, no file; the socket that it accepts from was opened
 * by sublet, and so was the text that it hands out. On descriptor 0 (base/answer.h, and the other
 * way round once it serves):
 *
 *   sublet                              program
 *     |  --- "socket" + descriptor ->     |
 *     |  --- "serve FORMAT" ---------->   |     any, prometheus or openmetrics
 *     |  <-- struct answer ------------   |
 *     |                                   |
 *     |  <-- "p" or "o" ---------------   |     somebody asks, in that format
 *     |  --- struct answer ----------->   |     with the text as a descriptor if its code is 0
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "sublet/base/answer.h"
#include "sublet/base/fd.h"
#include "sublet/sys.h"
#include "sublet/sys/confine.h"

#include "serve.h"

#define REQUEST_ROOM 64

static int receive(char request[REQUEST_ROOM], int *ret_fd)
{
    ssize_t n = sys_recv_fd(0, request, REQUEST_ROOM - 1, ret_fd);

    request[n < 0 ? 0 : n] = '\0';
    return n > 0 ? 0 : -EPIPE;
}

static enum serve_format format_of(const char *request)
{
    return strcmp(request, "serve prometheus") == 0    ? SERVE_PROMETHEUS
           : strcmp(request, "serve openmetrics") == 0 ? SERVE_OPENMETRICS
                                                       : SERVE_ANY;
}

static int begin(struct serve *serve)
{
    struct answer answer = {.code = 0};
    char request[REQUEST_ROOM];
    int none = -EBADF, listen_fd = -EBADF;

    if (receive(request, &listen_fd) < 0 || listen_fd < 0 || receive(request, &none) < 0)
        return -EPIPE;
    int rc = sys_confine(SYS_MAY_NOTHING);
    if (rc == 0)
        rc = serve_open(serve, listen_fd, format_of(request));
    if (rc < 0) {
        answer.code = -rc;
        (void) snprintf(answer.text, sizeof answer.text, "cannot serve: %s", sub_strerror(-rc));
    }
    if (send(0, &answer, sizeof answer, MSG_NOSIGNAL) < 0)
        return -errno;
    return rc;
}

/* An answer of sublet for all who wait for one in that format. 0: sublet has ended. */
static int take_answer(struct serve *serve)
{
    struct answer answer;
    int text_fd = -EBADF;
    ssize_t n = sys_recv_fd(0, &answer, sizeof answer, &text_fd);

    if (n != (ssize_t) sizeof answer)
        return 0;
    serve_answer(serve, answer.code == 0 ? text_fd : -EIO);
    if (answer.code != 0)
        sub_close(&text_fd);
    return 1;
}

int main(void)
{
    static struct serve serve;

    if (begin(&serve) < 0)
        return 1;
    for (;;) {
        struct pollfd wait[] = {
            {.fd = 0,                     .events = POLLIN},
            {.fd = serve_poll_fd(&serve), .events = POLLIN},
        };
        int rc = sys_poll(wait, 2, serve_timeout_ms(&serve));

        if (rc < 0 && rc != -ETIMEDOUT)
            break;
        if (wait[0].revents != 0 && take_answer(&serve) == 0)
            break;
        if (serve_run(&serve) < 0)
            break;
    }
    serve_close(&serve);
    return 0;
}
