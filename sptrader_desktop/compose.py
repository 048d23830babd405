"""What the program is made of today: every adapter is chosen here, and only here.

Imports are inside the functions, so that `sptrader check` loads neither numba nor pandas.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.strategy import Strategy
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.runtime.recipe_values import moment, overrides, terms_of
from sptrader_desktop.settings import Settings, load_settings, shipped

if TYPE_CHECKING:
    from sptrader_desktop.adapters.parquet_repair import Repair
    from sptrader_desktop.adapters.run_store import SqliteRunStore
    from sptrader_desktop.core.candles import Candles
    from sptrader_desktop.core.components import Catalogue
    from sptrader_desktop.core.instruments import Instrument
    from sptrader_desktop.core.results import Request, Result
    from sptrader_desktop.core.simulation import Progress
    from sptrader_desktop.ports import ComponentRunner, StoredRun
    from sptrader_desktop.present.data_findings import Inspection


# So far back may the last rate before a run's first bar lie: weekends and holidays included.
RATES_BEFORE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class StrategyRead:
    strategy: Strategy
    text: str
    catalogue: "Catalogue"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that is ready to go, and the strategy text it was read from."""

    recipe: Recipe
    request: "Request"
    strategy_text: str
    runner: "ComponentRunner"


def ready_workspace(settings: Settings) -> Path:
    from sptrader_desktop.runtime.workspace import fill_workspace

    fill_workspace(settings.workspace, {".": shipped("workspace"), "strategies": shipped("strategies")})
    return settings.workspace


def ready_engine(settings: Settings, say: Callable[[str], None]) -> None:
    """Choose where the compiled rules are kept; call before anything imports numba."""
    from sptrader_desktop.runtime.kernel_cache import is_compiled, use_kernel_cache

    if not is_compiled(use_kernel_cache(settings.kernels)):
        say("compiling the engine for this computer, once: it takes half a minute …")


def components(workspace: Path) -> "Catalogue":
    from sptrader_desktop.adapters.component_catalogue import load_catalogue

    return load_catalogue(workspace)


def run_store(settings: Settings) -> "SqliteRunStore":
    from sptrader_desktop.adapters.run_store import SqliteRunStore

    return SqliteRunStore(settings.runs)


def check_strategy(path: Path) -> Strategy:
    from sptrader_desktop.adapters.yaml_strategy import read_strategy

    return read_strategy(path, components(ready_workspace(load_settings())))[0]


def strategy_of(recipe: Recipe, settings: Settings, text: str | None = None) -> StrategyRead:
    """The strategy of a recipe with its parameters replaced; a stored run brings its own text."""
    from sptrader_desktop.adapters.yaml_strategy import parse_strategy, read_strategy

    catalogue, given = components(ready_workspace(settings)), overrides(recipe.params)
    if text is None:
        return StrategyRead(*read_strategy(Path(recipe.strategy), catalogue, given), catalogue)
    return StrategyRead(parse_strategy(text, recipe.strategy, catalogue, given), text, catalogue)


def prepare(recipe: Recipe, settings: Settings, read: StrategyRead) -> Prepared:
    """Read everything else a recipe names."""
    from sptrader_desktop.adapters.inprocess_components import InProcessRunner
    from sptrader_desktop.core.results import Request

    terms, (traded, rates, finer) = terms_of(recipe), _candles(recipe)
    runner = InProcessRunner(settings.workspace, read.catalogue)
    return Prepared(recipe, Request(read.strategy, terms, traded, rates, finer), read.text, runner)


def run_prepared(prepared: Prepared, report: "Callable[[Progress], None] | None" = None) -> "tuple[Result, bytes]":
    """Run and render: the document's bytes are what `verify` compares."""
    from sptrader_desktop.present.result_json import render, result_document
    from sptrader_desktop.runtime.backtest import backtest

    result = backtest(prepared.request, prepared.runner, report)
    return result, render(result_document(result, manifest_of(prepared)))


def manifest_of(prepared: Prepared) -> dict[str, Any]:
    from sptrader_desktop.runtime.manifest import make_manifest

    return make_manifest(prepared.request, prepared.strategy_text, prepared.runner)


def keep(settings: Settings, prepared: Prepared, result: "Result", document: bytes) -> str:
    from sptrader_desktop.ports import FinishedRun

    run = FinishedRun(result.outcome, document, manifest_of(prepared), prepared.strategy_text, prepared.recipe.as_json())
    return run_store(settings).save(run)


