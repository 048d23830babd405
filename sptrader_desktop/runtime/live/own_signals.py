"""What components say of the last bars, as signals: an event, or that they have none; and where they may not be believed yet."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.core.strategy import Scalar, SignalUse
from sptrader_desktop.ports import Answer
from sptrader_desktop.runtime.honesty_plan import LIVE_BARS
from sptrader_desktop.runtime.live.bars_from_prices import Bar
from sptrader_desktop.runtime.live.clock import SECOND_US
from sptrader_desktop.runtime.live.parts import NO_EVENT, Regime, Signal

LEAST_VALID_US, MOST_VALID_US = 5 * SECOND_US, 60 * SECOND_US


@dataclass(frozen=True, slots=True)
class OwnComponent:
    """A signal that the program calculates itself. It is believed from bar number `warm_up` of the window on; None: from the first."""

    use: SignalUse
    warm_up: int | None

    @property
    def name(self) -> str:
        return self.use.name

    def fault(self, answer: Answer, bars: int) -> str:
        """Why it says nothing of the last of so many bars."""
        if isinstance(answer.result, ComponentError):
            return str(answer.result)
        if self.warm_up is not None and bars < self.warm_up:
            return f"{self.use.component} needs {self.warm_up} bars, and there are {bars} so far"
        return ""

    def is_warm_at(self, bar: int) -> bool:
        return self.warm_up is None or bar + 1 >= self.warm_up


def valid_until(closes: int, length_us: int) -> int:
    """What was said of a bar may be acted on for as long as a bar lasts, five seconds at least and a minute at most."""
    return closes + max(LEAST_VALID_US, min(MOST_VALID_US, length_us))


def said_on(own: OwnComponent, events: EventTable, row: int, bar: Bar, expires: int) -> tuple[Signal, ...]:
    """Its events on one bar, which is number `row` of what it was asked about. The same are named the same wherever they are calculated."""
    found = events.at(row)
    parts = len(found)
    if not parts:
        return (_signal(own, bar, expires, NO_EVENT, 0.0, {}, 1, 1),)
    return tuple(
        _signal(own, bar, expires, str(found.type[at]), float(found.strength[at]), _metadata(found, at), at + 1, parts)
        for at in range(parts)
    )


def regime_on(events: EventTable, row: int) -> Regime | None:
    """None where the component does not say, or says something else."""
    types = {str(kind) for kind in events.at(row).type.tolist()} & {str(regime) for regime in Regime}
    return Regime(types.pop()) if len(types) == 1 else None


def _signal(
    own: OwnComponent, bar: Bar, expires: int, kind: str, strength: float, metadata: Mapping[str, float | str], part: int, parts: int
) -> Signal:
    named = [own.use.component, _params(own.use.params), bar.symbol, bar.timeframe, str(bar.opens), kind, str(part), str(parts)]
    identity = hashlib.sha256("\n".join(named).encode()).hexdigest()[:32]
    return Signal(identity, own.name, bar.symbol, bar.timeframe, bar.opens, kind, strength, expires, metadata, part, parts)


def _params(params: Mapping[str, Scalar]) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(params.items()))


def _metadata(events: EventTable, at: int) -> dict[str, float | str]:
    values = {name: column[at] for name, column in events.metadata.items()}
    return {name: value if isinstance(value, str) else float(value) for name, value in values.items()}


def window_size(components: Sequence[OwnComponent], rows: int) -> int | None:
    """So many bars that each is warm on all of the last `rows`, and at least what honesty was tried with; None where one needs all."""
    needed = [own.warm_up for own in components if own.warm_up is not None]
    return None if len(needed) < len(components) else max(needed, default=1) + max(rows, LIVE_BARS)
