"""The state of a live session as its watchers read it: decimal strings and ISO times; ages are theirs to compute."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from sptrader_desktop.core.broker_messages import Close, Place
from sptrader_desktop.core.money import money_text
from sptrader_desktop.core.records import EXIT_REASONS, LONG
from sptrader_desktop.core.risk_tree import Gauge
from sptrader_desktop.core.tables import FAR
from sptrader_desktop.present.live_feeds import LiveFeeds, Told
from sptrader_desktop.present.live_figures import Figures
from sptrader_desktop.present.numbers import iso_time, price_unit, quantity_unit

if TYPE_CHECKING:
    from sptrader_desktop.core.live_account import LiveAccount
    from sptrader_desktop.core.order_lives import Life

EVERY = "*"


class Quote(Protocol):
    @property
    def at(self) -> int: ...
    @property
    def bid(self) -> int: ...
    @property
    def ask(self) -> int: ...


class LiveBar(Protocol):
    @property
    def opens(self) -> int: ...
    @property
    def prices(self) -> tuple[int, int, int, int]: ...


@dataclass(frozen=True, slots=True)
class Connection:
    """`since` is when it became so."""

    name: str
    state: str
    since: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """What does not change while a session runs."""

    account: str
    currency: str
    capital: int
    strategy: Mapping[str, str]
    timeframe: str
    mode: str = "paper"


@dataclass(frozen=True, slots=True)
class Around:
    """What the process around the account knows now."""

    at: int
    orchestrator: str  # state of all its symbols together
    is_synced: bool
    is_stopping: bool
    gate: str
    gate_why: str
    quotes: Mapping[str, Quote]
    bars: Mapping[str, LiveBar]
    forming: Mapping[str, LiveBar]  # those that are not over yet
    services: Sequence[Mapping[str, Any]]
    connections: Sequence[Connection]
    alarms: Sequence[tuple[int, str]]
    gate_held: Sequence[str] = ()  # why the gate is shut, and does not open by itself in a moment
    shut: str = ""  # why nothing is opened, beside what the account says itself


def live_state(session: Session, account: "LiveAccount", feeds: LiveFeeds, around: Around) -> Told:
    """Everything but the two long feeds (`long_feeds`), which seldom change."""
    figures = Figures(account, session.capital, feeds.kept)
    state, reason = _state(account, around)
    return {
        "is": "state",
        "at": iso_time(around.at),
        "mode": session.mode,
        "state": state,
        "reason": reason,
        **_believed(session, account, feeds, figures),
        "orders": [_order(name, symbol, life, feeds) for name, symbol, life in feeds.orders()],
        "services": [dict(health) for health in around.services],
        "connections": [
            {"name": item.name, "state": item.state, "since": iso_time(item.since), "why": item.why} for item in around.connections
        ],
        "prices": [_price(symbol, quote, feeds) for symbol, quote in around.quotes.items()],
        "bars": [_bar(symbol, bar, feeds) for symbol, bar in around.bars.items()],
        "forming": [_bar(symbol, bar, feeds) for symbol, bar in around.forming.items()],
        "gate": around.gate,
        "gate_why": around.gate_why,
        "alarms": [{"at": iso_time(at), "text": text} for at, text in around.alarms],
    }


def last_state(session: Session, account: "LiveAccount", feeds: LiveFeeds) -> Told:
    """What was known last of an account that nobody trades now: of orders those that were not over."""
    going = dict(account.lives.going())
    return {
        "halted": account.halted,
        **_believed(session, account, feeds, Figures(account, session.capital, feeds.kept)),
        "orders": [_order(name, symbol, life, feeds) for name, symbol, life in feeds.orders() if name in going],
        "unknown": account.lives.unknown(),
    }


def _believed(session: Session, account: "LiveAccount", feeds: LiveFeeds, figures: Figures) -> Told:
    """What follows from facts alone."""
    return {
        "account": {"name": session.account, "currency": session.currency, "environment": account.environment},
        "strategy": dict(session.strategy),
        "timeframe": session.timeframe,
        "symbols": list(feeds.instruments),
        "portfolio": portfolio(figures),
        "risk": [_gauge(gauge) for gauge in figures.gauges()],
        "barred": dict(account.barred),
        "latched": {scope: why for scope, why in account.barred.items() if not why.startswith("paused")},  # what only a re-arm ends
        "positions": [_position(row, figures, feeds) for row in figures.positions],
        "foreign_orders": sorted(account.foreign),
        "plug": _plug(figures, session, feeds),
    }


def long_feeds(feeds: LiveFeeds) -> Iterable[tuple[str, object, Callable[[], list[Any]]]]:
    """(name, what it is known by while it is unchanged, how it is written out)."""
    yield "signals", (feeds.signals[-1], feeds.revised) if feeds.signals else None, lambda: list(feeds.signals)
    points = feeds.equity
    yield "equity", points[-1] if points else None, lambda: [[at, value] for at, value in points]


def bars_told(symbol: str, warm: Iterable[tuple[int, ...]], feeds: LiveFeeds) -> Told:
    """The closed bars of a symbol, oldest first: what was decided on, and from before it what components were warmed up with."""
    prices = price_unit(feeds.instruments[symbol]).text
    rows = {row[0]: row[1:] for row in (*warm, *feeds.bars[symbol])}
    return {"is": "bars", "symbol": symbol, "rows": [[iso_time(at), *map(prices, rows[at])] for at in sorted(rows)]}


def _state(account: "LiveAccount", around: Around) -> tuple[str, str]:
    """The first that is so, and why."""
    every = account.barred.get(EVERY, "")
    if around.is_stopping:
        return "stopping", "a person ended it; what is open stays at the broker, with its stops"
    if account.halted:
        return "halted", account.halted
    if around.gate_held:
        return "halted", f"no order leaves until {_end_of(around.gate_held)}: the guardian's gate is shut"
    if around.orchestrator in {"error", "stopped"}:
        return "halted", "the services of every symbol are halted: see them, then restart them"
    if not around.is_synced:
        return "recovering", "what the broker did meanwhile is not all known yet"
    if around.orchestrator in {"initializing", "recovering"}:
        return ("starting" if around.orchestrator == "initializing" else "recovering"), "services are started"
    if every.startswith("paused"):
        return "paused", every
    if every:
        return "close_only", every
    if around.shut:
        return "close_only", around.shut
    if around.orchestrator == "paused" and not account.barred:
        return "paused", "services are paused: the market is closed, or a person paused them"
    barred = "; ".join(f"{symbol}: {why}" for symbol, why in account.barred.items())
    return ("close_only" if len(account.barred) >= len(account.book.plan.exits) else "running"), barred


def _end_of(held: Sequence[str]) -> str:
    """What opens a gate that is shut for these reasons: whoever was silent is heard again, a stop only ends by a person."""
    silent = " and the ".join(why.removeprefix("heartbeat of ") for why in held)
    return "you re-arm" if "stopped" in held else f"the {silent} {'is' if len(held) == 1 else 'are'} heard again, or you re-arm"


def portfolio(figures: Figures) -> Told:
    """The six figures of `portfolio_update`; the drawdown is in percent."""
    return {
        "cash": money_text(figures.cash),
        "total_value": money_text(figures.total),
        "positions": len(figures.positions),
        "daily_pnl": money_text(figures.day_profit),
        "total_pnl": money_text(figures.all_profit),
        "max_drawdown": str(round(Decimal(100 * figures.deepest_drawdown), 4)),
    }


def _gauge(gauge: Gauge) -> Told:
    def written(value: int) -> str:
        return money_text(value) if gauge.unit == "money" else str(value)

    limit = gauge.limit
    return {
        "name": gauge.name,
        "scope": "global" if gauge.scope == EVERY else gauge.scope,
        "unit": gauge.unit,
        "used": written(gauge.used),
        "limit": None if limit is None else written(limit),
        "headroom": None if limit is None else written(gauge.headroom or 0),
        "latched": gauge.is_latched,
    }


def _position(row: Any, figures: Figures, feeds: LiveFeeds) -> Told:
    symbol, number = feeds.account.symbols[row["symbol"]], int(row["number"])
    prices, seen = price_unit(feeds.instruments[symbol]), feeds.seen_at.get(symbol)
    return {
        "number": number,
        "symbol": symbol,
        "side": "long" if row["side"] == LONG else "short",
        "quantity": quantity_unit(feeds.instruments[symbol]).text(int(row["quantity"])),
        "entry_price": prices.text(int(row["entry_price"])),
        "entry_time": iso_time(int(row["entry_time"])),
        "price": prices.text(figures.exit_price(row)),
        "price_at": None if seen is None else iso_time(seen),
        "profit": money_text(figures.profits[number]),
        "stop": _level(row["stop"], prices.text),
        "trailing": _level(row["trail"], prices.text),
        "target": _level(row["target"], prices.text),
        "is_stop_at_broker": figures.stop_kept(row) is not None,
        "closing": EXIT_REASONS[row["closing_reason"]] if row["closing"] else None,
    }


def _level(ticks: Any, text: Callable[[int], str]) -> str | None:
    return None if abs(int(ticks)) >= FAR else text(int(ticks))


def _order(name: str, symbol: str, life: "Life", feeds: LiveFeeds) -> Told:
    request, instrument = life.request, feeds.instruments.get(symbol)
    assert isinstance(request, Place | Close), "others are no orders"
    steps = quantity_unit(instrument).text if instrument else str
    level = request.level if isinstance(request, Place) else -1
    return {
        "id": name,
        "symbol": symbol,
        "side": ("buy" if request.side > 0 else "sell") if isinstance(request, Place) else "close",
        "kind": request.kind if isinstance(request, Place) else "market",
        "quantity": steps(life.quantity),
        "filled": steps(life.filled),
        "level": price_unit(instrument).text(level) if instrument and level >= 0 else None,
        "state": str(life.state),
        "asked_at": iso_time(life.asked_at),
        "reason": life.why or (request.reason if isinstance(request, Close) else f"entry {request.rule + 1}"),
    }


def _price(symbol: str, quote: Quote, feeds: LiveFeeds) -> Told:
    text = price_unit(feeds.instruments[symbol]).text
    return {"symbol": symbol, "bid": text(quote.bid), "ask": text(quote.ask), "at": iso_time(quote.at)}


def _bar(symbol: str, bar: LiveBar, feeds: LiveFeeds) -> Told:
    text = price_unit(feeds.instruments[symbol]).text
    figures = zip(("open", "high", "low", "close"), bar.prices, strict=True)
    return {"symbol": symbol, "at": iso_time(bar.opens), **{name: text(price) for name, price in figures}}


def _plug(figures: Figures, session: Session, feeds: LiveFeeds) -> Told:
    """Without a stop at the broker a loss has no bound, and no figure."""
    plug = figures.plug()
    bare = [row for row in figures.positions if int(row["number"]) in plug.unprotected]
    loss = money_text(plug.protected_loss)
    return {
        "loss_if_unplugged": None if bare else loss,
        "protected_loss": loss,
        "unprotected": sorted({feeds.account.symbols[row["symbol"]] for row in bare}),
        "working_orders": plug.working,
        "currency": session.currency,
    }
