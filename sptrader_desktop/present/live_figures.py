"""What a live account is worth and risks at the prices it knows, in its own integers; nothing of the account is changed by looking.

The profit of a position is `core.portfolio.unrealised` for one, with integers that cannot overflow.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sptrader_desktop.core.money import FRACTION_ONE, round_ratio
from sptrader_desktop.core.records import LONG
from sptrader_desktop.core.tables import DIRECT, FAR, FREE, Table

if TYPE_CHECKING:
    from sptrader_desktop.core.live_account import LiveAccount


@dataclass(frozen=True, slots=True)
class Levels:
    """Of one position, in ticks; what is not there is as far away as `FAR`."""

    stop: int
    target: int
    trail: int


@dataclass(frozen=True, slots=True)
class Gauge:
    """`used` of `limit`, which is None where there is none; both in `unit`: 1e-8 of money, or a count."""

    name: str
    unit: str
    used: int
    limit: int | None
    is_latched: bool = False


@dataclass(frozen=True, slots=True)
class Plug:
    """What this account loses from its value now if nothing of ours is there any more and every stop at the broker is reached.

    At the stops' own levels: a gap, slippage and commission make it more. `unprotected` are the positions of which the broker holds none.
    """

    protected_loss: int
    unprotected: tuple[int, ...]
    working: int  # orders that may still fill there


class Figures:
    """One look. `kept` are the levels that the broker said it holds, by position."""

    def __init__(self, account: "LiveAccount", capital: int, kept: Mapping[int, Levels]) -> None:
        self._plan, self._state, self._capital, self._kept = account.book.plan, account.book.state, capital, kept
        self._used = account.book.account[0]
        self.positions: Table = self._state.positions[: self._used["positions"]]
        self.pending: Table = self._state.pending[: self._used["pending"]]
        self.cash = int(self._used["cash"])
        self.profits = {int(row["number"]): self.profit(row, self.exit_price(row)) for row in self.positions}
        self.total = self.cash + sum(self.profits.values())

    # One position

    def exit_price(self, row: Any) -> int:
        return int(self._state.series["bid" if row["side"] == LONG else "ask"][row["symbol"]])

    def profit(self, row: Any, price: int, own: int | None = None) -> int:
        """Open profit with the exit at `price`; `own` is the price of the symbol for conversion, its last unless given."""
        s = int(row["symbol"])
        value = int(row["side"]) * (price - int(row["entry_price"])) * self._unit_value(s) * int(row["quantity"])
        return self._in_account(value, s, self._last(s) if own is None else own)

    def stop_kept(self, row: Any) -> int | None:
        """The level at which the broker ends it without us."""
        kept = self._kept.get(int(row["number"]))
        if kept is None:
            return None
        level = max(kept.stop, kept.trail) if row["side"] == LONG else min(kept.stop, kept.trail)
        return None if abs(level) >= FAR else level

    # The account

    @property
    def day_profit(self) -> int:
        return self.total - int(self._used["base"])

    @property
    def all_profit(self) -> int:
        return self.total - self._capital

    @property
    def drop(self) -> int:
        """Under the highest close so far, now."""
        return max(0, int(self._used["peak"]) - self.total)

    @property
    def deepest_drawdown(self) -> float:
        """A fraction of the peak before it."""
        peak, lowest = int(self._used["peak"]), min(int(self._used["trough"]), self.total)
        return max(float(self._used["worst"]), (peak - lowest) / peak if peak > 0 else 0.0)

    def gauges(self) -> Iterator[Gauge]:
        terms, used = self._plan.terms[0], self._used
        base, peak, leverage = int(used["base"]), int(used["peak"]), int(terms["leverage"])
        lost = max(0, -self.day_profit)
        yield Gauge("daily loss", "money", lost, _limit(int(terms["daily_loss"]), base), bool(used["lost_day"] != FREE))
        yield Gauge("drawdown", "money", self.drop, _limit(int(terms["max_drawdown"]), peak), bool(used["drawn_down"] != FREE))
        committed = self._committed()
        yield Gauge("exposure", "money", committed, max(0, self.total) * leverage // 100)
        yield Gauge("margin", "money", round_ratio(committed * 100, leverage), max(0, self.total))
        most = int(terms["max_positions"])
        open_total = sum(bool(row["closing"] < row["quantity"]) for row in self.positions) + len(self.pending)
        yield Gauge("positions", "count", open_total, None if most < 0 else most)

    def plug(self) -> Plug:
        lost, unprotected = 0, list[int]()
        for row in self.positions:
            number, level = int(row["number"]), self.stop_kept(row)
            if level is None:
                unprotected.append(number)
            else:
                lost += self.profits[number] - self.profit(row, level, level)
        return Plug(lost, tuple(unprotected), len(self.pending))

    def _committed(self) -> int:
        """As `core.risk.committed`: what stays open and every order that waits, at the last prices."""
        staying = [
            (int(row["symbol"]), int(row["quantity"] - row["closing"])) for row in self.positions if row["closing"] < row["quantity"]
        ]
        waiting = [(int(row["symbol"]), int(row["quantity"])) for row in self.pending]
        return sum(self._in_account(self._last(s) * steps * self._unit_value(s), s, self._last(s)) for s, steps in (*staying, *waiting))

    # Units

    def _unit_value(self, s: int) -> int:
        return int(self._plan.symbols["unit_value"][s])

    def _last(self, s: int) -> int:
        return int(self._state.series["last"][s])

    def _in_account(self, value: int, s: int, own: int) -> int:
        terms, numerator, denominator = self._plan.symbols[s], 1, 1
        for leg in ("leg1", "leg2"):
            kind, scale, series = int(terms[f"{leg}_kind"]), int(terms[f"{leg}_scale"]), int(terms[leg])
            if kind == 0:
                break
            price = own if series == s else self._last(series)
            above, below = (price, scale) if kind == DIRECT else (scale, price)
            numerator, denominator = numerator * above, denominator * below
        return value if numerator == denominator else round_ratio(value * numerator, denominator)


def _limit(fraction: int, base: int) -> int | None:
    return None if fraction < 0 else max(0, base) * fraction // FRACTION_ONE
