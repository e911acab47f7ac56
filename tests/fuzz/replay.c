/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over files, so that every corpus is a plain test: replay_NAME FILE... */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sublet/base/fd.h"

#include "fuzz.h"

#define FILE_MAX_BYTES ((size_t) 32 << 20)

static int replay(const char *name)
{
    OWNED_MEM char *text = NULL;
    struct sub_err err = {0};
    size_t size;

    if (sub_load_file_at(AT_FDCWD, name, FILE_MAX_BYTES, &text, &size, &err) < 0) {
        fprintf(stderr, "%s: %s\n", err.path, err.text);
        return -1;
    }

    /* an exact copy: the sanitizer sees one byte read too far */
    OWNED_MEM uint8_t *copy = malloc(size == 0 ? 1 : size);
    if (copy == NULL)
        return -1;
    memcpy(copy, text, size);
    return LLVMFuzzerTestOneInput(copy, size);
}

int main(int argc, char **argv)
{
    int failed = argc < 2;

    for (int i = 1; i < argc; i++)
        failed += replay(argv[i]) != 0;
    printf("%d files replayed\n", argc - 1);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
