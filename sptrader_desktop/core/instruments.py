"""What can be traded and in which units. The catalogue's financing rates are zero: a broker's rates come from the user's file."""

from dataclasses import dataclass
from decimal import Decimal

from sptrader_desktop.core.money import MONEY_ONE, exact_multiple


@dataclass(frozen=True, slots=True)
class Instrument:
    """`lot` is in units; rates are annual fractions received (positive) or paid by a position held over the 17:00 New York roll."""

    symbol: str
    base: str
    quote: str
    tick: Decimal
    pip: Decimal
    step: Decimal
    lot: Decimal
    long_rate: Decimal = Decimal(0)
    short_rate: Decimal = Decimal(0)
    charged_every_day: bool = False

    @property
    def unit_value(self) -> int:
        """One tick on one step, in 1e-8 of the quote currency."""
        return exact_multiple(self.tick * self.step * MONEY_ONE, Decimal(1))

    @property
    def steps_per_lot(self) -> int:
        return exact_multiple(self.lot, self.step)

    @property
    def ticks_per_pip(self) -> int:
        return exact_multiple(self.pip, self.tick)

    @property
    def ticks_per_one(self) -> int:
        """Ticks in a price of exactly 1; every tick in use is a power of ten or divides one."""
        return exact_multiple(Decimal(1), self.tick)


FX_USD = (
    "EURUSD GBPUSD AUDUSD NZDUSD USDCAD USDCHF USDJPY USDSEK USDNOK USDDKK USDSGD USDHKD USDMXN USDZAR USDTRY USDPLN USDHUF USDCZK USDCNH"
)
FX_CROSSES = (
    "EURGBP EURAUD EURNZD EURCAD EURCHF EURJPY EURSEK EURNOK EURPLN GBPAUD GBPNZD GBPCAD GBPCHF GBPJPY "
    "AUDNZD AUDCAD AUDCHF AUDJPY NZDCAD NZDCHF NZDJPY CADCHF CADJPY CHFJPY SGDJPY"
)
HUNDREDTH_PIP_QUOTES = {"JPY", "HUF"}


def _fx(symbol: str) -> Instrument:
    base, quote = symbol[:3], symbol[3:]
    pip = Decimal("0.01") if quote in HUNDREDTH_PIP_QUOTES else Decimal("0.0001")
    return Instrument(symbol, base, quote, pip / 10, pip, Decimal(1), Decimal(100_000))


def _catalogue() -> dict[str, Instrument]:
    items = [_fx(symbol) for symbol in (FX_USD + " " + FX_CROSSES).split()]
    items += [
        Instrument("XAUUSD", "XAU", "USD", Decimal("0.01"), Decimal("0.1"), Decimal("0.01"), Decimal(100)),
        Instrument("XAGUSD", "XAG", "USD", Decimal("0.001"), Decimal("0.01"), Decimal(1), Decimal(5000)),
        Instrument("BTCUSD", "BTC", "USD", Decimal("0.01"), Decimal(1), Decimal("0.0001"), Decimal(1), charged_every_day=True),
    ]
    return {item.symbol: item for item in items}


CATALOGUE: dict[str, Instrument] = _catalogue()
