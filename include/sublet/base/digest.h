/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BLAKE2b with 256 bits (RFC 7693, no key): names of cached things and proof that they are whole.
 * Chosen over SHA-256 because it needs a third of the time without special instructions, and the
 * digest of a seccomp profile is computed at every start.
 */
#ifndef SUBLET_BASE_DIGEST_H
#define SUBLET_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_BYTES 32
#define DIGEST_TEXT  (2 * DIGEST_BYTES + 1)
#define DIGEST_BLOCK 128

struct digest {
    uint64_t state[8], count_bytes;
    uint8_t block[DIGEST_BLOCK];
    size_t used_bytes; /* of block */
};

void digest_init(struct digest *digest);
void digest_add(struct digest *digest, const void *data, size_t size);
void digest_finish(struct digest *digest, uint8_t ret_bytes[DIGEST_BYTES]);

/* Lower case hexadecimal; returns text. */
char *digest_format(const uint8_t bytes[DIGEST_BYTES], char text[DIGEST_TEXT]);

#endif
