"""Trades as a JSON result has them, as CSV: the same names, the same exact texts."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

HEAD = (
    "id symbol side entry_time entry_price exit_time exit_price quantity gross_pnl commission financing pnl currency pnl_percent "
    "exit_reason holding_period_hours ambiguous".split()
)


def trades_csv(trades: Iterable[Mapping[str, Any]]) -> str:
    """Numbers by their shortest exact form; true and false as in JSON."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    for row in trades:
        writer.writerow([str(row[name]).lower() if isinstance(row[name], bool) else row[name] for name in HEAD])
    return out.getvalue()
