/* SPDX-License-Identifier: Apache-2.0 */
/* The part of classic BPF that seccomp programs of this room consist of. */
#ifndef SUBLET_PRIV_BPF_H
#define SUBLET_PRIV_BPF_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seccomp_data;

/* The opcodes that libseccomp writes and that this room understands; BPF_K is 0. */
#define OP_LOAD (BPF_LD | BPF_W | BPF_ABS)
#define OP_AND  (BPF_ALU | BPF_AND | BPF_K)
#define OP_GO   (BPF_JMP | BPF_JA)
#define OP_EQ   (BPF_JMP | BPF_JEQ | BPF_K)
#define OP_GE   (BPF_JMP | BPF_JGE | BPF_K)
#define OP_GT   (BPF_JMP | BPF_JGT | BPF_K)
#define OP_BITS (BPF_JMP | BPF_JSET | BPF_K)
#define OP_RET  (BPF_RET | BPF_K)

struct bpf {
    struct sock_filter *code;
    size_t count;
};

/* Known opcodes only, every load inside struct seccomp_data, every jump inside the program, the
 * last instruction a return: then bpf_run ends and the kernel takes it. */
bool bpf_valid(const struct bpf *program);

/* The jump's outcome for that accumulator. code is one of OP_EQ, OP_GE, OP_GT, OP_BITS. */
bool bpf_compare(uint16_t code, uint32_t accumulator, uint32_t k);

/* program must be valid. */
uint32_t bpf_run(const struct bpf *program, const struct seccomp_data *call);

#endif
