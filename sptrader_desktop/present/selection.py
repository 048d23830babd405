"""What the person is looking at. One of these links all panes of a window: a pane writes to it and hears of others through it."""

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from sptrader_desktop.present.observable import Observable


class Zone(Enum):
    """The clock that axes and tables are read by."""

    UTC = "UTC"
    LOCAL = "local"
    NEW_YORK = "New York"


class BarAt(NamedTuple):
    """One bar: its symbol and its open in microseconds since 1970, UTC."""

    symbol: str
    stamp: int


class Span(NamedTuple):
    """From the open of the first bar to the open of the last, in microseconds since 1970, UTC."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Selection:
    strategy: Observable[Path | None] = field(default_factory=lambda: Observable[Path | None](None))
    run: Observable[str] = field(default_factory=lambda: Observable(""))
    symbol: Observable[str] = field(default_factory=lambda: Observable(""))
    bar: Observable[BarAt | None] = field(default_factory=lambda: Observable[BarAt | None](None))
    span: Observable[Span | None] = field(default_factory=lambda: Observable[Span | None](None))
    pointed: Observable[int | None] = field(default_factory=lambda: Observable[int | None](None))  # the instant under a chart's crosshair
    zone: Observable[Zone] = field(default_factory=lambda: Observable(Zone.UTC))
