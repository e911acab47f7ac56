/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a config, a process and resources: what is accepted is written and read the same. */
#include <stdlib.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/warn.h"
#include "sublet/spec.h"

#include "fuzz.h"

static void write_and_read_again(struct arena *arena, const struct spec *spec)
{
    OWNED_BUF first, second;
    struct spec *again;

    buf_init(&first, SPEC_MAX_BYTES);
    buf_init(&second, SPEC_MAX_BYTES);
    if (spec_encode(spec, &first) < 0)
        return;
    if (spec_parse(arena, "again", first.data, first.length, NULL, &again, NULL) < 0 ||
        spec_encode(again, &second) < 0 || strcmp(first.data, second.data) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *) data;
    OWNED_ARENA arena;
    struct findings findings;
    struct spec *spec;
    struct spec_process *process;
    struct spec_resources *resources;

    arena_init(&arena, ARENA_MAX_BYTES);
    findings_init(&findings, &arena);
    if (spec_parse(&arena, "config.json", text, size, &findings, &spec, NULL) == 0) {
        (void) spec_check(spec, &findings);
        write_and_read_again(&arena, spec);
    }
    if (spec_parse_process(&arena, "process.json", text, size, NULL, &process, NULL) == 0)
        (void) spec_check_process(process, &findings);
    if (spec_parse_resources(&arena, "-", text, size, NULL, &resources, NULL) == 0)
        (void) spec_check_resources(resources, &findings);
    return 0;
}
