/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C (Castagnoli), reflected, by a table of one byte a step. */
#include "sublet/account/ledger.h"

#define POLYNOMIAL 0x82f63b78u

static void fill(uint32_t table[256])
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;

        for (int bit = 0; bit < 8; bit++)
            value = (value >> 1) ^ ((value & 1) != 0 ? POLYNOMIAL : 0);
        table[i] = value;
    }
}

uint32_t ledger_crc(const void *data, size_t size)
{
    static uint32_t table[256];
    const unsigned char *at = data;
    uint32_t crc = 0xffffffffu;

    if (table[1] == 0)
        fill(table);
    for (size_t i = 0; i < size; i++)
        crc = (crc >> 8) ^ table[(crc ^ at[i]) & 0xff];
    return crc ^ 0xffffffffu;
}
