"""One line on standard error that says how far a long run is; silent where nobody looks."""

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sptrader_desktop.core.simulation import Progress

QUIET_SECONDS = 0.5
BETWEEN_SECONDS = 0.1


class ProgressLine:
    """Appears only when a run takes longer than half a second, and wipes itself away at the end."""

    def __init__(self) -> None:
        self._began = self._last = time.monotonic()
        self._shown = False

    def __call__(self, progress: "Progress") -> None:
        equity = f"equity {progress.equity / 1e8:,.2f}"
        self.show(progress.fraction, f"{equity}  open {progress.open_positions}  trades {progress.trades:,}")

    def show(self, fraction: float, what: str) -> None:
        now = time.monotonic()
        if now - self._began < QUIET_SECONDS or (now - self._last < BETWEEN_SECONDS and fraction < 1):
            return
        left = (now - self._began) * (1 - fraction) / max(fraction, 1e-9)
        text = f"{fraction:4.0%}  {what}  {left:.0f} s left"
        print(f"\r{text:<78}", end="", file=sys.stderr, flush=True)
        self._last, self._shown = now, True

    def wipe(self) -> None:
        if self._shown:
            print(f"\r{'':<78}\r", end="", file=sys.stderr, flush=True)
