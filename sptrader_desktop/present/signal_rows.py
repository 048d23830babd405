"""The events of a run's signals as a table: by bar, with type, strength and every other output."""

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from sptrader_desktop.present.column_makers import ratio, times, word
from sptrader_desktop.present.columns import Column, Columns
from sptrader_desktop.present.listing import Listing, codes, symbols_of
from sptrader_desktop.present.result_json import plain_json
from sptrader_desktop.present.selection import Zone

if TYPE_CHECKING:
    from sptrader_desktop.core.results import Result
    from sptrader_desktop.core.rules import EventTable


def signal_listing(result: "Result", zone: Zone) -> Listing:
    """By the open of the bar each was computed from; at one instant by symbol, then in the strategy's order."""
    tables = [(place, name, table) for place, events in enumerate(result.events) for name, table in events.items()]
    counts = [len(table) for _, _, table in tables]
    parts = [result.request.traded[place].timestamp[table.bar] for place, _, table in tables]
    stamps = np.concatenate([*parts, np.empty(0, np.int64)])
    source = np.repeat(np.arange(len(tables)), counts)
    inner = np.concatenate([*(np.arange(count) for count in counts), np.empty(0, np.int64)])
    strength = np.concatenate([*(table.strength for _, _, table in tables), np.empty(0)])
    kinds, kind_words = codes([kind for _, _, table in tables for kind in table.type.tolist()])
    names, name_words = codes([name for _, name, _ in tables])
    places = np.array([place for place, _, _ in tables], np.int64)
    rows = np.argsort(stamps, kind="stable")
    stamps, source, inner = stamps[rows], source[rows], inner[rows]
    symbol = places[source] if tables else source
    table = Columns(
        (
            times("timestamp", "Bar", stamps, zone, "the open of the bar it was computed from"),
            word("symbol", "Symbol", symbol, symbols_of(result)),
            word("signal_name", "Signal", names[source] if tables else source, name_words),
            word("signal_type", "Type", kinds[rows], kind_words),
            ratio("strength", "Strength", strength[rows], "", places=4),
            _outputs([table for _, _, table in tables], source, inner),
        )
    )
    return Listing(table, symbols_of(result), symbol, stamps, stamps)


def _outputs(tables: "list[EventTable]", source: Any, inner: Any) -> Column:
    def values(row: int) -> dict[str, Any]:
        table = tables[source[row]]
        return {name: plain_json(column[inner[row]]) for name, column in table.metadata.items()}

    def text(row: int) -> str:
        return ", ".join(f"{name} {_shown(value)}" for name, value in values(row).items())

    def exact(row: int) -> str:
        return json.dumps(values(row), ensure_ascii=False, sort_keys=True)

    return Column("metadata", "Outputs", np.arange(len(source)), text, exact, tip="every other output of the signal on that bar")


def _shown(value: Any) -> str:
    return "–" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
