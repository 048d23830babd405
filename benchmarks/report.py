"""What a benchmark says and how it is printed: one line a measurement, one table a subject."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

HEADS = ("what", "ours", "others", "ratio", "target", "met")


@dataclass(frozen=True, slots=True)
class Options:
    """`runs` of ours, of which the median counts; `peers` by name, none meaning each workload's usual ones; `minutes` that a live session
    is loaded for."""

    runs: int = 5
    peers: tuple[str, ...] = ()
    all_peers: bool = False
    minutes: float = 1.0


@dataclass(frozen=True, slots=True)
class Line:
    """Texts as printed; `met` is None where there is no target or nothing to compare with."""

    what: str
    ours: str
    others: str = ""
    ratio: str = ""
    target: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        return (self.what, self.ours, self.others, self.ratio, self.target, {True: "yes", False: "NO", None: ""}[self.met])


def median_seconds(work: Callable[[], object], runs: int) -> float:
    """After one run that is not counted, which compiles, loads and fills caches."""
    work()
    return statistics.median(seconds(work) for _ in range(runs))


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def duration(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.1f} ms"


TURNS = 1_000_000


def pace() -> float:
    """Seconds of work that never changes: by it a slow program is told from a slow computer, whose owner may lend it out meanwhile."""

    def turn() -> None:
        for _ in range(TURNS):
            pass

    return statistics.median(seconds(turn) for _ in range(9))


def stolen() -> float:
    """Seconds, of all processors together, in which a host of virtual computers ran others in our place; nothing where it does not tell."""
    return float(getattr(psutil.cpu_times(), "steal", 0.0))


def machine() -> str:
    from importlib.metadata import version  # children print no table

    libraries = ", ".join(f"{name} {version(name)}" for name in ("numba", "numpy", "pandas"))
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {libraries}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def print_table(title: str, lines: Iterable[Line]) -> None:
    rows = [HEADS, *(line.cells() for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    print(f"\n{title}")
    for number, row in enumerate(rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))
