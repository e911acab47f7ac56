/* SPDX-License-Identifier: Apache-2.0 */
#include "bpf.h"

#include <linux/seccomp.h>
#include <string.h>

static bool valid_at(const struct bpf *program, size_t at)
{
    const struct sock_filter *insn = &program->code[at];
    size_t room = program->count - at - 1; /* instructions behind this one */

    switch (insn->code) {
    case OP_LOAD:
        return room > 0 && insn->k % 4 == 0 && insn->k < sizeof(struct seccomp_data);
    case OP_AND:
        return room > 0;
    case OP_GO:
        return insn->k < room;
    case OP_EQ:
    case OP_GE:
    case OP_GT:
    case OP_BITS:
        return insn->jt < room && insn->jf < room;
    case OP_RET:
        return true;
    default:
        return false;
    }
}

bool bpf_valid(const struct bpf *program)
{
    for (size_t at = 0; at < program->count; at++) {
        if (!valid_at(program, at))
            return false;
    }
    return program->count > 0; /* nothing but a return is valid without room behind it */
}

bool bpf_compare(uint16_t code, uint32_t accumulator, uint32_t k)
{
    switch (code) {
    case OP_EQ:
        return accumulator == k;
    case OP_GE:
        return accumulator >= k;
    case OP_GT:
        return accumulator > k;
    default:
        return (accumulator & k) != 0;
    }
}

uint32_t bpf_run(const struct bpf *program, const struct seccomp_data *call)
{
    uint32_t accumulator = 0;

    for (const struct sock_filter *insn = program->code;; insn++) {
        switch (insn->code) {
        case OP_LOAD: /* seccomp's loads are in the machine's own byte order */
            memcpy(&accumulator, (const char *) call + insn->k, sizeof accumulator);
            break;
        case OP_AND:
            accumulator &= insn->k;
            break;
        case OP_GO:
            insn += insn->k;
            break;
        case OP_RET:
            return insn->k;
        default:
            insn += bpf_compare(insn->code, accumulator, insn->k) ? insn->jt : insn->jf;
            break;
        }
    }
}
