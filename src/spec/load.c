/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/fd.h"

#include "shape.h"

int spec_parse(struct arena *arena, const char *name, const char *text, size_t size,
               struct findings *findings, struct spec **ret_spec, struct sub_err *err)
{
    struct json_source source = {.name = name, .text = text, .size = size};
    struct spec *spec = arena_alloc(arena, sizeof *spec);

    if (spec == NULL)
        return sub_fail(err, ENOMEM, name, "out of memory");
    SUBLET_TRY(json_decode(arena, &source, &spec_shape, findings, spec, err));
    *ret_spec = spec;
    return 0;
}

/* What is read must lie in the bundle; sub_load_file_at refuses all other kinds of file. */
static int refuse_link(int bundle_fd, const char *name, struct sub_err *err)
{
    struct stat st;

    if (fstatat(bundle_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
        return sub_fail(err, ELOOP, name, "symbolic link, expected a regular file");
    return 0;
}

int spec_load(struct arena *arena, int bundle_fd, const char *file, struct findings *findings,
              const struct spec **ret_spec, struct sub_err *err)
{
    const char *name = file == NULL ? SPEC_FILE : file;
    OWNED_MEM char *text = NULL;
    struct spec *spec = NULL;
    size_t size = 0;

    SUBLET_TRY(refuse_link(bundle_fd, name, err));
    SUBLET_TRY(sub_load_file_at(bundle_fd, name, SPEC_MAX_BYTES, &text, &size, err));
    SUBLET_TRY(spec_parse(arena, name, text, size, findings, &spec, err));
    *ret_spec = spec;
    return 0;
}

int spec_parse_process(struct arena *arena, const char *name, const char *text, size_t size,
                       struct findings *findings, struct spec_process **ret_process,
                       struct sub_err *err)
{
    struct json_source source = {.name = name, .text = text, .size = size, .root = "process"};
    struct spec_process *process = arena_alloc(arena, sizeof *process);

    if (process == NULL)
        return sub_fail(err, ENOMEM, name, "out of memory");
    SUBLET_TRY(json_decode(arena, &source, &spec_process_shape, findings, process, err));
    *ret_process = process;
    return 0;
}

int spec_parse_resources(struct arena *arena, const char *name, const char *text, size_t size,
                         struct findings *findings, struct spec_resources **ret_resources,
                         struct sub_err *err)
{
    struct json_source source = {
        .name = name, .text = text, .size = size, .root = "linux.resources"};
    struct spec_resources *resources = arena_alloc(arena, sizeof *resources);

    if (resources == NULL)
        return sub_fail(err, ENOMEM, name, "out of memory");
    SUBLET_TRY(json_decode(arena, &source, &spec_resources_shape, findings, resources, err));
    *ret_resources = resources;
    return 0;
}

int spec_parse_mounts(struct arena *arena, const char *name, const char *text,
                      struct findings *findings, struct spec_mounts *ret_mounts,
                      struct sub_err *err)
{
    const char *start = text + strspn(text, " \t\r\n");
    char *wrapped = *start != '[' ? NULL : arena_printf(arena, "{\"mounts\":%s}", text);

    if (*start != '[')
        return sub_fail(err, EINVAL, name, "expected an array of mounts");
    if (wrapped == NULL)
        return sub_fail(err, ENOMEM, name, "out of memory");
    struct json_source source = {.name = name, .text = wrapped, .size = strlen(wrapped)};
    return json_decode(arena, &source, &spec_mounts_shape, findings, ret_mounts, err);
}

static int encode(const struct json_shape *shape, const void *object, struct buf *buf)
{
    struct json_writer writer;

    json_writer_init(&writer, buf, 4);
    json_encode(&writer, NULL, shape, object);
    return buf_failed(buf) ? -ENOMEM : 0;
}

int spec_encode(const struct spec *spec, struct buf *buf)
{
    return encode(&spec_shape, spec, buf);
}

int spec_encode_process(const struct spec_process *process, struct buf *buf)
{
    return encode(&spec_process_shape, process, buf);
}

int spec_encode_resources(const struct spec_resources *resources, struct buf *buf)
{
    return encode(&spec_resources_shape, resources, buf);
}
