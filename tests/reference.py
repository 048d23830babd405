"""docs/bar-rules.md once more in plain Python: the oracle with which the compiled kernel is compared.

Written from the text alone and meant to be read beside it: Python integers and fractions (`round` of a Fraction is half to even),
floats only in Wilder's ATR, no speed. It must never import the kernel or its arithmetic. Where the text was silent a comment says
"Reading:" and what was understood.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor

from sptrader_desktop.core import records as rec
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.money import fixed
from sptrader_desktop.core.rules import RuleHits
from sptrader_desktop.core.strategy import EntryRule, Strategy
from sptrader_desktop.core.terms import Terms
from tests.reference_bars import (
    Exit,
    Order,
    Position,
    Series,
    entry_reading,
    level_exit,
    level_price,
    plain_reading,
    roll_weight,
    series_of,
    trading_day,
    walk,
)
from tests.reference_books import Books, Row, named, order_row

DECIDED_AT_CLOSE = (rec.SIGNAL_EXIT, rec.PARTIAL, rec.TIME_EXIT, rec.REVERSE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rows keyed as the dtypes of core.records; `equity` holds (instant, money) pairs."""

    trades: list[Row]
    fills: list[Row]
    verdicts: list[Row]
    orders: list[Row]
    equity: list[tuple[int, int]]
    final_cash: int


def simulate(
    candles: Sequence[Candles],
    hits: Sequence[RuleHits],
    strategy: Strategy,
    terms: Terms,
    rates: Sequence[Candles] = (),
    finer: Mapping[str, Candles] | None = None,
) -> Outcome:
    return Simulation(candles, hits, strategy, terms, rates, finer or {}).run()


