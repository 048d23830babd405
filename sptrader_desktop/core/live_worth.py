"""What the tables of a live account are worth at the prices it knows, or would be at one more; looking changes nothing.

In integers that cannot overflow: the same figures as the kernel's `unrealised` and `notional_now`, for one position or all.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sptrader_desktop.core.money import FRACTION_ONE, round_ratio
from sptrader_desktop.core.records import LONG
from sptrader_desktop.core.tables import DIRECT, FREE, PENDING, POSITION, Plan, State


class Held(NamedTuple):
    """An open position."""

    number: int
    symbol: int
    side: int
    quantity: int
    closing: int
    entry_price: int

    @property
    def staying(self) -> int:
        """What was not ordered closed."""
        return max(0, self.quantity - self.closing)


class Seen(NamedTuple):
    """A price that the account has not taken yet."""

    series: int
    raw: int
    ask: int


class NodeFigures(NamedTuple):
    """Of the account or a symbol. `value` is the equity, of a symbol what it has won or lost since the beginning."""

    value: int
    exposure: int
    positions: int


class Worth:
    """One look. With `seen` as if that were the last price of its series."""

    def __init__(self, plan: Plan, state: State, seen: Seen | None = None) -> None:
        self._symbols, self._state, self._terms = plan.symbols, state, plan.terms[0]
        self.last, self.bid, self.ask = (state.series[name].tolist() for name in ("last", "bid", "ask"))
        if seen is not None:
            s, row = seen.series, plan.symbols[seen.series]
            self.last[s] = seen.raw
            self.bid[s], self.ask[s] = seen.raw + int(row["bid_shift"]), seen.ask + int(row["ask_shift"])

    # One position

    def exit_price(self, s: int, side: int) -> int:
        return int(self.bid[s] if side == LONG else self.ask[s])

    def profit(self, held: Held, price: int | None = None, own: int | None = None) -> int:
        """Open profit with the exit at `price`, and the symbol at `own` for conversion; both its last unless given."""
        s = held.symbol
        exit_at = self.exit_price(s, held.side) if price is None else price
        value = held.side * (exit_at - held.entry_price) * int(self._symbols["unit_value"][s]) * held.quantity
        return self.in_account(value, s, own)

    def notional(self, s: int, steps: int) -> int:
        return self.in_account(self.last[s] * steps * int(self._symbols["unit_value"][s]), s)

    def in_account(self, value: int, s: int, own: int | None = None) -> int:
        terms, numerator, denominator = self._symbols[s], 1, 1
        for leg in ("leg1", "leg2"):
            kind, scale, series = int(terms[f"{leg}_kind"]), int(terms[f"{leg}_scale"]), int(terms[leg])
            if kind == 0:
                break
            price = own if own is not None and series == s else self.last[series]
            above, below = (price, scale) if kind == DIRECT else (scale, price)
            numerator, denominator = numerator * above, denominator * below
        return value if numerator == denominator else round_ratio(value * numerator, denominator)

    def is_convertible(self, s: int) -> bool:
        """Whether there is a rate of each pair that its currency is converted by."""
        legs = (self._symbols[leg][s] for leg in ("leg1", "leg2") if self._symbols[f"{leg}_kind"][s])
        return all(self.last[leg] > 0 for leg in legs)

    # All of them

    def held(self) -> list[Held]:
        rows = self._state.positions[: self._state.account["positions"][0]].tolist()
        return [Held(*(row[column] for column in _HELD)) for row in rows]

    def committed(self) -> int:
        """As `core.risk.committed`: what stays open and every order that waits, at the last prices."""
        return sum(exposure for exposure, _ in self._commitments(()))

    def equity(self) -> int:
        return int(self._state.account["cash"][0]) + sum(map(self.profit, self.held()))

    def would_halt(self) -> bool:
        """Whether a limit of the strategy that was not met yet is met at this equity, as by `core.stages.halt_on_breach`."""
        account, terms, equity = self._state.account[0], self._terms, self.equity()
        peak, base = max(int(account["peak"]), equity), int(account["base"])
        met = (("drawn_down", "max_drawdown", peak), ("lost_day", "daily_loss", base))
        return any(account[latch] == FREE and _is_met(of - equity, int(terms[limit]), of) for latch, limit, of in met)

    def nodes(self, earned: Sequence[int], without: Collection[int] = ()) -> tuple[NodeFigures, list[NodeFigures]]:
        """Of the account and of each series. `earned` is what each has added to the cash so far; orders `without` do not count."""
        values = list(earned)
        for held in self.held():
            values[held.symbol] += self.profit(held)
        commitments = self._commitments(without)
        apart = [NodeFigures(value, *found) for value, found in zip(values, commitments, strict=True)]
        start = int(self._state.account["cash"][0]) - sum(earned)
        exposure, positions = (sum(column) for column in zip(*commitments, strict=True))
        return NodeFigures(start + sum(values), exposure, positions), apart

    def _commitments(self, without: Collection[int]) -> list[tuple[int, int]]:
        """Of each series the notional and the number of what stays open and of what waits; what is unknown waits too."""
        exposure, positions = [0] * len(self.last), [0] * len(self.last)
        waiting = self._state.pending[: self._state.account["pending"][0]].tolist()
        found = [(held.symbol, held.staying) for held in self.held() if held.staying]
        found += [(row[_WAITS_FOR], row[_WANTED]) for row in waiting if row[_ORDER] not in without]
        for s, steps in found:
            exposure[s] += self.notional(s, steps)
            positions[s] += 1
        return list(zip(exposure, positions, strict=True))


def _is_met(loss: int, limit: int, base: int) -> bool:
    """`core.risk.breached`."""
    return limit >= 0 and (base <= 0 or (loss > 0 and loss * FRACTION_ONE >= limit * base))


LARGEST = 1 << 60  # in 1e-8 of any currency: sums and conversions of it still fit 64 bits


def is_too_far(plan: Plan, state: State, seen: Seen, wanted: int) -> bool:
    """Whether at this price all that is open and waits, and `wanted` steps more, could be worth more than exact money tells. The kernel
    would raise, half-way through its tables."""
    worth, steps = Worth(plan, state, seen), [0] * len(state.series)
    for held in worth.held():
        steps[held.symbol] += held.quantity
    for row in state.pending[: state.account["pending"][0]].tolist():
        steps[row[_WAITS_FOR]] += row[_WANTED]
    steps[seen.series] += wanted
    whole = abs(int(state.account["cash"][0]))
    for s, count in enumerate(steps):
        value = max(worth.last[s], worth.bid[s], worth.ask[s]) * count * int(plan.symbols["unit_value"][s])
        if value > LARGEST or (value and worth.is_convertible(s) and worth.in_account(LARGEST, s) < whole):
            return True
        whole += abs(worth.in_account(value, s)) if value and worth.is_convertible(s) else 0
    return whole > LARGEST


_HELD = tuple((POSITION.names or ()).index(name) for name in Held._fields)
_ORDER, _WAITS_FOR, _WANTED = ((PENDING.names or ()).index(name) for name in ("order", "symbol", "quantity"))
