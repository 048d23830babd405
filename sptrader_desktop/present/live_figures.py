"""What a live account is worth and risks at the prices it knows, in its own integers; nothing of the account is changed by looking."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sptrader_desktop.core.live_worth import Worth
from sptrader_desktop.core.money import FRACTION_ONE, round_ratio
from sptrader_desktop.core.records import LONG
from sptrader_desktop.core.risk_tree import Gauge
from sptrader_desktop.core.tables import FAR, FREE, Table

if TYPE_CHECKING:
    from sptrader_desktop.core.live_account import LiveAccount


@dataclass(frozen=True, slots=True)
class Levels:
    """Of one position, in ticks; what is not there is as far away as `FAR`."""

    stop: int
    target: int
    trail: int


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
        self._plan, self._limits, self._capital, self._kept = account.book.plan, account.limits, capital, kept
        self._worth, self._used = Worth(account.book.plan, account.book.state), account.book.account[0]
        self.positions: Table = account.book.state.positions[: self._used["positions"]]
        self.pending: Table = account.book.state.pending[: self._used["pending"]]
        self.cash = int(self._used["cash"])
        self._held = {held.number: held for held in self._worth.held()}
        self.profits = {number: self._worth.profit(held) for number, held in self._held.items()}
        self.total = self.cash + sum(self.profits.values())

    # One position

    def exit_price(self, row: Any) -> int:
        return self._worth.exit_price(int(row["symbol"]), int(row["side"]))

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
        return self.total - int(self._used["base"]) + self._limits.day_before

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
        """Of the strategy and the account, then of each symbol that has limits: of two limits of the whole the nearer one."""
        ours = {(gauge.scope, gauge.name): gauge for gauge in self._limits.gauges()}
        for gauge in self._of_all():
            yield _nearer(gauge, ours.pop((gauge.scope, gauge.name), gauge))
        yield from ours.values()

    def _of_all(self) -> Iterator[Gauge]:
        terms, used = self._plan.terms[0], self._used
        base, peak, leverage = int(used["base"]), int(used["peak"]), int(terms["leverage"])
        lost = max(0, base - self.total)
        yield Gauge("daily loss", "money", lost, _limit(int(terms["daily_loss"]), base), bool(used["lost_day"] != FREE))
        yield Gauge("drawdown", "money", self.drop, _limit(int(terms["max_drawdown"]), peak), bool(used["drawn_down"] != FREE))
        committed = self._worth.committed()
        yield Gauge("exposure", "money", committed, max(0, self.total) * leverage // 100)
        yield Gauge("margin", "money", round_ratio(committed * 100, leverage), max(0, self.total))
        most = int(terms["max_positions"])
        open_total = sum(bool(held.staying) for held in self._held.values()) + len(self.pending)
        yield Gauge("positions", "count", open_total, None if most < 0 else most)

    def plug(self) -> Plug:
        lost, unprotected = 0, list[int]()
        for row in self.positions:
            number, level = int(row["number"]), self.stop_kept(row)
            if level is None:
                unprotected.append(number)
            else:
                lost += self.profits[number] - self._worth.profit(self._held[number], level, level)
        return Plug(lost, tuple(unprotected), len(self.pending))


def _nearer(one: Gauge, other: Gauge) -> Gauge:
    nearest = min((one, other), key=lambda gauge: math.inf if gauge.headroom is None else gauge.headroom)
    return replace(nearest, is_latched=one.is_latched or other.is_latched)


def _limit(fraction: int, base: int) -> int | None:
    return None if fraction < 0 else max(0, base) * fraction // FRACTION_ONE
