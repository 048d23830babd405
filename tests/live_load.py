"""Four markets that never close, signals and prices of them at a steady pace, and what became of every one.

Whoever drives is the publisher, a process of its own as in real life.
"""

import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from pathlib import Path

import redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import BusyLoadingError
from redis.retry import Retry

from sptrader_desktop.adapters.embedded_valkey import valkey_socket
from sptrader_desktop.adapters.redis_publisher import NotPublishedError
from sptrader_desktop.adapters.redis_signals import GROUP, STREAM
from sptrader_desktop.compose_servers import open_publisher
from sptrader_desktop.core.broker_messages import Transaction, What
from sptrader_desktop.core.facts import Acted, SignalJudged, TransactionSeen
from sptrader_desktop.core.signals import Said
from sptrader_desktop.ports import Publisher
from sptrader_desktop.settings import load_settings
from tests.live_process import LiveSession

PRICES = {"BTCUSD": 9_000_000, "ETHUSD": 300_000, "SOLUSD": 20_000, "LTCUSD": 10_000}  # in hundredths
SYMBOLS = tuple(PRICES)
INSTRUMENTS = "instruments:\n" + "".join(
    f"  {symbol}: {{base: {symbol[:3]}, quote: USD, tick: 0.01, pip: 1, step: 0.0001, lot: 1, charged_every_day: true}}\n"
    for symbol in SYMBOLS[1:]
)
STRATEGY = """
name: spoken
version: "1.0.0"
description: Buys a little when it is told to, and leaves when it is told to.
dependencies:
  signals: [signals.ma_crossover]
entry:
  when:
    - signal: ma_crossover
      outputs: {crossover_type: golden_cross}
  action: buy
  size: {mode: units, value: 0.01}
exit:
  signal_exit:
    when:
      - signal: ma_crossover
        outputs: {crossover_type: death_cross}
    action: close_long
  stop_loss: {type: percentage, value: 0.5}
risk:
  position_limit: 1
  max_positions: 8
"""
KINDS = ("golden_cross", "death_cross")
TIMEFRAME = "2s"
STEADY_S = 0.5
MOST_PRICES = 15_000  # a minute; with more signals than that all prices come at once, and seldomer


@dataclass(frozen=True, slots=True)
class Published:
    number: int  # among its publisher's messages
    sent_at: int
    symbol: str
    kind: str


def loaded_session(folder: Path) -> LiveSession:
    """On the four markets; it is started with `timeframe=TIMEFRAME`."""
    folder.mkdir(parents=True, exist_ok=True)
    strategy, instruments = folder / "spoken.yaml", folder / "instruments.yaml"
    strategy.write_text(STRATEGY, encoding="utf-8")
    instruments.write_text(INSTRUMENTS, encoding="utf-8")
    return LiveSession(folder / "live", strategy, SYMBOLS, ("--instruments", str(instruments)))


