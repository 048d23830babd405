"""A download in tests: the candles, and what it took to get them."""

from dataclasses import dataclass
from pathlib import Path

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.ports import CandleRequest, HistoryVendor
from sptrader_desktop.runtime.download import Report, download


@dataclass(frozen=True)
class Got:
    candles: Candles
    pieces: int
    fetched: int
    empty: int


def downloaded(vendor: HistoryVendor, asked: CandleRequest, folder: Path, report: Report | None = None) -> Got:
    candles, got = download(vendor, asked, folder, report)
    return Got(candles, len(got.pieces), got.new, got.empty)
