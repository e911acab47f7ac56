/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Draws for `sublet top`: screens come as text over descriptor 3, keys go back (src/cli/top_loop.c
 * has the messages). It knows nothing of what it shows, and once it has read what its terminal can
 * do it has no rights: no user but nobody, no capability, no file.
 */
#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sublet/base/err.h"
#include "sublet/sys.h"
#include "sublet/sys/confine.h"

#include "paint.h"

#define SOCKET_FD    3
#define SCREEN_ROOM  ((size_t) 160 << 10)
#define MESSAGE_ROOM 300
#define ESC_DELAY_MS 50

/* Why it ends; error is said when the terminal is itself again. */
struct ending {
    bool over;
    int status;
    char error[1024];
};

static void say(const char *message)
{
    (void) send(SOCKET_FD, message, strlen(message), MSG_NOSIGNAL);
}

/* ---- the size ---- */

static void say_size(void)
{
    struct winsize size = {.ws_row = 0};
    char message[64];

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
        (void) resizeterm(size.ws_row, size.ws_col);
    (void) snprintf(message, sizeof message, "size %d %d", COLS, LINES);
    say(message);
}

/* ---- keys ---- */

static const char *name_of_key(int key)
{
    static const struct {
        int key;
        const char *name;
    } names[] = {
        {KEY_UP,        "up"       },
        {KEY_DOWN,      "down"     },
        {KEY_LEFT,      "left"     },
        {KEY_RIGHT,     "right"    },
        {KEY_PPAGE,     "pageup"   },
        {KEY_NPAGE,     "pagedown" },
        {KEY_HOME,      "home"     },
        {KEY_END,       "end"      },
        {KEY_ENTER,     "enter"    },
        {'\r',          "enter"    },
        {'\n',          "enter"    },
        {27,            "esc"      },
        {KEY_BACKSPACE, "backspace"},
        {127,           "backspace"},
        {'\b',          "backspace"},
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].key == key)
            return names[i].name;
    }
    return NULL;
}

/* All that were pressed; the terminal itself may be gone. */
static void take_keys(void)
{
    int key;

    while ((key = getch()) != ERR) {
        char message[64];
        const char *name = name_of_key(key);

        if (name == NULL && (key < ' ' || key > '~'))
            continue;
        if (name != NULL)
            (void) snprintf(message, sizeof message, "key %s", name);
        else
            (void) snprintf(message, sizeof message, "key %c", key);
        say(message);
    }
}

/* ---- screens ---- */

static void take_message(struct ending *ending)
{
    static char message[SCREEN_ROOM];
    ssize_t n = recv(SOCKET_FD, message, sizeof message - 1, 0);

    message[n < 0 ? 0 : n] = '\0';
    if (n > 0 && *message == 's') {
        paint(message + 1);
        return;
    }
    ending->over = true;
    if (n > 0 && *message == 'q')
        return;
    ending->status = 1;
    (void) snprintf(ending->error, sizeof ending->error, "%s",
                    n > 0 ? message + 1 : "the process that reads the counters has ended");
}

/* ---- signals ---- */

static int watch_signals(void)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGWINCH, 0};

    return sys_signals_open(signals);
}

/* A signal that would have killed it does so, once all is in order. */
static void take_signal(int signal_fd, struct ending *ending)
{
    struct signalfd_siginfo info;

    if (read(signal_fd, &info, sizeof info) != (ssize_t) sizeof info)
        return;
    if (info.ssi_signo == SIGWINCH) {
        say_size();
        return;
    }
    ending->over = true;
    ending->status = 128 + (int) info.ssi_signo;
}

/* ---- the terminal ---- */

/* What the other side writes if this one cannot any more: no attributes, no colours, the cursor,
 * the keypad as it was, and the screen from before. */
static void say_restore(void)
{
    static const char *const names[] = {"sgr0", "op", "cnorm", "rmkx", "rmcup"};
    char message[MESSAGE_ROOM] = "restore ";
    size_t used = strlen(message);

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *bytes = tigetstr(names[i]);
        bool none = bytes == NULL || bytes == (const char *) -1;
        size_t length = none ? 0 : strlen(bytes);

        if (length > 0 && used + length < sizeof message) {
            (void) snprintf(message + used, sizeof message - used, "%s", bytes);
            used += length;
        }
    }
    (void) send(SOCKET_FD, message, used, MSG_NOSIGNAL);
}

static SCREEN *begin(void)
{
    const char *no_color = secure_getenv("NO_COLOR");
    SCREEN *screen = newterm(NULL, stdout, stdin);

    if (screen == NULL)
        return NULL;
    (void) set_term(screen);
    say_restore();
    (void) cbreak();
    (void) noecho();
    (void) nonl();
    (void) keypad(stdscr, TRUE);
    (void) nodelay(stdscr, TRUE);
    (void) set_escdelay(ESC_DELAY_MS);
    (void) curs_set(0);
    paint_begin(no_color == NULL || *no_color == '\0');
    return screen;
}

static void loop(int signal_fd, struct ending *ending)
{
    struct pollfd wait[] = {
        {.fd = SOCKET_FD,    .events = POLLIN},
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = signal_fd,    .events = POLLIN},
    };

    say_size();
    while (!ending->over) {
        int rc = sys_poll(wait, sizeof wait / sizeof *wait, -1);

        if (rc < 0)
            return;
        if (wait[2].revents != 0)
            take_signal(signal_fd, ending);
        if (wait[1].revents != 0)
            take_keys();
        if ((wait[1].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
            ending->over = true;
        if (wait[0].revents != 0 && !ending->over)
            take_message(ending);
    }
}

int main(void)
{
    static struct ending ending;
    const char *term = secure_getenv("TERM");
    int signal_fd = watch_signals();

    if (begin() == NULL) {
        (void) fprintf(stderr, "sublet: the terminal '%s' ($TERM) is not known or cannot be used\n",
                       term == NULL ? "" : term);
        return 1;
    }
    int rc = sys_confine(SYS_MAY_NOTHING);
    if (rc < 0) {
        ending.status = 1;
        (void) snprintf(ending.error, sizeof ending.error, "cannot give up privileges: %s",
                        sub_strerror(-rc));
    } else {
        loop(signal_fd, &ending);
    }
    (void) endwin();
    say("bye");
    if (*ending.error != '\0')
        (void) fprintf(stderr, "sublet: %s\n", ending.error);
    return ending.status;
}
