/* SPDX-License-Identifier: Apache-2.0 */
/* A target is one function; libFuzzer calls it, or replay.c with the files of a corpus. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
