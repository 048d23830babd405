"""Where candles come from and where they go: which adapter serves each source, the import, the download, the doctor and the sample.

Imports are inside the functions, so that naming the sources loads neither pyarrow nor pandas.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sptrader_desktop.compose_servers import open_postgres, open_prices
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.runtime.whole_files import refuse_existing, write_new
from sptrader_desktop.settings import Settings

if TYPE_CHECKING:
    from sptrader_desktop.adapters.candle_survey import Surveyed
    from sptrader_desktop.adapters.csv_import import ImportAsked, Imported
    from sptrader_desktop.adapters.dukascopy_history import DukascopyHistory
    from sptrader_desktop.adapters.histdata_history import HistdataHistory
    from sptrader_desktop.adapters.parquet_repair import Repair
    from sptrader_desktop.core.candles import Candles
    from sptrader_desktop.core.instruments import Instrument
    from sptrader_desktop.ports import CandleRequest, CandleSource
    from sptrader_desktop.present.data_findings import Inspection
    from sptrader_desktop.present.doctor import Doctored
    from sptrader_desktop.present.import_form import ImportAnswers, ImportPreview
    from sptrader_desktop.runtime.download import Fetched, Report

# Not today: the same question gives the same candles.
SAMPLE_END = datetime(2024, 1, 1, tzinfo=UTC)

# Seconds from one request to a vendor of free history to the next.
BETWEEN_REQUESTS = 0.2


def _open_catalogue(settings: Settings, known: "Mapping[str, Instrument]") -> "AbstractContextManager[CandleSource]":
    from sptrader_desktop.adapters.catalogue_candles import CandleCatalogue

    return nullcontext(CandleCatalogue(settings.candles, known))


def _open_http(settings: Settings, known: "Mapping[str, Instrument]") -> "AbstractContextManager[CandleSource]":
    from sptrader_desktop.adapters.http_candles import open_http

    return nullcontext(open_http(settings, known))


def _open_postgres(settings: Settings, known: "Mapping[str, Instrument]") -> "AbstractContextManager[CandleSource]":
    return open_postgres(settings, known)


def _open_realtime(settings: Settings, known: "Mapping[str, Instrument]") -> "AbstractContextManager[CandleSource]":
    return open_prices(settings, known, lambda text: sys.stderr.write(f"sptrader: {text}\n"))


# What --source names, and who opens it.
SOURCES: "dict[str, Callable[[Settings, Mapping[str, Instrument]], AbstractContextManager[CandleSource]]]" = {
    "catalogue": _open_catalogue,
    "postgres": _open_postgres,
    "http": _open_http,
    "realtime": _open_realtime,
}


def catalogue(settings: Settings) -> "CandleSource":
    from sptrader_desktop.adapters.catalogue_candles import CandleCatalogue

    return CandleCatalogue(settings.candles)


def import_candles(path: Path, asked: "ImportAsked", instruments: str = "") -> "Imported":
    from sptrader_desktop.adapters.csv_import import import_csv

    return import_csv(path, asked, known_instruments(instruments))


def preview_import(path: Path, answers: "ImportAnswers", report: Callable[[float], object]) -> "ImportPreview":
    from sptrader_desktop.adapters.csv_import import ImportAsked
    from sptrader_desktop.adapters.import_preview import preview

    said: dict[str, Any] = {key: value for key, value in answers.values.items() if value}
    if "points" in said:
        said["points"] = said["points"] == "yes"
    return preview(path, ImportAsked(**said, columns=answers.columns, force=answers.force), known_instruments(), report)


def kept_series(settings: Settings, symbol: str, timeframe: str, side: str, instruments: str = "") -> "Candles":
    """Of the catalogue, this side alone."""
    from sptrader_desktop.adapters.catalogue_candles import CandleCatalogue
    from sptrader_desktop.ports import CandleRequest

    return CandleCatalogue(settings.candles, known_instruments(instruments)).candles(CandleRequest(symbol, timeframe), side)


def survey_file(path: Path) -> "Surveyed":
    from sptrader_desktop.adapters.candle_survey import survey

    return survey(path)


def count_bars(candles: "Candles") -> tuple[int, int]:
    """How many are present, and how many the market could have made between the first and the last."""
    from sptrader_desktop.present.coverage_days import covered

    return covered(candles.timestamp, candles.bar_us, candles.instrument.charged_every_day)


def forget_candles(settings: Settings, symbol: str, timeframe: str, side: str) -> int:
    """Out of the catalogue; how many bars that were."""
    from sptrader_desktop.adapters.catalogue_candles import CandleCatalogue

    return CandleCatalogue(settings.candles).remove(symbol, timeframe, side)


def download_history(
    settings: Settings,
    vendor: str,
    asked: "CandleRequest",
    instruments: str = "",
    address: str = "",
    report: "Report | None" = None,
    sleep: Callable[[float], None] = time.sleep,
) -> "tuple[Candles, Fetched]":
    from sptrader_desktop.adapters.http_fetch import HttpFetcher, Patience
    from sptrader_desktop.runtime.download import download

    with HttpFetcher(Patience(pause=BETWEEN_REQUESTS), sleep) as fetcher:
        return download(_vendors()[vendor](fetcher, known_instruments(instruments), address), asked, settings.downloads, report)


def _vendors() -> "dict[str, type[DukascopyHistory] | type[HistdataHistory]]":
    from sptrader_desktop.adapters.dukascopy_history import DukascopyHistory
    from sptrader_desktop.adapters.histdata_history import HistdataHistory

    return {each.name: each for each in (DukascopyHistory, HistdataHistory)}


def download_ticks(
    settings: Settings,
    name: str,
    asked: "CandleRequest",
    out: Path,
    instruments: str = "",
    address: str = "",
    report: "Report | None" = None,
    sleep: Callable[[float], None] = time.sleep,
) -> "tuple[Path, int, Fetched]":
    """Into a new Parquet file at `out`, which may be a folder: the file and how many quotes."""
    from sptrader_desktop.adapters.candle_files import known_instrument
    from sptrader_desktop.adapters.http_fetch import HttpFetcher, Patience
    from sptrader_desktop.adapters.parquet_ticks import tick_file_name, write_ticks
    from sptrader_desktop.runtime.download import fetch

    known = known_instruments(instruments)
    with HttpFetcher(Patience(pause=BETWEEN_REQUESTS), sleep) as fetcher:
        vendor = _vendors()[name](fetcher, known, address)
        got = fetch(vendor, asked, settings.downloads, report)
        if not got.pieces:
            raise DataError(f"{asked.symbol}: the market is closed all of this time: ask for another range")
        path = out / tick_file_name(asked.symbol, *_covered(asked, got), vendor.name) if out.is_dir() else out
        refuse_existing(path)
        count = write_ticks(path, known_instrument(vendor.name, asked.symbol, known), vendor.ticks(asked, got.pieces, got.read))
    return path, count, got


def _covered(asked: "CandleRequest", got: "Fetched") -> tuple[int, int]:
    """The first and the last instant of the range of which there can be something."""
    from sptrader_desktop.adapters.candle_range import span_of

    start, end = span_of(asked.start, asked.end)
    first, after = got.pieces[0].start, got.pieces[-1].end
    return max(first, first if start is None else start), min(after, after if end is None else end) - 1


def resampled(path: Path, timeframe: str, symbol: str = "", instruments: str = "") -> "Candles":
    """Of a file of finer candles or of ticks: the bars that neither began before it nor end after it."""
    from sptrader_desktop.adapters.candle_files import known_instrument, load_candles
    from sptrader_desktop.adapters.parquet_ticks import is_tick_file, read_ticks
    from sptrader_desktop.core.resample import candles_of_ticks
    from sptrader_desktop.present.market_hours import MINUTE_US

    known = known_instruments(instruments)
    if not is_tick_file(path):
        return resampled_candles(load_candles(path, symbol=symbol or None, instruments=known), timeframe)
    ticks = read_ticks(path, known_instrument(path, symbol or path.stem.split("_")[0].upper(), known))
    return _begun(candles_of_ticks(ticks, timeframe), int(ticks.stamp[0]) if len(ticks.stamp) else 0, MINUTE_US, timeframe, str(path))


def resampled_candles(fine: "Candles", timeframe: str) -> "Candles":
    from sptrader_desktop.core.resample import resample

    return _begun(resample(fine, timeframe), int(fine.timestamp[0]), fine.bar_us, timeframe, fine.source)


def _begun(made: "Candles", first: int, step_us: int, timeframe: str, source: str) -> "Candles":
    from sptrader_desktop.adapters.candle_series import begun

    whole = begun(made, first, step_us) if len(made) else made
    if not len(whole):
        raise DataError(f"{source}: no bar of {timeframe} begins and is over in it: choose a shorter timeframe")
    return whole


def keep_candles(
    settings: Settings,
    candles: "Candles",
    instruments: str = "",
    out: Path | None = None,
    *,
    replace: bool = True,
    made_of: Path | None = None,
) -> Path:
    """In the catalogue, or as a new Parquet file at `out`, which may be a folder, with the label of `made_of`; where it is now."""
    from sptrader_desktop.adapters.catalogue_candles import CandleCatalogue
    from sptrader_desktop.adapters.parquet_writer import file_name, label_of, parquet_bytes

    if out is None:
        CandleCatalogue(settings.candles, known_instruments(instruments)).keep(candles, replace=replace)
        return settings.candles
    label = label_of(made_of) if made_of else {}
    path = out / file_name(candles) if out.is_dir() else out
    write_new(path, parquet_bytes(candles, label))
    return path


def inspect_data(path: Path, symbol: str, timeframe: str, instruments: str) -> "Inspection":
    from sptrader_desktop.adapters.candle_findings import inspect_candles

    return inspect_candles(path, symbol=symbol or None, timeframe=timeframe or None, instruments=known_instruments(instruments))


def doctored_file(path: Path) -> "Doctored":
    """A file with its calendar and what a repair of it may do."""
    from sptrader_desktop.adapters.candle_findings import days_of, inspection_of
    from sptrader_desktop.adapters.candle_inspection import examine
    from sptrader_desktop.adapters.candle_repair import FIXES, MECHANICAL
    from sptrader_desktop.present.doctor import doctored

    found = examine(path, instruments=known_instruments())
    return doctored(inspection_of(found), days_of(found), FIXES, MECHANICAL)


def doctored_candles(candles: "Candles") -> "Doctored":
    """What no file holds is not repaired."""
    from sptrader_desktop.adapters.candle_findings import days_of, inspection_of
    from sptrader_desktop.adapters.candle_inspection import examined
    from sptrader_desktop.adapters.candle_raw_table import table_of
    from sptrader_desktop.present.doctor import doctored

    found = examined(table_of(candles), candles.instrument, candles.timeframe, candles.source)
    return doctored(inspection_of(found), days_of(found))


def repair_data(path: Path, out: Path, *, symbol: str, timeframe: str, instruments: str, **asked: Any) -> "Repair":
    from sptrader_desktop.adapters.parquet_repair import repair_candles

    return repair_candles(
        path, out, symbol=symbol or None, timeframe=timeframe or None, instruments=known_instruments(instruments), **asked
    )


def inspection_text(found: "Inspection") -> str:
    from sptrader_desktop.present.data_report import inspection_text as text

    return text(found)


def inspections_json(found: "Sequence[Inspection]") -> str:
    from sptrader_desktop.present.data_report import inspections_json as text

    return text(found)


def sample_file(
    symbol: str, timeframe: str, years: int, seed: int | None, out: Path, report: Callable[[float], None] | None = None
) -> "tuple[Path, Candles]":
    """Synthetic candles as a new Parquet file at `out`, which may be a folder; its metadata says what they are."""
    from sptrader_desktop.adapters.candle_files import known_instrument
    from sptrader_desktop.adapters.parquet_writer import file_name, parquet_bytes
    from sptrader_desktop.core.instruments import CATALOGUE
    from sptrader_desktop.runtime.sample import SEED, sample_candles

    seed = SEED if seed is None else seed
    start = SAMPLE_END.replace(year=SAMPLE_END.year - years)
    candles = sample_candles(known_instrument("data sample", symbol, CATALOGUE), timeframe, start, SAMPLE_END, seed, report)
    about = f"Synthetic {symbol} bid candles made by `sptrader data sample`, seed {seed}; not market data"
    path = out / file_name(candles) if out.is_dir() else out
    write_new(path, parquet_bytes(candles, {"description": about}))
    return path, candles


def known_instruments(instruments: str = "", financing: str = "") -> "Mapping[str, Instrument]":
    from sptrader_desktop.core.instruments import CATALOGUE

    known: Mapping[str, Instrument] = CATALOGUE
    if not (instruments or financing):
        return known  # without what reads YAML
    from sptrader_desktop.adapters.instrument_files import load_financing, load_instruments

    known = load_instruments(Path(instruments)) if instruments else known
    return load_financing(Path(financing), known) if financing else known
