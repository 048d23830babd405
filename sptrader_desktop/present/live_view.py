"""What the Live page shows of a live session's state: tables, tiles and sentences, each with how old it is."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from sptrader_desktop.core.money import fixed
from sptrader_desktop.core.risk_tree import WHOLE
from sptrader_desktop.present.column_filters import read_number
from sptrader_desktop.present.column_makers import money, times, word
from sptrader_desktop.present.columns import NOTHING, Column, Columns, Values
from sptrader_desktop.present.listing import codes
from sptrader_desktop.present.live_risk import GLOBAL
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
    return WORDS.get(state["state"], str(state["state"]))


def reason_words(state: State) -> str:
    """Why it is as it is, where that is no matter of course."""
    is_said = state["gate"] == "open" or "gate is shut" in state["reason"]
    shut = "" if is_said else f"no order leaves while the gate is shut ({state['gate_why']})"
    words = "; ".join(filter(None, (state["reason"], shut)))
    return words[:1].upper() + words[1:]


def plug_words(state: State) -> str:
    plug = state["plug"]
    if plug["unprotected"]:
        return f"If this machine dies now: the broker holds no stop for {', '.join(plug['unprotected'])}, so the loss there has no bound"
    return ""


def position_words(position: Mapping[str, Any]) -> str:
    return f"{position['side']} {grouped(position['quantity'])} {position['symbol']}"


def worth_words(position: Mapping[str, Any], state: State) -> str:
    """On one line, wherever it stands."""
    return f"{amount(fixed(Decimal(position['profit'])), signed=True)}\N{NO-BREAK SPACE}{state['account']['currency']}"


def hundredths(figure: str) -> str:
    """At least two decimals, so that a column of them can be read down; what was told more finely stays so."""
    told = Decimal(figure)
    return f"{told:f}" if -int(told.as_tuple().exponent) > 2 else f"{told:.2f}"


def grouped(quantity: str) -> str:
    """As it was told, to the last digit, with its thousands apart."""
    return f"{Decimal(quantity):,f}"


def waits_for_person(state: State) -> bool:
    """Whether re-arming would change something."""
    is_latched = any(gauge["latched"] for gauge in state["risk"]) or bool(state["latched"])
    return is_latched or state["state"] == "halted" or (state["gate"] == "shut" and "hello" not in state["gate_why"])


def halted_alone(state: State) -> dict[str, str]:
    """Symbols that wait for a person, and why; none where all of the account does, or its gate."""
    latched: dict[str, str] = state["latched"]
    is_whole = WHOLE in latched or state["state"] == "halted" or state["gate"] != "open" or state.get("limits_wait", False)
    is_limit = any(gauge["latched"] and gauge.get("scope", GLOBAL) == GLOBAL for gauge in state["risk"])
    return {} if is_whole or is_limit else latched


def lost_words(state: State, now: int) -> str:
    """Of a session that left without a word."""
    ago = age_text(now - micros(state["at"]))
    return (
        f"The session is gone: it was last heard {ago} ago, and did not say that it ends. What it had open then: {open_words(state)}. "
        "That is still at the broker, with the stops it holds. Started again with the same answers it goes on where it was."
    )


def open_lines(state: State, most: int = 8) -> list[str]:
    """What is open, a line each, with what it is worth."""
    rows = state["positions"]
    lines = [f"{position_words(row)}  {worth_words(row, state)}" for row in rows[:most]]
    lines += [f"and {len(rows) - most} more"] if len(rows) > most else []
    orders = state["plug"]["working_orders"]
    return [*lines, *([counted(orders, "working order")] if orders else [])]


def open_words(state: State) -> str:
    """What stays when nobody looks."""
    held = [position_words(position) for position in state["positions"]]
    orders = state["plug"]["working_orders"]
    return f"{', '.join(held) or 'no position'}, {counted(orders, 'working order')}"


def connection_words(state: State) -> list[str]:
    return [": ".join(filter(None, (f"{item['name']} {item['state']}", item["why"]))) for item in state["connections"]]


def is_silent(state: State, now: int) -> bool:
    """One that works says something every second, if only how long its services are up."""
    return now - micros(state["at"]) > SILENT_US


def is_stale(state: State, now: int) -> bool:
    """Whether what is open is valued at old prices."""
    return is_silent(state, now) or any(muted(state, now))


def muted(state: State, now: int, *, is_lost: bool = False) -> list[bool]:
    """By position; of a session that is lost or silent nothing is of now."""
    is_all = is_lost or is_silent(state, now)
    return [is_all or _is_old(row["price_at"], now) for row in state["positions"]]


def is_priced_long_ago(state: State, symbol: str, now: int) -> bool:
    """Whether the newest price of a symbol is old, or nothing is heard at all."""
    return is_silent(state, now) or any(_is_old(price["at"], now) for price in state["prices"] if price["symbol"] == symbol)


def _is_old(price_at: str | None, now: int) -> bool:
    return price_at is None or now - micros(price_at) > STALE_US


def age_words(state: State, now: int, *, is_lost: bool = False) -> str:
    """How old each price is, or that nothing is heard at all."""
    if is_lost or is_silent(state, now):
        return f"The session was last heard {age_text(now - micros(state['at']))} ago: what is shown is from then"
    ages = {price["symbol"]: now - micros(price["at"]) for price in state["prices"]}
    if not ages:
        return "No price yet: they come through the stream prices:live"
    stale = [f"{symbol} {age_text(age)}" for symbol, age in ages.items() if age > STALE_US]
    fresh = [age for age in ages.values() if age <= STALE_US]
    words = [f"Old prices: {', '.join(stale)}"] if stale else []
    words += [f"{'others' if stale else 'Prices'} at most {age_text(max(fresh))} old"] if fresh else []
    return "; ".join(words)


def age_text(micro: int) -> str:
    seconds = max(0, micro) // 1_000_000
    return f"{seconds} s" if seconds < 60 else duration(seconds / 3600)


# Tables


def positions_table(state: State, zone: Zone, muted_rows: Sequence[bool]) -> Columns:
    rows, currency = state["positions"], state["account"]["currency"]
    return Columns(
        (
            _figures("number", "Number", rows),
            _words("symbol", "Symbol", rows),
            _words("side", "Side", rows),
            _figures("quantity", "Quantity", rows, grouped),
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
        np.array(muted_rows, bool),
    )


def orders_table(state: State, zone: Zone, *, is_lost: bool = False) -> Columns:
    """The newest first. What became of those of a session that is lost is not known here."""
    rows = state["orders"][::-1]
    return Columns(
        (
            _times("asked_at", "Asked", rows, zone),
            _words("id", "Order", rows),
            _words("symbol", "Symbol", rows),
            _words("side", "Side", rows),
            _words("kind", "Kind", rows),
            _figures("quantity", "Quantity", rows, grouped),
            _figures("filled", "Filled", rows, grouped),
            _figures("level", "Level", rows),
            _words("state", "State", rows, lambda row: row["state"].replace("_", " ")),
            _words("reason", "Why", rows, lambda row: row["reason"].replace("_", " ")),
        ),
        np.full(len(rows), is_lost),
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
            _figures("strength", "Strength", rows, hundredths),
            _words("outcome", "Outcome", rows),
            _words("why", "Why", rows),
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


def _figures(key: str, title: str, rows: Sequence[Mapping[str, Any]], written: Callable[[str], str] = str) -> Column:
    """As they were told, to the last digit; only their order is a float's."""
    exact = [NONE if row[key] is None else str(row[key]) for row in rows]
    texts = [text if text == NONE else written(text) for text in exact]
    values = np.array([np.nan if row[key] is None else float(row[key]) for row in rows], np.float64)
    read = partial(read_number, per_one=1, is_whole=False)
    return Column(key, title, values, texts.__getitem__, exact.__getitem__, read=read)


def _money(key: str, title: str, rows: Sequence[Mapping[str, Any]], currency: str) -> Column:
    return money(key, title, np.array([fixed(Decimal(row[key])) for row in rows], np.int64), currency)


def _times(key: str, title: str, rows: Sequence[Mapping[str, Any]], zone: Zone) -> Column:
    return times(key, title, np.array([micros(row[key]) for row in rows], np.int64), zone)