class Simulation:
    def __init__(
        self,
        candles: Sequence[Candles],
        hits: Sequence[RuleHits],
        strategy: Strategy,
        terms: Terms,
        rates: Sequence[Candles],
        finer: Mapping[str, Candles],
    ) -> None:
        self.strategy, self.exits, self.risk, self.terms = strategy, strategy.exits, strategy.risk, terms
        self.traded = [series_of(item, number, terms.spread_pips) for number, item in enumerate(candles)]
        self.known = self.traded + [series_of(item, -1, Decimal(0)) for item in rates]
        self.books = Books(terms, strategy.exits, self.known)
        self.finer = {symbol: series_of(item, -1, terms.spread_pips) for symbol, item in finer.items()}
        self.entry_hits: list[list[list[bool]]] = [item.entries.tolist() for item in hits]
        self.exit_hits: list[list[list[bool]]] = [item.exits.tolist() for item in hits]
        self.equity = self.recorded = self.peak = self.base = fixed(terms.capital)
        self.day: dt.date | None = None
        self.breaches: set[int] = set()  # at this instant
        self.halts: set[int] = set()  # from earlier instants
        self.stopped_out = False
        self.verdicts: list[Row] = []
        self.curve: list[tuple[int, int]] = []

    def run(self) -> Outcome:
        opens = {stamp for series in self.known for stamp in series.stamps}
        closes = {close for series in self.known for close in series.closes}
        for time in sorted(opens | closes):
            self.close_bars(time, [series for series in self.known if series.closes_at(time)])
            self.open_bars(time, [series for series in self.known if series.opens_at(time)])
        self.end_of_data()
        books = self.books
        return Outcome(books.trades, books.fills, self.verdicts, [order_row(order) for order in books.placed], self.curve, books.cash)

    # ---- when bars open

    def open_bars(self, time: int, opening: list[Series]) -> None:
        # Reading: a rate's bar moves its `last` and nothing else; only a traded symbol's open can begin a day.
        traded = [series for series in opening if series.number >= 0]
        if traded:
            self.begin_day(time)
        for series in traded:
            self.finance(series)
        for series in opening:
            series.bar, series.closed = series.bar + 1, False
        for series in traded:
            self.fill_at_open(series)

    def begin_day(self, time: int) -> None:
        day = trading_day(time)
        if self.day is not None and day > self.day:
            self.base = self.recorded
            self.halts.discard(rec.DAILY_LOSS)
        self.day = day

    def finance(self, series: Series) -> None:
        held = self.books.of(series)
        if not held:
            return
        item = series.instrument
        weight = roll_weight(series.stamps[series.bar], series.stamps[series.bar + 1], item.charged_every_day)
        for position in held:
            rate = item.long_rate if position.side == rec.LONG else item.short_rate
            amount = round(self.books.notional(series, position.quantity) * Fraction(rate) * weight / 365)
            position.financing += amount
            self.books.cash += amount

    def fill_at_open(self, series: Series) -> None:
        for position in self.books.of(series):
            if position.ordered:
                self.books.leave_as_ordered(position, series.side(-position.side)[series.bar].open)
        for order in self.books.waiting(series):
            price = series.side(order.side)[series.bar].open
            if order.kind == rec.MARKET or order.reached_by(price, price):
                self.books.enter(order, price, "open")

    # ---- when bars close

    def close_bars(self, time: int, closing: list[Series]) -> None:
        traded = [series for series in closing if series.number >= 0]
        self.breaches, self.stopped_out = set(), False
        for series in traded:
            self.touch_entries(series)
        for series in traded:
            self.protect(series)
        for series in closing:
            series.closed = True
        if not traded:
            return
        self.mark(traded)
        for series in traded:
            self.exit_by_rules(series)
        for series in traded:
            self.enter_by_rules(series, time)
        if self.terms.fill == "close":
            filled = [self.fill_at_close(series) for series in traded]
            if any(filled):
                self.mark(traded)
        self.record(time)

    def touch_entries(self, series: Series) -> None:
        for order in [order for order in self.books.waiting(series) if order.kind != rec.MARKET]:
            bar = series.side(order.side)[series.bar]
            if order.reached_by(bar.low, bar.high):
                self.books.enter(order, order.level, "inside")
                continue
            order.bars_left -= 1
            if order.bars_left == 0:
                self.books.settle(order, rec.EXPIRED)

    def protect(self, series: Series) -> None:
        exited: set[int] = set()
        for position in self.books.of(series):
            reading = None if position.number in exited else self.protective_exit(position)
            if reading is None:
                continue
            if reading.level == "target" and self.exits.scale_out:
                exited |= self.take_partial_target(series, reading.price)
            elif reading.level == "target":
                self.books.leave(position, position.quantity, reading.price, rec.TAKE_PROFIT, slips=False)
            else:
                reason = rec.TRAILING_STOP if position.is_trailed else rec.STOP_LOSS
                self.books.leave(position, position.quantity, reading.price, reason, slips=True)

    def protective_exit(self, position: Position) -> Exit | None:
        series = position.series
        bar = series.side(-position.side)[series.bar]
        inside = position.born == "inside" and position.entry_bar == series.bar
        reading = entry_reading(position, bar) if inside else plain_reading(position, bar)
        if reading != "ambiguous":
            return reading
        finer = self.finer.get(series.instrument.symbol)
        told = walk(position, finer, series.stamps[series.bar], series.closes[series.bar], inside=inside) if finer else None
        if told:
            position.resolved = True
            return None if told == "untouched" else told
        position.ambiguous = True
        return level_exit(position, bar, "stop" if self.terms.intrabar == "stop_first" else "target")

    def take_partial_target(self, series: Series, price: int) -> set[int]:
        """Reading: the position whose target it was is done with this bar even when nothing could be closed."""
        held, exited = self.books.of(series), set()
        left = self.part(sum(position.quantity for position in held))
        for position in held:
            position.target = None
            steps = min(left, position.quantity)
            if steps:
                self.books.leave(position, steps, price, rec.PARTIAL, slips=False)
                exited.add(position.number)
                left -= steps
        return exited

    def part(self, steps: int) -> int:
        assert self.exits.partial_close_pct is not None, "a strategy that closes parts says which part"
        return floor(steps * Fraction(self.exits.partial_close_pct))

    # ---- the mark

    def mark(self, closing: list[Series]) -> None:
        for position in self.books.positions:
            if position.series in closing:
                self.trail(position)
        profits = [self.unrealised(position) for position in self.books.positions]
        self.equity = self.books.cash + sum(profits)
        self.watch_limits()
        self.stop_out(profits)

    def trail(self, position: Position) -> None:
        rule, side = self.exits.trailing_stop, position.side
        close = position.series.side(-side)[position.series.bar].close
        position.peak = max(position.peak, close) if side == rec.LONG else min(position.peak, close)
        if rule is not None and side * (position.peak - position.entry_price) >= Fraction(rule.activation) * position.entry_price:
            position.trail = round(position.peak * (1 - side * Fraction(rule.trail)))

    def unrealised(self, position: Position) -> int:
        price = position.series.now(position.series.side(-position.side))
        return self.books.profit(position, position.quantity, price, self.books.ratio(position.series))

    def watch_limits(self) -> None:
        peak, found = max(self.peak, self.equity), set()
        if self.risk.max_drawdown is not None and breached(peak, self.equity, self.risk.max_drawdown):
            found.add(rec.MAX_DRAWDOWN)
        if self.risk.daily_loss_limit is not None and breached(self.base, self.equity, self.risk.daily_loss_limit):
            found.add(rec.DAILY_LOSS)
        self.breaches |= found
        if found:
            self.books.cancel_pending()
            for position in self.books.positions:
                position.order_closed(rec.RISK_HALT)

    def stop_out(self, profits: list[int]) -> None:
        positions = self.books.positions
        staying = [pair for pair in zip(profits, positions, strict=True) if pair[1].staying]
        if not staying or self.stopped_out:
            return
        exposure = sum(self.books.notional(position.series, position.quantity) for position in positions)
        if self.equity <= exposure / Fraction(self.terms.leverage) / 2:
            _, loser = min(staying, key=lambda pair: (pair[0], pair[1].number))
            loser.order_closed(rec.STOP_OUT)
            self.stopped_out = True

    def record(self, time: int) -> None:
        # Reading: "halted" means by an earlier instant, so at the breaching close itself the verdict names the breached limit.
        self.halts |= self.breaches
        self.recorded, self.peak = self.equity, max(self.peak, self.equity)
        self.curve.append((time, self.equity))

    # ---- decisions

    def exit_by_rules(self, series: Series) -> None:
        sides = {"close_all": (rec.LONG, rec.SHORT), "close_long": (rec.LONG,), "close_short": (rec.SHORT,), "close_partial": ()}
        for rule, hit in zip(self.exits.rules, self.exit_hits[series.number], strict=True):
            if not hit[series.bar]:
                continue
            if rule.action == "close_partial":
                self.order_partial(series)
            for position in self.books.of(series):
                if position.side in sides[rule.action]:
                    position.order_closed(rec.SIGNAL_EXIT)
        for position in self.books.of(series):
            if position.closes_seen(series.bar) == self.exits.time_exit:
                position.order_closed(rec.TIME_EXIT)

    def order_partial(self, series: Series) -> None:
        held = self.books.of(series)
        left = self.part(sum(position.quantity - position.ordered for position in held))
        for position in held:
            steps = min(left, position.quantity - position.ordered)
            if steps:
                position.ordered, position.reason = position.ordered + steps, rec.PARTIAL
                left -= steps

    def enter_by_rules(self, series: Series, time: int) -> None:
        for number, (rule, hit) in enumerate(zip(self.strategy.entries, self.entry_hits[series.number], strict=True)):
            if not hit[series.bar]:
                continue
            verdict, wanted, quantity = self.judge(series, rule)
            order = self.place(series, number, rule, quantity, time) if verdict == rec.PLACED else -1
            row = (time, series.number, series.bar, number, verdict, wanted, quantity, order, 0, 0)
            self.verdicts.append(named(rec.VERDICT.names, row))

    def judge(self, series: Series, rule: EntryRule) -> tuple[int, int, int]:
        """The verdict, the steps wanted and the steps that may be ordered."""
        side = sign(rule)
        held = [position for position in self.books.of(series) if position.staying]
        waiting = self.books.waiting(series)
        against: list[Position | Order] = [*(p for p in held if p.side != side), *(o for o in waiting if o.side != side)]
        if against and not rule.reverse:
            return rec.OPPOSITE, 0, 0
        for item in against:
            if isinstance(item, Position):
                item.order_closed(rec.REVERSE)
            else:
                self.books.settle(item, rec.CANCELLED)
        if len(held) + len(waiting) - len(against) >= (rule.max_positions if rule.scale_in else 1):
            return rec.ALREADY_IN, 0, 0
        levels = (rule.order.offset, self.exits.stop_loss, self.exits.take_profit)
        if any(level and level.kind == "atr" and series.atr(level.period, series.bar) is None for level in levels):
            return rec.NO_ATR, 0, 0
        wanted = self.wanted(series, rule)
        verdict, quantity = self.pass_risk(series, wanted)
        return verdict, wanted, quantity

    def wanted(self, series: Series, rule: EntryRule) -> int:
        item, size, close = series.instrument, rule.size, series.raw[series.bar].close
        if size.mode == "units":
            return floor(Fraction(size.value) / Fraction(item.step))
        if size.mode == "lots":
            return floor(Fraction(size.value) * Fraction(item.lot) / Fraction(item.step))
        if size.mode == "fraction":
            return self.affordable(series, size.value, close)
        if self.exits.stop_loss is None:
            return 0
        # Reading: a stop on the wrong side of the close (`price` can be) leaves no distance.
        stop = level_price(self.exits.stop_loss, close, -sign(rule), series, series.bar)
        return self.affordable(series, size.value, sign(rule) * (close - stop))

    def affordable(self, series: Series, fraction: Decimal, ticks: int) -> int:
        if self.equity <= 0 or ticks <= 0:
            return 0
        budget = floor(self.equity * Fraction(fraction))
        return floor(budget / self.books.ratio(series)) // (ticks * series.instrument.unit_value)

    def pass_risk(self, series: Series, wanted: int) -> tuple[int, int]:
        staying = [position for position in self.books.positions if position.staying]
        if self.halts:
            return rec.HALTED, 0
        if self.risk.max_positions is not None and len(staying) + len(self.books.pending) >= self.risk.max_positions:
            return rec.MAX_POSITIONS, 0
        for limit in (rec.MAX_DRAWDOWN, rec.DAILY_LOSS):
            if limit in self.breaches:
                return limit, 0
        held = sum(self.books.notional(position.series, position.quantity - position.ordered) for position in staying)
        waiting = sum(self.books.notional(order.series, order.quantity) for order in self.books.pending)
        if held + waiting + self.books.notional(series, wanted) > Fraction(self.terms.leverage) * self.equity:
            return rec.MARGIN, 0
        if self.risk.position_limit is not None:
            wanted = min(wanted, self.affordable(series, self.risk.position_limit, series.raw[series.bar].close))
        return (rec.PLACED, wanted) if wanted > 0 else (rec.ZERO_SIZE, 0)

    def place(self, series: Series, number: int, rule: EntryRule, quantity: int, time: int) -> int:
        kind, level, side = rec.ORDER_KINDS.index(rule.order.kind), -1, sign(rule)
        if rule.order.offset is not None and kind != rec.MARKET:
            towards = -side if kind == rec.LIMIT else side
            level = level_price(rule.order.offset, series.raw[series.bar].close, towards, series, series.bar)
        expiry = -1 if rule.order.expiry is None else rule.order.expiry
        order = Order(len(self.books.placed), series, number, side, kind, quantity, level, series.bar, time, expiry, bars_left=expiry)
        self.books.place(order)
        return order.number

    def fill_at_close(self, series: Series) -> bool:
        leaving = [position for position in self.books.of(series) if position.ordered and position.reason in DECIDED_AT_CLOSE]
        entering = [order for order in self.books.waiting(series) if order.kind == rec.MARKET]
        for position in leaving:
            self.books.leave_as_ordered(position, series.side(-position.side)[series.bar].close)
        for order in entering:
            self.books.enter(order, series.side(order.side)[series.bar].close, "close")
        return bool(leaving or entering)

    def end_of_data(self) -> None:
        self.books.cancel_pending()
        for series in self.traded:
            for position in self.books.of(series):
                price = series.side(-position.side)[-1].close
                self.books.leave(position, position.quantity, price, rec.END_OF_DATA, slips=True)
        if self.curve:
            self.curve[-1] = (self.curve[-1][0], self.books.cash)


def sign(rule: EntryRule) -> int:
    return rec.LONG if rule.side == "long" else rec.SHORT


def breached(start: int, equity: int, limit: Decimal) -> bool:
    return start <= 0 or start - equity >= Fraction(limit) * start
