/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP: who asks, in which format, and what is still to be answered. */
#ifndef SUBLET_METRICS_SERVE_H
#define SUBLET_METRICS_SERVE_H

#include <stdbool.h>

struct MHD_Daemon;
struct visit;

enum serve_format { SERVE_PROMETHEUS, SERVE_OPENMETRICS, SERVE_ANY, SERVE_FORMATS = SERVE_ANY };

struct serve {
    struct MHD_Daemon *daemon;
    enum serve_format format;
    struct visit *waiting[SERVE_FORMATS];   /* for an answer that was asked for */
    enum serve_format asked[SERVE_FORMATS]; /* in this order */
    unsigned asked_count;
    bool lost; /* sublet cannot be asked any more */
};

/* Takes the socket. */
int serve_open(struct serve *serve, int listen_fd, enum serve_format format);
void serve_close(struct serve *serve);

int serve_poll_fd(const struct serve *serve);
int serve_timeout_ms(const struct serve *serve); /* -1: none */
/* Accepts, reads, writes what can be without waiting. Negative: nobody is there to ask. */
int serve_run(struct serve *serve);

/* The answer to the first question that has none. Takes the descriptor; negative: there is none. */
void serve_answer(struct serve *serve, int text_fd);

/* What of the two an Accept header (NULL: there is none) likes best. */
enum serve_format serve_accepted(const char *accept);

#endif