@dataclass(slots=True)
class Load:
    """Each symbol is entered and left in turn; a price of it comes two slots after its signal, so that what was ordered is filled.

    `doubtful` was not confirmed by the server, and may be in the stream all the same.
    """

    name: str = "load"
    published: dict[str, Published] = field(default_factory=dict)
    doubtful: int = 0
    late: int = 0  # slots in which this process could not keep the pace
    _publisher: Publisher | None = None
    _number: int = 0
    _prices: dict[str, int] = field(default_factory=lambda: dict(PRICES))

    def run(self, a_minute: int, count: int, most_s: float = inf) -> None:
        """A computer that cannot keep the pace publishes as fast as it can, and stops after `most_s`."""
        slot, began, apart = 60 / a_minute, time.perf_counter(), max(1, a_minute // MOST_PRICES)
        for number in range(count):
            due = began + number * slot
            self.late += _until(due) > slot
            if time.perf_counter() - began > most_s:
                return
            self.signal()
            _until(due + slot / 2)
            if apart == 1:
                self.price(SYMBOLS[(self._number - 2) % len(SYMBOLS)])
            elif number % apart == 0:
                self.price()

    def signal(self) -> None:
        symbol, kind = SYMBOLS[self._number % len(SYMBOLS)], KINDS[self._number // len(SYMBOLS) % 2]
        self._number += 1
        try:
            told = self._open().signal(Said("ma_crossover", kind, 0.8, {}, symbol))
        except NotPublishedError:
            self.doubtful += 1
        else:
            assert told.seq is not None, "a publisher numbers its messages"
            self.published[told.id] = Published(told.seq, told.sent_at, symbol, kind)

    def price(self, *symbols: str) -> None:
        told = {}
        for symbol in symbols or SYMBOLS:
            self._prices[symbol] += 1 if self._number // len(SYMBOLS) % 2 else -1  # up and down: it must not wander off to nothing
            bid = self._prices[symbol]
            told[symbol] = {"bid": f"{bid / 100:.2f}", "ask": f"{(bid + 1) / 100:.2f}"}
        try:
            self._open().prices(told)
        except NotPublishedError:
            self.doubtful += 1

    def close(self) -> None:
        if self._publisher is not None:
            self._publisher.close()
            self._publisher = None

    def _open(self) -> Publisher:
        if self._publisher is None:
            self._publisher = open_publisher(load_settings(), self.name)
        return self._publisher


def _until(due: float) -> float:
    """How long ago it was due."""
    while (left := due - time.perf_counter()) > 0:
        time.sleep(left)
    return -left


def settle(session: LiveSession, load: Load, patience_s: float = 300.0) -> float:
    """Prices go on until every signal has its outcome and the broker does nothing more; gives the seconds until then."""
    began = last = time.monotonic()
    before: tuple[int, int] | None = None
    while before is None or before[0] or time.monotonic() - last < STEADY_S:
        assert time.monotonic() - began < patience_s, f"after {patience_s:.0f} s {before} signals wait and transactions are done"
        load.price()
        time.sleep(0.1)
        with asking() as valkey:
            now = waiting(valkey), len(session.done())
        if now != before:
            before, last = now, time.monotonic()
    return last - began


@contextmanager
def asking() -> "Iterator[redis.Redis]":
    """Also of one that is just coming back."""
    settings, retry = load_settings(), Retry(ExponentialBackoff(cap=0.5, base=0.02), 60)
    path = str(valkey_socket(settings.servers, settings.sockets))
    with redis.Redis(unix_socket_path=path, socket_timeout=10.0, retry=retry, retry_on_error=[BusyLoadingError]) as valkey:
        yield valkey


def waiting(valkey: "redis.Redis") -> int:
    """Signals that nobody has read yet, or of which nobody has told what became of them."""
    groups = [group for group in valkey.xinfo_groups(STREAM) if group["name"] == GROUP.encode()]
    return sum(int(group["pending"]) + int(group["lag"] or 0) for group in groups)


# What became of it


@dataclass(frozen=True, slots=True)
class Order:
    """Seconds from before its signal's XADD until that was decided, and until the broker had the order."""

    id: str
    decided: float
    arrived: float


@dataclass(frozen=True, slots=True)
class Account:
    """Of everything that was published, by the journal and the broker's own books."""

    outcomes: Mapping[str, Sequence[str]]  # by signal; one that was decided twice has two
    orders: Mapping[str, Order]  # by signal: those that came to one
    booked: Sequence[Transaction]
    done: Sequence[Transaction]


def account_of(session: LiveSession, *loads: Load) -> Account:
    """Of one that has ended; the broker still runs."""
    outcomes, booked, done = defaultdict[str, list[str]](list), list[Transaction](), session.done()
    published = {name: said for load in loads for name, said in load.published.items()}
    acts = defaultdict[tuple[str, str], list[tuple[int, str]]](list)
    for fact in session.facts():
        match fact:
            case SignalJudged():
                outcomes[fact.id].append(fact.outcome)
            case TransactionSeen():
                booked.append(fact.transaction)
            case Acted() if (said := published.get(fact.signals[0])) is not None:
                acts[said.symbol, said.kind].append((fact.at, fact.signals[0]))
    return Account(outcomes, _orders(acts, done, published), booked, done)


def _orders(
    acts: Mapping[tuple[str, str], Sequence[tuple[int, str]]], done: Sequence[Transaction], published: Mapping[str, Published]
) -> dict[str, Order]:
    """An order is that of the last decision of its kind before the broker had it: between the two lie one commit and one journey."""
    found = {}
    for each in done:
        about = acts.get((each.symbol, KINDS[each.position >= 0]), ()) if each.what is What.ACCEPTED else ()
        at = bisect_right(about, (each.at, "~")) - 1
        if at >= 0:
            decided, name = about[at]
            sent = published[name].sent_at
            found[name] = Order(each.id, (decided - sent) / 1e6, (each.at - sent) / 1e6)
    return found


def check_nothing_is_doubled(account: Account) -> None:
    assert {name: told for name, told in account.outcomes.items() if len(told) > 1} == {}
    assert account.booked == account.done
    assert all(second.n == first.n + 1 for first, second in pairwise(account.done))
    asked = Counter(each.id for each in account.done if each.what is What.ACCEPTED)
    assert set(asked.values()) <= {1}
