"""Where the program keeps what belongs to the person using it, never in the package; a variable moves each place."""

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

APP = "sptrader"
SHIPPED = Path(__file__).resolve().parent / "_shipped"
CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Settings:
    """`workspace` holds the person's components and data, `strategies` beside it theirs; the other places are the program's.

    `market_data` is the address of a server of candles, or nothing. It and those of Redis and PostgreSQL may hold a password and are
    never shown; without them it
    is the program's own servers, which keep their data in `servers` and are reached through `sockets`. `live` holds what trading needs to
    go on where it was: the journal, the latch of the emergency stop, the guardian's sockets.
    """

    workspace: Path
    runs: Path
    candles: Path
    servers: Path
    kernels: Path
    downloads: Path
    market_data: str = field(repr=False)
    component_cache: Path
    sockets: Path
    logs: Path
    preferences: Path
    texts: Path
    live: Path
    redis_url: str = field(default="", repr=False)
    database_url: str = field(default="", repr=False)


def load_settings() -> Settings:
    data, cache = platformdirs.user_data_path(APP, appauthor=False), platformdirs.user_cache_path(APP, appauthor=False)
    return Settings(
        workspace=_place("SPTRADER_WORKSPACE", data / "workspace"),
        runs=_place("SPTRADER_RUNS", data / "runs"),
        candles=_place("SPTRADER_CANDLES", data / "candles"),
        servers=_place("SPTRADER_SERVERS", data / "servers"),
        kernels=_place("SPTRADER_KERNEL_CACHE", cache / "kernels"),
        downloads=_place("SPTRADER_DOWNLOADS", cache / "downloads"),
        market_data=os.environ.get("WS_MARKET_DATA_URL", "").strip(),
        component_cache=_place("SPTRADER_COMPONENT_CACHE", cache / "components"),
        sockets=_sockets(),
        logs=_place("SPTRADER_LOGS", platformdirs.user_log_path(APP, appauthor=False)),
        texts=_place("SPTRADER_TEXTS", data / "texts"),
        live=_place("SPTRADER_LIVE", data / "live"),
        preferences=_place("SPTRADER_PREFERENCES", platformdirs.user_config_path(APP, appauthor=False) / "preferences.json"),
        redis_url=os.environ.get("REDIS_URL", "").strip(),
        database_url=os.environ.get("DATABASE_URL", "").strip(),
    )


def shipped(name: str) -> Path:
    """`workspace`, `strategies` or `docs` as they came with the program: inside the wheel, or at the root of a checkout."""
    installed = SHIPPED / name
    return installed if installed.is_dir() else CHECKOUT / name


def absolute_path(path: str | Path) -> Path:
    """As a person means it, wherever it is read: a ~ that a shell left as it is (`--data=~/…`) is home; of a person nobody knows it stays
    a letter. Links are not followed: their own names say what candles are."""
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError:
        return Path(path).absolute()


def _place(variable: str, default: Path) -> Path:
    chosen = os.environ.get(variable)
    return absolute_path(chosen) if chosen else default


def _sockets() -> Path:
    """Paths of sockets must be short, so they are not beside the data."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and Path(runtime).is_dir():
        return Path(runtime) / APP
    return Path(tempfile.gettempdir()) / f"{APP}-{getattr(os, 'getuid', int)()}"
