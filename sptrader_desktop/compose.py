"""What the program is made of today: every adapter is chosen here and in the files beside it, and only there.

Imports are inside the functions, so that `sptrader check` loads neither numba nor pandas.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sptrader_desktop.compose_candles import CandleSets, recipe_candles
from sptrader_desktop.compose_components import Heed, component_runner, components, honesty_gate, ready_workspace
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.strategy import Strategy
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.runtime.recipe_values import overrides, terms_of
from sptrader_desktop.settings import Settings, load_settings

if TYPE_CHECKING:
    from sptrader_desktop.adapters.run_store import SqliteRunStore
    from sptrader_desktop.core.candles import Candles
    from sptrader_desktop.core.components import Catalogue
    from sptrader_desktop.core.explained import Explanation
    from sptrader_desktop.core.results import Request, Result
    from sptrader_desktop.core.simulation import Progress
    from sptrader_desktop.ports import ComponentRunner, StoredRun
    from sptrader_desktop.runtime.honesty import HonestyGate


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
    gate: "HonestyGate"


def ready_engine(settings: Settings, say: Callable[[str], None]) -> None:
    """Choose where the compiled rules are kept; call before anything imports numba."""
    from sptrader_desktop.runtime.kernel_cache import is_compiled, use_kernel_cache

    if not is_compiled(use_kernel_cache(settings.kernels)):
        say("compiling the engine for this computer, once: it takes half a minute …")


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


def prepare(
    recipe: Recipe, settings: Settings, read: StrategyRead, candles: "CandleSets | None" = None, heed: Heed | None = None
) -> Prepared:
    """Read everything else a recipe names, unless its candles are at hand."""
    from sptrader_desktop.core.results import Request

    terms, (traded, rates, finer) = terms_of(recipe), candles or recipe_candles(recipe, settings)
    runner = component_runner(settings, read.catalogue, heed)
    gate = honesty_gate(settings, read.catalogue, runner)
    return Prepared(recipe, Request(read.strategy, terms, traded, rates, finer), read.text, runner, gate)


def run_prepared(prepared: Prepared, report: "Callable[[Progress], None] | None" = None) -> "tuple[Result, bytes]":
    """Run and render: the document's bytes are what `verify` compares."""
    from sptrader_desktop.present.result_json import rendered

    result, manifest = run_result(prepared, report)
    return result, rendered(result, manifest)


def run_result(prepared: Prepared, report: "Callable[[Progress], None] | None" = None) -> "tuple[Result, dict[str, Any]]":
    """The result and what went into it."""
    from sptrader_desktop.runtime.backtest import backtest

    manifest = manifest_of(prepared)
    prepared.gate.require(prepared.request.strategy, prepared.request.traded)
    result = backtest(prepared.request, prepared.runner, report)
    if manifest_of(prepared) != manifest:
        raise RunError("a component was edited while the run was under way, and may have traded without being tried: run it again")
    return result, manifest


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
    from sptrader_desktop.present import explanation

    return explanation.explanation_text(explained(result, symbol, (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)))


def explained(result: "Result", symbol: str, stamp: int) -> "Explanation":
    """The bar that contains an instant, in microseconds UTC."""
    from sptrader_desktop.core.explain import bar_at, explain

    return explain(result, symbol, bar_at(traded_candles(result, symbol), stamp))


def traded_candles(result: "Result", symbol: str) -> "Candles":
    traded = result.request.traded
    candles = next((item for item in traded if item.symbol == symbol), None)
    if candles is None:
        raise RunError(f"the run does not trade {symbol}: it trades {', '.join(item.symbol for item in traded)}")
    return candles


def is_terminal() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
