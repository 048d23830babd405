"""Lines that a person drew on the charts of a symbol, kept in instants and ticks so that any timeframe shows them at the same place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.numbers import counted, duration, share
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.price_alerts import MOST_TICKS, tick_read

Kind = Literal["horizontal", "trend"]
HOUR_US = 3_600_000_000
FARTHEST = 2**62  # a corner beyond it is on no chart


class Corner(NamedTuple):
    """A moment in microseconds UTC and a price in ticks."""

    stamp: int
    ticks: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """A horizontal line has its two corners at the same price. `tick` says how large its ticks are, for those of one's own instruments may
    change; lines of before it was kept may not know.
    """

    kind: Kind
    start: Corner
    end: Corner
    tick: Decimal | None = None

    def in_ticks(self, tick: Decimal) -> "Drawing":
        """At the same price, the nearest where that is none any more."""
        if self.tick == tick:
            return self
        size = Decimal(1) if self.tick is None else self.tick / tick
        start, end = (Corner(corner.stamp, _scaled(corner.ticks, size)) for corner in (self.start, self.end))
        return Drawing(self.kind, start, end, tick)

    def as_json(self) -> dict[str, Any]:
        tick = {} if self.tick is None else {"tick": str(self.tick)}
        return {"kind": self.kind, "start": list(self.start), "end": list(self.end), **tick}

    @classmethod
    def from_json(cls, symbol: str, value: Any) -> "Drawing":
        match value:
            case {"kind": "horizontal" | "trend" as kind, "start": [int(), int()] as start, "end": [int(), int()] as end} if all(
                abs(number) < FARTHEST for number in (*start, *end)
            ):
                tick = tick_read(symbol, value.get("tick"))
                if tick is not None or "tick" not in value:
                    return cls(kind, Corner(*start), Corner(*end), tick)
        raise DataError(f"{str(value)[:80]} is not a drawn line: it needs a kind (horizontal or trend), a start and an end")


def _scaled(ticks: int, size: Decimal) -> int:
    return min(max(round(ticks * size), -MOST_TICKS), MOST_TICKS)


Drawings = tuple[Drawing, ...]


def exchanged(drawings: Drawings, gone: Drawing | None, come: Drawing | None, place: int) -> Drawings:
    """One line instead of another; without `gone` it comes in at `place`. Where `gone` is not there any more nothing changes."""
    if gone is not None and gone not in drawings:
        return drawings
    at = place if gone is None else drawings.index(gone)
    return (*drawings[:at], *([] if come is None else [come]), *drawings[at + (gone is not None) :])


class DrawingBook:
    """The lines of all symbols. `save` is told of every change: a symbol and all of its lines."""

    def __init__(self, kept: Mapping[str, Sequence[Drawing]] | None = None, save: Callable[[str, Drawings], None] | None = None) -> None:
        self._pages = {symbol: Observable[Drawings](tuple(drawings)) for symbol, drawings in (kept or {}).items()}
        self._save = save

    def page(self, symbol: str) -> Observable[Drawings]:
        return self._pages.setdefault(symbol, Observable[Drawings](()))

    def put(self, symbol: str, drawings: Drawings) -> None:
        page = self.page(symbol)
        if drawings != page.value:
            page.set(drawings)
            if self._save is not None:
                self._save(symbol, drawings)


def drawings_read(held: Any) -> dict[str, Drawings]:
    """By symbol, from what `drawings_written` gave."""
    return {str(symbol): tuple(Drawing.from_json(str(symbol), line) for line in lines) for symbol, lines in held.items()}


def drawings_written(book: Mapping[str, Drawings]) -> Any:
    return {symbol: [drawing.as_json() for drawing in drawings] for symbol, drawings in book.items() if drawings}


def measured(candles: Candles, first_bar: int, first_ticks: int, last_bar: int, last_ticks: int) -> str:
    """`24 bars · 1 d · ▲ +45.2 pips · +0.42 %`: from one place of the chart to another, forwards or backwards."""
    bars, ticks = last_bar - first_bar, last_ticks - first_ticks
    hours = abs(int(candles.timestamp[last_bar]) - int(candles.timestamp[first_bar])) / HOUR_US
    pips = ticks / candles.instrument.ticks_per_pip
    arrow = "▲ " if ticks > 0 else "▼ " if ticks < 0 else ""
    moved = share(ticks / first_ticks, signed=True) if first_ticks > 0 else "–"
    return f"{counted(abs(bars), 'bar')} · {duration(hours)} · {arrow}{pips:+,.1f} pips · {moved}"
