/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/script.h"

#include <errno.h>
#include <string.h>

/* The data part starts right behind the head, so its offsets are final when they are given out;
 * operations and relocations follow it. */
#define DATA_START sizeof(struct script_head)

_Static_assert(sizeof(struct script_head) % 8 == 0, "data must start aligned");
_Static_assert(sizeof(struct script_op) % 8 == 0, "operations lie in an array");

void script_init(struct script *script, int error_fd)
{
    buf_init(&script->data, SCRIPT_MAX_BYTES);
    buf_init(&script->ops, SCRIPT_MAX_BYTES);
    buf_init(&script->relocs, SCRIPT_MAX_BYTES);
    script->error_fd = error_fd;
}

void script_done(struct script *script)
{
    buf_done(&script->data);
    buf_done(&script->ops);
    buf_done(&script->relocs);
}

static void align(struct buf *buf)
{
    static const char zeros[8];

    buf_add(buf, zeros, (8 - buf->length % 8) % 8);
}

uint64_t script_put(struct script *script, const void *data, size_t size)
{
    align(&script->data);

    uint64_t offset = DATA_START + script->data.length;
    buf_add(&script->data, data, size);
    return offset;
}

uint64_t script_put_text(struct script *script, const char *text)
{
    return script_put(script, text, strlen(text) + 1);
}

void script_relocate(struct script *script, uint64_t place)
{
    uint32_t narrow = (uint32_t) place;

    buf_add(&script->relocs, &narrow, sizeof narrow);
}

uint64_t script_put_strings(struct script *script, char *const *strings)
{
    static const uint64_t end = 0;
    size_t count = 0;

    while (strings[count] != NULL)
        count++;
    align(&script->data);

    /* the array first: its place is known, the strings' offsets are counted ahead */
    uint64_t array = DATA_START + script->data.length;
    uint64_t at = array + (count + 1) * sizeof(uint64_t);
    for (size_t i = 0; i < count; i++) {
        buf_add(&script->data, &at, sizeof at);
        script_relocate(script, array + i * sizeof at);
        at += strlen(strings[i]) + 1;
    }
    buf_add(&script->data, &end, sizeof end);
    for (size_t i = 0; i < count; i++)
        buf_add(&script->data, strings[i], strlen(strings[i]) + 1);
    return array;
}

struct script_op *script_add(struct script *script, enum script_verb verb, const char *path,
                             const char *text)
{
    static struct script_op spare; /* written to when memory is out; script_finish reports it */
    struct script_op op = {.verb = verb};

    op.path = (uint32_t) script_put_text(script, path);
    op.text = (uint32_t) script_put_text(script, text);
    buf_add(&script->ops, &op, sizeof op);
    if (buf_failed(&script->ops))
        return &spare;
    return (struct script_op *) (void *) (script->ops.data + script->ops.length - sizeof op);
}

struct script_op *script_call(struct script *script, long number, const uint64_t args[SCRIPT_ARGS],
                              uint32_t pointer_mask, const char *text)
{
    struct script_op *op = script_add(script, SCRIPT_CALL, "", text);

    op->number = number;
    op->pointer_mask = pointer_mask;
    memcpy(op->args, args, sizeof op->args);
    return op;
}

int script_finish(struct script *script, struct buf *ret_blob)
{
    align(&script->data);

    struct script_head head = {
        .magic = SCRIPT_MAGIC,
        .op_count = (uint32_t) (script->ops.length / sizeof(struct script_op)),
        .ops = (uint32_t) (DATA_START + script->data.length),
        .reloc_count = (uint32_t) (script->relocs.length / sizeof(uint32_t)),
        .error_fd = script->error_fd,
    };
    head.relocs = head.ops + (uint32_t) script->ops.length;
    head.size_bytes = head.relocs + script->relocs.length;

    if (buf_failed(&script->data) || buf_failed(&script->ops) || buf_failed(&script->relocs))
        return -ENOMEM;
    buf_add(ret_blob, &head, sizeof head);
    buf_add(ret_blob, buf_text(&script->data), script->data.length);
    buf_add(ret_blob, buf_text(&script->ops), script->ops.length);
    buf_add(ret_blob, buf_text(&script->relocs), script->relocs.length);
    return buf_failed(ret_blob) ? -ENOMEM : 0;
}
