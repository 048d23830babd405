"""What went into a run, as hashes and exact texts: equal manifests mean equal results on one machine and lock file.

It knows no clock, folder, run id or duration; names of files are there for people only.
"""

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from sptrader_desktop import __version__
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.results import Request
from sptrader_desktop.core.strategy import Scalar, Strategy
from sptrader_desktop.ports import ComponentRunner
from sptrader_desktop.runtime.source_states import State, source_states

CORE = Path(__file__).resolve().parent.parent / "core"
LIBRARIES = ("numpy", "numba", "pandas", "pyarrow")


def make_manifest(request: Request, strategy_text: str, runner: ComponentRunner) -> dict[str, Any]:
    strategy, series = request.strategy, (*request.traded, *request.rates)
    instruments = {candles.symbol: candles.instrument for candles in series}
    return {
        "strategy": {"name": strategy.name, "version": strategy.version, "sha256": text_hash(strategy_text)},
        "parameters": _texts(strategy.parameters),
        "components": _components(strategy, runner),
        "data": [_candles(candles) for candles in request.traded],
        "rates": [_candles(candles) for candles in request.rates],
        "finer": [_candles(request.finer[symbol]) for symbol in sorted(request.finer)],
        "instruments": {symbol: _instrument(instrument) for symbol, instrument in instruments.items()},
        "terms": _json(asdict(request.terms)),
        "engine": {"version": __version__, "sha256": engine_hash()},
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in LIBRARIES}},
    }


@cache
def _version(library: str) -> str:
    """A process keeps what it has loaded."""
    return version(library)


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def engine_hash(core: Path = CORE) -> str:
    """Over the names and sources of all trading rules."""
    return _hash_in(core, source_states(core))


@lru_cache(maxsize=4)
def _hash_in(core: Path, _states: tuple[State, ...]) -> str:
    """Asked twice in every run, and once whenever a window looks for changes: files are read again when one has changed."""
    digest = hashlib.sha256()
    for source in sorted(core.rglob("*.py")):
        digest.update(source.relative_to(core).as_posix().encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()


def _components(strategy: Strategy, runner: ComponentRunner) -> dict[str, Any]:
    return {use.component: {"params": _texts(use.params), "sha256": runner.fingerprint(use.component)} for use in strategy.signals}


def _candles(candles: Candles) -> dict[str, Any]:
    stamps = candles.timestamp
    return {
        "symbol": candles.symbol,
        "timeframe": candles.timeframe,
        "side": candles.side,
        "has_ask": candles.ask is not None,
        "rows": len(candles),
        "first": _iso(int(stamps[0])) if len(candles) else None,
        "last": _iso(int(stamps[-1])) if len(candles) else None,
        "fingerprint": candles.fingerprint,
        "file": Path(candles.source).name,
    }


def _iso(stamp: int) -> str:
    return str(np.datetime64(stamp, "us")).removesuffix(".000000") + "Z"


def _instrument(instrument: Instrument) -> Any:
    return _json({name: value for name, value in asdict(instrument).items() if name != "symbol"})


def _texts(values: Mapping[str, Scalar]) -> dict[str, str | bool]:
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def _json(value: Any) -> Any:
    """Exact numbers as plain texts: 1E+5 and 100000 are the same tick."""
    if isinstance(value, Mapping):
        return {name: _json(item) for name, item in value.items()}
    return f"{value:f}" if isinstance(value, Decimal) else value
