"""Collects cyclic garbage in the window's thread, and only between two turns of its loop.

Python would collect wherever it happens to be: in a job's thread, where a widget must not be taken down, or while Qt walks over all its
widgets. Either ends the whole program.
"""

import gc

from PySide6.QtCore import QObject, QTimer

EVERY_MS = 250
CROWDED, MOST_WAITED = 20_000, 240  # objects; beats, which is a minute


class Collector(QObject):
    """Between `start` and `stop` nobody else collects."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._beat = QTimer(self, interval=EVERY_MS)
        self._beat.timeout.connect(self._collect)
        self._waited = 0

    def _collect(self) -> None:
        """Many rows of a job are young all at once, and most go by themselves: to look through them would hold the window up, the longer
        the more bars were run. To keep a run of a million bars makes such rows for some seconds."""
        is_crowded = gc.get_count()[0] > CROWDED
        self._waited = self._waited + 1 if is_crowded else 0
        if not is_crowded or self._waited > MOST_WAITED:
            collect_due()

    def start(self) -> None:
        gc.disable()
        gc.freeze()  # what was loaded until now
        self._beat.start()

    def settle(self) -> None:
        """What is there now stays to the end, as libraries do: to look through it again and again would hold the window up."""
        gc.collect()
        gc.freeze()

    def stop(self) -> None:
        self._beat.stop()
        gc.unfreeze()
        gc.enable()


def collect_due() -> None:
    """What Python itself would have collected by now: the oldest generation that is full, and with it those that are younger."""
    full = [generation for generation, (count, most) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)) if count > most > 0]
    if full:
        gc.collect(full[-1])
