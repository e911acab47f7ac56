/* SPDX-License-Identifier: Apache-2.0 */
/* System calls without a libc, for the stub alone. One block an architecture. */
#ifndef SUBLET_STUB_CALL_H
#define SUBLET_STUB_CALL_H

#include <stdint.h>

#if defined(__x86_64__)

__asm__(".globl _start\n"
        "_start:\n"
        "xor %ebp, %ebp\n"
        "mov %rsp, %rdi\n"
        "and $-16, %rsp\n"
        "call stub_main\n"
        "hlt\n");

static inline int64_t call6(int64_t number, const uint64_t args[6])
{
    int64_t rc;
    register uint64_t r10 __asm__("r10") = args[3];
    register uint64_t r8 __asm__("r8") = args[4];
    register uint64_t r9 __asm__("r9") = args[5];

    __asm__ volatile("syscall"
                     : "=a"(rc)
                     : "a"(number), "D"(args[0]), "S"(args[1]), "d"(args[2]), "r"(r10), "r"(r8),
                       "r"(r9)
                     : "rcx", "r11", "memory");
    return rc;
}

/* A child on its own stack that calls body(argument) and never returns from it. */
static inline int64_t call_clone(uint64_t flags, char *stack_top, int (*body)(void *),
                                 void *argument)
{
    uint64_t *stack = (uint64_t *) (void *) stack_top;
    int64_t rc;
    register uint64_t r10 __asm__("r10") = 0;
    register uint64_t r8 __asm__("r8") = 0;

    *--stack = (uint64_t) (uintptr_t) argument;
    *--stack = (uint64_t) (uintptr_t) body;
    __asm__ volatile("syscall\n"
                     "test %%rax, %%rax\n"
                     "jnz 1f\n"
                     "xor %%ebp, %%ebp\n"
                     "pop %%rax\n"
                     "pop %%rdi\n"
                     "call *%%rax\n"
                     "hlt\n"
                     "1:\n"
                     : "=a"(rc)
                     : "a"((int64_t) 56), "D"(flags), "S"(stack), "d"((uint64_t) 0), "r"(r10),
                       "r"(r8)
                     : "rcx", "r11", "memory");
    return rc;
}

#elif defined(__aarch64__)

__asm__(".globl _start\n"
        "_start:\n"
        "mov x29, #0\n"
        "mov x30, #0\n"
        "mov x0, sp\n"
        "bl stub_main\n"
        "brk #0\n");

static inline int64_t call6(int64_t number, const uint64_t args[6])
{
    register int64_t x8 __asm__("x8") = number;
    register uint64_t x0 __asm__("x0") = args[0];
    register uint64_t x1 __asm__("x1") = args[1];
    register uint64_t x2 __asm__("x2") = args[2];
    register uint64_t x3 __asm__("x3") = args[3];
    register uint64_t x4 __asm__("x4") = args[4];
    register uint64_t x5 __asm__("x5") = args[5];

    __asm__ volatile("svc #0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return (int64_t) x0;
}

static inline int64_t call_clone(uint64_t flags, char *stack_top, int (*body)(void *),
                                 void *argument)
{
    register uint64_t x8 __asm__("x8") = 220;
    register uint64_t x0 __asm__("x0") = flags;
    register uint64_t x1 __asm__("x1") = (uint64_t) (uintptr_t) stack_top;
    register uint64_t x2 __asm__("x2") = 0;
    register uint64_t x3 __asm__("x3") = 0;
    register uint64_t x4 __asm__("x4") = 0;
    register uint64_t x9 __asm__("x9") = (uint64_t) (uintptr_t) body;
    register uint64_t x10 __asm__("x10") = (uint64_t) (uintptr_t) argument;

    __asm__ volatile("svc #0\n"
                     "cbnz x0, 1f\n"
                     "mov x29, #0\n"
                     "mov x0, x10\n"
                     "blr x9\n"
                     "brk #0\n"
                     "1:\n"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x9), "r"(x10)
                     : "memory");
    return (int64_t) x0;
}

#else
#error "the stub knows x86-64 and aarch64"
#endif

static inline int64_t call3(int64_t number, int64_t a, int64_t b, int64_t c)
{
    const uint64_t args[6] = {(uint64_t) a, (uint64_t) b, (uint64_t) c, 0, 0, 0};

    return call6(number, args);
}

#endif
