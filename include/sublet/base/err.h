/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One failure, one sentence. A struct sub_err belongs to the caller, has a fixed size and no
 * pointers: it works between clone and exec, cannot fail itself and crosses a pipe in one atomic
 * write (512 bytes, below PIPE_BUF). It knows where (path), what (text) and the errno (code);
 * it does not know how the sentence is shown, which is the business of cli.
 */
#ifndef SUBLET_BASE_ERR_H
#define SUBLET_BASE_ERR_H

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>

#define SUB_ERR_PATH 128
#define SUB_ERR_TEXT 352

struct sub_err {
    int32_t code;  /* positive errno; 0 while nothing failed */
    uint32_t line; /* source position of the failure, shown at debug level */
    char file[24];
    char path[SUB_ERR_PATH]; /* JSON path ("mounts[3].source") or file name; may be "" */
    char text[SUB_ERR_TEXT];
};

_Static_assert(sizeof(struct sub_err) == 512, "a sub_err must cross a pipe atomically");

/* Fills err (which may be NULL) and returns -code. path may be NULL. The first failure recorded
 * wins unless err is cleared. code is a positive errno; what is none is told as EIO, so that a
 * failure is one for every caller. */
#define sub_fail(err, code, path, ...) \
    sub_negative(sub_fail_at((err), (code), (path), __FILE__, __LINE__, __VA_ARGS__))

/* Inline, for compilers and analyzers to see that a failure is below 0. */
static inline int sub_negative(int rc)
{
    return rc < 0 ? rc : -EIO;
}

int sub_fail_at(struct sub_err *err, int code, const char *path, const char *file, int line,
                const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Puts "prefix: " before the text already recorded, keeps code and path; returns -err->code. */
int sub_err_wrap(struct sub_err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Sets the path where the failure did not know it; keeps one that is already there. */
void sub_err_at(struct sub_err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

void sub_err_clear(struct sub_err *err);

/* Errno text without locale and without allocation ("No such file or directory"). */
const char *sub_strerror(int code);

/* Pure propagation, statement position only: a visible `if` is a decision. */
#define SUBLET_TRY(call)      \
    do {                      \
        int try_rc_ = (call); \
        if (try_rc_ < 0)      \
            return try_rc_;   \
    } while (0)

#endif
