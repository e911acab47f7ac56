#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints how many thousand ticks a second this machine's time stamp counter makes, which is the emulated one's too:
a guest that measures it at its boot is wrong where it has to wait for a CPU meanwhile. Nothing on another machine."""
import ctypes
import mmap
import platform
import sys
import time

if platform.machine() != "x86_64":
    sys.exit()
code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(b"\x0f\x31\x48\xc1\xe2\x20\x48\x09\xd0\xc3")  # rdtsc; shl rdx, 32; or rax, rdx; ret
ticks = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(ctypes.c_char.from_buffer(code)))


def moment():
    """The time and the counter, from the reading of twenty that took least."""
    readings = []
    for _ in range(20):
        before, tick, after = time.monotonic_ns(), ticks(), time.monotonic_ns()
        readings.append((after - before, (before + after) // 2, tick))
    return min(readings)[1:]


(time_ns, tick), _, (later_ns, later_tick) = moment(), time.sleep(0.1), moment()
print((later_tick - tick) * 1_000_000 // (later_ns - time_ns))
