"""One candle file, or a bid and an ask file, into `Candles`; anything doubtful is a `DataError` that names file, row and next step.

`<SYMBOL>_<timeframe>_….parquet|csv` says what the file holds; a part `bid`, `mid` or `ask` after that says which prices.
What the caller says beats the name.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import cast

import numpy as np

from sptrader_desktop.adapters.candle_checks import Columns, RawCandles, checked_columns, first, stamp_text
from sptrader_desktop.adapters.candle_range import Span, cut, span_of
from sptrader_desktop.adapters.candle_series import candles_of
from sptrader_desktop.adapters.csv_candles import open_csv
from sptrader_desktop.adapters.parquet_candles import open_parquet
from sptrader_desktop.core.candles import Candles, Prices, PriceSide
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE, Instrument
from sptrader_desktop.core.timeframes import parse_timeframe

_Reader = Callable[[Path], AbstractContextManager[RawCandles]]
_READERS: dict[str, _Reader] = {".parquet": open_parquet, ".csv": open_csv}
_SIDES = ("bid", "mid", "ask")


@dataclass(frozen=True, slots=True, eq=False)
class OpenedCandles:
    """A file before any check: what it is said to hold and its raw columns. `timeframe` is empty where neither name nor caller says it."""

    raw: RawCandles
    instrument: Instrument
    timeframe: str


@contextmanager
def open_candles(
    path: Path, *, symbol: str | None = None, timeframe: str | None = None, instruments: Mapping[str, Instrument] = CATALOGUE
) -> Iterator[OpenedCandles]:
    """For who wants to see bad rows rather than refuse them."""
    reader, named = _reader(path), _named(path)
    instrument = known_instrument(path, symbol or named.symbol, instruments)
    timeframe = timeframe or (_timeframe(path, named) if named.scheme else "")
    if timeframe:
        parse_timeframe(timeframe)
    with reader(path) as raw:
        _side(path, named.side, is_sided=raw.layout.is_sided)
        yield OpenedCandles(raw, instrument, timeframe)


def load_candles(
    path: Path,
    *,
    symbol: str | None = None,
    timeframe: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    instruments: Mapping[str, Instrument] = CATALOGUE,
    ask: Path | None = None,
    side: PriceSide | None = None,
) -> Candles:
    """Bars whose open lies in [start, end). The whole file is checked, whatever the range."""
    reader = _reader(path)
    named = _named(path)
    instrument = known_instrument(path, symbol or named.symbol, instruments)
    timeframe = timeframe or _timeframe(path, named)
    bars = _Bars(instrument, timeframe, parse_timeframe(timeframe), span_of(start, end))
    bid = _load(path, reader, bars)
    shown_side = _side(path, side or named.side, is_sided=bid.is_sided)
    columns = bid.columns
    asks = columns.ask
    if ask is not None:
        if shown_side != "bid" or asks is not None:
            why = "it carries ask columns itself" if asks is not None else f"its prices are {shown_side}"
            raise DataError(f"{path}: it cannot be joined with the ask prices of {ask} because {why}: give a file of bid prices")
        asks = _ask_prices(path, bid, ask, bars)
    return candles_of(replace(columns, ask=asks), instrument, timeframe, shown_side, str(path), is_synthetic=bid.is_synthetic)


@dataclass(frozen=True, slots=True)
class _Named:
    """What a file's name says."""

    symbol: str | None
    timeframe: str | None
    side: PriceSide | None

    @property
    def scheme(self) -> str:
        """`EURUSD_1h` where the name follows the scheme, else nothing."""
        try:
            parse_timeframe(self.timeframe or "")
        except DataError:
            return ""
        return f"{self.symbol}_{self.timeframe}"


@dataclass(frozen=True, slots=True)
class _Bars:
    instrument: Instrument
    timeframe: str
    bar_us: int
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """`skipped` rows of the file come before the columns, so that a row can be named as the file counts it."""

    columns: Columns
    skipped: int
    is_sided: bool
    is_synthetic: bool


