"""Where the program keeps what belongs to the person using it, never in the package; a variable moves each place."""

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

APP = "sptrader"
SHIPPED = Path(__file__).resolve().parent / "_shipped"
CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Settings:
    """`workspace` holds the person's components and data, `strategies` beside it theirs; the rest are the program's."""

    workspace: Path
    runs: Path
    kernels: Path
    component_cache: Path


def load_settings() -> Settings:
    data, cache = platformdirs.user_data_path(APP, appauthor=False), platformdirs.user_cache_path(APP, appauthor=False)
    return Settings(
        workspace=_place("SPTRADER_WORKSPACE", data / "workspace"),
        runs=_place("SPTRADER_RUNS", data / "runs"),
        kernels=_place("SPTRADER_KERNEL_CACHE", cache / "kernels"),
        component_cache=_place("SPTRADER_COMPONENT_CACHE", cache / "components"),
    )


def shipped(name: str) -> Path:
    """`workspace` or `strategies` as they came with the program: inside the wheel, or at the root of a checkout."""
    installed = SHIPPED / name
    return installed if installed.is_dir() else CHECKOUT / name


def _place(variable: str, default: Path) -> Path:
    chosen = os.environ.get(variable)
    return Path(chosen).expanduser().absolute() if chosen else default
