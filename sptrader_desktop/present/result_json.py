"""The result of a run as a JSON document: a stable contract for programs, the same bytes for the same inputs.

Money, prices and quantities are decimal texts made from the exact integers, times ISO-8601 UTC, keys sorted; no number is
infinite or not a number.
"""

import gc
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from sptrader_desktop.core.calendar import HOUR_US
from sptrader_desktop.core.metrics_trades import net_results, percent_results
from sptrader_desktop.core.money import money_text
from sptrader_desktop.core.records import EXIT_REASONS, LONG, TRADE
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.core.tables import Table
from sptrader_desktop.present.data_quality import DataQuality, data_quality
from sptrader_desktop.present.numbers import iso_date, iso_time, iso_times, price_unit, quantity_unit
from sptrader_desktop.present.result_orders import all_exits, executed_orders, order_decisions

if TYPE_CHECKING:
    from sptrader_desktop.core.instruments import Instrument
    from sptrader_desktop.core.results import Result

MONEY = frozenset(
    "start_capital end_capital total_pnl net_pnl gross_profit gross_loss commission financing best worst average_win average_loss "
    "expectancy pnl".split()
)
Row = dict[str, Any]


def result_document(result: "Result", manifest: Row) -> Row:
    """Made only when asked for: a run of 20,000 trades has some 200,000 rows."""
    with _uncollected():
        return {key: make() for key, make in _parts(result, manifest).items()}


def rendered(result: "Result", manifest: Row) -> bytes:
    """The bytes of that document without all of it at once: a list at a time, of which each row goes as soon as it is written. To let go of
    so many rows together would hold up whoever else wants Python, such as a window."""
    with _uncollected():
        parts = _parts(result, manifest)
        return _joined((key, _drained(value) if isinstance(value := parts[key](), list) else value) for key in sorted(parts))


def render(document: Row) -> bytes:
    """One line for each row of a list, so that two results can be compared line by line."""
    return _joined((key, iter(value) if isinstance(value := document[key], list) else value) for key in sorted(document))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Rows make no cycles, but their number would send the garbage collector through all of them again and again: a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _parts(result: "Result", manifest: Row) -> dict[str, Callable[[], Any]]:
    measured, exits = result.metrics, cache(lambda: all_exits(result))
    return {
        "total_trades": lambda: measured.trades.total,
        "winning_trades": lambda: measured.trades.winning,
        "losing_trades": lambda: measured.trades.losing,
        "total_pnl": lambda: money_text(measured.total_pnl),
        "max_drawdown": lambda: measured.drawdown.depth,
        "sharpe_ratio": lambda: measured.daily.sharpe,
        "start_capital": lambda: money_text(measured.start_capital),
        "end_capital": lambda: money_text(measured.end_capital),
        "metrics": lambda: figures(measured),
        "signals_generated": lambda: signals_generated(result),
        "order_decisions": lambda: order_decisions(result, exits()),
        "executed_orders": lambda: executed_orders(result, exits()),
        "completed_trades": lambda: completed_trades(result),
        "final_portfolio": lambda: final_portfolio(result),
        "daily_returns": lambda: [[iso_date(day), value] for day, value in measured.daily.returns],
        "equity_band": lambda: equity_band(result),
        "data_quality": lambda: [quality(found) for found in data_quality(result)],
        "manifest": lambda: manifest,
    }


def _drained(rows: list[Any]) -> Iterator[Any]:
    rows.reverse()
    while rows:
        yield rows.pop()


def _joined(parts: Iterable[tuple[str, Any]]) -> bytes:
    """Rows come as an iterator."""
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode
    texts = []
    for key, value in parts:
        if isinstance(value, Iterator):
            rows = ",\n".join(map(encode, value))
            texts.append(f"{encode(key)}:[\n{rows}\n]".encode() if rows else f"{encode(key)}:[]".encode())
        else:
            texts.append(f"{encode(key)}:{encode(value)}".encode())
    return b"".join([b"{\n", b",\n".join(texts), b"\n}\n"])


def completed_trades(result: "Result") -> list[Row]:
    return rows_of_trades(result.outcome.trades, result.request.terms.currency, [item.instrument for item in result.request.traded])


