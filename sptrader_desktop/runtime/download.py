"""History fetched piece by piece into a folder of its own, so that it may stop anywhere and go on there, and candles made of it.

A piece that is there and was complete when it was fetched is never asked for again. No vendor's format is known here.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.ports import CandleRequest, HistoryVendor, Piece
from sptrader_desktop.runtime.whole_files import write_through

# Vendors publish late; what was fetched sooner after its time was over may have been half of it.
SETTLED_S = 24 * 3600
_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """`done` of `total` pieces; those that were there already are not counted."""

    done: int
    total: int
    bytes: int

    @property
    def fraction(self) -> float:
        return self.done / self.total


@dataclass(frozen=True, slots=True)
class Fetched:
    """All `pieces` of a range, kept in `home`. `empty` of them the vendor had nothing for; `new` ones had to be asked for just now."""

    home: Path
    pieces: Sequence[Piece]
    new: int
    until: int

    @property
    def empty(self) -> int:
        return sum(not (self.home / piece.name).stat().st_size for piece in self.pieces)

    def read(self, piece: Piece) -> bytes:
        return (self.home / piece.name).read_bytes()


Report = Callable[[DownloadProgress], None]


def download(vendor: HistoryVendor, asked: CandleRequest, folder: Path, report: Report | None = None) -> tuple[Candles, Fetched]:
    got = fetch(vendor, asked, folder, report)
    return vendor.candles(asked, got.pieces, got.read, got.until), got


def fetch(vendor: HistoryVendor, asked: CandleRequest, folder: Path, report: Report | None = None) -> Fetched:
    """`folder` keeps the pieces; `report` may raise to stop, which loses nothing."""
    home, now = folder / vendor.name, time.time()
    pieces = [piece for piece in vendor.pieces(asked) if piece.start < now * _SECOND_US]
    missing = [piece for piece in pieces if not _is_kept(home / piece.name, piece)]
    _fetch(vendor, missing, home, report)
    return Fetched(home, pieces, len(missing), int(now * _SECOND_US))


def _is_kept(path: Path, piece: Piece) -> bool:
    return path.is_file() and path.stat().st_mtime >= piece.end / _SECOND_US + SETTLED_S


def _fetch(vendor: HistoryVendor, missing: Sequence[Piece], home: Path, report: Report | None) -> None:
    total = 0
    for done, piece in enumerate(missing, start=1):
        content = vendor.fetch(piece)
        path = home / piece.name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Under a name of our own: two downloads may want the same piece at once.
        unfinished = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        write_through(unfinished, content)
        unfinished.replace(path)
        total += len(content)
        if report:
            report(DownloadProgress(done, len(missing), total))
