"""The limits of a live account, for all of it and for each symbol: what is used of each, what an entry may still take, what was breached.

A breach holds until a person re-arms, whatever prices do meanwhile. Limits come in by a fact and all else follows from facts, so that a
restart comes to the same breaches. Without limits none of this does anything.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from sptrader_desktop.core.live_worth import NodeFigures
from sptrader_desktop.core.money import money_text, round_ratio

WHOLE = "*"  # the account, in place of a symbol
MINUTE_US = 60_000_000
LOSSES = ("daily loss", "drawdown")
RATE = "order rate"

Unit = Literal["money", "count"]


class NodeLimits(NamedTuple):
    """Of the account (`WHOLE`) or of a symbol; None is no limit. Money in 1e-8 of the account's currency."""

    scope: str
    daily_loss: int | None = None
    drawdown: int | None = None
    exposure: int | None = None
    margin: int | None = None
    positions: int | None = None
    orders_a_minute: int | None = None
    flattens: bool = False


def tightest(known: Iterable[NodeLimits], wanted: Iterable[NodeLimits]) -> tuple[NodeLimits, ...]:
    """Of two sets of limits the nearer of each."""
    found = {each.scope: each for each in wanted}
    for one in known:
        other = found.get(one.scope, NodeLimits(one.scope))
        nearer: dict[str, Any] = {
            name: min((limit for limit in (getattr(one, name), getattr(other, name)) if limit is not None), default=None)
            for name in NodeLimits._fields[1:-1]
        }
        found[one.scope] = one._replace(**nearer, flattens=one.flattens or other.flattens)
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class Gauge:
    """`used` of `limit`, which is None where there is none; both in `unit`: 1e-8 of money, or a count."""

    name: str
    unit: Unit
    used: int
    limit: int | None
    is_latched: bool = False
    scope: str = WHOLE

    @property
    def headroom(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used)

    @property
    def is_breached(self) -> bool:
        """A loss breaches its limit when it comes to it, everything else beyond it."""
        if self.limit is None:
            return False
        return self.used >= max(1, self.limit) if self.name in LOSSES else self.used > self.limit

    def words(self, verb: str) -> str:
        who = "the account" if self.scope == WHOLE else self.scope
        used, limit = (money_text(figure) if self.unit == "money" else str(figure) for figure in (self.used, self.limit or 0))
        return f"{who}: {self.name} {used} {verb} the limit of {limit}"


class Breach(NamedTuple):
    scope: str
    words: str


@dataclass(slots=True)
class Node:
    """`base` is the value at the beginning of the trading day, `peak` the best since the limits were set or a person re-armed."""

    limits: NodeLimits
    base: int
    peak: int
    latched: dict[str, str] = field(default_factory=dict)  # name of the limit → what was found
    asked: deque[int] = field(default_factory=deque)  # when entries were asked for, the last minute's


