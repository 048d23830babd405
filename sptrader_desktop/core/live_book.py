"""The tables of one account that lives: the kernel's own, over a tape that holds only the bar under way of each series.

The account and the paper broker each have one. Bars are counted as they open, so positions and trades name them as a backtest does.
"""

from array import array
from collections.abc import Sequence
from struct import Struct, error
from typing import NamedTuple

import numpy as np

from sptrader_desktop.core.borrow import lend
from sptrader_desktop.core.live_stages import NOTHING, Told, has_room_for_instant
from sptrader_desktop.core.records import ASSESSED, FILL, ORDER, TRADE, VERDICT, WORKING
from sptrader_desktop.core.tables import ACCOUNT, PENDING, POSITION, SERIES, Agenda, Ints, Log, Plan, State, Table, Tape

ROWS = 256
FIGURES = ("equity", "positions", "pending", "orders", "fills", "verdicts", "day")
LOGS = ("trades", "fills", "verdicts", "orders", "days")
USED = Struct("=" + "".join("q" if name in LOGS else "8x" for name in ACCOUNT.names or ()))  # rows of each, out of the account's memory
# A broker may fill one order in many parts, each of which is a position.
MOST_POSITIONS = 512
LONGEST_NUMBER = 18


class BarOpen(NamedTuple):
    """`raw` is the candle's own side, `ask` the same where there is no other; `day` and `weight` are the calendar's for this bar."""

    series: int
    at: int
    raw: int
    ask: int
    day: int
    weight: int


class BarRange(NamedTuple):
    """The whole bar; `closes` is when it was over."""

    series: int
    at: int
    closes: int
    open: int
    high: int
    low: int
    close: int
    ask_open: int
    ask_high: int
    ask_low: int
    ask_close: int


class Hits(NamedTuple):
    """The rules that hold at the close of one bar, one bit each, and the ATR of each slot there."""

    series: int
    entries: int
    exits: int
    atr: Sequence[float]


# How a told bar is written where a stage finds it.
WRITE = {len(kind._fields): Struct(f"{len(kind._fields)}q").pack_into for kind in (BarOpen, BarRange)}
ROW = 8 * len(BarRange._fields)


class Book:
    def __init__(self, plan: Plan, capital: int, slots: int, fine: Tape | None = None) -> None:
        """`slots` is the number of ATR periods; `fine` brings finer candles, which only a replay knows."""
        count = len(plan.symbols)
        self.plan = plan
        self._bars = np.zeros((9, count), np.int64)
        self._over = np.zeros(count, np.int64)
        self.tape = _one_bar_tape(self._bars, self._over, fine)
        self.agenda = Agenda(
            start=np.arange(count + 1, dtype=np.int64),
            bar=np.full(count, -1, np.int64),
            day=np.zeros(count, np.int64),
            weight=np.zeros(count, np.int64),
            entries=np.zeros(count, np.int64),
            exits=np.zeros(count, np.int64),
            atr=np.full((count, max(1, slots)), np.nan),
        )
        self.state = _first_state(plan, capital)
        self.log = _first_log(plan, self.state)
        self.account, self.series = self.state.account, self.state.series
        # What is asked and written at every bar: a number is quicker by its memory than by its array.
        self.figure = {name: self.account[name].data for name in FIGURES}
        self._told = Told(np.full((count, len(BarRange._fields)), NOTHING, np.int64))
        self._inbox = self._told.bars.reshape(-1).view(np.uint8).data
        self._rules = self.agenda.entries.data, self.agenda.exits.data, self.agenda.atr.reshape(-1).data
        self.now, self._slots = self.series["now"], self.agenda.atr.shape[1]
        self._counts = self.account.view(np.uint8).data
        self.lent: Ints = np.zeros(0, np.int64)
        self._lend()

    def _lend(self) -> None:
        self._roomy: tuple[int, ...] = ()  # rows used when there was room for an instant
        self.lent = lend(self.tape, self.agenda, self.plan, self.state, self.log, self._told)

    def tell(self, bars: Sequence[BarOpen] | Sequence[BarRange]) -> None:
        """What opens or closes now; the stage that is entered next takes it from there."""
        try:
            for bar in bars:
                WRITE[len(bar)](self._inbox, bar[0] * ROW, *bar)
        except error as what:
            self._told.bars[:] = NOTHING
            raise ValueError(f"{bars} cannot be kept: {what}") from None

    def rules_hold(self, s: int, entries: int, exits: int, atr: Sequence[float]) -> None:
        """At the close of its last bar."""
        entering, leaving, averages = self._rules
        entering[s], leaving[s] = entries, exits
        averages[s * self._slots : (s + 1) * self._slots] = array("d", atr)

    def see(self, s: int, raw: int, ask: int) -> None:
        """A price between opens and closes, as the close of what is under way so far."""
        self.now.fill(0)
        self.tape.close[s], self.tape.ask_close[s] = raw, ask
        self.now[s] = 1

    def act(self, s: int, at: int) -> None:
        """Something is to be decided on one symbol now, in the bar under way; its positions do not grow older by that."""
        self.now.fill(0)
        self.now[s] = 1
        self.agenda.bar[s], self._over[s] = self.series["under"][s], at
        held = self.state.positions[: self.account["positions"][0]]
        held["closes"][held["symbol"] == s] -= 1

    @property
    def is_crowded(self) -> bool:
        """There is no room in the log for whatever one instant may add."""
        return USED.unpack(self._counts) != self._roomy and not has_room_for_instant(self.lent)

    def make_room(self) -> None:
        """As long as nothing is added, room stays: most instants write no row, and the question itself is a compiled call."""
        used = USED.unpack(self._counts)
        if used != self._roomy:
            while not has_room_for_instant(self.lent):
                self.put_log(self.log._replace(**{name: _doubled(getattr(self.log, name)) for name in LOGS}))
            self._roomy = used

    def forget(self) -> list[int]:
        """Rows of the log that nothing rests on any more; gives those of the orders that stay, as they were numbered until now."""
        account, waiting = self.account, self.state.pending["order"][: self.account["pending"][0]]
        kept = np.unique(waiting)
        rows = self.log.orders[kept]
        waiting[:] = np.searchsorted(kept, waiting)
        for name in LOGS:
            getattr(self.log, name)[: account[name][0]] = 0
            account[name] = 0
        self.log.orders[: len(kept)] = rows
        account["orders"] = len(kept)
        found: list[int] = kept.tolist()
        return found

    def put_log(self, log: Log) -> None:
        self.log = log
        self._lend()

    def tables(self) -> dict[str, Table]:
        """All that changes beside the log, always in the same place."""
        tape = {"start": self.tape.start, "over_start": self.tape.over_start, "bars": self._bars, "over": self._over}
        return tape | {f"agenda {name}": table for name, table in self.agenda._asdict().items()} | self.state._asdict()

    def position(self, number: int) -> int:
        """Where in the table it is now, −1 when it is closed."""
        return _place_of(number, self.state.positions["number"][: self.figure["positions"][0]])

    def waiting(self, order: int) -> int:
        return _place_of(order, self.state.pending["order"][: self.figure["pending"][0]])

    def add_waiting(self, order: int, s: int, side: int, quantity: int) -> int:
        """Room for a fill that nobody waits for any more, or never did."""
        number = order if order >= 0 else int(self.account["orders"][0])
        if order < 0:
            row = self.log.orders[number]
            row["symbol"], row["rule"], row["side"], row["kind"], row["quantity"], row["level"] = s, -1, side, 0, quantity, -1
            row["state"], row["settled_bar"], row["expiry"] = WORKING, -1, -1
            self.account["orders"] += 1
        waiting = np.zeros(1, PENDING)[0]
        waiting["order"], waiting["symbol"], waiting["rule"], waiting["side"], waiting["quantity"] = number, s, -1, side, quantity
        waiting["level"], waiting["bars_left"] = -1, -1
        index = int(self.account["pending"][0])
        self.wait_on(waiting, index)
        return index

    def wait_on(self, waiting: Table, index: int) -> None:
        """Back among the working entries, where it was."""
        pending, count = self.state.pending, int(self.account["pending"][0])
        pending[index + 1 : count + 1] = pending[index:count].copy()
        pending[index] = waiting
        self.account["pending"] += 1
        row = self.log.orders[waiting["order"]]
        row["state"], row["settled_bar"] = WORKING, -1

    def order_close(self, number: int, reason: int) -> None:
        """All of a position, whatever was ordered of it before."""
        index = self.position(number)
        if index >= 0:
            row = self.state.positions[index]
            row["closing"], row["closing_reason"], row["closing_now"] = row["quantity"], reason, 0

    def present_bar(self, s: int) -> int:
        """The bar in which what happens now falls: the one under way, else the last."""
        under = int(self.series["under"][s])
        return under if under >= 0 else int(self.series["next"][s]) - 1


