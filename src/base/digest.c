/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/digest.h"

#include <string.h>

#define ROUNDS 12

static const uint64_t start[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

/* RFC 7693, 2.7; rounds 10 and 11 use the first two rows again */
static const uint8_t order[10][16] = {
    {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15},
    {14, 10, 4,  8,  9,  15, 13, 6,  1,  12, 0,  2,  11, 7,  5,  3 },
    {11, 8,  12, 0,  5,  2,  15, 13, 10, 14, 3,  6,  7,  1,  9,  4 },
    {7,  9,  3,  1,  13, 12, 11, 14, 2,  6,  5,  10, 4,  0,  15, 8 },
    {9,  0,  5,  7,  2,  4,  10, 15, 14, 1,  11, 12, 6,  8,  3,  13},
    {2,  12, 6,  10, 0,  11, 8,  3,  4,  13, 7,  5,  15, 14, 1,  9 },
    {12, 5,  1,  15, 14, 13, 4,  10, 0,  7,  6,  3,  9,  2,  8,  11},
    {13, 11, 7,  14, 12, 1,  3,  9,  5,  0,  15, 4,  8,  6,  2,  10},
    {6,  15, 14, 9,  11, 3,  0,  8,  12, 2,  13, 7,  1,  4,  10, 5 },
    {10, 2,  8,  4,  7,  6,  1,  5,  15, 11, 9,  14, 3,  12, 13, 0 },
};

static inline uint64_t rotate(uint64_t value, unsigned bits)
{
    return value >> bits | value << (64 - bits);
}

static inline void mix(uint64_t *a, uint64_t *b, uint64_t *c, uint64_t *d, const uint64_t words[2])
{
    *a += *b + words[0];
    *d = rotate(*d ^ *a, 32);
    *c += *d;
    *b = rotate(*b ^ *c, 24);
    *a += *b + words[1];
    *d = rotate(*d ^ *a, 16);
    *c += *d;
    *b = rotate(*b ^ *c, 63);
}

static uint64_t load_little_endian(const uint8_t *bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 8; i++)
        value |= (uint64_t) bytes[i] << (8 * i);
    return value;
}

static void compress(struct digest *digest, uint64_t last)
{
    static const uint8_t lanes[8][4] = {
        {0, 4, 8,  12},
        {1, 5, 9,  13},
        {2, 6, 10, 14},
        {3, 7, 11, 15},
        {0, 5, 10, 15},
        {1, 6, 11, 12},
        {2, 7, 8,  13},
        {3, 4, 9,  14},
    };
    uint64_t v[16], m[16];

    for (unsigned i = 0; i < 16; i++) {
        m[i] = load_little_endian(digest->block + (size_t) i * 8);
        v[i] = i < 8 ? digest->state[i] : start[i - 8];
    }
    v[12] ^= digest->count_bytes;
    v[14] ^= last;

    for (unsigned round = 0; round < ROUNDS; round++) {
        const uint8_t *row = order[round % 10];

        for (unsigned i = 0; i < 8; i++) {
            const uint8_t *lane = lanes[i];

            mix(&v[lane[0]], &v[lane[1]], &v[lane[2]], &v[lane[3]],
                (const uint64_t[]){m[row[2 * i]], m[row[2 * i + 1]]});
        }
    }
    for (unsigned i = 0; i < 8; i++)
        digest->state[i] ^= v[i] ^ v[i + 8];
}

void digest_init(struct digest *digest)
{
    memset(digest, 0, sizeof *digest);
    memcpy(digest->state, start, sizeof start);
    digest->state[0] ^= 0x01010000 ^ DIGEST_BYTES; /* parameter block: no key, fan-out 1, depth 1 */
}

void digest_add(struct digest *digest, const void *data, size_t size)
{
    const uint8_t *at = data;

    while (size > 0) {
        /* a full block waits until more comes: the last one is compressed with another flag */
        if (digest->used_bytes == DIGEST_BLOCK) {
            digest->count_bytes += DIGEST_BLOCK;
            compress(digest, 0);
            digest->used_bytes = 0;
        }

        size_t room = DIGEST_BLOCK - digest->used_bytes;
        size_t part = size < room ? size : room;
        memcpy(digest->block + digest->used_bytes, at, part);
        digest->used_bytes += part;
        at += part;
        size -= part;
    }
}

void digest_finish(struct digest *digest, uint8_t ret_bytes[DIGEST_BYTES])
{
    digest->count_bytes += digest->used_bytes;
    memset(digest->block + digest->used_bytes, 0, DIGEST_BLOCK - digest->used_bytes);
    compress(digest, UINT64_MAX);
    for (unsigned i = 0; i < DIGEST_BYTES; i++)
        ret_bytes[i] = (uint8_t) (digest->state[i / 8] >> (8 * (i % 8)));
}

char *digest_format(const uint8_t bytes[DIGEST_BYTES], char text[DIGEST_TEXT])
{
    static const char digits[] = "0123456789abcdef";

    for (unsigned i = 0; i < DIGEST_BYTES; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[DIGEST_TEXT - 1] = '\0';
    return text;
}