class RiskTree:
    def __init__(self, leverage: int) -> None:
        """`leverage` in hundredths."""
        self.nodes: dict[str, Node] = {}
        self._leverage = leverage
        self._now = 0

    @property
    def limits(self) -> tuple[NodeLimits, ...]:
        """Those in force."""
        return tuple(node.limits for node in self.nodes.values() if node.limits != NodeLimits(node.limits.scope))

    def limit(self, limits: Iterable[NodeLimits], figures: Mapping[str, NodeFigures]) -> None:
        """In place of all before. What was breached stays so; what a limit is measured from stays where the node had one."""
        wanted = {each.scope: each for each in limits}
        for scope in [*self.nodes, *(scope for scope in wanted if scope not in self.nodes)]:
            value = figures[scope].value
            node = self.nodes.setdefault(scope, Node(NodeLimits(scope), value, value))
            node.limits = wanted.get(scope, NodeLimits(scope))
        self.nodes = {scope: node for scope, node in self.nodes.items() if scope in wanted or node.latched}

    def roll(self, figures: Mapping[str, NodeFigures]) -> None:
        """A trading day begins."""
        for scope, node in self.nodes.items():
            node.base = figures[scope].value

    def check(self, figures: Mapping[str, NodeFigures], at: int) -> list[Breach]:
        """What is breached now and was not before; it is latched from here on."""
        self._advance(at)
        found = list[Breach]()
        for scope, node in self.nodes.items():
            node.peak = max(node.peak, figures[scope].value)
            found += [self._latch(gauge) for gauge in self._gauges(node, figures[scope]) if gauge.is_breached and not gauge.is_latched]
        return found

    def would_breach(self, figures: Mapping[str, NodeFigures]) -> bool:
        """Whether `check` would find something new."""
        return any(
            gauge.is_breached and not gauge.is_latched for scope, node in self.nodes.items() for gauge in self._gauges(node, figures[scope])
        )

    def refusal(self, symbol: str, figures: Mapping[str, NodeFigures], at: int) -> tuple[str, Breach | None]:
        """Why an entry that `figures` count already must not be made, or nothing. Too many of them within a minute are a breach."""
        self._advance(at)
        for scope, node in self._above(symbol):
            for gauge in self._gauges(node, figures[scope], entries=1):
                if gauge.name not in LOSSES and gauge.is_breached:
                    return gauge.words("would pass"), self._latch(gauge) if gauge.name == RATE and not gauge.is_latched else None
        return "", None

    def count(self, symbol: str, at: int) -> None:
        """An entry is asked for."""
        self._advance(at)
        for _, node in self._above(symbol):
            node.asked.append(self._now)

    def rearm(self, figures: Mapping[str, NodeFigures], scope: str = WHOLE) -> None:
        """What was breached is forgiven, for a symbol or for all; losses count from here."""
        for name, node in self.nodes.items():
            if scope in {WHOLE, name}:
                node.latched.clear()
                node.asked.clear()
                node.base = node.peak = figures[name].value
        self.nodes = {name: node for name, node in self.nodes.items() if node.limits != NodeLimits(name)}

    def flattened(self) -> set[str]:
        """Where everything is to be closed."""
        return {scope for scope, node in self.nodes.items() if node.latched and node.limits.flattens}

    def gauges(self, figures: Mapping[str, NodeFigures]) -> Iterator[Gauge]:
        """Of every limit that is set or was breached."""
        for scope, node in self.nodes.items():
            yield from (gauge for gauge in self._gauges(node, figures[scope]) if gauge.limit is not None or gauge.is_latched)

    def _advance(self, at: int) -> None:
        self._now = max(self._now, at)
        for node in self.nodes.values():
            while node.asked and node.asked[0] <= self._now - MINUTE_US:
                node.asked.popleft()

    def _above(self, symbol: str) -> list[tuple[str, Node]]:
        return [(scope, self.nodes[scope]) for scope in (symbol, WHOLE) if scope in self.nodes]

    def _gauges(self, node: Node, figures: NodeFigures, entries: int = 0) -> Iterator[Gauge]:
        limits, scope = node.limits, node.limits.scope
        peak = max(node.peak, figures.value)
        margin = round_ratio(figures.exposure * 100, self._leverage)
        measured: tuple[tuple[str, Unit, int, int | None], ...] = (
            ("daily loss", "money", max(0, node.base - figures.value), limits.daily_loss),
            ("drawdown", "money", peak - figures.value, limits.drawdown),
            ("exposure", "money", figures.exposure, limits.exposure),
            ("margin", "money", margin, limits.margin),
            ("positions", "count", figures.positions, limits.positions),
            (RATE, "count", len(node.asked) + entries, limits.orders_a_minute),
        )
        for name, unit, used, limit in measured:
            yield Gauge(name, unit, used, limit, name in node.latched, scope)

    def _latch(self, gauge: Gauge) -> Breach:
        words = gauge.words("has reached" if gauge.name in LOSSES else "is beyond")
        self.nodes[gauge.scope].latched[gauge.name] = words
        return Breach(gauge.scope, words)
