"""What a window asks of the program beyond what the command line does: the engine made ready beforehand, texts half written, guesses."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sptrader_desktop.compose_components import Heed, component_runner
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.core.strategy import Strategy
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.runtime.recipe_values import overrides
from sptrader_desktop.settings import Settings, shipped

HEED_S = 0.1

if TYPE_CHECKING:
    from sptrader_desktop.compose_candles import CandleSets
    from sptrader_desktop.core.components import Catalogue
    from sptrader_desktop.core.results import Request, Result
    from sptrader_desktop.ports import RunStore
    from sptrader_desktop.present.strategy_text import StrategyText


def is_engine_compiled(settings: Settings) -> bool:
    from sptrader_desktop.runtime.kernel_cache import is_compiled, use_kernel_cache

    return is_compiled(use_kernel_cache(settings.kernels))


def compile_engine(settings: Settings, heed: Heed) -> None:
    """In a process of its own, by a run of the sample that nobody sees; what goes wrong there is told by the run that is asked for."""
    strategy, data = shipped("strategies") / "ma_crossover.yaml", next((shipped("workspace") / "data").glob("*.parquet"))
    command = [sys.executable, "-m", "sptrader_desktop", "backtest", str(strategy), "--data", str(data), "--no-store"]
    environment = os.environ | {"SPTRADER_KERNEL_CACHE": str(settings.kernels)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as compiling:
        try:
            while compiling.poll() is None:
                heed()
                time.sleep(HEED_S)
        finally:
            compiling.kill()  # of one that is over nothing is left


def load_engine(settings: Settings) -> None:
    """What a first run would import and link, done while nobody waits."""
    from sptrader_desktop.runtime.kernel_cache import use_kernel_cache

    use_kernel_cache(settings.kernels)
    for name in ("adapters.pooled_components", "present.result_json", "runtime.backtest"):
        import_module(f"sptrader_desktop.{name}")


def strategy_in(text: str, name: str, catalogue: "Catalogue", params: Sequence[str] = (), known: "StrategyText | None" = None) -> Strategy:
    """`known` is a text like it that was examined before."""
    from sptrader_desktop.adapters.yaml_strategy import parse_strategy

    return parse_strategy(text, name, catalogue, overrides(tuple(params)), known)


def examined(text: str, catalogue: "Catalogue") -> "StrategyText":
    from sptrader_desktop.adapters.yaml_strategy import examine_strategy

    return examine_strategy(text, catalogue)


def what_if(settings: Settings, before: "Result", strategy: Strategy, catalogue: "Catalogue", heed: Heed | None = None) -> "Result":
    """Another strategy asked the same, at once: its components are not tried for honesty, so it is nothing to keep."""
    from sptrader_desktop.runtime import backtest

    return backtest.what_if(before, strategy, component_runner(settings, catalogue, heed))


def changed_since(
    settings: Settings, request: "Request", text: str, manifest: Mapping[str, Any], candles: "CandleSets", catalogue: "Catalogue"
) -> str:
    """The first thing outside of the strategy that is another than when the manifest was made; nothing where all is as it was."""
    from sptrader_desktop.runtime.manifest import make_manifest
    from sptrader_desktop.runtime.stored_runs import causes_between

    traded, rates, finer = candles
    try:
        now = make_manifest(replace(request, traded=traded, rates=rates, finer=finer), text, component_runner(settings, catalogue))
    except ComponentError as error:
        return f"a component of it is broken now: {error}"
    return next(causes_between(manifest, now), "")


def keep_result(store: "RunStore", recipe: Recipe, text: str, result: "Result", manifest: dict[str, Any]) -> str:
    """Rendering its document takes longer than the run, so a window shows the result first."""
    from sptrader_desktop.ports import FinishedRun
    from sptrader_desktop.present.result_json import rendered

    document = rendered(result, manifest)
    return store.save(FinishedRun(result.outcome, document, manifest, text, recipe.as_json()))
