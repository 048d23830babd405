"""Everything a priced paper broker must remember between two steps, as plain integers and texts, and back: the same to the last bit.
A close is on its way or done: at rest no position is being closed by one that was asked for.

Symbols go by their names, so that what is kept outlives a change of the list of symbols.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from sptrader_desktop.core.broker_messages import Close, HeldPosition, Place, Snapshot, WorkingOrder
from sptrader_desktop.core.errors import BrokerMismatchError
from sptrader_desktop.core.records import ORDER_KINDS
from sptrader_desktop.core.tables import FAR, Table
from sptrader_desktop.runtime.live.paper_prices import OnItsWay, PricedBroker

VERSION = 1
Kept = Mapping[str, Any]


def state_of(broker: PricedBroker) -> Kept:
    book, used = broker.book, broker.book.account[0]
    positions, pending = book.state.positions[: used["positions"]], book.state.pending[: used["pending"]]
    return {
        "version": VERSION,
        "n": broker.n,
        "clock": broker.clock,
        "account": {name: value for name, value in _row(used).items() if name != "worst"},
        "series": {symbol: _row(book.series[s]) | {"time": int(book.tape.time[s])} for s, symbol in enumerate(broker.symbols)},
        "positions": [_row(row) | {"symbol": broker.symbols[row["symbol"]]} for row in positions],
        "pending": [_row(row) | {"symbol": broker.symbols[row["symbol"]], "id": broker.ids[int(row["order"])]} for row in pending],
        "way": [{"due": item.due, "do": _do(item.request)} | asdict(item.request) for item in broker.way],
    }


def put_back(broker: PricedBroker, kept: Kept) -> None:
    """Into a broker that has done nothing yet."""
    missing = {row["symbol"] for row in (*kept["positions"], *kept["pending"])} - set(broker.symbols)
    if kept["version"] != VERSION:
        raise BrokerMismatchError(
            f"the paper broker's books are of version {kept['version']}, this program knows {VERSION}: update sptrader"
        )
    if missing:
        raise BrokerMismatchError(f"the paper broker holds {', '.join(sorted(missing))}, which its terms do not name: put them back")
    book = broker.book
    _fill(book.account, [kept["account"]])
    for symbol, row in kept["series"].items():
        if symbol in broker.symbols:
            s = broker.symbols.index(symbol)
            book.tape.time[s] = row["time"]
            _fill(book.series[s : s + 1], [{name: value for name, value in row.items() if name != "time"}])
    places = {symbol: s for s, symbol in enumerate(broker.symbols)}
    _fill(book.state.positions, [row | {"symbol": places[row["symbol"]]} for row in kept["positions"]])
    if not broker.holds_stops:
        held = book.state.positions[: len(kept["positions"])]
        held["stop"], held["target"], held["trail"] = -held["side"] * FAR, held["side"] * FAR, -held["side"] * FAR
    orders = [{name: value for name, value in row.items() if name != "id"} for row in kept["pending"]]
    _fill(book.state.pending, [row | {"symbol": places[row["symbol"]]} for row in orders])
    way = [OnItsWay(row["due"], _request(row)) for row in kept["way"]]
    broker.resume(kept["n"], kept["clock"], [row["id"] for row in kept["pending"]], way)


def snapshot_of(broker: PricedBroker, name: str) -> Snapshot:
    book, used = broker.book, broker.book.account[0]
    held = tuple(_held(broker, row) for row in book.state.positions[: used["positions"]])
    working = [_working(broker, row) for row in book.state.pending[: used["pending"]]]
    coming = [item.request for item in broker.way if isinstance(item.request, Place)]
    orders = (*working, *(WorkingOrder(p.id, p.symbol, p.side, p.kind, p.quantity, p.level) for p in coming))
    return Snapshot(name, broker.n, int(used["cash"]), held, orders)


def _held(broker: PricedBroker, row: Table) -> HeldPosition:
    number, symbol, side, quantity, price = (int(row[name]) for name in ("number", "symbol", "side", "quantity", "entry_price"))
    levels = [None if abs(int(row[name])) >= FAR else int(row[name]) for name in ("stop", "target", "trail")]
    return HeldPosition(number, broker.symbols[symbol], side, quantity, price, *levels)


def _working(broker: PricedBroker, row: Table) -> WorkingOrder:
    number, symbol, side, kind, quantity, level = (int(row[name]) for name in ("order", "symbol", "side", "kind", "quantity", "level"))
    return WorkingOrder(broker.ids[number], broker.symbols[symbol], side, ORDER_KINDS[kind], quantity, level)


def _row(row: Table) -> dict[str, Any]:
    return dict(zip(row.dtype.names or (), row.tolist(), strict=True))


def _fill(table: Table, rows: Iterable[Kept]) -> None:
    for index, row in enumerate(rows):
        for name, value in row.items():
            table[name][index] = value


def _do(request: Place | Close) -> str:
    return "place" if isinstance(request, Place) else "close"


def _request(row: Kept) -> Place | Close:
    figures = {name: value for name, value in row.items() if name not in {"due", "do"}}
    return Place(**figures) if row["do"] == "place" else Close(**figures)
