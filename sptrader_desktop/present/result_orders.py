"""Decisions and orders of a run as rows: what was decided at which close and why, and what became of it.

An entry is decided where its conditions held. An exit by a rule, by time, by a reverse or by a limit of risk is decided at the
close before it fills; a stop or a target decides nothing, it was decided with the entry.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from sptrader_desktop.core.candles import Candles, Int64Array
from sptrader_desktop.core.closes import close_instant
from sptrader_desktop.core.money import money_text
from sptrader_desktop.core.records import (
    EXIT_REASONS,
    FILLED,
    LONG,
    MARKET,
    ORDER_KINDS,
    ORDER_STATES,
    PARTIAL,
    REVERSE,
    RISK_HALT,
    SIGNAL_EXIT,
    STOP_LOSS,
    STOP_OUT,
    TAKE_PROFIT,
    TIME_EXIT,
    TRAILING_STOP,
    VERDICTS,
)
from sptrader_desktop.core.strategy import EntryRule, ExitRule
from sptrader_desktop.present.columns import NOTHING
from sptrader_desktop.present.numbers import iso_time, iso_times, price_unit, quantity_unit
from sptrader_desktop.present.triggers import triggers

if TYPE_CHECKING:
    from sptrader_desktop.core.results import Result

Row = dict[str, Any]
AT_CLOSE_TOO = frozenset((SIGNAL_EXIT, REVERSE, TIME_EXIT, PARTIAL))
ORDERED = AT_CLOSE_TOO | {RISK_HALT, STOP_OUT}
KIND_OF_EXIT = {STOP_LOSS: "stop", TRAILING_STOP: "stop", TAKE_PROFIT: "limit"}
CLOSES = {LONG: ("close_all", "close_long"), -LONG: ("close_all", "close_short")}
NO_RULE = -1
# What refused these compared amounts of money.
MONEY_VERDICTS = ("halted", "max_drawdown", "daily_loss", "margin")


@dataclass(frozen=True, slots=True)
class Exit:
    """One fill that closed something; `decided_bar` is −1 where nothing was decided, `rule` −1 where no rule did."""

    fill: Row
    decided_bar: int
    rule: int


def table_rows(table: Any) -> Iterator[Row]:
    """Rows with plain integers: a numpy row costs more to read than to copy."""
    names = table.dtype.names
    return (dict(zip(names, values, strict=True)) for values in table.tolist())


# Decisions


def order_decisions(result: "Result", exits: Iterable[Exit]) -> list[Row]:
    """By time; at one close exits come before entries, as the rules ask them."""
    ordered = [item for item in exits if item.decided_bar >= 0]
    verdicts = list(table_rows(result.outcome.verdicts))
    causes = _causes(result, verdicts, ordered)
    rows = chain(_exit_decisions(result, ordered, causes), _entry_decisions(result, verdicts, causes))
    timed = sorted(rows, key=itemgetter(0))
    times = iso_times(np.array([time for time, _ in timed], np.int64))
    return [row | {"timestamp": time} for time, (_, row) in zip(times, timed, strict=True)]


def _entry_decisions(result: "Result", verdicts: Iterable[Row], causes: "Causes") -> Iterator[tuple[int, Row]]:
    for row in verdicts:
        candles, rule = result.request.traded[row["symbol"]], result.request.strategy.entries[row["rule"]]
        quantity = quantity_unit(candles.instrument).text
        yield (
            row["time"],
            {
                "symbol": candles.symbol,
                "action": "buy" if rule.side == "long" else "sell",
                "reason": VERDICTS[row["verdict"]],
                "rule": row["rule"],
                "size": quantity(row["quantity"]),
                "wanted": quantity(row["wanted"]),
                "figure": _figure(row["verdict"], row["figure"]),
                "limit": _figure(row["verdict"], row["limit"]),
                "signals": causes("entry", row["symbol"], row["rule"], row["bar"]),
            },
        )


def _figure(verdict: int, number: int) -> str | None:
    """What the failing question compared: money as text, a count as text; nothing for what passed or compared nothing."""
    if VERDICTS[verdict] in MONEY_VERDICTS:
        return money_text(number)
    return str(number) if VERDICTS[verdict] in ("opposite", "already_in", "max_positions") else None


def _exit_decisions(result: "Result", exits: Iterable[Exit], causes: "Causes") -> Iterator[tuple[int, Row]]:
    for item in exits:
        fill = item.fill
        candles = result.request.traded[fill["symbol"]]
        size = quantity_unit(candles.instrument).text(fill["quantity"])
        group = "entry" if fill["reason"] == REVERSE else "exit"
        yield (
            close_instant(result.job.tape, fill["symbol"], item.decided_bar),
            {
                "symbol": candles.symbol,
                # What sells closes a long.
                "action": "close_short" if fill["side"] == LONG else "close_long",
                "reason": EXIT_REASONS[fill["reason"]],
                "rule": None if item.rule == NO_RULE else item.rule,
                "size": size,
                "wanted": size,
                "figure": None,
                "limit": None,
                "signals": causes(group, fill["symbol"], item.rule, item.decided_bar),
            },
        )


Causes = Callable[[str, int, int, int], list[Row]]


def _causes(result: "Result", verdicts: Iterable[Row], exits: Iterable[Exit]) -> Causes:
    """Looked up once for each rule over all the bars on which it decided."""
    asked: dict[tuple[str, int, int], set[int]] = {}
    for row in verdicts:
        asked.setdefault(("entry", row["symbol"], row["rule"]), set()).add(row["bar"])
    for item in exits:
        if item.rule != NO_RULE:
            group = "entry" if item.fill["reason"] == REVERSE else "exit"
            asked.setdefault((group, item.fill["symbol"], item.rule), set()).add(item.decided_bar)
    known = {key: _signals(result, *key, np.array(sorted(bars), np.int64)) for key, bars in asked.items()}
    return lambda group, symbol, rule, bar: known.get((group, symbol, rule), {}).get(bar, [])


def _signals(result: "Result", group: str, symbol: int, rule: int, bars: Any) -> dict[int, list[Row]]:
    strategy, events = result.request.strategy, result.events[symbol]
    rules: Sequence[EntryRule | ExitRule] = strategy.entries if group == "entry" else strategy.exits.rules
    found = triggers(rules[rule].when, events, bars)
    return {
        bar: [{"name": name, "type": events[name].type[row], "strength": float(events[name].strength[row])} for name, row in held or []]
        for bar, held in zip(bars.tolist(), found, strict=True)
    }


# Exits and what decided them


def exit_decisions(result: "Result", fills: Any) -> Int64Array:
    """For all fills that closed something: the close at which that was decided, NOTHING where nothing was."""
    bars = fills["bar"] - 1
    if result.request.terms.fill == "close":
        bars = bars + np.isin(fills["reason"], tuple(AT_CLOSE_TOO))
    if (fills["reason"] == PARTIAL).any():
        bars = np.array([item.decided_bar for item in all_exits(result)], np.int64)
    found = np.full(len(fills), NOTHING)
    for place, candles in enumerate(result.request.traded):
        own = (fills["symbol"] == place) & np.isin(fills["reason"], tuple(ORDERED)) & (bars >= 0)
        found[own] = candles.timestamp[bars[own]] + candles.bar_us
    return found


def all_exits(result: "Result") -> list[Exit]:
    """The fills that closed something, in the order of the trades they made."""
    fills = result.outcome.fills
    found, cut = [], set[tuple[int, int]]()
    for fill in table_rows(fills[fills["reason"] >= 0]):
        bar = _decided_bar(result, fill)
        rule = _deciding_rule(result, fill, bar)
        if fill["reason"] == PARTIAL:
            # An ordered part comes first on its bar; a second one on that bar, or one without a rule, is a target.
            place = (fill["position"], fill["bar"])
            if rule == NO_RULE or place in cut or fill["price"] != _ordered_price(result, fill):
                bar, rule = -1, NO_RULE
            cut.add(place)
        found.append(Exit(fill, bar, rule))
    return found


def _decided_bar(result: "Result", fill: Row) -> int:
    reason, bar = fill["reason"], int(fill["bar"])
    if reason not in ORDERED:
        return -1
    return bar if _fills_at_close(result, reason) else bar - 1


def _fills_at_close(result: "Result", reason: int) -> bool:
    return result.request.terms.fill == "close" and reason in AT_CLOSE_TOO


def _deciding_rule(result: "Result", fill: Row, bar: int) -> int:
    """The first in file order that held and closes this side: a position keeps the first order to close it."""
    strategy, hits, held = result.request.strategy, result.hits[fill["symbol"]], -fill["side"]
    match fill["reason"]:
        case reason if reason == REVERSE:
            side = "short" if held == LONG else "long"
            wanted = [rule.reverse and rule.side == side for rule in strategy.entries]
            table = hits.entries
        case reason if reason in (SIGNAL_EXIT, PARTIAL):
            actions = CLOSES[held] if reason == SIGNAL_EXIT else ("close_partial",)
            wanted = [rule.action in actions for rule in strategy.exits.rules]
            table = hits.exits
        case _:
            return NO_RULE
    return next((r for r, is_wanted in enumerate(wanted) if is_wanted and table[r, bar]), NO_RULE)


def _ordered_price(result: "Result", fill: Row) -> int:
    """What an exit ordered for this moment would have been filled at."""
    tape, terms = result.job.tape, result.job.plan.symbols[fill["symbol"]]
    row, is_close = tape.start[fill["symbol"]] + fill["bar"], _fills_at_close(result, fill["reason"])
    if fill["side"] == LONG:
        return int((tape.ask_close if is_close else tape.ask_open)[row] + terms["ask_shift"] + terms["slippage"])
    return int((tape.close if is_close else tape.open)[row] + terms["bid_shift"] - terms["slippage"])


# Orders


def executed_orders(result: "Result", exits: Iterable[Exit]) -> list[Row]:
    """Every entry order with what became of it, and every exit that was filled, by bar and in it as they were filled."""
    rows = sorted(chain(_exit_orders(result, exits), _entry_orders(result)), key=itemgetter(0))
    return [row for _, row in rows]


def _entry_orders(result: "Result") -> Iterator[tuple[tuple[int, int], Row]]:
    """Each under the stamp of its bar and the place of its fill; what was not filled comes after what was."""
    fills = result.outcome.fills
    filled = {row["order"]: (place, row) for place, row in enumerate(table_rows(fills)) if row["reason"] < 0}
    decided = iso_times(result.outcome.orders["decided_time"])
    for number, order in enumerate(table_rows(result.outcome.orders)):
        candles = result.request.traded[order["symbol"]]
        price, (place, fill) = price_unit(candles.instrument).text, filled.get(number, (len(fills), None))
        settled = int(candles.timestamp[order["settled_bar"]]) if order["settled_bar"] >= 0 else order["decided_time"]
        yield (
            (settled, place),
            _order(candles, order, settled)
            | {
                "purpose": "entry",
                "kind": ORDER_KINDS[order["kind"]],
                "level": None if order["kind"] == MARKET else price(order["level"]),
                "state": ORDER_STATES[order["state"]],
                "reason": None,
                "trade": None,
                "decided_at": decided[number],
            }
            | _filling(candles, fill),
        )


def _exit_orders(result: "Result", exits: Iterable[Exit]) -> Iterator[tuple[tuple[int, int], Row]]:
    places = np.flatnonzero(result.outcome.fills["reason"] >= 0).tolist()
    for number, (place, item) in enumerate(zip(places, exits, strict=True)):
        fill = item.fill
        candles = result.request.traded[fill["symbol"]]
        decided = None
        if item.decided_bar >= 0:
            decided = iso_time(close_instant(result.job.tape, fill["symbol"], item.decided_bar))
        is_target_part = fill["reason"] == PARTIAL and item.decided_bar < 0
        yield (
            (fill["time"], place),
            _order(candles, fill, fill["time"])
            | {
                "purpose": "exit",
                "kind": "limit" if is_target_part else KIND_OF_EXIT.get(fill["reason"], "market"),
                "level": None,
                "state": ORDER_STATES[FILLED],
                "reason": EXIT_REASONS[fill["reason"]],
                "trade": number + 1,
                "decided_at": decided,
            }
            | _filling(candles, fill),
        )


def _order(candles: Candles, row: Row, settled: int) -> Row:
    return {
        "symbol": candles.symbol,
        "side": "buy" if row["side"] == LONG else "sell",
        "quantity": quantity_unit(candles.instrument).text(row["quantity"]),
        "settled_at": iso_time(settled),
    }


def _filling(candles: Candles, fill: Row | None) -> Row:
    """`rate` is quote into account currency as the exact ratio used."""
    if fill is None:
        return {"price": None, "commission": money_text(0), "rate": None}
    return {
        "price": price_unit(candles.instrument).text(fill["price"]),
        "commission": money_text(fill["commission"]),
        "rate": str(Fraction(fill["rate_num"], fill["rate_den"])),
    }
