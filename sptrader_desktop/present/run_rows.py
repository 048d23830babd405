"""The kept runs as a table, newest first."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from sptrader_desktop.core.money import MONEY_ONE, money_text
from sptrader_desktop.ports import RunSummary
from sptrader_desktop.present.column_makers import Ints, count, ratio, times, whole, word
from sptrader_desktop.present.columns import NOTHING, Column, Columns
from sptrader_desktop.present.listing import codes
from sptrader_desktop.present.numbers import amount
from sptrader_desktop.present.selection import Zone


def newest_first(runs: Sequence[RunSummary]) -> tuple[RunSummary, ...]:
    return tuple(reversed(runs))


def run_columns(runs: Sequence[RunSummary], zone: Zone) -> Columns:
    drawdowns = np.array([np.nan if run.drawdown is None else 100 * run.drawdown for run in runs], np.float64)
    return Columns(
        (
            _names(runs),
            times("saved_at", "Saved", _stamps([run.saved_at for run in runs]), zone),
            _words("strategy", "Strategy", [run.strategy for run in runs]),
            _words("symbols", "Symbols", [" ".join(run.symbols) for run in runs]),
            _words("timeframe", "Timeframe", [run.timeframe for run in runs]),
            times("first", "First bar", _stamps([run.first for run in runs]), zone),
            times("last", "Last bar", _stamps([run.last for run in runs]), zone, is_shown=False),
            count("trades", "Trades", np.array([run.trades for run in runs], np.int64)),
            _net(runs),
            ratio("drawdown", "Drawdown", drawdowns, "%", "the largest fall of equity from its highest value so far"),
            _words("tags", "Tags", [", ".join(run.tags) for run in runs]),
            _words("note", "Note", [" ".join(run.note.split()) for run in runs]),
        )
    )


def _names(runs: Sequence[RunSummary]) -> Column:
    """By its number, as its strategy stands beside it."""
    places, words = codes([run.id for run in runs])
    return word("id", "Run", places, words, shown=[name.partition("-")[0] for name in words])


def _net(runs: Sequence[RunSummary]) -> Column:
    """The currency stands in the heading where all have the same."""
    currencies = {run.currency for run in runs}
    own = next(iter(currencies)) if len(currencies) == 1 else ""

    def text(row: int) -> str:
        run = runs[row]
        return amount(run.pnl, signed=True) if own else f"{amount(run.pnl, signed=True)} {run.currency}"

    values = np.array([run.pnl for run in runs], np.int64)
    tip = "profit or loss after all costs"
    return Column(
        "pnl", "Net", values, text, lambda row: money_text(runs[row].pnl), unit=own, tip=tip, read=whole(MONEY_ONE), is_signed=True
    )


def _stamps(moments: Sequence[datetime | None]) -> Ints:
    return np.array([NOTHING if moment is None else int(moment.timestamp()) * 1_000_000 for moment in moments], np.int64)


def _words(key: str, title: str, said: Sequence[str], *, is_shown: bool = True) -> Column:
    places, words = codes(said)
    return word(key, title, places, words, is_shown=is_shown)
