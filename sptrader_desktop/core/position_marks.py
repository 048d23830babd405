"""What is ordered of open positions, as it stood at one moment, and which of them are no longer as they were."""

from collections.abc import Iterable, Iterator

import numpy as np

from sptrader_desktop.core.tables import POSITION, Table

Marks = tuple[int, ...]  # steps that are to be closed, why, whether at this close, trailing level
COLUMNS = np.array([(POSITION.names or ()).index(name) for name in ("number", "closing", "closing_reason", "closing_now", "trail")])


class PositionMarks:
    """Of a table that stays where it is. Most of the time nothing changes, and that costs two comparisons."""

    def __init__(self, positions: Table) -> None:
        self._rows, self._numbers = positions, positions.view(np.int64).reshape(len(positions), -1)

    def now(self, held: int) -> bytes:
        return self._numbers[:held].take(COLUMNS, axis=1).tobytes() if held else b""

    def changed(self, before: bytes, held: int) -> Iterable[tuple[Table, Marks, Marks]]:
        """Each position that is another than `now` said it was: its row, its marks then and now."""
        now = self.now(held)
        return () if now == before else self._others(before, now)

    def _others(self, before: bytes, now: bytes) -> Iterator[tuple[Table, Marks, Marks]]:
        known = {row[0]: row[1:] for row in _marks(before)}
        for row, (number, *marks) in zip(self._rows, _marks(now), strict=False):
            if tuple(marks) != known[number]:
                yield row, known[number], tuple(marks)


def _marks(said: bytes) -> list[Marks]:
    return [tuple(row) for row in np.frombuffer(said, np.int64).reshape(-1, len(COLUMNS)).tolist()]
