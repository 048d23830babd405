"""Which pairs turn an instrument's quote currency into the account's."""

from collections.abc import Sequence
from dataclasses import dataclass

from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.tables import DIRECT, INVERSE

BRIDGE = "USD"


class NoRateError(RunError):
    """As a run of candles says it. Who converts by other means says it otherwise, by `pairs`, any of which would do."""

    def __init__(self, quote: str, account: str) -> None:
        self.quote, self.account = quote, account
        self.pairs = (f"{quote}{account}", f"{account}{quote}")
        named = " or ".join(self.pairs)
        super().__init__(f"no rate from {quote} to {account}: add candles of {named} (or of both against {BRIDGE}) with --rates PATH")


@dataclass(frozen=True, slots=True)
class Leg:
    """Multiply (DIRECT) or divide (INVERSE) by the price of series `series`; `scale` is its ticks in a price of 1."""

    series: int
    kind: int
    scale: int


def conversion_legs(quote: str, account: str, series: Sequence[Instrument]) -> tuple[Leg, ...]:
    """None needed, one direct or inverse pair, or two through USD; a missing rate refuses the run."""
    if quote == account:
        return ()
    single = _leg(quote, account, series)
    if single is not None:
        return (single,)
    first, second = _leg(quote, BRIDGE, series), _leg(BRIDGE, account, series)
    if first is not None and second is not None:
        return (first, second)
    raise NoRateError(quote, account)


def _leg(source: str, target: str, series: Sequence[Instrument]) -> Leg | None:
    for kind, base, quote in ((DIRECT, source, target), (INVERSE, target, source)):
        for index, item in enumerate(series):
            if item.base == base and item.quote == quote:
                return Leg(index, kind, item.ticks_per_one)
    return None
