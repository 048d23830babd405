"""The candles that a recipe names: files or a source, with their ask prices, finer candles and rates."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from sptrader_desktop.compose_data import SOURCES, known_instruments, resampled_candles
from sptrader_desktop.compose_servers import open_postgres
from sptrader_desktop.core.errors import DataError, RunError
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.runtime.recipe_values import moment
from sptrader_desktop.settings import Settings

if TYPE_CHECKING:
    from sptrader_desktop.adapters.candle_range import Span
    from sptrader_desktop.adapters.postgres_candles import PostgresCandles
    from sptrader_desktop.core.candles import Candles
    from sptrader_desktop.core.instruments import Instrument

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# So far back may the last rate before a run's first bar lie: weekends and holidays included.
RATES_BEFORE = timedelta(days=7)
# So much of a source around a range shows that the longer bars in it are whole and over: the longest, and a market that is closed.
AROUND = timedelta(days=15)


# What is traded, the rates, and finer candles by symbol.
CandleSets: TypeAlias = "tuple[tuple[Candles, ...], tuple[Candles, ...], dict[str, Candles]]"


def recipe_candles(recipe: Recipe, settings: Settings) -> CandleSets:
    from sptrader_desktop.adapters.candle_files import load_candles
    from sptrader_desktop.adapters.candle_range import span_of

    _refuse_ambiguous(recipe)
    known, asks = known_instruments(recipe.instruments, recipe.financing), _ask_files("--ask", recipe.ask, recipe.data)
    start, end = moment(recipe.start, "--from"), moment(recipe.end, "--to")
    if recipe.source:
        traded = _from_source(recipe, settings, known)
    else:
        within = (None, None) if recipe.resample else (start, end)
        named: dict[str, Any] = {"symbol": recipe.symbol or None, "timeframe": recipe.timeframe or None, "instruments": known}
        traded = tuple(load_candles(Path(path), start=within[0], end=within[1], ask=asks.get(path), **named) for path in recipe.data)
    made_of: dict[str, Candles] = {}
    if recipe.resample:
        traded, made_of = _longer(traded, recipe.resample, span_of(start, end))
    traded = tuple(replace(candles, asked=span_of(start, end)) for candles in traded)
    rates, finer = _beside(recipe, known, traded)
    return traded, rates, made_of | finer


def candles_around(recipe: Recipe, before: CandleSets) -> CandleSets:
    """What a server of others handed out before, which is not asked again, and every file of the recipe as it is now."""
    from sptrader_desktop.adapters.candle_files import known_instrument

    known = known_instruments(recipe.instruments, recipe.financing)
    traded, _, made_of = before
    rates, finer = _beside(recipe, known, traded)

    def known_now(candles: "Candles") -> "Candles":
        return replace(candles, instrument=known_instrument(f"--source {recipe.source}", candles.symbol, known))

    return tuple(map(known_now, traded)), rates, {symbol: known_now(candles) for symbol, candles in made_of.items()} | finer


def _beside(
    recipe: Recipe, known: "Mapping[str, Instrument]", traded: "Sequence[Candles]"
) -> "tuple[tuple[Candles, ...], dict[str, Candles]]":
    """Rates, and finer candles by symbol: always files. A range ends inside its last bar, and they go on until that is over."""
    from sptrader_desktop.adapters.candle_files import load_candles
    from sptrader_desktop.core.resample import bar_closes

    finer_asks = _ask_files("--finer-ask", recipe.finer_ask, recipe.finer)
    start, end = moment(recipe.start, "--from"), moment(recipe.end, "--to")
    closes = {candles.symbol: int(bar_closes(candles.timestamp[-1:], candles.timeframe)[0]) for candles in traded}
    end = end and max([end, *(EPOCH + timedelta(microseconds=close) for close in closes.values())])
    finer: dict[str, Candles] = {}
    for path in recipe.finer:
        candles = load_candles(Path(path), instruments=known, start=start, end=end, ask=finer_asks.get(path))
        if candles.symbol in finer or candles.symbol not in closes:
            raise RunError(f"--finer {path}: give one file of finer candles for a symbol that --data trades")
        finer[candles.symbol] = candles
    known_from = start and start - RATES_BEFORE
    rates = tuple(load_candles(Path(path), instruments=known, start=known_from, end=end) for path in recipe.rates)
    twice = next((item for i, item in enumerate(rates) if item.symbol in {other.symbol for other in rates[:i]}), None)
    if twice:
        raise RunError(f"--rates {twice.source or twice.symbol}: {twice.symbol} is given twice, keep one file")
    return rates, finer


def _longer(given: "tuple[Candles, ...]", timeframe: str, span: "Span") -> "tuple[tuple[Candles, ...], dict[str, Candles]]":
    """Those bars of the longer timeframe that open in the span, and by symbol the candles that lie in them."""
    from sptrader_desktop.adapters.candle_series import part_of
    from sptrader_desktop.core.resample import bar_closes

    made: list[Candles] = []
    inside: dict[str, Candles] = {}
    for fine in given:
        try:
            longer = fine if fine.bar_us == parse_timeframe(timeframe) else resampled_candles(fine, timeframe)
        except DataError as error:
            raise RunError(f"--resample {timeframe}: {error}") from None
        made.append(part_of(longer, span))
        if longer is not fine:
            opens = made[-1].timestamp
            inside[fine.symbol] = part_of(fine, (int(opens[0]), int(bar_closes(opens[-1:], timeframe)[0])))
    return tuple(made), inside


def one_series(settings: Settings, recipe: Recipe) -> "Candles":
    """Of a recipe that names one file, or one symbol of a source."""
    traded, _, _ = recipe_candles(recipe, settings)
    if len(traded) != 1:
        raise RunError(f"{' '.join(candles.symbol for candles in traded)}: one component runs on one series, name one")
    return traded[0]


def _from_source(recipe: Recipe, settings: Settings, known: "Mapping[str, Instrument]") -> "tuple[Candles, ...]":
    from sptrader_desktop.ports import CandleRequest

    opener = SOURCES.get(recipe.source)
    if opener is None:
        raise RunError(f"--source {recipe.source}: give one of {', '.join(SOURCES)}")
    if not recipe.symbols or not recipe.timeframe:
        raise RunError(f"--source {recipe.source}: say which candles with --symbol S and --timeframe T")
    if len(set(recipe.symbols)) < len(recipe.symbols):
        raise RunError(f"--symbol {' '.join(recipe.symbols)}: a symbol is given twice, keep one of the two")
    start, end = moment(recipe.start, "--from"), moment(recipe.end, "--to")
    if recipe.resample:
        start, end = start and start - AROUND, end and end + AROUND
    with opener(settings, known) as source:
        return tuple(source.candles(CandleRequest(symbol, recipe.timeframe, start, end)) for symbol in recipe.symbols)


def _refuse_ambiguous(recipe: Recipe) -> None:
    if recipe.source and recipe.ask:
        raise RunError(f"--ask {recipe.ask[0]}: the candles of --source bring their own ask prices: leave --ask out")
    if " " in recipe.symbol:
        raise RunError(f"--symbol {recipe.symbol}: only --source takes several: give one, or name files <SYMBOL>_<timeframe>_…")
    for option, value in (("--symbol", recipe.symbol), ("--timeframe", recipe.timeframe)):
        if value and len(recipe.data) > 1:
            raise RunError(f"{option} {value}: it cannot hold for {len(recipe.data)} files of --data, name them <SYMBOL>_<timeframe>_…")


def _ask_files(option: str, asks: Sequence[str], bid_files: Sequence[str]) -> dict[str, Path]:
    """By the file of bid candles each belongs to: one to one, else by the symbols in their names."""
    if len(bid_files) == len(asks) == 1:
        return {bid_files[0]: Path(asks[0])}
    bids = {_symbol_in(path): path for path in bid_files}
    found: dict[str, Path] = {}
    for path in asks:
        bid = bids.get(_symbol_in(path))
        if bid is None:
            whose = {"--ask": "no --data trades", "--finer-ask": "no --finer is of"}.get(option, "no file is of")
            raise RunError(f"{option} {path}: {whose} {_symbol_in(path)}, name the ask file of a symbol that is given")
        if bid in found:
            raise RunError(f"{option} {path}: {_symbol_in(path)} is given twice, keep one file")
        found[bid] = Path(path)
    return found


def load_into_postgres(settings: Settings, paths: Sequence[str], asks: Sequence[str], instruments: str) -> "Iterator[tuple[Candles, str]]":
    """One file after the other, each wholly or not at all, and where it is now. No server is started for a first file that is wrong."""
    from sptrader_desktop.adapters.candle_files import load_candles

    known, ask_of = known_instruments(instruments), _ask_files("data load --ask", asks, paths)
    with ExitStack() as stack:
        store: PostgresCandles | None = None
        for path in paths:
            candles = load_candles(Path(path), ask=ask_of.get(path), instruments=known)
            store = store or stack.enter_context(open_postgres(settings, known))
            store.keep(candles)
            yield candles, store.shown


def _symbol_in(path: str) -> str:
    return Path(path).stem.split("_")[0].upper()