def rows_of_trades(trades: Table, currency: str, instruments: "Sequence[Instrument]") -> list[Row]:
    """In the order in which they closed, which is what their numbers count."""
    symbols = [(item.symbol, price_unit(item).text, quantity_unit(item).text) for item in instruments]
    net = net_results(trades)
    columns = {name: trades[name].tolist() for name in TRADE.names or ()}
    entered, left = iso_times(trades["entry_time"]), iso_times(trades["exit_time"])
    percent = percent_results(net, trades["entry_notional"]).tolist()
    hours = ((trades["exit_time"] - trades["entry_time"]) / HOUR_US).tolist()
    rows = []
    for i, pnl in enumerate(net.tolist()):
        symbol, price, quantity = symbols[columns["symbol"][i]]
        rows.append(
            {
                "id": i + 1,
                "symbol": symbol,
                "side": "long" if columns["side"][i] == LONG else "short",
                "entry_time": entered[i],
                "entry_price": price(columns["entry_price"][i]),
                "exit_time": left[i],
                "exit_price": price(columns["exit_price"][i]),
                "quantity": quantity(columns["quantity"][i]),
                "gross_pnl": money_text(columns["gross"][i]),
                "commission": money_text(columns["commission"][i]),
                "financing": money_text(columns["financing"][i]),
                "pnl": money_text(pnl),
                "currency": currency,
                "pnl_percent": percent[i],
                "exit_reason": EXIT_REASONS[columns["reason"][i]],
                "holding_period_hours": hours[i],
                "ambiguous": bool(columns["ambiguous"][i]),
            }
        )
    return rows


def signals_generated(result: "Result") -> list[Row]:
    """Every event of every signal, by the open of the bar it was computed from; at one instant by symbol, then in the strategy's order."""
    found: list[tuple[int, Row]] = []
    for candles, events in zip(result.request.traded, result.events, strict=True):
        for name, table in events.items():
            stamps = candles.timestamp[table.bar]
            rows = _events(candles.symbol, name, table, iso_times(stamps))
            found += zip(stamps.tolist(), rows, strict=True)
    return [row for _, row in sorted(found, key=itemgetter(0))]


def _events(symbol: str, name: str, table: EventTable, times: Sequence[str]) -> list[Row]:
    outputs = list(table.metadata)
    columns = [[plain_json(value) for value in table.metadata[output].tolist()] for output in outputs]
    metadata = zip(*columns, strict=True) if columns else [()] * len(table)
    return [
        {
            "timestamp": time,
            "signal_name": name,
            "signal_type": kind,
            "strength": strength,
            "metadata": dict(zip(outputs, values, strict=True)),
            "symbol": symbol,
        }
        for time, kind, strength, values in zip(times, table.type.tolist(), table.strength.tolist(), metadata, strict=True)
    ]


def plain_json(value: object) -> Any:
    """What a component put into its metadata, as JSON can say it: a missing number is null, a strange object its text."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def final_portfolio(result: "Result") -> Row:
    """After the end of the data: every position is closed, so cash is equity."""
    measured, equity = result.metrics, result.outcome.equity
    peak = max(measured.start_capital, int(equity.max()) if len(equity) else 0)
    return {
        "cash": money_text(result.outcome.final_cash),
        "equity": money_text(measured.end_capital),
        "positions": [],
        "high_water_mark": money_text(peak),
        "currency": result.request.terms.currency,
    }


def equity_band(result: "Result") -> Row:
    band = result.band
    return {
        "policy": result.request.terms.intrabar,
        "ambiguous_trades": band.ambiguous_trades,
        "resolved_trades": band.resolved_trades,
        "pnl": money_text(result.outcome.final_cash - result.job.capital),
        "low": money_text(band.low),
        "high": money_text(band.high),
        "stop_first": money_text(band.stop_first),
        "target_first": money_text(band.target_first),
        "trades": (np.flatnonzero(result.outcome.trades["ambiguous"]) + 1).tolist(),
    }


def quality(found: DataQuality) -> Row:
    return {
        "symbol": found.symbol,
        "synthetic": found.is_synthetic,
        "expected_bars": found.expected,
        "present_bars": found.present,
        "coverage": found.coverage,
        "missing_spans": found.missing_spans,
        "longest_missing_bars": found.longest_missing,
        "suspicious_bars": found.suspicious,
        "trades": list(found.trades),
    }


def figures(record: Any) -> Row:
    """A record of metrics by the names of its fields; daily returns have their own place in the document."""
    return {item.name: _figure(item.name, getattr(record, item.name)) for item in fields(record) if item.name != "returns"}


def _figure(name: str, value: Any) -> Any:
    if is_dataclass(value):
        return figures(value)
    if isinstance(value, tuple):
        return [figures(item) for item in value]
    if isinstance(value, int):
        if name.endswith("_at"):
            return iso_time(value)
        # Days have a best and a worst too, but those are returns and therefore floats.
        return money_text(value) if name in MONEY else value
    return value
