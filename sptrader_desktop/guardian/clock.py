"""Seconds since the machine started, sleep included, the same in every process: a computer that slept has lost its heartbeats."""

import sys
import time

CLOCKS = {"linux": "CLOCK_BOOTTIME", "darwin": "CLOCK_MONOTONIC"}  # on Linux the latter stands still in sleep
CLOCK: int | None = getattr(time, CLOCKS.get(sys.platform, ""), None)


def now() -> float:
    return now_ns() / 1e9


def now_ns() -> int:
    return time.monotonic_ns() if CLOCK is None else time.clock_gettime_ns(CLOCK)
