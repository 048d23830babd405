"""What threads of a process that lives for weeks allocate from: one heap, where the system's library would give each thread its own."""

import ctypes
import sys

M_ARENA_MAX = -8  # of glibc's mallopt


def keep_one_heap() -> None:
    """Before there are threads. Heaps of their own fill one after the other over hours, which looks like a leak and helps nobody here:
    threads of this program wait for the interpreter's lock anyway."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(M_ARENA_MAX, 1)
