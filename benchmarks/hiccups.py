"""How long this computer keeps a process waiting that only wants to wake up: what is slower than this is ours, what is not is not."""

import select
import sys
import time
from collections.abc import Mapping
from typing import Any

from benchmarks.report import duration

NAP_S = 0.001


def child(_: list[str]) -> dict[str, Any]:
    """Until its standard input ends."""
    over = []
    while True:
        began = time.perf_counter()
        if select.select([sys.stdin], [], [], NAP_S)[0]:
            break
        over.append(time.perf_counter() - began - NAP_S)
    return spread(over)


def spread(took: list[float]) -> dict[str, float]:
    took = sorted(took)
    return {"median": took[len(took) // 2], "most": took[int(len(took) * 0.99)], "longest": took[-1]}


def hiccup_words(waits: Mapping[str, float]) -> str:
    return ", ".join(duration(waits[name]) for name in ("median", "most", "longest"))
