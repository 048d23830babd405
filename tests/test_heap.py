"""Threads of a process that lives long allocate from one heap."""

import ctypes
import platform
import subprocess
import sys

import pytest

ALLOCATE = """
import ctypes
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
{first}
libc, here = ctypes.CDLL(None), Barrier(4)
libc.malloc.restype = ctypes.c_void_p

def is_apart(_):
    here.wait()
    return ctypes.c_size_t.from_address(libc.malloc(ctypes.c_size_t(1_000)) - 8).value & 4  # the bit that says so

print(sum(map(bool, ThreadPoolExecutor(4).map(is_apart, range(4)))))
"""


def apart(first: str) -> int:
    """How many of four threads have a heap of their own."""
    asked = [sys.executable, "-c", ALLOCATE.format(first=first)]
    return int(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc" or ctypes.sizeof(ctypes.c_void_p) != 8, reason="other libraries have one anyway")
def test_threads_allocate_from_one_heap() -> None:
    assert apart("") > 0
    assert apart("from sptrader_desktop.runtime.heap import keep_one_heap; keep_one_heap()") == 0
