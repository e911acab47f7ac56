/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/path.h"
#include "sublet/spec.h"
#include "sublet/sys.h"

#include "command.h"

static const struct arg_row table[] = {
    {"bundle",   'b', ARG_DIR,  INTO(bundle),   NULL, "DIR",
     "write config.json into DIR (default: the current folder)"                       },
    {"rootless", 0,   ARG_FLAG, INTO(rootless), NULL, NULL,
     "for a user without root's powers: a user namespace that maps the caller to root"},
};
static const struct arg_rows rows = ARG_ROWS(table, "Options");

/* Never over an existing file. One that could not be filled is taken away again. */
static int write_new(const char *path, const struct buf *text, struct sub_err *err)
{
    OWNED_FD fd = sys_openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    int rc;

    if (fd < 0)
        return sub_fail(err, -fd, path, "cannot create: %s", sub_strerror(-fd));
    rc = sub_write_all(fd, buf_text(text), text->length);
    if (rc == 0)
        return 0;
    (void) sys_unlinkat(AT_FDCWD, path, 0); /* the write's failure is the news */
    return sub_fail(err, -rc, path, "cannot write: %s", sub_strerror(-rc));
}

static int spec_body(const struct call *call, struct sub_err *err)
{
    const struct args *args = call->args;
    const char *path = path_join(call->arena, args->bundle == NULL ? "." : args->bundle, SPEC_FILE);
    struct spec *spec;
    OWNED_BUF text = BUF(SPEC_MAX_BYTES);

    SUBLET_TRY(spec_default(call->arena, args->rootless, &spec));
    SUBLET_TRY(spec_encode(spec, &text));
    buf_putc(&text, '\n');
    if (path == NULL || buf_failed(&text))
        return -ENOMEM;
    return write_new(path, &text, err);
}

const struct command command_spec = {
    .name = "spec",
    .summary = "write a config.json to start from",
    .usage = "[OPTION...]",
    .rows = {&rows, &rows_help},
    .failure = 1,
    .body = spec_body,
};
