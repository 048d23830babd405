"""How a process ends whose work is done: at once, as the system takes its memory back faster than Python takes its objects down."""

import atexit
import os
import sys


class Ending:
    """Made before anything is loaded: whoever else wants to be told of the end is told before, and threads are waited for. Without a
    `code` the end is Python's own."""

    def __init__(self) -> None:
        self.code: int | None = None
        atexit.register(self._leave)

    def _leave(self) -> None:
        if self.code is None:
            return
        try:
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
        except (OSError, ValueError):
            return  # Python says what is wrong with it
        os._exit(self.code)
