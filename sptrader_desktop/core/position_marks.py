"""What is ordered of open positions, as it stood at one moment, and which of them are no longer as they were."""

from collections.abc import Iterator, Sequence
from struct import Struct

import numpy as np

from sptrader_desktop.core.tables import POSITION, Table

Marks = tuple[int, ...]  # number, trailing level, steps that are to be closed, why, whether at this close
COLUMNS = {"number", "trail", "closing", "closing_reason", "closing_now"}
ROW = Struct("=" + "".join("q" if name in COLUMNS else "8x" for name in POSITION.names or ()))


class PositionMarks:
    """Of a table that stays where it is."""

    def __init__(self, positions: Table) -> None:
        self._rows, self._memory = positions, positions.view(np.uint8).data

    def now(self, held: int) -> Sequence[Marks]:
        return list(ROW.iter_unpack(self._memory[: held * ROW.size])) if held else ()

    def changed(self, before: Sequence[Marks], now: Sequence[Marks]) -> Iterator[tuple[Table, Marks, Marks]]:
        """Each position that is now another than it was: its row, its marks then and now."""
        known = {marks[0]: marks for marks in before}
        for row, marks in zip(self._rows, now, strict=False):
            if marks != known[marks[0]]:
                yield row, known[marks[0]], marks
