"""The decisions of a run as a table: every close at which a rule held or a close was ordered, the verdict, and the numbers that failed."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sptrader_desktop.core.records import EXIT_REASONS, LONG, PLACED, VERDICTS
from sptrader_desktop.present.column_makers import Ints, count, per_symbol, quantity_scale, times, word
from sptrader_desktop.present.columns import NOTHING, Column, Columns
from sptrader_desktop.present.listing import Listing, stamps_of, symbols_of
from sptrader_desktop.present.numbers import NONE, amount, share
from sptrader_desktop.present.report_reasons import MEANING
from sptrader_desktop.present.result_orders import MONEY_VERDICTS, exit_decisions
from sptrader_desktop.present.selection import Zone

if TYPE_CHECKING:
    from sptrader_desktop.core.results import Result

ACTIONS = ("buy", "sell", "close_long", "close_short")
REASONS = (*VERDICTS, *EXIT_REASONS)


class _Decisions(NamedTuple):
    """At one close exits come before entries, as the rules ask them; `figure` and `limit` belong to refusals only."""

    time: Ints
    order: Ints
    symbol: Ints
    bar: Ints
    action: Ints
    reason: Ints
    rule: Ints
    wanted: Ints
    size: Ints
    figure: Ints
    limit: Ints


def decision_listing(result: "Result", zone: Zone) -> Listing:
    both = zip(_exits(result), _entries(result), strict=True)
    joined = _Decisions(*(np.concatenate(columns) for columns in both))
    rows = np.lexsort((joined.order, joined.time))
    found = _Decisions(*(column[rows] for column in joined))
    stamps = stamps_of(result, found.symbol, found.bar)
    return Listing(Columns(_columns(result, found, zone)), symbols_of(result), found.symbol, stamps, stamps)


def decision_stamps(result: "Result", symbol: str) -> Ints:
    """The opens of the bars at whose closes something was decided for that symbol, in order and each once."""
    symbols = [candles.symbol for candles in result.request.traded]
    if symbol not in symbols:
        return np.empty(0, np.int64)
    place = symbols.index(symbol)
    bars = np.concatenate([part.bar[part.symbol == place] for part in (_exits(result), _entries(result))])
    found: Ints = result.request.traded[place].timestamp[np.unique(bars)]
    return found


def neighbour(stamps: Ints, at: int | None, forward: bool) -> int | None:
    """The nearest of them strictly after or before `at`; from nowhere, the first or the last of all."""
    if at is None:
        place = 0 if forward else len(stamps) - 1
    else:
        place = int(np.searchsorted(stamps, at, "right")) if forward else int(np.searchsorted(stamps, at, "left")) - 1
    return int(stamps[place]) if 0 <= place < len(stamps) else None


def _entries(result: "Result") -> _Decisions:
    rows: Any = result.outcome.verdicts
    sides = np.array([0 if rule.side == "long" else 1 for rule in result.request.strategy.entries], np.int64)
    return _Decisions(
        rows["time"],
        np.full(len(rows), 1),
        rows["symbol"],
        rows["bar"],
        sides[rows["rule"]] if len(rows) else rows["rule"],
        rows["verdict"],
        rows["rule"] + 1,
        rows["wanted"],
        rows["quantity"],
        rows["figure"],
        rows["limit"],
    )


def _exits(result: "Result") -> _Decisions:
    fills = result.outcome.fills[result.outcome.fills["reason"] >= 0]
    decided = exit_decisions(result, fills)
    rows, times_ = fills[decided != NOTHING], decided[decided != NOTHING]
    none = np.full(len(rows), NOTHING)
    bar_us = np.array([candles.bar_us for candles in result.request.traded], np.int64)[rows["symbol"]]
    bars = np.zeros(len(rows), np.int64)
    for place, candles in enumerate(result.request.traded):
        own = rows["symbol"] == place
        bars[own] = np.searchsorted(candles.timestamp, times_[own] - bar_us[own])
    return _Decisions(
        times_,
        np.zeros(len(rows), np.int64),
        rows["symbol"],
        bars,
        np.where(rows["side"] == LONG, 3, 2),  # what sells closes a long
        rows["reason"] + len(VERDICTS),
        none,
        rows["quantity"],
        rows["quantity"],
        none,
        none,
    )


def _columns(result: "Result", found: _Decisions, zone: Zone) -> tuple[Column, ...]:
    quantities = [quantity_scale(candles.instrument) for candles in result.request.traded]
    shown = [name.replace("_", " ") for name in REASONS]
    return (
        times("timestamp", "Decided", found.time, zone, "the close at which it was decided"),
        word("symbol", "Symbol", found.symbol, symbols_of(result)),
        word("action", "Action", found.action, ACTIONS, shown=[name.replace("_", " ") for name in ACTIONS]),
        word("reason", "Verdict", found.reason, REASONS, "placed, why not, or why it was closed", shown=shown),
        count("rule", "Rule", found.rule, "the entry rule, counted from 1 as in the file"),
        per_symbol("wanted", "Wanted", found.wanted, found.symbol, quantities, "the size that the rule asks for, in units"),
        per_symbol("size", "Size", found.size, found.symbol, quantities, "the size that was ordered, in units"),
        _compared(result, found),
        _meaning(found),
    )


def _compared(result: "Result", found: _Decisions) -> Column:
    """A loss and its base, an exposure and the equity, or two counts."""
    currency = result.request.terms.currency

    def text(row: int) -> str:
        verdict, figure, limit = int(found.reason[row]), int(found.figure[row]), int(found.limit[row])
        name = REASONS[verdict]
        if name in MONEY_VERDICTS:
            part = f" ({share(figure / limit)})" if limit > 0 else ""
            return f"{amount(figure)} of {amount(limit)} {currency}{part}"
        return f"{figure:,} against {limit:,}" if name in ("opposite", "already_in", "max_positions") else NONE

    return Column("compared", "Compared", np.arange(len(found.time)), text, text, tip="what the failing check compared")


def _meaning(found: _Decisions) -> Column:
    def text(row: int) -> str:
        verdict = int(found.reason[row])
        if verdict == PLACED:
            return "an order was placed"
        return MEANING.get(REASONS[verdict], "a close was ordered").replace("`", "")

    return Column("meaning", "Meaning", np.arange(len(found.time)), text, text)
