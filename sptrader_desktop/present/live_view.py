"""What the Live page shows of a live session's state: tables, tiles and sentences, each with how old it is."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from sptrader_desktop.core.money import fixed
from sptrader_desktop.present.column_filters import read_number
from sptrader_desktop.present.column_makers import money, times, word
from sptrader_desktop.present.columns import NOTHING, Column, Columns, Values
from sptrader_desktop.present.listing import codes
from sptrader_desktop.present.numbers import NONE, amount, counted, duration
from sptrader_desktop.present.selection import Zone

State = Mapping[str, Any]
STALE_US = 10_000_000  # a price older than this is grey
SILENT_US = 3_000_000  # and so is everything when the session was not heard for so long
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WORDS = {
    "starting": "Starting",
    "recovering": "Recovering",
    "running": "Running",
    "paused": "Paused",
    "close_only": "Closing only",
    "halted": "Halted",
    "stopping": "Stopping",
}


class Shown(NamedTuple):
    """One tile: figure, unit, and whether it is good (1), bad (−1) or neither."""

    value: str
    unit: str = ""
    sign: int = 0


def micros(text: str | None) -> int:
    """Of an ISO time; exact, since the figures of a float are not."""
    return NOTHING if text is None else (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def tiles(state: State) -> dict[str, Shown]:
    figures, currency = state["portfolio"], state["account"]["currency"]
    plug = state["plug"]
    day, whole = (fixed(Decimal(figures[name])) for name in ("daily_pnl", "total_pnl"))
    loss = plug["loss_if_unplugged"]
    return {
        "value": Shown(amount(fixed(Decimal(figures["total_value"]))), currency),
        "cash": Shown(amount(fixed(Decimal(figures["cash"]))), currency),
        "day": Shown(amount(day, signed=True), currency, (day > 0) - (day < 0)),
        "total": Shown(amount(whole, signed=True), currency, (whole > 0) - (whole < 0)),
        "drawdown": Shown(f"{Decimal(figures['max_drawdown']):.2f}", "%"),
        "positions": Shown(str(figures["positions"])),
        "plug": Shown("No bound", "", -1) if loss is None else Shown(amount(fixed(Decimal(loss))), currency),
    }


def headline(state: State) -> str:
    return ": ".join(filter(None, (WORDS.get(state["state"], str(state["state"])), state["reason"])))


def gate_words(state: State) -> str:
    return "Gate open" if state["gate"] == "open" else f"Gate shut: no order leaves ({state['gate_why']})"


def plug_words(state: State) -> str:
    plug = state["plug"]
    if plug["unprotected"]:
        return f"If this computer dies now: no stop at the broker for {', '.join(plug['unprotected'])}, so the loss there has no bound"
    return "If this computer dies now: what is lost of the present value when every stop at the broker is reached, without gaps"


def open_words(state: State) -> str:
    """What stays when nobody looks."""
    held = [f"{position['side']} {position['quantity']} {position['symbol']}" for position in state["positions"]]
    orders = state["plug"]["working_orders"]
    return f"{', '.join(held) or 'no position'}, {counted(orders, 'working order')}"


def risk_rows(state: State) -> list[tuple[str, str, str, str]]:
    """(limit, used, of, left)."""
    rows = []
    for gauge in state["risk"]:
        used, limit, left = (_figure_of(gauge[key], gauge["unit"]) for key in ("used", "limit", "headroom"))
        rows.append((f"{gauge['name'].capitalize()}{' (latched)' if gauge['latched'] else ''}", used, limit or "no limit", left or NONE))
    return rows


def _figure_of(text: str | None, unit: str) -> str:
    return "" if text is None else amount(fixed(Decimal(text))) if unit == "money" else text


def connection_words(state: State) -> list[str]:
    return [": ".join(filter(None, (f"{item['name']} {item['state']}", item["why"]))) for item in state["connections"]]


def is_silent(state: State, now: int) -> bool:
    """One that works says something every second, if only how long its services are up."""
    return now - micros(state["at"]) > SILENT_US


def is_stale(state: State, now: int) -> bool:
    """Whether what is open is valued at old prices."""
    return is_silent(state, now) or any(_is_old(row, now) for row in state["positions"])


def _is_old(position: Mapping[str, Any], now: int) -> bool:
    return position["price_at"] is None or now - micros(position["price_at"]) > STALE_US


def age_words(state: State, now: int) -> str:
    """How old each price is, or that nothing is heard at all."""
    if is_silent(state, now):
        return f"The session was last heard {_age(now - micros(state['at']))} ago: what is shown is from then"
    prices = ", ".join(f"{price['symbol']} {_age(now - micros(price['at']))}" for price in state["prices"])
    return f"Prices: {prices} old" if prices else "No price yet: they come through the stream prices:live"


def _age(micro: int) -> str:
    seconds = max(0, micro) // 1_000_000
    return f"{seconds} s" if seconds < 60 else duration(seconds / 3600)


# Tables


def positions_table(state: State, zone: Zone, now: int) -> Columns:
    rows, currency = state["positions"], state["account"]["currency"]
    muted = [_is_old(row, now) or is_silent(state, now) for row in rows]
    return Columns(
        (
            _figures("number", "Number", rows),
            _words("symbol", "Symbol", rows),
            _words("side", "Side", rows),
            _figures("quantity", "Quantity", rows),
            _figures("entry_price", "Entry", rows),
            _figures("price", "Price", rows),
            _money("profit", "Profit", rows, currency),
            _figures("stop", "Stop", rows),
            _figures("trailing", "Trailing", rows),
            _figures("target", "Target", rows),
            _words("held", "Stop at broker", rows, lambda row: "yes" if row["is_stop_at_broker"] else "NO"),
            _words("closing", "Closing", rows, lambda row: (row["closing"] or NONE).replace("_", " ")),
            _times("entry_time", "Opened", rows, zone),
        ),
        np.array(muted, bool),
    )


def orders_table(state: State, zone: Zone) -> Columns:
    rows = state["orders"][::-1]
    return Columns(
        (
            _times("asked_at", "Asked", rows, zone),
            _words("id", "Order", rows),
            _words("symbol", "Symbol", rows),
            _words("side", "Side", rows),
            _words("kind", "Kind", rows),
            _figures("quantity", "Quantity", rows),
            _figures("filled", "Filled", rows),
            _figures("level", "Level", rows),
            _words("state", "State", rows, lambda row: row["state"].replace("_", " ")),
            _words("reason", "Why", rows, lambda row: row["reason"].replace("_", " ")),
        )
    )


def signals_table(state: State, zone: Zone) -> Columns:
    """The newest first."""
    rows = state["signals"][::-1]
    return Columns(
        (
            _times("at", "Heard", rows, zone),
            _words("symbol", "Symbol", rows),
            _words("name", "Signal", rows),
            _words("type", "Type", rows),
            _figures("strength", "Strength", rows),
            _words("outcome", "Outcome", rows),
            _words("why", "Why", rows),
        )
    )


def services_table(state: State) -> Columns:
    rows = [{**service, "orchestrator": health["state"]} for health in state["services"] for service in health["services"]]
    return Columns(
        (
            _words("symbol", "Symbol", rows),
            _words("service_name", "Service", rows),
            _words("state", "State", rows),
            _words("healthy", "Healthy", rows, lambda row: "yes" if row["is_healthy"] else "NO"),
            _figures("error_count", "Errors", rows),
            _figures("uptime", "Up", rows, unit="s"),
            _words("orchestrator", "Orchestrator", rows),
        )
    )


def events_table(events: Sequence[Mapping[str, Any]], zone: Zone) -> Columns:
    """The newest first."""
    rows = list(events)[::-1]
    return Columns((_times("at", "When", rows, zone), _words("kind", "Kind", rows), _words("text", "What", rows)))


def equity_of(state: State) -> tuple[Values, Values]:
    points = state["equity"]
    instants = np.array([micros(at) for at, _ in points], np.int64)
    return instants, np.array([fixed(Decimal(value)) for _, value in points], np.int64)


def _words(key: str, title: str, rows: Sequence[Mapping[str, Any]], text: Callable[[Mapping[str, Any]], str] | None = None) -> Column:
    places, words = codes([text(row) if text else str(row[key]) for row in rows])
    return word(key, title, places, words)


def _figures(key: str, title: str, rows: Sequence[Mapping[str, Any]], unit: str = "") -> Column:
    """As they were told, to the last digit; only their order is a float's."""
    texts = [NONE if row[key] is None else str(row[key]) for row in rows]
    values = np.array([np.nan if row[key] is None else float(row[key]) for row in rows], np.float64)
    read = partial(read_number, per_one=1, is_whole=False)
    return Column(key, title, values, texts.__getitem__, texts.__getitem__, unit=unit, read=read)


def _money(key: str, title: str, rows: Sequence[Mapping[str, Any]], currency: str) -> Column:
    return money(key, title, np.array([fixed(Decimal(row[key])) for row in rows], np.int64), currency)


def _times(key: str, title: str, rows: Sequence[Mapping[str, Any]], zone: Zone) -> Column:
    return times(key, title, np.array([micros(row[key]) for row in rows], np.int64), zone)
