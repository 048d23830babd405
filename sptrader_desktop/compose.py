"""What the program is made of today: every adapter is chosen here, and only here.

Imports are inside the functions, so that `sptrader check` loads neither numba nor pandas.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.strategy import Scalar, Strategy
from sptrader_desktop.core.strategy_comparisons import NotExactError, exact_number
from sptrader_desktop.core.terms import Commission, Terms
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.settings import Settings, load_settings, shipped

if TYPE_CHECKING:
    from sptrader_desktop.adapters.run_store import SqliteRunStore
    from sptrader_desktop.core.candles import Candles
    from sptrader_desktop.core.components import Catalogue
    from sptrader_desktop.core.instruments import Instrument
    from sptrader_desktop.core.results import Request, Result
    from sptrader_desktop.core.simulation import Progress
    from sptrader_desktop.ports import ComponentRunner, StoredRun


FIRST_YEAR, LAST_YEAR = 1900, 2200
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

    catalogue, overrides = components(ready_workspace(settings)), _overrides(recipe.params)
    if text is None:
        return StrategyRead(*read_strategy(Path(recipe.strategy), catalogue, overrides), catalogue)
    return StrategyRead(parse_strategy(text, recipe.strategy, catalogue, overrides), text, catalogue)


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


def _candles(recipe: Recipe) -> "tuple[tuple[Candles, ...], tuple[Candles, ...], dict[str, Candles]]":
    from sptrader_desktop.adapters.candle_files import load_candles

    _refuse_ambiguous(recipe)
    known, asks = _instruments(recipe), _ask_files(recipe)
    start, end = moment(recipe.start, "--from"), moment(recipe.end, "--to")
    known_from = start and start - RATES_BEFORE

    def load(path: str, since: datetime | None = start, **more: Any) -> "Candles":
        return load_candles(Path(path), instruments=known, start=since, end=end, **more)

    symbol, timeframe = recipe.symbol or None, recipe.timeframe or None
    traded = tuple(load(path, ask=asks.get(path), symbol=symbol, timeframe=timeframe) for path in recipe.data)
    finer: dict[str, Candles] = {}
    for path in recipe.finer:
        candles = load(path)
        if candles.symbol in finer or candles.symbol not in {item.symbol for item in traded}:
            raise RunError(f"--finer {path}: give one file of finer candles for a symbol that --data trades")
        finer[candles.symbol] = candles
    return traded, tuple(load(path, known_from) for path in recipe.rates), finer


def _refuse_ambiguous(recipe: Recipe) -> None:
    for option, value in (("--symbol", recipe.symbol), ("--timeframe", recipe.timeframe)):
        if value and len(recipe.data) > 1:
            raise RunError(f"{option} {value}: it cannot hold for {len(recipe.data)} files of --data, name them <SYMBOL>_<timeframe>_…")


def _ask_files(recipe: Recipe) -> dict[str, Path]:
    """By the file of bid candles each belongs to: one to one, else by the symbols in their names."""
    if len(recipe.data) == len(recipe.ask) == 1:
        return {recipe.data[0]: Path(recipe.ask[0])}
    bids = {_symbol_in(path): path for path in recipe.data}
    found: dict[str, Path] = {}
    for path in recipe.ask:
        bid = bids.get(_symbol_in(path))
        if bid is None:
            raise RunError(f"--ask {path}: no --data trades {_symbol_in(path)}, name the ask file of a traded symbol")
        if bid in found:
            raise RunError(f"--ask {path}: {_symbol_in(path)} is given twice, keep one file")
        found[bid] = Path(path)
    return found


def _instruments(recipe: Recipe) -> "Mapping[str, Instrument]":
    from sptrader_desktop.adapters.instrument_files import load_financing, load_instruments
    from sptrader_desktop.core.instruments import CATALOGUE

    known: Mapping[str, Instrument] = load_instruments(Path(recipe.instruments)) if recipe.instruments else CATALOGUE
    return load_financing(Path(recipe.financing), known) if recipe.financing else known


def _symbol_in(path: str) -> str:
    return Path(path).stem.split("_")[0].upper()


# Terms


def terms_of(recipe: Recipe) -> Terms:
    """The account and its costs; every number is exact or refused."""
    capital, leverage = number(recipe.capital, "--capital"), number(recipe.leverage, "--leverage")
    if capital <= 0 or _decimals(capital) > 8:
        raise RunError(f"--capital {recipe.capital}: give an amount above zero with at most eight decimals")
    if not 1 <= leverage <= 5000 or _decimals(leverage) > 2:
        raise RunError(f"--leverage {recipe.leverage}: give a number from 1 to 5000 with at most two decimals")
    if len(recipe.currency) != 3 or not recipe.currency.isupper():
        raise RunError(f"--currency {recipe.currency}: give three capital letters, for example USD")
    return Terms(
        capital=capital,
        currency=recipe.currency,
        fill=recipe.fill,  # type: ignore[arg-type]  # the command line and stored recipes allow only these two
        intrabar=recipe.intrabar,  # type: ignore[arg-type]
        spread_pips=_cost(recipe.spread, "--spread"),
        slippage_pips=_cost(recipe.slippage, "--slippage"),
        commission=commission(recipe.commission),
        leverage=leverage,
    )


def commission(text: str) -> Commission:
    """`7/lot`, `0.002%`, `min=1`, or several joined by commas; a bare number is per lot."""
    found = {"per_lot": Decimal(0), "percent": Decimal(0), "minimum": Decimal(0)}
    for part in (piece.strip() for piece in text.split(",") if piece.strip()):
        if part.endswith("%"):
            found["percent"] = _cost(part[:-1], "--commission") / 100
        elif part.startswith("min="):
            found["minimum"] = _cost(part[4:], "--commission")
        else:
            found["per_lot"] = _cost(part.removesuffix("/lot"), "--commission")
    return Commission(**found)


def _cost(text: str, option: str) -> Decimal:
    value = number(text, option)
    if value < 0 or _decimals(value) > 6:
        raise RunError(f"{option} {text}: a cost is zero or more, with at most six decimals")
    return value


def number(text: str, option: str) -> Decimal:
    try:
        value = exact_number(text.strip())
    except NotExactError as error:
        raise RunError(f"{option} {text}: it {error}") from None
    if value is None:
        raise RunError(f"{option} {text}: that is not a number: write it like 1000 or 0.25")
    if abs(value) >= Decimal("1e10"):
        raise RunError(f"{option} {text}: give a number below ten billion")
    return value


def _decimals(value: Decimal) -> int:
    """How many are written out; zeros at the end do not count."""
    return len(f"{value:f}".partition(".")[2].rstrip("0"))


def moment(text: str, option: str) -> datetime | None:
    """A date or a time; without a zone it is UTC."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise RunError(f"{option} {text}: give a date like 2024-03-01 or a time like 2024-03-01T14:00Z") from None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise RunError(f"{option} {text}: give a year from {FIRST_YEAR} to {LAST_YEAR}, candles can be of no other")
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _overrides(params: tuple[str, ...]) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for item in params:
        name, separator, text = item.partition("=")
        if not separator or not name:
            raise RunError(f"--param {item}: write it as name=value")
        if name in found:
            raise RunError(f"--param {item}: {name} is given twice, keep one of the two")
        found[name] = _scalar(item, text)
    return found


def _scalar(item: str, text: str) -> Scalar:
    """As the same text would be read in a strategy file."""
    if text in ("true", "false"):
        return text == "true"
    try:
        value = exact_number(text)
    except NotExactError as error:
        raise RunError(f"--param {item}: it {error}") from None
    return text if value is None else value


def is_terminal() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
