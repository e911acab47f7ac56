/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/err.h"

#include <stdio.h>
#include <string.h>

static void copy_text(char *to, size_t size, const char *from)
{
    size_t length = strnlen(from, size - 1);

    memcpy(to, from, length);
    to[length] = '\0';
}

int sub_fail_at(struct sub_err *err, int code, const char *path, const char *file, int line,
                const char *format, ...)
{
    code = code > 0 ? code : EIO;
    if (err == NULL || err->code != 0)
        return -code;

    const char *slash = strrchr(file, '/');

    err->code = code;
    err->line = (uint32_t) line;
    copy_text(err->file, sizeof err->file, slash == NULL ? file : slash + 1);
    copy_text(err->path, sizeof err->path, path == NULL ? "" : path);

    va_list args;
    va_start(args, format);
    (void) vsnprintf(err->text, sizeof err->text, format, args); /* a cut sentence is still one */
    va_end(args);
    return -code;
}

int sub_err_wrap(struct sub_err *err, const char *format, ...)
{
    if (err == NULL)
        return -1;

    char text[SUB_ERR_TEXT];
    copy_text(text, sizeof text, err->text);

    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (used >= 0 && (size_t) used < sizeof err->text)
        (void) snprintf(err->text + used, sizeof err->text - (size_t) used, ": %s", text);
    return -err->code;
}

void sub_err_at(struct sub_err *err, const char *format, ...)
{
    if (err == NULL || err->path[0] != '\0')
        return;

    va_list args;
    va_start(args, format);
    (void) vsnprintf(err->path, sizeof err->path, format, args);
    va_end(args);
}

void sub_err_clear(struct sub_err *err)
{
    if (err != NULL)
        memset(err, 0, sizeof *err);
}

const char *sub_strerror(int code)
{
    const char *text = strerrordesc_np(code);

    return text == NULL ? "Unknown error" : text;
}
