"""A file to be imported as a person wants to see it: its first lines, its columns, what was understood, or what stands in the way."""

import codecs
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.candle_layout import PRICES, printable
from sptrader_desktop.adapters.csv_import import ImportAsked, import_file, import_table
from sptrader_desktop.adapters.csv_import_layouts import is_any_header, mapped, recognise
from sptrader_desktop.adapters.csv_import_table import Table, file_text, read_table
from sptrader_desktop.adapters.parquet_candles import open_parquet
from sptrader_desktop.adapters.parquet_import_table import read_parquet_table
from sptrader_desktop.adapters.parquet_writer import label_of
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE, Instrument
from sptrader_desktop.present.import_form import SHOWN, ImportPreview, refusal_of
from sptrader_desktop.present.numbers import clock, counted, price_unit

LINES = 40
LONGEST = 400
_BEGINNING = 1 << 16


def preview(
    path: Path,
    asked: ImportAsked,
    instruments: Mapping[str, Instrument] = CATALOGUE,
    report: Callable[[float], object] = lambda _: None,
) -> ImportPreview:
    """Never a DataError: what stands in the way is part of it."""
    seen = ImportPreview(str(path))
    try:
        if path.suffix.lower() == ".parquet" and not asked.columns and not asked.zone and _is_candle_file(path):
            return _of_candle_file(path, seen, asked, instruments)
        seen = replace(seen, lines=_lines(path))
        report(0.05)
        table = import_file(path, asked)
        report(0.3)
        seen = _with_columns(seen, path, table, asked)
        found = import_table(path, table, asked, instruments, report)
    except DataError as error:
        refusal = refusal_of(str(error), str(path))
        return replace(_with_any_columns(seen, path), refusal=refusal, lines=_lines(path, refusal.line) if refusal.line else seen.lines)
    candles = replace(found.candles, is_synthetic=bool(label_of(path).get("synthetic")))
    return _with_candles(replace(seen, notes=found.notes), candles)


def _is_candle_file(path: Path) -> bool:
    try:
        with open_parquet(path):
            return True
    except DataError:
        return False


def _of_candle_file(path: Path, seen: ImportPreview, asked: ImportAsked, instruments: Mapping[str, Instrument]) -> ImportPreview:
    candles = load_candles(path, symbol=asked.symbol or None, timeframe=asked.timeframe or None, side=asked.side, instruments=instruments)
    notes = [("layout", "candles as this program writes them: instants with their zone, prices by name")]
    notes += [("candles", f"{candles.symbol} {candles.timeframe}, {candles.side}{' with ask' if candles.ask is not None else ''}")]
    notes += [
        ("rows", f"{counted(len(candles), 'bar')} from {clock(int(candles.timestamp[0]))} to {clock(int(candles.timestamp[-1]))} UTC")
    ]
    if candles.is_synthetic:
        notes.append(("label", "synthetic: made up, no market data"))
    return _with_candles(replace(seen, notes=tuple(notes)), candles)


def _lines(path: Path, around: int | None = None) -> tuple[tuple[int, str], ...]:
    """Of a text file."""
    if path.suffix.lower() == ".parquet":
        return ()
    first = max(1, (around or 1) - LINES // 2)
    text = file_text(str(path), path) if first > 1 else _beginning(path)
    chosen = text.splitlines()[first - 1 : first - 1 + LINES]
    return tuple((number, printable(line.replace("\t", "  →  "), LONGEST)) for number, line in enumerate(chosen, first))


def _beginning(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_BEGINNING)
    except OSError:
        return ""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(content)  # the last letter may be cut
    except UnicodeDecodeError:
        return content.decode("latin-1")  # as `file_text` reads the whole


def _with_any_columns(seen: ImportPreview, path: Path) -> ImportPreview:
    """A table that is not understood is still one that a person can map."""
    if seen.names:
        return seen
    with suppress(DataError):
        return _titled(seen, read_parquet_table(path) if path.suffix.lower() == ".parquet" else read_table(path, is_any_header), {})
    return seen


def _with_columns(seen: ImportPreview, path: Path, table: Table, asked: ImportAsked) -> ImportPreview:
    roles: Mapping[str, int] = asked.columns
    with suppress(DataError):
        known = mapped(table, asked.columns, asked.layout) if asked.columns else recognise(table, asked.layout)
        prefix = f"{known.side}_" if known.side in ("ask", "mid") else ""
        roles = known.columns if not prefix else {role.removeprefix(prefix): at for role, at in known.columns.items()}
    return _titled(seen, table, roles) if roles else _with_any_columns(seen, path)


def _titled(seen: ImportPreview, table: Table, roles: Mapping[str, int]) -> ImportPreview:
    by_place = {at: role for role, at in roles.items()}
    names = tuple(table.title(at).strip("'") or f"column {at + 1}" for at in range(len(table.columns)))
    cells = tuple(zip(*(_texts(column) for column in table.columns), strict=True))
    return replace(seen, names=names, cells=cells, roles=tuple(by_place.get(at, "") for at in range(len(names))))


def _texts(column: Any) -> list[str]:
    some = column[:SHOWN]
    return [printable(text or "") for text in some.to_pylist()]


def _with_candles(seen: ImportPreview, candles: Candles) -> ImportPreview:
    text = price_unit(candles.instrument).text
    sides = [candles.prices, *([candles.ask] if candles.ask is not None else [])]
    head = ["Open time UTC", *(name.title() for name in PRICES), *(f"Ask {name}" for name in PRICES if candles.ask is not None)]
    rows = []
    for row in range(min(SHOWN, len(candles))):
        prices = [text(int(getattr(side, name)[row])) for side in sides for name in PRICES]
        volume = [] if candles.volume is None else [f"{candles.volume[row]:,.12g}"]
        rows.append((clock(int(candles.timestamp[row])), *prices, *volume))
    if candles.volume is not None:
        head.append("Volume")
    return replace(seen, head=tuple(head), rows=tuple(rows), candles=candles)