def _one_bar_tape(bars: Ints, over: Ints, fine: Tape | None) -> Tape:
    count, none = bars.shape[1], np.zeros(0, np.int64)
    start = np.zeros(count + 1, np.int64)
    names = ("time", "open", "high", "low", "close", "ask_open", "ask_high", "ask_low", "ask_close")
    if fine is None:
        finer = {name: none for name in Tape._fields if name.startswith("fine_")} | {"fine_start": start.copy()}
    else:
        finer = {name: getattr(fine, name) for name in Tape._fields if name.startswith("fine_")}
    return Tape(
        start=start,
        bar_us=np.zeros(count, np.int64),
        over_start=start.copy(),
        over=over,
        **{name: bars[row] for row, name in enumerate(names)},
        **finer,
        blocks=np.zeros((0, 4), np.int64),
        ask_blocks=np.zeros((0, 4), np.int64),
    )


def _first_state(plan: Plan, capital: int) -> State:
    account, series = np.zeros(1, ACCOUNT), np.zeros(len(plan.symbols), SERIES)
    for name in ("cash", "equity", "peak", "trough", "base"):
        account[name] = capital
    account["day"] = -(2**40)
    series["under"] = -1
    most = max(MOST_POSITIONS, 2 * len(plan.exits) * int(plan.entries["most"].max(initial=1)) + 8)
    return State(account, series, np.zeros(most, POSITION), np.zeros(most, PENDING))


def _first_log(plan: Plan, state: State) -> Log:
    """With room for a few instants: rows that nobody wrote cost nothing, and to double them does."""
    rows = ROWS + 3 * (len(state.positions) + len(state.pending) + plan.entries.size)
    return Log(
        np.zeros(rows, TRADE),
        np.zeros(2 * rows, FILL),
        np.zeros(rows, VERDICT),
        np.zeros(rows, ORDER),
        np.zeros(0, np.int64),
        np.zeros((ROWS, 2), np.int64),
        np.zeros(0, ASSESSED),
    )


def _place_of(number: int, column: Ints) -> int:
    """As a list: of the few rows that there are, numpy looks for one in five times the time."""
    found: list[int] = column.tolist()
    return found.index(number) if number in found else -1


def _doubled(table: Table) -> Table:
    return np.concatenate([table, np.zeros_like(table)])


def number_in(text: str) -> int:
    """Of a position; −1 where it can be none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER else -1