def recipe_of(stored: "StoredRun") -> Recipe:
    return Recipe.from_json(stored.recipe)


def report_text(result: "Result") -> str:
    from sptrader_desktop.present.report import report

    return report(result)


def explanation_text(result: "Result", symbol: str, at: datetime) -> str:
    from sptrader_desktop.core.explain import bar_at, explain
    from sptrader_desktop.present import explanation

    candles = next((item for item in result.request.traded if item.symbol == symbol), None)
    if candles is None:
        raise RunError(f"the run does not trade {symbol}: it trades {', '.join(item.symbol for item in result.request.traded)}")
    bar = bar_at(candles, (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1))
    return explanation.explanation_text(explain(result, symbol, bar))


# Candles


def inspect_data(path: Path, symbol: str, timeframe: str, instruments: str) -> "Inspection":
    from sptrader_desktop.adapters.candle_findings import inspect_candles

    return inspect_candles(path, symbol=symbol or None, timeframe=timeframe or None, instruments=_known(instruments))


def repair_data(path: Path, out: Path, *, symbol: str, timeframe: str, instruments: str, **asked: Any) -> "Repair":
    from sptrader_desktop.adapters.parquet_repair import repair_candles

    return repair_candles(path, out, symbol=symbol or None, timeframe=timeframe or None, instruments=_known(instruments), **asked)


def inspection_text(found: "Inspection") -> str:
    from sptrader_desktop.present.data_report import inspection_text as text

    return text(found)


def inspections_json(found: "Sequence[Inspection]") -> str:
    from sptrader_desktop.present.data_report import inspections_json as text

    return text(found)


def _candles(recipe: Recipe) -> "tuple[tuple[Candles, ...], tuple[Candles, ...], dict[str, Candles]]":
    from sptrader_desktop.adapters.candle_files import load_candles

    _refuse_ambiguous(recipe)
    known, asks = _instruments(recipe), _ask_files("--ask", recipe.ask, recipe.data)
    finer_asks = _ask_files("--finer-ask", recipe.finer_ask, recipe.finer)
    start, end = moment(recipe.start, "--from"), moment(recipe.end, "--to")
    known_from = start and start - RATES_BEFORE

    def load(path: str, since: datetime | None = start, **more: Any) -> "Candles":
        return load_candles(Path(path), instruments=known, start=since, end=end, **more)

    symbol, timeframe = recipe.symbol or None, recipe.timeframe or None
    traded = tuple(load(path, ask=asks.get(path), symbol=symbol, timeframe=timeframe) for path in recipe.data)
    finer: dict[str, Candles] = {}
    for path in recipe.finer:
        candles = load(path, ask=finer_asks.get(path))
        if candles.symbol in finer or candles.symbol not in {item.symbol for item in traded}:
            raise RunError(f"--finer {path}: give one file of finer candles for a symbol that --data trades")
        finer[candles.symbol] = candles
    rates = tuple(load(path, known_from) for path in recipe.rates)
    twice = next((item for i, item in enumerate(rates) if item.symbol in {other.symbol for other in rates[:i]}), None)
    if twice:
        raise RunError(f"--rates {twice.source or twice.symbol}: {twice.symbol} is given twice, keep one file")
    return traded, rates, finer


def _refuse_ambiguous(recipe: Recipe) -> None:
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
            whose = "no --data trades" if option == "--ask" else "no --finer is of"
            raise RunError(f"{option} {path}: {whose} {_symbol_in(path)}, name the ask file of a symbol that is given")
        if bid in found:
            raise RunError(f"{option} {path}: {_symbol_in(path)} is given twice, keep one file")
        found[bid] = Path(path)
    return found


def _instruments(recipe: Recipe) -> "Mapping[str, Instrument]":
    from sptrader_desktop.adapters.instrument_files import load_financing

    known = _known(recipe.instruments)
    return load_financing(Path(recipe.financing), known) if recipe.financing else known


def _known(instruments: str) -> "Mapping[str, Instrument]":
    from sptrader_desktop.adapters.instrument_files import load_instruments
    from sptrader_desktop.core.instruments import CATALOGUE

    return load_instruments(Path(instruments)) if instruments else CATALOGUE


def _symbol_in(path: str) -> str:
    return Path(path).stem.split("_")[0].upper()


def is_terminal() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
