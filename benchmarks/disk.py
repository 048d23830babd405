"""How long this computer's disk takes to keep a page of a file: a journal that is on disk before an order leaves cannot be quicker."""

import os
import select
import sys
import tempfile
import time
from typing import Any

from benchmarks.hiccups import spread

NAP_S = 0.02
PAGE = bytes(4096)


def child(_: list[str]) -> dict[str, Any]:
    """Until its standard input ends."""
    took = []
    with tempfile.TemporaryFile() as file:
        while not select.select([sys.stdin], [], [], NAP_S)[0]:
            began = time.perf_counter()
            file.write(PAGE)
            file.flush()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    return spread(took)
