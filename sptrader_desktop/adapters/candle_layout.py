"""Which column of a candle file holds what.

Names are compared without case. The stamp is `timestamp` (or `time`, `datetime`); prices are `open high low close`, or the
same with `bid_`, and optionally the same with `ask_`; `volume` is optional; other columns are ignored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sptrader_desktop.core.errors import DataError

PRICES = ("open", "high", "low", "close")
ASK_PRICES = tuple(f"ask_{name}" for name in PRICES)
# By which a file says that nothing in it is a quote.
SYNTHETIC = "synthetic"
_STAMPS = ("timestamp", "time", "datetime")


@dataclass(frozen=True, slots=True)
class Layout:
    """`prices` maps our names (`open` … `close`, `ask_open` … `ask_close`, `volume`) to the file's."""

    timestamp: str
    prices: Mapping[str, str]
    is_sided: bool

    @property
    def has_ask(self) -> bool:
        return ASK_PRICES[0] in self.prices


def find_layout(source: str, names: Sequence[str]) -> Layout:
    known = _by_lower_name(source, names)
    stamp = next((known[name] for name in _STAMPS if name in known), None)
    if stamp is None:
        raise DataError(f"{source}: there is no timestamp column (it has {_listed(names)}): name the bar's open time 'timestamp'")
    prefix = "bid_" if "bid_open" in known else ""
    chosen = _four(source, known, prefix, names)
    has_ask = any(name in known for name in ASK_PRICES)
    if has_ask:
        chosen |= {f"ask_{name}": column for name, column in _four(source, known, "ask_", names).items()}
    if "volume" in known:
        chosen["volume"] = known["volume"]
    return Layout(stamp, chosen, is_sided=has_ask or prefix == "bid_")


def _by_lower_name(source: str, names: Sequence[str]) -> dict[str, str]:
    known: dict[str, str] = {}
    for name in names:
        lower = name.strip().lower()
        if lower in known and lower in (*_STAMPS, *PRICES, *ASK_PRICES, *(f"bid_{price}" for price in PRICES), "volume"):
            raise DataError(
                f"{source}: the columns '{printable(known[lower])}' and '{printable(name)}' have the same name: keep one of them"
            )
        known.setdefault(lower, name)
    return known


def _four(source: str, known: Mapping[str, str], prefix: str, names: Sequence[str]) -> dict[str, str]:
    missing = [prefix + name for name in PRICES if prefix + name not in known]
    if not missing:
        return {name: known[prefix + name] for name in PRICES}
    if {"bid", "ask"} <= known.keys():
        raise DataError(f"{source}: these are ticks (bid and ask), not candles: build candles from them first")
    raise DataError(
        f"{source}: {_listed(missing)} missing (it has {_listed(names)}): candles need open, high, low and close, export them again"
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(printable(name) for name in names[:12])
    return (shown + (", …" if len(names) > 12 else "")) or "no columns"


def printable(text: str, longest: int = 40) -> str:
    """What a damaged file holds may be anything; the sentence about it stays one line."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:longest])
