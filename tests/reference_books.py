"""The books of the oracle (`tests/reference.py`): cash, conversion, costs, open positions and waiting orders, and the rows they leave.

Every fill passes through `Books.deal`; nothing here decides anything.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from sptrader_desktop.core import records as rec
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.money import MONEY_ONE, exact_multiple, fixed
from sptrader_desktop.core.strategy import Exits
from sptrader_desktop.core.terms import Terms
from tests.reference_bars import Order, Position, Series, level_price

Row = dict[str, int]


class Books:
    def __init__(self, terms: Terms, exits: Exits, known: Sequence[Series]) -> None:
        self.terms, self.exits, self.known = terms, exits, known
        self.cash = fixed(terms.capital)
        self.positions: list[Position] = []
        self.pending: list[Order] = []
        self.placed: list[Order] = []
        self.trades: list[Row] = []
        self.fills: list[Row] = []
        self.opened = 0

    def of(self, series: Series) -> list[Position]:
        """The symbol's open positions, oldest first; a list of its own, so that leaving one disturbs nobody."""
        return [position for position in self.positions if position.series is series]

    def waiting(self, series: Series) -> list[Order]:
        return [order for order in self.pending if order.series is series]

    def place(self, order: Order) -> None:
        self.placed.append(order)
        self.pending.append(order)

    def settle(self, order: Order, state: int) -> None:
        self.pending.remove(order)
        order.state, order.settled_bar = state, order.series.bar

    def cancel_pending(self) -> None:
        for order in list(self.pending):
            self.settle(order, rec.CANCELLED)

    def slipped(self, series: Series, direction: int, price: int) -> int:
        return price + direction * exact_multiple(self.terms.slippage_pips * series.instrument.ticks_per_pip, Decimal(1))

    def enter(self, order: Order, price: int, born: Literal["open", "inside", "close"]) -> None:
        series, side = order.series, order.side
        if order.kind != rec.LIMIT:
            price = self.slipped(series, side, price)
        self.settle(order, rec.FILLED)
        ratio, commission = self.deal(series, side, order.quantity, price, self.opened, order.number, -1)
        stop, target = self.exits.stop_loss, self.exits.take_profit
        self.positions.append(
            Position(
                number=self.opened,
                series=series,
                side=side,
                order=order,
                born=born,
                entry_bar=series.bar,
                entry_price=price,
                entry_ratio=ratio,
                quantity=order.quantity,
                commission=commission,
                peak=price,
                stop=None if stop is None else level_price(stop, price, -side, series, order.decided_bar),
                target=None if target is None else level_price(target, price, side, series, order.decided_bar),
            )
        )
        self.opened += 1

    def leave_as_ordered(self, position: Position, price: int) -> None:
        steps, position.ordered = position.ordered, 0
        self.leave(position, steps, price, position.reason, slips=True)

    def leave(self, position: Position, quantity: int, price: int, reason: int, *, slips: bool) -> None:
        series = position.series
        if slips:
            price = self.slipped(series, -position.side, price)
        ratio, commission = self.deal(series, -position.side, quantity, price, position.number, -1, reason)
        gross = self.profit(position, quantity, price, ratio)
        self.cash += gross
        entry_share = round(Fraction(position.commission * quantity, position.quantity))
        financing_share = round(Fraction(position.financing * quantity, position.quantity))
        row = trade_row(position, quantity, price, reason, ratio)
        self.trades.append(row | {"gross": gross, "commission": entry_share + commission, "financing": financing_share})
        position.commission -= entry_share
        position.financing -= financing_share
        position.quantity -= quantity
        position.ordered = min(position.ordered, position.quantity)
        if position.quantity == 0:
            self.positions.remove(position)

    def deal(
        self, series: Series, direction: int, quantity: int, price: int, position: int, order: int, reason: int
    ) -> tuple[Fraction, int]:
        """Every fill: its conversion ratio and its commission, charged at once."""
        ratio = self.ratio(series, price)
        commission = self.commission(series, quantity, round(price * quantity * series.instrument.unit_value * ratio))
        self.cash -= commission
        place = (series.stamps[series.bar], series.number, series.bar)
        row = (*place, direction, quantity, price, commission, ratio.numerator, ratio.denominator, position, order, reason)
        self.fills.append(named(rec.FILL.names, row))
        return ratio, commission

    # ---- money

    def commission(self, series: Series, quantity: int, notional: int) -> int:
        rule = self.terms.commission
        per_lot = round(Fraction(rule.per_lot) * MONEY_ONE * quantity / series.instrument.steps_per_lot)
        percent = round(notional * Fraction(rule.percent))
        return max(per_lot + percent, fixed(rule.minimum))

    def profit(self, position: Position, quantity: int, price: int, ratio: Fraction) -> int:
        ticks = position.side * (price - position.entry_price)
        return round(ticks * quantity * position.series.instrument.unit_value * ratio)

    def notional(self, series: Series, quantity: int) -> int:
        return round(series.now(series.raw) * quantity * series.instrument.unit_value * self.ratio(series))

    def ratio(self, series: Series, fill_price: int | None = None) -> Fraction:
        """Account currency for one of the symbol's quote currency; in a fill the symbol's own price is the fill's."""
        quote, account = series.instrument.quote, self.terms.currency
        if quote == account:
            return Fraction(1)
        prices = {id(series): fill_price} if fill_price is not None else {}
        whole = self.pair(quote, account, prices)
        if whole is not None:
            return whole
        first, second = self.pair(quote, "USD", prices), self.pair("USD", account, prices)
        if first is None or second is None:
            raise RunError(f"no pair turns {quote} into {account}, not even through USD; add one with --rates")
        return first * second

    def pair(self, source: str, target: str, prices: dict[int, int]) -> Fraction | None:
        # Reading: which pair converts is settled by what is at hand, not by which of them has a price already.
        for wanted in ((source, target), (target, source)):
            for series in self.known:
                if (series.instrument.base, series.instrument.quote) == wanted:
                    price = prices.get(id(series), series.last)
                    if price is None:
                        raise RunError(f"{series.instrument.symbol} has no price yet to turn {source} into {target}; start it earlier")
                    value = Fraction(price, series.instrument.ticks_per_one)
                    return value if wanted == (source, target) else 1 / value
        return None


# -------------------------------------------------------------------------------------------------------------- rows


def named(names: tuple[str, ...] | None, values: tuple[int, ...]) -> Row:
    assert names is not None
    return dict(zip(names, values, strict=True))


def order_row(order: Order) -> Row:
    decided = (order.decided_bar, order.decided_time)
    first = (order.series.number, order.rule, order.side, order.kind, order.quantity, order.level)
    return named(rec.ORDER.names, (*first, *decided, order.state, order.settled_bar, order.expiry))


def trade_row(position: Position, quantity: int, price: int, reason: int, ratio: Fraction) -> Row:
    """All but the money: `commission`, `financing` and `gross` are the caller's."""
    series = position.series
    entry_value = position.entry_price * quantity * series.instrument.unit_value
    return {
        "position": position.number,
        "symbol": series.number,
        "side": position.side,
        "rule": position.order.rule,
        "entry_bar": position.entry_bar,
        "exit_bar": series.bar,
        "entry_time": series.stamps[position.entry_bar],
        "exit_time": series.stamps[series.bar],
        "entry_price": position.entry_price,
        "exit_price": price,
        "quantity": quantity,
        "entry_notional": round(entry_value * position.entry_ratio),
        "reason": reason,
        "ambiguous": int(position.ambiguous),
        "resolved": int(position.resolved),
        "rate_num": ratio.numerator,
        "rate_den": ratio.denominator,
    }
