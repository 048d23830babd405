"""How rules become machine code: three decorators, so that every rule is compiled alike.

Compiled functions release the interpreter lock and are kept on disk. numba does not notice when a function in another
file changes: whoever starts the program must first point NUMBA_CACHE_DIR at a folder keyed by all sources
(`runtime.kernel_cache`).
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Division by zero is never relied on: the numpy error model only drops numba's own check."""
    result: Function = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return result


def inlined(function: Function) -> Function:
    """For rules that take the tables: handing fifty pointers to a call costs more than most rules do (1.5 µs a trade, inlined 0.6)."""
    result: Function = numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=True)(function)
    return result


def shared(function: Function) -> Function:
    """For what several compiled functions are made of: written out in each, since compiled by itself it takes as long as they do."""
    result: Function = numba.njit(cache=True, nogil=True, error_model="numpy", inline="always")(function)
    return result
