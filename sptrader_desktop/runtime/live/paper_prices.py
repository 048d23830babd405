"""The paper broker on prices: each is a bar of one price in the broker's own count, at which whatever is due is filled.

Nothing here is random: whether an order is refused or filled in parts follows from the seed, its id and its own history. `trick`s are
what brokers do wrong, for tests; they happen once each.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

import numpy as np

from sptrader_desktop.core import live_stages as stages
from sptrader_desktop.core.broker_messages import Cancel, Close, Place, Protect, Request, Transaction, What
from sptrader_desktop.core.calendar import HOUR_US, financing_weights, trading_day, weekday
from sptrader_desktop.core.live_book import BarOpen, Book
from sptrader_desktop.core.live_worth import Seen, is_too_far
from sptrader_desktop.core.money import FRACTION_ONE
from sptrader_desktop.core.records import WORKING
from sptrader_desktop.core.tables import AT_OPEN, INVERSE
from sptrader_desktop.runtime.live.bars_from_prices import AHEAD_US
from sptrader_desktop.runtime.live.paper import NOWHERE, PaperBroker

LARGEST = 2**58  # of a position's worth in 1e-8, so that no arithmetic on it leaves 64 bits
REASONS = ("no liquidity", "price moved")

Trick = Literal["reject", "partial", "overfill", "fill_after_cancel", "no_protect"]


@dataclass(frozen=True, slots=True)
class Frictions:
    """Chances and shares in 1e-8. An order works from `latency_us` after it came; of a part, `least` of what is left fills at the least."""

    seed: int = 0
    latency_us: int = 0
    partial: int = 0
    least: int = FRACTION_ONE // 10
    reject: int = 0
    reasons: tuple[str, ...] = REASONS
    stops_out: bool = True


@dataclass(frozen=True, slots=True)
class Market:
    """What the broker must know of a symbol besides its row of the plan. `spread` is in ticks, for prices that are mids."""

    spread: int = 0
    charged_every_day: bool = False
    never_closes: bool = False


@dataclass(frozen=True, slots=True)
class OnItsWay:
    """Accepted, and not at work before `due`."""

    due: int
    request: Place | Close


class PricedBroker(PaperBroker):
    """Times are microseconds UTC, of requests when they came, of prices their own. They never go back."""

    def __init__(
        self, symbols: Sequence[str], book: Book, markets: Sequence[Market], frictions: Frictions, *, holds_stops: bool = True
    ) -> None:
        super().__init__(symbols, book, holds_stops=holds_stops)
        self.markets, self.frictions = tuple(markets), frictions
        self.clock = self._now = 0
        self.way: list[OnItsWay] = []
        self._tricks: deque[tuple[Trick, str]] = deque()
        self._hours: dict[int, bool] = {}  # hour → whether the FX week is open in it; only the latest

    def trick(self, kind: Trick, why: str = "") -> None:
        self._tricks.append((kind, why))

    def resume(self, n: int, clock: int, ids: Sequence[str], way: Sequence[OnItsWay]) -> None:
        """`ids` of the working orders, oldest first."""
        self._resume(n)
        self.clock, self.way = clock, list(way)
        for row, name in zip(self.book.state.pending, ids, strict=False):
            number = int(row["order"])
            self.ids[number], self._orders[name] = name, number
            self._seen.waiting.add(number)
        self.book.make_room()
        for number in self.ids:
            self.book.log.orders["state"][number] = WORKING
        self.book.log.orders["symbol"][list(self.ids)] = self.book.state.pending["symbol"][: len(ids)]

    # Prices

    def price(self, symbol: str, at: int, raw: int, ask: int | None = None, now: int | None = None) -> list[Transaction]:
        """Without `ask` a mid. One that is impossible, late, of no symbol of ours or beyond exact money does nothing.
        `now`, where there is a clock: one that was ahead cannot take its time back, so prices go on in it, at half its pace."""
        s = self.symbols.index(symbol) if symbol in self.symbols else NOWHERE
        if now is not None:
            passed, self._now = max(0, now - (self._now or now)), now
            at = max(at, self.clock + passed // 2) if self.clock > now and at > now - AHEAD_US else at
        if s == NOWHERE or raw <= 0 or (ask is not None and ask < raw) or at < self.book.tape.time[s]:
            return []
        coming = sum(item.request.quantity for item in self.way if isinstance(item.request, Place))
        if is_too_far(self.book.plan, self.book.state, Seen(s, raw, raw if ask is None else ask), coming):
            return []
        self.clock = max(self.clock, at)
        self.book.make_room()
        told = self._arrived(s, at)
        weight = self._weight(s, at)
        self._take_sides(s, is_mid=ask is None)
        self.book.tell([BarOpen(s, at, raw, raw if ask is None else ask, 0, weight)])
        stages.broker_takes_price(self.book.lent)
        self._fill_entries(s)
        told += self._told(AT_OPEN)
        stages.broker_guards(self.book.lent, self.frictions.stops_out)
        return told + self._told(AT_OPEN)

    def _weight(self, s: int, at: int) -> int:
        """Days of financing due between the last price and this one. Rolls are on full hours."""
        before = int(self.book.tape.time[s])
        if not before or before // HOUR_US == at // HOUR_US:
            return 0
        return int(financing_weights(np.array([before, at]), self.markets[s].charged_every_day)[1])

    def _take_sides(self, s: int, *, is_mid: bool) -> None:
        spread = self.markets[s].spread if is_mid else 0
        row = self.book.plan.symbols[s]
        row["bid_shift"], row["ask_shift"] = -(spread // 2), spread - spread // 2

    def _arrived(self, s: int, at: int) -> list[Transaction]:
        """What is due by now begins to work."""
        told, left = list[Transaction](), list[OnItsWay]()
        for item in self.way:
            if item.due > at or self._place_of(item.request) not in {s, NOWHERE}:
                left.append(item)
            elif isinstance(item.request, Place):
                self._wait(item.request)
                self._seen.tables = None
            else:
                told += self._close_arrived(item.request)
        self.way = left
        return told

    def _place_of(self, request: Place | Close) -> int:
        return self.symbols.index(request.symbol) if isinstance(request, Place) else self._series.get(request.position, NOWHERE)

    def _close_arrived(self, request: Close) -> list[Transaction]:
        index = self.book.position(request.position)
        if index < 0:
            return [self._too_late(request)]
        return self._order_close(request, index)

    def _fill_entries(self, s: int) -> None:
        """One by one, oldest first; what is left of a part waits for the next price."""
        account, pending = self.book.account, self.book.state.pending
        i = 0
        while i < account["pending"][0]:
            before = pending[i].copy()
            number, quantity = int(before["order"]), int(before["quantity"])
            part, trick = self._part(self.ids[number], quantity) if before["symbol"] == s else (0, None)
            pending["quantity"][i] = part
            if not part or not stages.broker_fills_entry(self.book.lent, i):
                pending["quantity"][i] = quantity
                i += 1
                continue
            if trick:
                self._tricks.popleft()
            if part < quantity:
                before["quantity"] = quantity - part
                self.book.wait_on(before, i)
                i += 1

    def _part(self, name: str, quantity: int) -> tuple[int, Trick | None]:
        """How much of an order fills where it fills, and the trick that made it so."""
        trick = self._tricks[0][0] if self._tricks else None
        if trick == "overfill":
            return quantity + max(1, quantity // 10), trick
        if trick != "partial" and self._drawn("part", name, quantity) >= self.frictions.partial:
            return quantity, None
        used = trick if trick == "partial" else None
        if quantity < 2 or not self._has_room():
            return quantity, used
        share = self.frictions.least + (FRACTION_ONE - self.frictions.least) * self._drawn("share", name, quantity) // FRACTION_ONE
        return min(max(1, quantity * share // FRACTION_ONE), quantity - 1), used

    def _drawn(self, *salt: object) -> int:
        """Below FRACTION_ONE, always the same for the same."""
        text = "\0".join(map(str, (self.frictions.seed, *salt)))
        return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") % FRACTION_ONE

    def _has_room(self) -> bool:
        account = self.book.account[0]
        orders = sum(isinstance(item.request, Place) for item in self.way)
        return bool(account["positions"] + account["pending"] + orders < len(self.book.state.positions))

    def close_all(self, reason: str) -> list[Transaction]:
        """What is on its way comes too late."""
        told = [self._too_late(item.request) for item in self.way]
        self.way.clear()
        return told + super().close_all(reason)

    def _too_late(self, request: Place | Close) -> Transaction:
        position = request.position if isinstance(request, Close) else -1
        return self._tell(What.CANCELLED, request.id, self._place_of(request), position, reason="it comes too late")

    # Requests

    def ask(self, request: Request, at: int | None = None) -> list[Transaction]:
        """`at` is when it came; without, the market's own time."""
        came = self.clock if at is None else at
        self.clock = max(self.clock, came)
        self.book.make_room()
        match request:
            case Place():
                s = self.symbols.index(request.symbol) if request.symbol in self.symbols else NOWHERE
                return [self._accepted(request, s, request.symbol, came)]
            case Close():
                s = self._series.get(request.position, NOWHERE)
                return [self._accepted(request, s, "" if s == NOWHERE else self.symbols[s], came)]
            case _:
                return super().ask(request)

    def _protect(self, request: Protect) -> Transaction:
        if self._tricks and self._tricks[0][0] == "no_protect" and self.book.position(request.position) >= 0:
            why = self._tricks.popleft()[1] or REASONS[1]
            return self._tell(What.REJECTED, request.id, self._series[request.position], request.position, reason=why)
        return super()._protect(request)

    def _accepted(self, request: Place | Close, s: int, symbol: str, came: int) -> Transaction:
        why = self._refusal(request, s, came)
        if not why:
            self.way.append(OnItsWay(came + self.frictions.latency_us, request))
        self.n += 1
        what = What.REJECTED if why else What.ACCEPTED
        position = request.position if isinstance(request, Close) else -1
        return Transaction(self.n, what, request.id, self.clock, symbol, position, reason=why, cash=self._cash)

    def _refusal(self, request: Place | Close, s: int, came: int) -> str:
        if s == NOWHERE:
            return "unknown symbol" if isinstance(request, Place) else "there is no such position"
        if not self.book.plan.symbols["traded"][s]:
            return "not traded here"
        if not self._has_price(s):
            return "no price yet"
        if not self._is_open(s, came):
            return "market closed"
        if isinstance(request, Place) and not self._has_room():
            return "too many orders"
        if isinstance(request, Place) and self._is_too_large(s, request.quantity):
            return "too large"
        if self._tricks and self._tricks[0][0] == "reject":
            return self._tricks.popleft()[1] or REASONS[0]
        if self._drawn("reject", request.id) < self.frictions.reject:
            return self.frictions.reasons[self._drawn("reason", request.id) % len(self.frictions.reasons)]
        return ""

    def _has_price(self, s: int) -> bool:
        """Those of the pairs that turn its money into the account's included."""
        row, last = self.book.plan.symbols[s], self.book.series["last"]
        legs = [int(row[leg]) for leg in ("leg1", "leg2") if row[f"{leg}_kind"]]
        return all(last[of] > 0 for of in (s, *legs))

    def _is_open(self, s: int, at: int) -> bool:
        hour = at // HOUR_US
        if self.markets[s].never_closes:
            return True
        if hour not in self._hours:
            self._hours = {hour: bool(weekday(trading_day(np.array([at])))[0] < 5)}
        return self._hours[hour]

    def _is_too_large(self, s: int, quantity: int) -> bool:
        row = self.book.plan.symbols[s]
        worth = quantity * max(int(self.book.series["last"][s]), int(self.book.series["ask"][s])) * int(row["unit_value"])
        if worth >= LARGEST:
            return True
        for leg in ("leg1", "leg2"):
            price, scale = int(self.book.series["last"][row[leg]]), int(row[f"{leg}_scale"])
            if row[f"{leg}_kind"]:
                worth = worth * scale // price if row[f"{leg}_kind"] == INVERSE else worth * price // scale
        return worth >= LARGEST

    def _cancel(self, request: Cancel) -> Transaction:
        coming = next((item for item in self.way if isinstance(item.request, Place) and item.request.id == request.order), None)
        if coming is None and request.order not in self._orders:
            return super()._cancel(request)
        if self._tricks and self._tricks[0][0] == "fill_after_cancel":
            self._tricks.popleft()
            return self._tell(What.CANCELLED, request.order, self._series_of(request.order, coming))
        if coming is None:
            return super()._cancel(request)
        self.way.remove(coming)
        return self._tell(What.CANCELLED, request.order, self._series_of(request.order, coming))

    def _series_of(self, order: str, coming: OnItsWay | None) -> int:
        if coming is not None:
            return self._place_of(coming.request)
        return int(self.book.state.pending["symbol"][self.book.waiting(self._orders[order])])

    def _at(self, _: int, /) -> int:
        return self.clock