def _named(path: Path) -> _Named:
    parts = path.stem.split("_")
    side = next((part.lower() for part in parts[2:] if part.lower() in _SIDES), None)
    return _Named(parts[0].upper() or None, parts[1] if len(parts) > 1 else None, cast(PriceSide | None, side))


def known_instrument(path: Path | str, symbol: str | None, instruments: Mapping[str, Instrument]) -> Instrument:
    found = instruments.get(symbol or "")
    if found is not None:
        return found
    nearest = get_close_matches((symbol or "").upper(), instruments, n=1, cutoff=0.6)
    hint = f"did you mean {nearest[0]}? Else " if nearest else ""
    others = "name the file <SYMBOL>_<timeframe>_…, give the symbol, or define it in an instruments file"
    raise DataError(f"{path}: '{symbol}' is not a known symbol: {hint}{others}")


def _timeframe(path: Path, named: _Named) -> str:
    text = named.timeframe or ""
    if text.lower() in ("tick", "ticks"):
        raise DataError(f"{path}: its name says ticks, not candles: build candles from them first")
    if not named.scheme:
        rule = "name it <SYMBOL>_<timeframe>_… (such as EURUSD_1h_…) or give the timeframe"
        raise DataError(f"{path}: its name does not say the timeframe: {rule}")
    return text


def _side(path: Path, said: PriceSide | None, *, is_sided: bool) -> PriceSide:
    if is_sided and said not in (None, "bid"):
        raise DataError(f"{path}: its columns are bid and ask prices, so its side cannot be {said}: leave the side out or rename the file")
    return said or "bid"


def _reader(path: Path) -> _Reader:
    if any("\ud800" <= letter <= "\udfff" for letter in path.name):
        raise DataError(f"{path}: its name is not UTF-8 text and could not be written into a result: rename the file")
    if path.is_dir():
        raise DataError(f"{path}: it is a folder: name a file in it")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path}: candles come in .parquet or .csv files: export it as one of them")
    if not path.is_file():
        raise DataError(f"{path}: there is no such file: check the path")
    return reader


def _load(path: Path, reader: _Reader, bars: _Bars) -> _Cut:
    with reader(path) as raw:
        columns = checked_columns(raw, bars.instrument, bars.timeframe, bars.bar_us)
        kind = raw.layout.is_sided, raw.is_synthetic
    return _Cut(*cut(str(path), columns, bars.span), *kind)


def _ask_prices(path: Path, bid: _Cut, ask: Path, bars: _Bars) -> Prices:
    """The ask file's prices on the bid file's bars. Single crossed bars are real (slow quotes) and stay; a crossed file is a mix-up."""
    said, wanted = _named(ask), _named(path)
    if said.side in ("bid", "mid"):
        raise DataError(f"{ask}: its name says {said.side} prices: give a file of ask prices")
    if said.scheme and wanted.scheme and said.scheme != wanted.scheme:
        raise DataError(f"{ask}: its name says {said.scheme}, the bid file's {wanted.scheme}: give the ask prices of the same bars")
    loaded = _load(ask, _reader(ask), bars)
    _same_stamps(path, bid, ask, loaded)
    prices = loaded.columns.ask or loaded.columns.prices
    crossed = int(np.count_nonzero(prices.close < bid.columns.prices.close))
    if 2 * crossed > len(prices.close):
        many = f"{crossed} of {len(prices.close)} bars close below the bid of {path}"
        raise DataError(f"{ask}: {many}: check that the two files are not swapped")
    return prices


def _same_stamps(path: Path, bid: _Cut, ask: Path, loaded: _Cut) -> None:
    ours, theirs = bid.columns.timestamp, loaded.columns.timestamp
    both = min(len(ours), len(theirs))
    row = first(ours[:both] != theirs[:both])
    if row is None and len(ours) == len(theirs):
        return
    row = both if row is None else row
    shown = [
        f"row {each.skipped + row + 1} is {stamp_text(int(each.columns.timestamp[row]))}"
        if row < len(each.columns.timestamp)
        else f"there is no row {each.skipped + row + 1}"
        for each in (loaded, bid)
    ]
    raise DataError(f"{ask}: {shown[0]}, but in {path} {shown[1]}: both files need the same bars, remove those that only one has")
