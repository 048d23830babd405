"""How long this computer keeps a process waiting that only wants to wake up: what is slower than this is ours, what is not is not."""

import select
import sys
import time
from typing import Any

NAP_S = 0.001


def child(_: list[str]) -> dict[str, Any]:
    """Until its standard input ends."""
    over = []
    while True:
        began = time.perf_counter()
        if select.select([sys.stdin], [], [], NAP_S)[0]:
            break
        over.append(time.perf_counter() - began - NAP_S)
    over.sort()
    return {"median": over[len(over) // 2], "most": over[int(len(over) * 0.99)], "longest": over[-1]}
